//! Whether requests should be sent here, and if not, why.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What a server needs before it can serve. Being busy is none of these: that is the queue's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Need {
    /// To have started.
    Start,
    /// A worker that proves.
    Prover,
    /// Not to be going down.
    Stay,
}

impl Need {
    /// The name in an answer.
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Prover => "prover",
            Self::Stay => "drain",
        }
    }
}

/// What a server lacks. Each part of it says so for itself.
#[derive(Debug)]
pub(crate) struct Readiness(Mutex<BTreeMap<Need, String>>);

impl Readiness {
    /// Of a server that has not started: it is not ready before [`Need::Start`] is met.
    pub(crate) fn starting() -> Self {
        let reason = "the server has not started yet".to_owned();
        Self(Mutex::new(BTreeMap::from([(Need::Start, reason)])))
    }

    /// Why `need` is not met; `None` if it is.
    pub(crate) fn set(&self, need: Need, reason: Option<String>) {
        let mut lacking = self.lock();
        match reason {
            Some(reason) => lacking.insert(need, reason),
            None => lacking.remove(&need),
        };
    }

    /// Whether nothing lacks.
    pub(crate) fn is_ready(&self) -> bool {
        self.lock().is_empty()
    }

    /// Everything that lacks, a line each, in the order of [`Need`].
    pub(crate) fn reasons(&self) -> Vec<String> {
        let line = |(need, reason): (&Need, &String)| {
            format!("{}: {}", need.name(), reason.replace(['\r', '\n'], " "))
        };
        self.lock().iter().map(line).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Need, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_not_ready_before_it_has_started() {
        let readiness = Readiness::starting();
        assert!(!readiness.is_ready());
        readiness.set(Need::Start, None);
        assert!(readiness.is_ready());
        assert!(readiness.reasons().is_empty());
    }

    #[test]
    fn each_part_speaks_for_itself_and_the_last_word_counts() {
        let readiness = Readiness::starting();
        readiness.set(Need::Start, None);
        readiness.set(Need::Stay, Some("going down".to_owned()));
        readiness.set(Need::Prover, Some("exited".to_owned()));
        readiness.set(Need::Prover, Some("killed".to_owned()));
        assert_eq!(readiness.reasons(), ["prover: killed", "drain: going down"]);
        readiness.set(Need::Prover, None);
        // Met once more, which changes nothing.
        readiness.set(Need::Prover, None);
        assert!(!readiness.is_ready(), "one part cannot speak for another");
        assert_eq!(readiness.reasons(), ["drain: going down"]);
    }

    #[test]
    fn a_reason_is_one_line_whatever_it_says() {
        let readiness = Readiness::starting();
        readiness.set(Need::Start, Some("one\r\ntwo\nthree".to_owned()));
        assert_eq!(readiness.reasons(), ["start: one  two three"]);
    }
}
