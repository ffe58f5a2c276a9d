//! Which server a client asks, and what it does when that goes wrong. Pure: time is what passed since the run began.

use std::time::Duration;

use proof_server::{
    client::ClientError,
    types::{Code, Failure},
};

/// Pause before a server is tried again that said nothing of one. Doubled with each failure in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause: a server that is started again is found within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// What one client knows of the servers.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// The one it asks where it may.
    home: usize,
    hosts: Vec<Host>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Host {
    /// Not to be asked before.
    free_from: Duration,
    failures: u32,
}

/// The server to ask, and how long to wait before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) host: usize,
    pub(super) wait: Duration,
}

/// Why an attempt brought no proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The protocol's code, or `CONNECTION` where the conversation broke or none came about.
    pub(super) code: String,
    pub(super) reason: String,
    /// Whether another attempt may go better.
    pub(super) is_passing: bool,
    /// Whether the connection can be used again.
    pub(super) keeps_connection: bool,
    retry_after: Option<Duration>,
}

impl Hosts {
    /// Client number `client` is at home on one of `count` servers, in turn.
    pub(super) fn new(client: usize, count: usize) -> Self {
        Self { home: client % count, hosts: vec![Host::default(); count] }
    }

    /// The server that may be asked first; among equals its own, and then the ones after it.
    pub(super) fn choose(&self, now: Duration) -> Choice {
        let count = self.hosts.len();
        let order = (0..count).map(|step| (self.home + step) % count);
        let wait = |host: usize| self.hosts[host].free_from.saturating_sub(now);
        let host = order.min_by_key(|host| wait(*host)).expect("there are servers");
        Choice { host, wait: wait(host) }
    }

    pub(super) fn succeeded(&mut self, host: usize) {
        self.hosts[host] = Host::default();
    }

    /// Leaves a server alone for as long as it asked for, or longer each time.
    pub(super) fn failed(&mut self, host: usize, now: Duration, trouble: &Trouble) {
        let host = &mut self.hosts[host];
        let doubled = FIRST_PAUSE * 2_u32.pow(host.failures.min(8));
        host.failures += 1;
        let pause = trouble.retry_after.unwrap_or(doubled.min(LONGEST_PAUSE));
        host.free_from = now.saturating_add(pause);
    }
}

impl Trouble {
    /// What a failed request or connection means.
    pub(super) fn of(error: &ClientError) -> Self {
        match error {
            ClientError::Failed(failure) => Self::told(failure),
            error => Self {
                code: "CONNECTION".to_owned(),
                reason: proof_server::error_chain(error),
                // A peer that speaks nonsense or TLS does so again; the first server is asked before a run begins,
                // so here it was restarted with other settings.
                is_passing: !matches!(
                    error,
                    ClientError::SpeaksTls | ClientError::Unexpected { .. }
                ),
                keeps_connection: false,
                retry_after: None,
            },
        }
    }

    fn told(failure: &Failure) -> Self {
        let seconds = failure.retry_after_seconds;
        Self {
            code: failure.code.name().to_owned(),
            reason: failure.message.clone(),
            is_passing: failure.code.is_retryable(),
            // A failure of the connection itself shows at the next request, and is tried again then.
            keeps_connection: failure.code != Code::ShuttingDown,
            retry_after: seconds.map(|seconds| Duration::from_secs(seconds.into())),
        }
    }

    /// An answer that is not what was asked for. Asking again would hide it.
    pub(super) fn wrong(reason: String) -> Self {
        let code = WRONG_ANSWER.to_owned();
        Self { code, reason, is_passing: false, keeps_connection: false, retry_after: None }
    }
}

/// The code of an answer that says something else than the native check.
pub(super) const WRONG_ANSWER: &str = "WRONG_ANSWER";

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn told(code: Code) -> Trouble {
        Trouble::of(&ClientError::Failed(Failure::new(code, "why")))
    }

    fn busy(seconds: u64) -> Trouble {
        let failure = Failure::new(Code::Busy, "full").with_retry_after(secs(seconds));
        Trouble::of(&ClientError::Failed(failure))
    }

    fn broken() -> Trouble {
        Trouble::of(&ClientError::Closed)
    }

    #[test]
    fn clients_are_at_home_on_the_servers_in_turn() {
        let homes: Vec<_> =
            (0..4).map(|client| Hosts::new(client, 3).choose(secs(0)).host).collect();
        assert_eq!(homes, [0, 1, 2, 0]);
    }

    #[test]
    fn a_busy_server_is_left_alone_for_as_long_as_it_asked_for() {
        let mut hosts = Hosts::new(0, 1);
        hosts.failed(0, secs(10), &busy(40));
        assert_eq!(hosts.choose(secs(10)), Choice { host: 0, wait: secs(40) });
        assert_eq!(hosts.choose(secs(60)), Choice { host: 0, wait: secs(0) });
        let mut hosts = Hosts::new(0, 2);
        hosts.failed(0, secs(10), &busy(40));
        assert_eq!(hosts.choose(secs(10)), Choice { host: 1, wait: secs(0) });
        hosts.failed(1, secs(11), &busy(3));
        assert_eq!(hosts.choose(secs(11)), Choice { host: 1, wait: secs(3) }, "the earlier one");
        assert_eq!(hosts.choose(secs(50)).host, 0, "at home again");
    }

    #[test]
    fn a_lost_connection_leads_to_another_server_at_once_and_home_ever_later() {
        let mut hosts = Hosts::new(1, 2);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            hosts.failed(1, secs(0), &broken());
            assert_eq!(hosts.choose(secs(0)), Choice { host: 0, wait: secs(0) });
            pauses.push(hosts.hosts[1].free_from.as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 16]);
        hosts.succeeded(1);
        assert_eq!(hosts.choose(secs(0)), Choice { host: 1, wait: secs(0) });
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        for code in Code::ALL {
            assert_eq!(told(code).is_passing, code.is_retryable(), "{code}");
            assert_eq!(told(code).code, code.name());
        }
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let refused = ClientError::Connect { address: "a:1".to_owned(), source: refused };
        assert!(Trouble::of(&refused).is_passing && broken().is_passing);
        assert!(!Trouble::of(&ClientError::SpeaksTls).is_passing);
        assert!(!Trouble::wrong(String::new()).is_passing);
        assert!(busy(1).keeps_connection && !broken().keeps_connection);
    }
}
