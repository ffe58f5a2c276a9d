//! Fleets on paper: hosts for a rate and a latency, by a formula that a simulation checks.

mod args;
#[cfg(test)]
mod docs;
mod fleet;
mod queue;
mod simulate;

use std::fmt::Write as _;

use eyre::eyre;

use args::By;
pub use args::PlanArgs;
use fleet::{PART, Plan, Wish};

/// Makes the plans that are asked for; a table in Markdown, a line a plan.
///
/// # Errors
/// Where no fleet of any size meets the target.
pub fn run(args: &PlanArgs) -> eyre::Result<String> {
    let wish = args.wish();
    if !wish.is_possible() {
        return Err(too_slow(&wish));
    }
    let mut out = format!("| {} |\n|{}\n", TITLES.join(" | "), "--:|".repeat(TITLES.len()));
    let mut row = |cells: [String; TITLES.len()]| {
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    };
    match args.by() {
        By::Rates(rates) => rates.iter().for_each(|rate| {
            let plan = wish.hosts_for(*rate);
            row(plan.map_or_else(|| nothing(1, figures(*rate)), |plan| cells(args, &plan)));
        }),
        By::Hosts(hosts) => hosts.iter().for_each(|hosts| {
            let plan = wish.rate_for(*hosts);
            row(plan.map_or_else(|| nothing(0, hosts.to_string()), |plan| cells(args, &plan)));
        }),
    }
    Ok(out)
}

fn too_slow(wish: &Wish) -> eyre::Report {
    let longest = wish.service.classes().iter().map(|class| class.seconds).fold(0.0, f64::max);
    eyre!(
        "99 % within {} cannot be met: a request of the slowest kind alone takes {}. Raise --latency-p99, or give a faster --service",
        seconds(wish.latency),
        seconds(longest)
    )
}

const TITLES: [&str; 11] = [
    "hosts",
    "requests a second",
    "busy",
    "99 % within, formula",
    "simulated",
    "$ a proof",
    "open at once, most",
    "through the balancer",
    "hosts lost a day",
    "attempts broken off",
    "Prometheus series",
];

/// What was asked, and dashes: too few are up at the same time to promise anything.
fn nothing(column: usize, asked: String) -> [String; TITLES.len()] {
    let mut cells = TITLES.map(|_| "-".to_owned());
    cells[column] = asked;
    cells
}

fn cells(args: &PlanArgs, plan: &Plan) -> [String; TITLES.len()] {
    let broken = plan.simulated.broken_off as f64 / plan.simulated.answered() as f64;
    [
        plan.hosts.to_string(),
        figures(plan.rate),
        format!("{:.0} %", plan.busy * 100.0),
        seconds(plan.latency),
        seconds(plan.simulated.latency(PART)),
        figures(plan.cost),
        plan.simulated.most_open.to_string(),
        format!("{} Mbit/s", figures(plan.megabits)),
        figures(plan.lost),
        format!("{} %", figures(broken * 100.0)),
        (plan.hosts * args.series_per_host()).to_string(),
    ]
}

/// Three figures that mean something.
fn figures(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let rounded = format!("{value:.2e}");
    let (_, power) = rounded.split_once('e').expect("as it is written");
    let digits = 2 - power.parse::<i32>().expect("as it is written");
    let rounded: f64 = rounded.parse().expect("as it is written");
    format!("{rounded:.*}", digits.max(0) as usize)
}

fn seconds(value: f64) -> String {
    format!("{} s", figures(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_three_figures() {
        for (value, text) in [
            (0.0, "0"),
            (0.000_123_4, "0.000123"),
            (0.5, "0.500"),
            (9.876, "9.88"),
            (9.999, "10.0"),
            (98.76, "98.8"),
            (987.6, "988"),
            (98_765.0, "98800"),
        ] {
            assert_eq!(figures(value), text);
        }
    }
}
