//! The flags of `bench replay`.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, ValueEnum};
use lc_core::ProgramId;
use proof_server::{config::parse_duration, types::ProofMode};

use super::{
    plan::{Limit, MAX_REQUESTS, Pace},
    tls::TlsArgs,
};
use crate::document::Quantity;

/// Most threads with a connection each: beyond it this machine is what is measured.
const MAX_CLIENTS: i64 = 4096;
/// Most proofs that are kept until the end: of 12 MB each, 12 GB.
const MAX_VERIFIED: i64 = 1000;

/// Replay recorded updates against running proof servers, and measure what their clients see.
///
/// Each client asks one server at a time and has one request open. In an open loop (--rate) requests are due at
/// random times that are fixed beforehand, and what a request waits for a free client counts; in a closed loop each
/// client asks again as soon as it has its answer. A server that is busy is left alone for as long as it asks for;
/// where a connection breaks, another server is asked.
///
/// Exit code 0: measured, and every proof that came is right; 1: not, or no proof came; 130: stopped by Ctrl-C.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("end").required(true).multiple(true).args(["duration", "requests"])))]
pub struct ReplayArgs {
    /// Servers to ask, HOST:PORT
    #[arg(long = "server", value_name = "ADDR", required = true, num_args = 1.., value_delimiter = ',')]
    pub(super) servers: Vec<String>,

    /// Folders that `bench record` or `simulator record` wrote
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    pub(super) recordings: Vec<PathBuf>,

    /// Ask for this statement only
    #[arg(long, value_enum)]
    pub(super) program: Option<Program>,

    /// Kind of proof: stark, compressed, groth16 or plonk
    #[arg(long, value_name = "MODE", default_value = "stark")]
    pub(super) mode: ProofMode,

    /// Clients, each with one request open at a time
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u32).range(1..=MAX_CLIENTS))]
    pub(super) clients: u32,

    /// Open loop: so many requests a second, at random times
    #[arg(long, value_name = "R", value_parser = parse_rate, conflicts_with = "closed")]
    pub(super) rate: Option<f64>,

    /// Closed loop: each client asks again as soon as it has its answer (the default)
    #[arg(long)]
    pub(super) closed: bool,

    /// No request is due after so long: 90s, 10m, 1h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) duration: Option<Duration>,

    /// Requests of all clients together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_REQUESTS as i64))]
    pub(super) requests: Option<u32>,

    /// Attempts of a request after the first
    #[arg(long, value_name = "N", default_value = "10")]
    pub(super) retries: u32,

    /// Verify so many of the proofs, when the run is over
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(..=MAX_VERIFIED))]
    pub(super) sample_verify: u32,

    /// Take proofs of the development circuit with this verifying key
    #[arg(long = "allow-dev-circuits", value_name = "FILE")]
    pub(super) circuits: Vec<PathBuf>,

    /// The server is a balancer: a connection a request, closed with its answer, and nobody is asked what it does
    #[arg(long)]
    pub(super) balanced: bool,

    /// Where the random times come from, and which proofs are verified
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub(super) seed: u64,

    /// Write the run's document to this file
    #[arg(long, value_name = "FILE.json")]
    pub(super) out: Option<PathBuf>,

    /// What people should know of the run; shown above all else in reports
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,

    /// What the servers' machines cost together, dollars an hour
    #[arg(long, value_name = "DOLLARS")]
    pub(super) price: Option<Quantity>,

    #[command(flatten)]
    pub(super) tls: TlsArgs,
}

/// A statement, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Program {
    CommitteeChange,
    Inclusion,
}

impl From<Program> for ProgramId {
    fn from(program: Program) -> Self {
        match program {
            Program::CommitteeChange => Self::CommitteeChange,
            Program::Inclusion => Self::Inclusion,
        }
    }
}

impl ReplayArgs {
    pub(super) fn pace(&self) -> Pace {
        self.rate.map_or(Pace::Closed, |per_second| Pace::Open { per_second })
    }

    pub(super) fn limit(&self) -> Limit {
        Limit {
            requests: self.requests.map_or(MAX_REQUESTS, |requests| requests as usize),
            duration: self.duration.unwrap_or(Duration::MAX),
        }
    }

    /// What changes what is measured, for the document.
    pub(super) fn settings(&self) -> std::collections::BTreeMap<String, String> {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        [
            ("clients", self.clients.to_string()),
            ("rate", or_none(self.rate.map(|rate| rate.to_string()))),
            ("mode", self.mode.to_string()),
            ("program", or_none(self.program.map(|program| ProgramId::from(program).to_string()))),
            ("duration_seconds", or_none(self.duration.map(|time| time.as_secs_f64().to_string()))),
            ("requests", or_none(self.requests.map(|requests| requests.to_string()))),
            ("retries", self.retries.to_string()),
            ("sample_verify", self.sample_verify.to_string()),
            ("seed", self.seed.to_string()),
            ("balanced", self.balanced.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// A rate that a machine could keep.
fn parse_rate(text: &str) -> Result<f64, String> {
    /// One in some eleven days, and as many as a document holds in one second.
    const POSSIBLE: std::ops::RangeInclusive<f64> = 1e-6..=MAX_REQUESTS as f64;
    let rate = text.parse::<f64>().ok().filter(|rate| POSSIBLE.contains(rate));
    rate.ok_or_else(|| {
        format!("`{text}` is no rate: give requests a second, for example 0.5 or 20")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        replay: ReplayArgs,
    }

    fn parse(line: &str) -> Result<ReplayArgs, String> {
        let words = ["replay"].into_iter().chain(line.split(' '));
        Command::try_parse_from(words).map(|it| it.replay).map_err(|error| error.to_string())
    }

    const LEAST: &str = "--server a:1 --recordings r --requests 5";

    #[test]
    fn what_is_not_said_has_its_default() {
        let args = parse(LEAST).unwrap();
        assert_eq!((args.mode, args.clients, args.pace()), (ProofMode::Core, 4, Pace::Closed));
        assert_eq!(args.limit(), Limit { requests: 5, duration: Duration::MAX });
        let args = parse("--server a:1,b:2 --server c:3 --recordings r s --duration 2m --rate 0.5 --mode groth16").unwrap();
        assert_eq!((args.servers.len(), args.recordings.len()), (3, 2));
        assert_eq!((args.pace(), args.mode), (Pace::Open { per_second: 0.5 }, ProofMode::Groth16));
        assert_eq!(
            args.limit(),
            Limit { requests: MAX_REQUESTS, duration: Duration::from_secs(120) }
        );
    }

    #[test]
    fn flags_that_make_no_run_are_refused_with_what_was_wanted() {
        for (line, says) in [
            ("--server a:1 --recordings r", "--duration <TIME>|--requests <N>"),
            ("--recordings r --requests 5", "--server <ADDR>"),
            ("--server a:1 --requests 5", "--recordings <DIR>"),
            (&format!("{LEAST} --rate 0"), "`0` is no rate: give requests a second"),
            (&format!("{LEAST} --rate nan"), "`nan` is no rate"),
            (&format!("{LEAST} --rate 1 --closed"), "cannot be used with"),
            (&format!("{LEAST} --clients 0"), "0 is not in 1..=4096"),
            (&format!("{LEAST} --mode STARK"), "it is core (or stark)"),
            (
                &format!("{LEAST} --duration 5"),
                "`5` is no duration: give a number with ms, s, m or h",
            ),
            (&format!("{LEAST} --tls-cert c"), "--tls-ca <FILE>"),
            (&format!("{LEAST} --sample-verify 1001"), "1001 is not in"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
