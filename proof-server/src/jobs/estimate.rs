//! How long a job will take, from how long such jobs took. Pure.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use lc_core::ProgramId;

use super::Kind;
use crate::types::ProofMode;

/// Durations seen, by kind of job: looked up for every job that waits, each time that one comes.
#[derive(Debug, Default)]
pub(super) struct History([[Option<Duration>; ProofMode::ALL.len()]; ProgramId::ALL.len()]);

impl History {
    /// Takes in one more duration. Half the weight goes to the newest: inputs come in runs of similar
    /// size, and a proof is rare enough that an older average would lag for hours.
    pub(super) fn record(&mut self, (program, mode): Kind, took: Duration) {
        let average = &mut self.0[program as usize][mode as usize];
        *average = Some((average.unwrap_or(took) + took) / 2);
    }

    pub(super) fn expect(&self, (program, mode): Kind) -> Option<Duration> {
        self.0[program as usize][mode as usize]
    }
}

/// What is left of a job that should take `expected` and ran for `ran`: at least a tenth of what it ran,
/// because an overdue job is not one that ends now.
pub(super) fn left(expected: Option<Duration>, ran: Duration) -> Option<Duration> {
    Some(expected?.saturating_sub(ran).max(ran / 10))
}

/// Until each waiting job starts, in order: each takes the worker that is free first. `free` is until when each
/// worker is busy, `waiting` how long each job takes; what depends on something unknown is unknown.
pub(super) fn starts(
    free: impl IntoIterator<Item = Option<Duration>>,
    waiting: impl IntoIterator<Item = Option<Duration>>,
) -> impl Iterator<Item = Option<Duration>> {
    let mut known = BinaryHeap::new();
    let mut unknown = false;
    for free in free {
        match free {
            Some(free) => known.push(Reverse(free)),
            None => unknown = true,
        }
    }
    waiting.into_iter().map(move |takes| {
        // A worker that is free now is the first, whatever the others do.
        let first = known.peek().map(|Reverse(free)| *free);
        let start = first.filter(|free| !unknown || free.is_zero())?;
        known.pop();
        match takes {
            Some(takes) => known.push(Reverse(start + takes)),
            None => unknown = true,
        }
        Some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = (ProgramId::Inclusion, ProofMode::Core);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_kind_never_seen_is_unknown() {
        let mut history = History::default();
        assert_eq!(history.expect(KIND), None);
        history.record((ProgramId::CommitteeChange, ProofMode::Core), seconds(9));
        assert_eq!(history.expect(KIND), None);
    }

    #[test]
    fn the_newest_duration_weighs_half() {
        let mut history = History::default();
        history.record(KIND, seconds(10));
        assert_eq!(history.expect(KIND), Some(seconds(10)));
        history.record(KIND, seconds(20));
        assert_eq!(history.expect(KIND), Some(seconds(15)));
    }

    #[test]
    fn what_is_left_shrinks_but_an_overdue_job_does_not_end_now() {
        for (expected, ran, want) in [
            (Some(60), 0, Some(60)),
            (Some(60), 20, Some(40)),
            (Some(60), 60, Some(6)),
            (Some(60), 600, Some(60)),
            (None, 5, None),
        ] {
            assert_eq!(
                left(expected.map(seconds), seconds(ran)),
                want.map(seconds),
                "{expected:?} {ran}"
            );
        }
    }

    fn starting(free: &[Option<u64>], waiting: &[Option<u64>]) -> Vec<Option<u64>> {
        let durations = |times: &[Option<u64>]| -> Vec<Option<Duration>> {
            times.iter().map(|time| time.map(seconds)).collect()
        };
        let starts = starts(durations(free), durations(waiting));
        starts.map(|start| start.map(|start| start.as_secs())).collect()
    }

    #[test]
    fn jobs_behind_one_worker_start_one_after_the_other() {
        let waiting = [Some(2), Some(3), Some(4)];
        assert_eq!(starting(&[Some(5)], &waiting), [Some(5), Some(7), Some(10)]);
        assert_eq!(starting(&[Some(0)], &waiting), [Some(0), Some(2), Some(5)]);
    }

    #[test]
    fn each_job_takes_the_worker_that_is_free_first() {
        let waiting = [Some(10), Some(10), Some(1), Some(1)];
        assert_eq!(starting(&[Some(5), Some(1)], &waiting), [Some(1), Some(5), Some(11), Some(12)]);
    }

    #[test]
    fn what_depends_on_something_unknown_is_unknown() {
        assert_eq!(starting(&[None], &[Some(1)]), [None]);
        assert_eq!(starting(&[Some(2)], &[None, Some(1)]), [Some(2), None]);
        assert_eq!(starting(&[Some(0), None], &[Some(9), Some(1)]), [Some(0), None]);
        assert_eq!(starting(&[], &[Some(1)]), [None]);
    }
}
