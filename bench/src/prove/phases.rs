//! Where a proof's time went, by what the server tells of it.

use std::time::Duration;

use proof_server::{
    client::Event,
    types::{Phase as Told, Progress},
};

use crate::document::Phase;

/// The phases so far, each with when it began.
#[derive(Debug, Default)]
pub(super) struct Phases(Vec<(&'static str, Duration)>);

impl Phases {
    /// Notes an event, `at` after the start of the attempt.
    pub(super) fn saw(&mut self, at: Duration, event: &Event) {
        let Some(name) = name(event) else { return };
        if self.0.is_empty() {
            // Whatever came before the first event: the process' start and the request's way.
            self.0.push(("start", Duration::ZERO));
        }
        if self.0.last().is_none_or(|(last, _)| *last != name) {
            self.0.push((name, at));
        }
    }

    /// Each phase's time, the last one's until `end`. A phase that comes back is there again.
    pub(super) fn until(&self, end: Duration) -> Vec<Phase> {
        let ends = self.0.iter().skip(1).map(|(_, begun)| *begun).chain([end]);
        let spans = self.0.iter().zip(ends);
        spans
            .map(|((name, begun), end)| Phase {
                name: (*name).to_owned(),
                seconds: end.saturating_sub(*begun).into(),
            })
            .collect()
    }
}

/// What an event begins. Shrinking is the first of the wrap proof's two steps.
fn name(event: &Event) -> Option<&'static str> {
    match event {
        // The server has checked the input natively; now the job waits for a worker.
        Event::Accepted { .. } => Some("queue"),
        Event::Queued { .. } => None,
        Event::Started => Some("prepare"),
        Event::Progress(Progress { phase, done, total }) => Some(match phase {
            Told::Execute => "execute",
            Told::Prove => "core",
            Told::Wrap if *done == 0 && *total > 1 => "shrink",
            other => other.name(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(phase: Told, done: u32, total: u32) -> Event {
        Event::Progress(Progress { phase, done, total })
    }

    fn told(phases: &Phases, end: u64) -> Vec<(String, f64)> {
        let phases = phases.until(Duration::from_secs(end));
        phases.into_iter().map(|phase| (phase.name, phase.seconds.get())).collect()
    }

    fn owned(phases: &[(&str, f64)]) -> Vec<(String, f64)> {
        phases.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect()
    }

    #[test]
    fn every_second_belongs_to_one_phase() {
        let mut phases = Phases::default();
        for (at, event) in [
            (1, Event::Started),
            (2, progress(Told::Execute, 0, 1)),
            (3, progress(Told::Prove, 0, 2)),
            (9, progress(Told::Prove, 1, 2)),
            (20, progress(Told::Compress, 0, 1)),
            (30, progress(Told::Wrap, 0, 2)),
            (33, progress(Told::Wrap, 1, 2)),
            (40, progress(Told::Outer, 0, 1)),
            (90, progress(Told::Verify, 0, 1)),
        ] {
            phases.saw(Duration::from_secs(at), &event);
        }
        let expected = [
            ("start", 1.0),
            ("prepare", 1.0),
            ("execute", 1.0),
            ("core", 17.0),
            ("compress", 10.0),
            ("shrink", 3.0),
            ("wrap", 7.0),
            ("outer", 50.0),
            ("verify", 1.0),
        ];
        assert_eq!(told(&phases, 91), owned(&expected));
        assert_eq!(expected.iter().map(|(_, seconds)| seconds).sum::<f64>(), 91.0);
    }

    #[test]
    fn of_an_attempt_that_fails_those_are_told_that_were_reached() {
        let mut phases = Phases::default();
        assert_eq!(told(&phases, 5), []);
        phases.saw(Duration::from_secs(2), &Event::Started);
        assert_eq!(told(&phases, 5), owned(&[("start", 2.0), ("prepare", 3.0)]));
    }
}
