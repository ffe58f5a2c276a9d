//! How long a job will take, from how long such jobs took. Pure.

use std::{collections::HashMap, time::Duration};

use lc_core::ProgramId;

use crate::types::ProofMode;

/// Durations seen, by kind of job.
#[derive(Debug, Default)]
pub(super) struct History(HashMap<(ProgramId, ProofMode), Duration>);

impl History {
    /// Takes in one more duration. Half the weight goes to the newest: inputs come in runs of similar
    /// size, and a proof is rare enough that an older average would lag for hours.
    pub(super) fn record(&mut self, kind: (ProgramId, ProofMode), took: Duration) {
        let average = self.0.entry(kind).or_insert(took);
        *average = (*average + took) / 2;
    }

    pub(super) fn expect(&self, kind: (ProgramId, ProofMode)) -> Option<Duration> {
        self.0.get(&kind).copied()
    }
}

/// What is left of a job that should take `expected` and ran for `ran`: at least a tenth of what it ran,
/// because an overdue job is not one that ends now.
pub(super) fn left(expected: Option<Duration>, ran: Duration) -> Option<Duration> {
    Some(expected?.saturating_sub(ran).max(ran / 10))
}

/// Until the job behind all `before` starts; unknown if one of them is.
pub(super) fn wait(before: impl IntoIterator<Item = Option<Duration>>) -> Option<Duration> {
    before.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: (ProgramId, ProofMode) = (ProgramId::Inclusion, ProofMode::Core);

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

    #[test]
    fn one_unknown_job_makes_the_wait_unknown() {
        assert_eq!(wait([]), Some(Duration::ZERO));
        assert_eq!(wait([Some(seconds(2)), Some(seconds(3))]), Some(seconds(5)));
        assert_eq!(wait([Some(seconds(2)), None]), None);
    }
}
