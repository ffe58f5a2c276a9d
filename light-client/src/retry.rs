//! When to ask again. Pure: time is what passed since the first attempt.
//!
//! A host is killed, a balancer's queue is full, a server drains for a deploy: all of that passes, and the job has a
//! name by which the next connection finds it again. What does not pass (another key, a bad input, a proof that does
//! not hold) is never tried again, and neither is what cost a prover its time (TIMEOUT, WORKER_LOST): the server has
//! tried that twice.

use std::time::Duration;

use proof_server::{client::ClientError, types::Code};

use crate::prove::ProveError;

/// Pause after a failure that says nothing of one. Doubled with each in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause: a server that is back is found within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// By how much a pause is longer at most: those who lost one host at the same moment should not come back at the same.
const MOST_SPREAD: f64 = 0.5;

/// What one request has been through.
#[derive(Debug, Clone)]
pub struct Retry {
    /// How long nothing may come from a server.
    patience: Duration,
    /// When something came, or the request began.
    heard: Duration,
    /// Whether there was a server at all.
    greeted: bool,
    failures: u32,
}

impl Retry {
    /// A request that begins. Without patience there is one attempt.
    #[must_use]
    pub const fn new(patience: Duration) -> Self {
        Self { patience, heard: Duration::ZERO, greeted: false, failures: 0 }
    }

    /// A server has said its Hello.
    pub const fn greeted(&mut self) {
        self.greeted = true;
    }

    /// A server has taken the request, or works at it: patience begins anew.
    pub const fn heard(&mut self, now: Duration) {
        (self.heard, self.failures) = (now, 0);
    }

    /// How long a server may still be waited for.
    #[must_use]
    pub const fn left(&self, now: Duration) -> Duration {
        self.patience.saturating_sub(now.saturating_sub(self.heard))
    }

    /// How long to wait before the next attempt; nothing where there is to be none. `spread`, from 0 to 1, is random.
    pub fn pause(&mut self, error: &ProveError, now: Duration, spread: f64) -> Option<Duration> {
        let wanted = self.wanted(error)?;
        self.failures += 1;
        let pause = wanted.mul_f64(1.0 + MOST_SPREAD * spread.clamp(0.0, 1.0));
        (pause < self.left(now)).then_some(pause)
    }

    fn wanted(&self, error: &ProveError) -> Option<Duration> {
        let own = (FIRST_PAUSE * 2_u32.pow(self.failures.min(8))).min(LONGEST_PAUSE);
        let ProveError::Client(error) = error else { return None };
        match error {
            ClientError::Failed(failure) => {
                let passes =
                    matches!(failure.code, Code::Busy | Code::ShuttingDown | Code::Unavailable);
                let told = failure.retry_after_seconds.map(|it| Duration::from_secs(it.into()));
                passes.then(|| told.unwrap_or(own))
            }
            // Nothing has ever answered there: a wrong address more likely than a bad moment.
            ClientError::Connect { .. } => self.greeted.then_some(own),
            error => error.is_broken_off().then_some(own),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proof_server::types::{Failure, FrameError};

    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn closed() -> ProveError {
        ClientError::Closed.into()
    }

    fn told(code: Code, after: Option<u64>) -> ProveError {
        let failure = Failure::new(code, "why");
        let failure = match after {
            Some(seconds) => failure.with_retry_after(secs(seconds)),
            None => failure,
        };
        ClientError::Failed(failure).into()
    }

    fn nobody() -> ProveError {
        let source = io::Error::from(io::ErrorKind::ConnectionRefused);
        ClientError::Connect { address: "a:1".to_owned(), source }.into()
    }

    #[test]
    fn pauses_grow_up_to_a_limit_and_begin_anew_when_a_server_was_heard() {
        let mut retry = Retry::new(secs(600));
        let pauses: Vec<_> =
            (0..6).map(|_| retry.pause(&closed(), secs(0), 0.0).unwrap().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 16]);
        retry.heard(secs(40));
        assert_eq!(retry.pause(&closed(), secs(50), 0.0), Some(secs(1)));
        assert_eq!(retry.pause(&closed(), secs(50), 1.0), Some(secs(3)), "2 s and half of it");
    }

    #[test]
    fn patience_is_counted_from_the_last_word_and_ends() {
        let mut retry = Retry::new(secs(60));
        retry.heard(secs(3600));
        assert_eq!(retry.left(secs(3610)), secs(50));
        assert!(retry.pause(&closed(), secs(3658), 0.0).is_some());
        assert_eq!(retry.pause(&closed(), secs(3659), 0.0), None);
        assert_eq!(retry.left(secs(9999)), secs(0));
        assert_eq!(Retry::new(secs(0)).pause(&closed(), secs(0), 0.0), None, "one attempt");
    }

    #[test]
    fn a_server_that_says_when_is_asked_then_and_not_at_all_where_that_is_too_late() {
        let mut retry = Retry::new(secs(60));
        assert_eq!(retry.pause(&told(Code::Busy, Some(20)), secs(0), 0.0), Some(secs(20)));
        assert_eq!(retry.pause(&told(Code::Busy, Some(61)), secs(0), 0.0), None);
    }

    #[test]
    fn what_passes_is_tried_again_and_nothing_else() {
        let tried = |error: &ProveError| Retry::new(secs(60)).pause(error, secs(0), 0.0).is_some();
        for code in Code::ALL {
            let passes = [Code::Busy, Code::ShuttingDown, Code::Unavailable].contains(&code);
            assert_eq!(tried(&told(code, None)), passes, "{code}");
        }
        let io = |kind: io::ErrorKind| ClientError::Frame(FrameError::Io(kind.into())).into();
        assert!(tried(&closed()) && tried(&ClientError::Silent { seconds: 40 }.into()));
        assert!(tried(&io(io::ErrorKind::ConnectionReset)));
        assert!(!tried(&ClientError::SpeaksTls.into()));
        let version = FrameError::Version { theirs: 9, ours: 5 };
        assert!(!tried(&ClientError::Frame(version).into()));
    }

    #[test]
    fn an_address_where_nothing_ever_answered_is_not_asked_again() {
        let mut retry = Retry::new(secs(60));
        assert_eq!(retry.pause(&nobody(), secs(0), 0.0), None);
        retry.greeted();
        assert_eq!(retry.pause(&nobody(), secs(0), 0.0), Some(secs(1)));
    }
}
