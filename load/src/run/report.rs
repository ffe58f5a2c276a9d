//! What came of a run.

use std::{fs, time::Duration};

use eyre::WrapErr;
use serde_json::{Value, json};

use super::{
    RAMP_UP, RunArgs, TAIL,
    client::{Times, Told},
    hostile::Attacks,
    sample::{Sample, first_after, last_before, utilisation},
};
use crate::verdict::Verdict;

/// Part of the requests after which the server has all the memory that it should need.
const WARM_UP: f64 = 0.10;

/// What is asked of a server.
const MIN_BUSY: f64 = 0.97;
const MAX_OVERHEAD: Duration = Duration::from_millis(5);
const MAX_GROWTH: f64 = 0.10;
const MAX_GROWTH_BYTES: u64 = 16 << 20;

/// Everything that was seen.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) args: &'a RunArgs,
    /// Of one native check, in this process and alone.
    pub(crate) check: Duration,
    pub(crate) told: Told,
    pub(crate) wall: Duration,
    pub(crate) samples: Vec<Sample>,
    pub(crate) attacks: Attacks,
    /// Of the server, before anybody came and after everybody left.
    pub(crate) descriptors: (usize, usize),
    /// How long the server took to end when it was asked to.
    pub(crate) end: Result<Duration, String>,
}

/// Middle, nearly worst and worst of many durations, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    p50: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    /// Nothing of nothing. Pure.
    fn of(times: &[Times], part: impl Fn(&Times) -> Duration) -> Option<Self> {
        let mut sorted: Vec<Duration> = times.iter().map(part).collect();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (sorted.len() as f64 * share).ceil() as usize;
            Some(sorted.get(rank.saturating_sub(1))?.as_secs_f64() * 1e3)
        };
        Some(Self { p50: at(0.5)?, p99: at(0.99)?, max: at(1.0)? })
    }

    fn json(spread: Option<Self>) -> Value {
        spread.map_or(
            Value::Null,
            |Self { p50, p99, max }| json!({ "p50_ms": p50, "p99_ms": p99, "max_ms": max }),
        )
    }

    fn text(spread: Option<Self>) -> String {
        spread.map_or_else(
            || "unknown".to_owned(),
            |Self { p50, p99, max }| format!("p50 {p50:.2}, p99 {p99:.2}, max {max:.2} ms"),
        )
    }
}

/// Whether memory stays where it was once everything is warm. Pure.
fn is_flat(warm: u64, end: u64) -> bool {
    let growth = end.saturating_sub(warm);
    growth < MAX_GROWTH_BYTES || (growth as f64) < warm as f64 * MAX_GROWTH
}

