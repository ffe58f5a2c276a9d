//! A run in some lines, for the terminal.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use proof_server::types::Joined;

use super::sample::{Proved, Sample};

/// What the lines are about.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    pub(super) samples: &'a [Sample],
    pub(super) servers: &'a [String],
    pub(super) took: Duration,
    /// Whether it was stopped, and how many requests were due and not begun, or begun and given up.
    pub(super) stopped: Option<Left>,
}

/// What a stopped run left undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) waiting: usize,
    pub(super) given_up: usize,
}

impl Summary<'_> {
    fn proved(&self) -> impl Iterator<Item = (&Sample, Proved)> {
        self.samples.iter().filter_map(|sample| Some((sample, *sample.outcome.as_ref().ok()?)))
    }

    /// Whether anything was proven, and everything that was looked at is right.
    pub(super) fn is_good(&self) -> bool {
        let is_wrong = |sample: &Sample| match &sample.outcome {
            Ok(proved) => proved.verified == Some(false),
            Err(trouble) => trouble.code == super::hosts::WRONG_ANSWER,
        };
        self.proved().next().is_some() && !self.samples.iter().any(is_wrong)
    }

    /// The lines.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let count = self.proved().count();
        let seconds = self.took.as_secs_f64();
        let rate = |count: usize| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let failed = self.samples.len() - count;
        line(
            &mut out,
            format_args!(
                "{} requests in {seconds:.1} s: {count} proofs ({:.2} a second), {failed} failed",
                self.samples.len(),
                rate(count)
            ),
        );
        if let Some(Left { waiting, given_up }) = self.stopped {
            line(
                &mut out,
                format_args!(
                    "stopped: {waiting} more were due and had not begun, {given_up} were given up"
                ),
            );
        }
        if count > 0 {
            line(
                &mut out,
                format_args!(
                    "{:<8}{:>10}{:>10}{:>10}{:>10}",
                    "seconds", "p50", "p90", "p99", "max"
                ),
            );
            let micros = Duration::from_micros;
            times(
                &mut out,
                "queue",
                self.proved().map(|(_, proved)| micros(proved.stats.queue_us)),
            );
            times(
                &mut out,
                "prove",
                self.proved().map(|(_, proved)| micros(proved.stats.prove_us)),
            );
            times(&mut out, "total", self.proved().map(|(sample, _)| sample.total()));
        }
        for (number, address) in self.servers.iter().enumerate() {
            let of_it = self.proved().filter(|(sample, _)| sample.server == number).count();
            line(
                &mut out,
                format_args!("server {address}: {of_it} proofs, {:.2} a second", rate(of_it)),
            );
        }
        for ((number, code), (passed, last)) in self.errors() {
            let address = &self.servers[number];
            line(
                &mut out,
                format_args!("error {code} of {address}: {passed} tried again, {last} given up"),
            );
        }
        self.trust(&mut out);
        out
    }

    /// Attempts that failed, by server and code: those with another one after them, and the last of a request.
    fn errors(&self) -> BTreeMap<(usize, &str), (usize, usize)> {
        let mut errors = BTreeMap::<_, (usize, usize)>::new();
        for sample in self.samples {
            for (server, trouble) in &sample.failed {
                errors.entry((*server, trouble.code.as_str())).or_default().0 += 1;
            }
            if let Err(trouble) = &sample.outcome {
                errors.entry((sample.server, trouble.code.as_str())).or_default().1 += 1;
            }
        }
        errors
    }

    /// What the figures are worth.
    fn trust(&self, out: &mut String) {
        let joined = self.joined();
        let verified = self.proved().filter(|(_, proved)| proved.verified.is_some()).count();
        let good = self.proved().filter(|(_, proved)| proved.verified == Some(true)).count();
        let count = self.proved().count();
        line(
            out,
            format_args!(
                "verified: {verified} of {count} proofs, {good} hold; all say what the native check says"
            ),
        );
        if joined > 0 {
            line(out, format_args!("joined: {joined} of {count} answers {JOINED}"));
        }
    }

    /// Answers by another request's proof.
    pub(super) fn joined(&self) -> usize {
        self.proved().filter(|(_, proved)| proved.joined != Joined::No).count()
    }
}

