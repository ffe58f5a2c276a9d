//! What was required, and whether it holds.

use std::fmt;

use serde_json::{Value, json};

/// One requirement with what was seen of it.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    requirement: &'static str,
    seen: String,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Holds,
    Broken,
    /// Told and not judged.
    Unjudged,
}

impl Verdict {
    pub(crate) fn new(requirement: &'static str, seen: impl Into<String>, holds: bool) -> Self {
        let state = if holds { State::Holds } else { State::Broken };
        Self { requirement, seen: seen.into(), state }
    }

    /// The same, told and not judged where `unjudged`.
    pub(crate) fn unjudged_if(self, unjudged: bool) -> Self {
        if unjudged { Self { state: State::Unjudged, ..self } } else { self }
    }

    pub(crate) fn holds(&self) -> bool {
        self.state != State::Broken
    }

    fn word(&self) -> &'static str {
        match self.state {
            State::Holds => "ok",
            State::Broken => "FAILED",
            State::Unjudged => "-",
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "requirement": self.requirement, "seen": self.seen, "verdict": self.word() })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7} {}: {}", self.word(), self.requirement, self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_requirement_shouts_and_one_that_is_not_judged_breaks_nothing() {
        let broken = Verdict::new("nothing is lost", "1 lost", false);
        assert_eq!(broken.to_string(), "FAILED  nothing is lost: 1 lost");
        assert!(!broken.holds());
        assert!(broken.unjudged_if(true).holds());
        assert!(Verdict::new("nothing is lost", "0 lost", true).unjudged_if(false).holds());
    }
}
