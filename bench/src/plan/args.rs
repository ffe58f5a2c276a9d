//! The flags of `bench plan`.

use std::time::Duration;

use clap::{ArgGroup, Args};
use proof_server::config::parse_duration;

use super::{
    fleet::Wish,
    queue::{Class, Service},
    simulate::Losses,
};

/// How long a client is away that lost its host: the pause before its first retry, 1 to 1.5 s (`light-client`), and
/// its way back through the balancer. Of a host that vanishes without a word it is 20 s more.
const BACK_IN: f64 = 1.5;

/// Plan a fleet on paper: hosts for a rate of requests and a latency, or the rate that hosts can take.
///
/// By the formula of a queue before many workers, which a simulation checks: a line of the table has both. Times,
/// shares, prices and how long hosts live are yours to give: nothing is measured here.
///
/// Exit code 0: planned; 1: no fleet meets the target.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("by").required(true).args(["rates", "hosts"])))]
pub struct PlanArgs {
    /// A kind of request, how long a worker has it, and its share of all: committee-change=36s:2
    #[arg(long = "service", value_name = "NAME=TIME:SHARE", required = true, num_args = 1.., value_parser = parse_class)]
    services: Vec<Named>,

    /// 99 % of the requests are to be answered within so long, the wait included
    #[arg(long = "latency-p99", value_name = "TIME", value_parser = parse_duration)]
    latency: Duration,

    /// Requests a second: how many hosts?
    #[arg(long = "rate", value_name = "R", num_args = 1.., value_delimiter = ',', value_parser = parse_positive)]
    rates: Vec<f64>,

    /// Hosts: how many requests a second?
    #[arg(long, value_name = "N", num_args = 1.., value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=100_000))]
    hosts: Vec<u32>,

    /// Busy part of the workers at most, in percent: forecasts are wrong, and hosts are taken out for deploys
    #[arg(long, value_name = "PERCENT", default_value = "85", value_parser = clap::value_parser!(u8).range(1..=99))]
    most_busy: u8,

    /// Workers of a host, one a GPU
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,

    /// A worker's pause between two jobs behind a balancer, while the next client connects
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = parse_duration)]
    gap: Duration,

    /// What a host costs, dollars an hour
    #[arg(long, value_name = "DOLLARS", default_value = "1", value_parser = parse_positive)]
    price: f64,

    /// How long a host lives on average, where it can be taken away (spot)
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    lifetime: Option<Duration>,

    /// From a host's loss until its replacement takes work
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration)]
    replaced_in: Duration,

    /// Bytes of a request and its proof together
    #[arg(long, value_name = "BYTES", default_value = "2200000", value_parser = parse_positive)]
    bytes: f64,

    /// Time series that Prometheus has of a host: a server's that makes STARKs, 2317, and the balancer's of it, 67. With all
    /// modes a server has 4125
    #[arg(long, value_name = "N", default_value = "2400")]
    series: u32,

    /// Where the simulation's random numbers come from
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: u64,
}

/// A kind of request. Its name is for the reader of the command.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    name: String,
    class: Class,
}

/// What is given, and what is asked.
#[derive(Debug)]
pub(super) enum By {
    Rates(Vec<f64>),
    Hosts(Vec<usize>),
}

impl PlanArgs {
    pub(super) fn wish(&self) -> Wish {
        let classes = self.services.iter().map(|service| service.class).collect();
        let losses = self.lifetime.map(|lifetime| Losses {
            lifetime: lifetime.as_secs_f64(),
            replaced_in: self.replaced_in.as_secs_f64(),
            back_in: BACK_IN,
        });
        Wish {
            service: Service::new(classes, self.gap.as_secs_f64()),
            workers_per_host: self.workers.into(),
            latency: self.latency.as_secs_f64(),
            most_busy: f64::from(self.most_busy) / 100.0,
            losses,
            price: self.price,
            bytes: self.bytes,
            seed: self.seed,
        }
    }

    pub(super) fn by(&self) -> By {
        if self.rates.is_empty() {
            By::Hosts(self.hosts.iter().map(|hosts| *hosts as usize).collect())
        } else {
            By::Rates(self.rates.clone())
        }
    }

    pub(super) fn series_per_host(&self) -> usize {
        self.series as usize
    }
}

fn parse_class(text: &str) -> Result<Named, String> {
    let wanted = || {
        format!("`{text}` is no kind of request: give NAME=TIME:SHARE, for example inclusion=62s:1")
    };
    let (name, rest) = text.split_once('=').ok_or_else(wanted)?;
    let (time, share) = rest.split_once(':').unwrap_or((rest, "1"));
    let seconds = parse_duration(time).map_err(|error| error.to_string())?.as_secs_f64();
    let share = parse_positive(share)?;
    if name.is_empty() || seconds == 0.0 {
        return Err(wanted());
    }
    Ok(Named { name: name.to_owned(), class: Class { seconds, share } })
}

fn parse_positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (1e-9..=1e12).contains(number));
    number.ok_or_else(|| format!("`{text}` is not a number above 0"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        plan: PlanArgs,
    }

    fn parse(line: &str) -> Result<PlanArgs, String> {
        let words = ["plan"].into_iter().chain(line.split(' '));
        Command::try_parse_from(words).map(|it| it.plan).map_err(|error| error.to_string())
    }

    #[test]
    fn kinds_of_requests_have_times_and_shares() {
        let args = parse("--service a=36s:2 b=500ms --latency-p99 2m --rate 0.5,3").unwrap();
        let service = args.wish().service;
        assert_eq!(service.classes()[0], Class { seconds: 36.0, share: 2.0 / 3.0 });
        assert_eq!(service.classes()[1], Class { seconds: 0.5, share: 1.0 / 3.0 });
        assert!(matches!(args.by(), By::Rates(rates) if rates == [0.5, 3.0]));
        assert!(args.wish().losses.is_none());
    }

    #[test]
    fn flags_that_make_no_plan_are_refused_with_what_was_wanted() {
        for (line, says) in [
            ("--service a=36s --latency-p99 2m", "--rate <R>...|--hosts <N>..."),
            ("--service a=36s --latency-p99 2m --rate 1 --hosts 1", "cannot be used with"),
            ("--service a --latency-p99 2m --rate 1", "give NAME=TIME:SHARE"),
            ("--service a=36s:x --latency-p99 2m --rate 1", "`x` is not a number above 0"),
            ("--service a=0s:1 --latency-p99 2m --rate 1", "`a=0s:1` is no kind of request"),
            ("--service a=36 --latency-p99 2m --rate 1", "`36` is no duration"),
            ("--service a=36s --latency-p99 2m --rate nan", "`nan` is not a number above 0"),
            ("--service a=36s --latency-p99 2m --hosts 0", "0 is not in 1.."),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
        let slow = parse("--service a=36s --latency-p99 30s --rate 1").unwrap();
        let error = super::super::run(&slow).unwrap_err().to_string();
        assert!(
            error.contains("99 % within 30.0 s cannot be met") && error.contains("36.0 s"),
            "{error}"
        );
    }
}