/// What an answer by another request's proof means for a benchmark.
pub(super) const JOINED: &str = "were another request's proof, so they cost less than one: \
    start the servers with --keep-time 0s, and ask with no more clients than there are different requests";

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string never fails");
}

fn times(out: &mut String, name: &str, times: impl Iterator<Item = Duration>) {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let at = |percent| percentile(&times, percent).as_secs_f64();
    let max = times.last().copied().unwrap_or_default().as_secs_f64();
    line(out, format_args!("{name:<8}{:>10.3}{:>10.3}{:>10.3}{max:>10.3}", at(50), at(90), at(99)));
}

/// The nearest rank: the smallest of the sorted times that so many percent do not exceed. Pure.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proof_server::types::ProofStats;

    use super::{super::hosts::Trouble, *};

    fn sample(
        server: usize,
        outcome: Result<Joined, Trouble>,
        failed: Vec<(usize, Trouble)>,
    ) -> Sample {
        let stats = ProofStats { queue_us: 250_000, prove_us: 1_000_000, ..ProofStats::default() };
        let outcome = outcome.map(|joined| Proved { stats, joined, bytes: 9, verified: None });
        let secs = Duration::from_secs;
        Sample {
            number: 0,
            client: 0,
            server,
            intended: secs(1),
            start: secs(2),
            end: secs(4),
            failed,
            outcome,
        }
    }

    fn broken() -> Trouble {
        Trouble::of(&proof_server::client::ClientError::Closed)
    }

    fn summary<'a>(samples: &'a [Sample], servers: &'a [String]) -> Summary<'a> {
        Summary { samples, servers, took: Duration::from_secs(4), stopped: None }
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred: Vec<_> = (1..=100).map(Duration::from_secs).collect();
        for (percent, seconds) in [(50, 50), (90, 90), (99, 99), (100, 100)] {
            assert_eq!(percentile(&hundred, percent), Duration::from_secs(seconds));
        }
        assert_eq!(percentile(&hundred[..1], 50), Duration::from_secs(1));
        assert_eq!(percentile(&hundred[..2], 99), Duration::from_secs(2));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn a_run_reads_as_lines_with_errors_by_server_and_code() {
        let servers = ["a:1".to_owned(), "b:2".to_owned()];
        let samples = [
            sample(0, Ok(Joined::No), vec![]),
            sample(1, Ok(Joined::Kept), vec![(0, broken()), (0, broken())]),
            sample(0, Err(broken()), vec![]),
        ];
        let summary = summary(&samples, &servers);
        let text = summary.text();
        for wanted in [
            "3 requests in 4.0 s: 2 proofs (0.50 a second), 1 failed\n",
            "seconds        p50       p90       p99       max\n",
            "queue        0.250     0.250     0.250     0.250\n",
            "prove        1.000     1.000     1.000     1.000\n",
            "total        3.000     3.000     3.000     3.000\n",
            "server b:2: 1 proofs, 0.25 a second\n",
            "error CONNECTION of a:1: 2 tried again, 1 given up\n",
            "verified: 0 of 2 proofs, 0 hold",
            "joined: 1 of 2 answers were another request's proof",
        ] {
            assert!(text.contains(wanted), "no {wanted:?} in\n{text}");
        }
        assert!(summary.is_good(), "failures are figures");
    }

    #[test]
    fn a_wrong_answer_a_proof_that_does_not_hold_and_no_proof_at_all_are_no_good_run() {
        let servers = ["a:1".to_owned()];
        let good = sample(0, Ok(Joined::No), vec![]);
        let mut forged = good.clone();
        forged.outcome.as_mut().unwrap().verified = Some(false);
        let wrong = sample(0, Err(Trouble::wrong("other values".to_owned())), vec![]);
        assert!(summary(std::slice::from_ref(&good), &servers).is_good());
        for bad in [
            vec![good.clone(), forged],
            vec![good, wrong],
            vec![sample(0, Err(broken()), vec![])],
            vec![],
        ] {
            assert!(!summary(&bad, &servers).is_good());
            assert!(!summary(&bad, &servers).text().is_empty());
        }
    }
}