impl Report<'_> {
    fn overhead(&self) -> Option<Spread> {
        Spread::of(&self.told.times, |times| times.overhead)
    }

    /// What part of the time workers had a job; nothing for a run that is too short to tell.
    fn busy(&self) -> Option<(f64, Duration)> {
        let from = first_after(&self.samples, self.args.requests, RAMP_UP)?;
        let to = last_before(&self.samples, self.args.requests, TAIL)?;
        let window = to.at.checked_duration_since(from.at).filter(|window| !window.is_zero())?;
        Some((utilisation(from, to, self.args.workers), window))
    }

    /// The server when it was warm, and at the end with all its connections.
    fn warm_and_end(&self) -> Option<(&Sample, &Sample)> {
        let warm = first_after(&self.samples, self.args.requests, WARM_UP)?;
        Some((warm, self.samples.last()?))
    }

    /// What a worker waits between two jobs, from what all of them did not work.
    fn gap(&self) -> Option<f64> {
        let (busy, _) = self.busy()?;
        let per_job = self.wall.as_secs_f64() * self.args.workers as f64 / self.told.asked as f64;
        Some((1.0 - busy) * per_job * 1e3)
    }

    fn check_ms(&self) -> f64 {
        self.check.as_secs_f64() * 1e3
    }

    /// All requirements.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let (told, unjudged) = (&self.told, self.args.correctness_only);
        let answered = told.codes.get("OK").copied().unwrap_or_default();
        let all = told.asked == self.args.requests && answered == told.asked;
        let codes: Vec<String> =
            told.codes.iter().map(|(code, count)| format!("{count} {code}")).collect();
        let busy = self.busy();
        let overhead = self.overhead();
        let memory = self.warm_and_end();
        let (before, after) = self.descriptors;
        vec![
            Verdict::new("no request is lost", format!("{} lost", told.lost), told.lost == 0),
            Verdict::new(
                "every request is answered with a proof",
                format!("{} asked: {}", told.asked, codes.join(", ")),
                all,
            ),
            Verdict::new(
                "no request is answered twice, none by another one's job",
                format!("{} second answers, {} joined", told.strays, told.joined),
                told.strays + told.joined == 0,
            ),
            Verdict::new(
                "every proof is of what was asked",
                format!("{} wrong", told.wrong),
                told.wrong == 0,
            ),
            Verdict::new(
                "workers are busy 97 % of the time",
                busy.map_or_else(
                    || "the run is too short to tell".to_owned(),
                    |(busy, window)| format!("{:.2} % of {window:.0?}", busy * 100.0),
                ),
                busy.is_some_and(|(busy, _)| busy >= MIN_BUSY),
            )
            .unjudged_if(unjudged),
            Verdict::new(
                "the server adds 5 ms to a request at most, of 99 in 100",
                Spread::text(overhead),
                overhead.is_some_and(|spread| spread.p99 <= MAX_OVERHEAD.as_secs_f64() * 1e3),
            )
            .unjudged_if(unjudged),
            Verdict::new(
                "memory stays below 110 % or 16 MiB more of what it is when a tenth is done",
                memory.map_or_else(
                    || "unknown".to_owned(),
                    |(warm, end)| {
                        let mib = |sample: &Sample| sample.resident_bytes as f64 / (1 << 20) as f64;
                        format!("{:.1} MiB, at the end {:.1}", mib(warm), mib(end))
                    },
                ),
                memory.is_some_and(|(warm, end)| is_flat(warm.resident_bytes, end.resident_bytes)),
            )
            .unjudged_if(unjudged),
            Verdict::new(
                "descriptors are given back",
                format!(
                    "{before} before, {} with all clients, {after} after",
                    memory.map_or(0, |(_, end)| end.descriptors)
                ),
                after <= before,
            ),
            Verdict::new(
                "the server ends well when it is asked to",
                self.end.as_ref().map_or_else(Clone::clone, |took| format!("in {took:.1?}")),
                self.end.is_ok(),
            ),
        ]
    }

    /// To standard output, and to the file that was asked for.
    pub(crate) fn print(&self) -> eyre::Result<()> {
        let told = &self.told;
        let seconds = self.wall.as_secs_f64();
        println!(
            "{} requests in {seconds:.1} s, {:.2} a second",
            told.asked,
            told.asked as f64 / seconds
        );
        println!("a worker waits {:.3} ms between two jobs", self.gap().unwrap_or(f64::NAN));
        let accepted = |times: &[Times]| Spread::text(Spread::of(times, |times| times.accepted));
        println!("the native check takes {:.2} ms, of the time until Accepted:", self.check_ms());
        println!("  after the ramp-up  {}", accepted(&told.times));
        println!("  during it          {}", accepted(&told.ramp_up_times));
        for (attack, count) in &self.attacks {
            println!("attacks: {count} {attack}");
        }
        if let Some(fault) = &told.first_fault {
            println!("what went wrong first: {fault}");
        }
        for verdict in self.verdicts() {
            println!("{verdict}");
        }
        let Some(file) = &self.args.json else { return Ok(()) };
        fs::write(file, format!("{:#}\n", self.json()))
            .wrap_err_with(|| format!("cannot write {}", file.display()))
    }

    fn json(&self) -> Value {
        let (told, args) = (&self.told, self.args);
        let memory = self.warm_and_end();
        let spread =
            |times: &[Times], part: fn(&Times) -> Duration| Spread::json(Spread::of(times, part));
        json!({
            "clients": args.clients,
            "requests": args.requests,
            "workers": args.workers,
            "delay_ms": args.delay,
            "hostile": args.hostile,
            "attacks": self.attacks,
            "seconds": self.wall.as_secs_f64(),
            "codes": told.codes,
            "lost": told.lost,
            "second_answers": told.strays,
            "wrong": told.wrong,
            "joined": told.joined,
            "busy": self.busy().map(|(busy, _)| busy),
            "busy_window_seconds": self.busy().map(|(_, window)| window.as_secs_f64()),
            "gap_ms": self.gap(),
            "overhead": spread(&told.times, |times| times.overhead),
            "accepted": spread(&told.times, |times| times.accepted),
            "overhead_ramp_up": spread(&told.ramp_up_times, |times| times.overhead),
            "check_ms": self.check_ms(),
            "resident_bytes_warm": memory.map(|(warm, _)| warm.resident_bytes),
            "resident_bytes_end": memory.map(|(_, end)| end.resident_bytes),
            "descriptors_warm": memory.map(|(warm, _)| warm.descriptors),
            "descriptors_end": memory.map(|(_, end)| end.descriptors),
            "descriptors_before": self.descriptors.0,
            "descriptors_after": self.descriptors.1,
            "verdicts": self.verdicts().iter().map(Verdict::json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let times =
            |millis| Times { overhead: Duration::from_millis(millis), accepted: Duration::ZERO };
        let hundred: Vec<Times> = (1..=100).map(times).collect();
        let spread = Spread::of(&hundred, |times| times.overhead).unwrap();
        assert_eq!(spread, Spread { p50: 50.0, p99: 99.0, max: 100.0 });
        assert_eq!(Spread::of(&[], |times| times.overhead), None);
    }

    #[test]
    fn memory_is_flat_within_a_tenth_or_sixteen_mebibytes() {
        const MIB: u64 = 1 << 20;
        assert!(is_flat(50 * MIB, 65 * MIB));
        assert!(!is_flat(50 * MIB, 67 * MIB));
        assert!(is_flat(500 * MIB, 549 * MIB));
        assert!(!is_flat(500 * MIB, 551 * MIB));
        assert!(is_flat(50 * MIB, 20 * MIB));
    }
}
