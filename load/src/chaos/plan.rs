//! What goes wrong, and when: the same seed, the same plan. Pure.

use std::{fmt, time::Duration};

use crate::random::Random;

/// What happens to the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A worker gets SIGKILL.
    KillWorker,
    /// A worker gets SIGTERM, as from an operator who takes it for the server.
    TermWorker,
    /// The server gets SIGKILL and is started again.
    KillServer,
    /// The server gets SIGTERM, must end well and is started again.
    DrainServer,
    /// The secondary's worker gets SIGKILL.
    KillSecondaryWorker,
    /// The secondary gets SIGKILL, stays away for a while, and meanwhile a committee change must be proven.
    KillSecondary,
    /// The secondary gets SIGTERM, must end well, and the same.
    DrainSecondary,
}

impl Event {
    /// Each as often as it is to come: workers die more often than servers.
    const STANDALONE: [Self; 8] = [
        Self::KillWorker,
        Self::KillWorker,
        Self::KillWorker,
        Self::TermWorker,
        Self::TermWorker,
        Self::KillServer,
        Self::DrainServer,
        Self::DrainServer,
    ];
    const ROLES: [Self; 10] = [
        Self::KillWorker,
        Self::KillWorker,
        Self::TermWorker,
        Self::KillServer,
        Self::DrainServer,
        Self::KillSecondaryWorker,
        Self::KillSecondaryWorker,
        Self::KillSecondary,
        Self::KillSecondary,
        Self::DrainSecondary,
    ];
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KillWorker => "a worker is killed",
            Self::TermWorker => "a worker is asked to end",
            Self::KillServer => "the server is killed",
            Self::DrainServer => "the server drains",
            Self::KillSecondaryWorker => "the secondary's worker is killed",
            Self::KillSecondary => "the secondary is killed",
            Self::DrainSecondary => "the secondary drains",
        })
    }
}

/// All that happens to the servers: each time a pause, then an event, with a number to choose its victim by.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    random: Random,
    roles: bool,
}

impl Plan {
    pub(crate) fn new(seed: u64, roles: bool) -> Self {
        Self { random: Random::new(seed, 0), roles }
    }
}

impl Iterator for Plan {
    type Item = (Duration, Event, usize);

    fn next(&mut self) -> Option<Self::Item> {
        // Long enough that most jobs, of 150 ms, end well between two deaths; short enough for hundreds of them.
        let pause = self.random.millis(100..=1500);
        let events: &[Event] = if self.roles { &Event::ROLES } else { &Event::STANDALONE };
        let event = *self.random.pick(events);
        Some((pause, event, self.random.below(1 << 16)))
    }
}

/// What a client does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Asks and waits.
    Ask,
    /// Asks, and gives it up after a while.
    Cancel(Duration),
    /// Asks, breaks the connection in some state, and asks again after a while: sooner or later than the grace.
    Leave(Moment, Duration),
    /// Asks for several at once, some of them for the same.
    Several(usize),
    /// Sends half of something and is gone.
    Tear,
    /// Has the last proof verified, or a spoilt one.
    Verify { spoilt: bool },
    /// Does nothing.
    Rest(Duration),
}

/// When a connection is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    Sent,
    Accepted,
    Queued,
    Started,
    Progress,
    /// Half of the request is sent.
    Torn,
}

impl Moment {
    const ALL: [Self; 6] =
        [Self::Sent, Self::Accepted, Self::Queued, Self::Started, Self::Progress, Self::Torn];
}

impl Act {
    /// What a client does next.
    pub(crate) fn next(random: &mut Random) -> Self {
        match random.below(14) {
            0..5 => Self::Ask,
            5..7 => Self::Cancel(random.millis(0..=400)),
            7..10 => Self::Leave(*random.pick(&Moment::ALL), random.millis(0..=1000)),
            10 => Self::Several(2 + random.below(3)),
            11 => Self::Tear,
            12 => Self::Verify { spoilt: random.below(2) == 0 },
            _ => Self::Rest(random.millis(0..=1000)),
        }
    }

    /// The kind's name, for counts.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Ask => "asks and waits".to_owned(),
            Self::Cancel(_) => "cancels".to_owned(),
            Self::Leave(moment, _) => format!("breaks its connection, request {moment:?}"),
            Self::Several(_) => "asks for several at once".to_owned(),
            Self::Tear => "sends half a Hello".to_owned(),
            Self::Verify { spoilt: false } => "has a proof verified".to_owned(),
            Self::Verify { spoilt: true } => "has a spoilt proof verified".to_owned(),
            Self::Rest(_) => "rests".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_plan_and_another_has_another() {
        let plan = |seed| Plan::new(seed, true).take(50).collect::<Vec<_>>();
        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
    }

    #[test]
    fn one_server_has_no_secondary_to_lose_and_everything_else_comes() {
        let events = |roles| {
            let events = Plan::new(1, roles).take(500).map(|(_, event, _)| event);
            events.collect::<std::collections::BTreeSet<_>>()
        };
        assert!(!events(false).contains(&Event::KillSecondary));
        assert_eq!((events(false).len(), events(true).len()), (4, 7));
    }
}
