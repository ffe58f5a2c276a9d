//! How often to ask again, and after which pause.

use std::time::Duration;

/// How long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to be made.
    pub connect: Duration,
    /// For the next byte to come.
    pub silence: Duration,
    /// Attempts in a row that may bring nothing new. One that does is followed by another in any case.
    pub retries: u32,
    /// Before the next attempt; doubled after each in a row that brought nothing.
    pub pause: Duration,
}

impl Default for Patience {
    /// Some three minutes without a byte: a router restarts in less.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            silence: Duration::from_secs(60),
            retries: 8,
            pause: Duration::from_secs(1),
        }
    }
}

/// Longest pause between attempts, 30 s: somebody may be looking on.
const MAX_PAUSE: Duration = Duration::from_secs(30);

impl Patience {
    /// Before the attempt after so many that brought nothing; `None` if there were enough.
    pub(super) fn pause(&self, failures: u32) -> Option<Duration> {
        let doublings = failures.saturating_sub(1).min(16);
        (failures <= self.retries).then(|| (self.pause * (1 << doublings)).min(MAX_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_end() {
        let patience = Patience { retries: 8, ..Patience::default() };
        let seconds = |failures| patience.pause(failures).map(|pause| pause.as_secs());
        assert_eq!(seconds(0), Some(1));
        let pauses: Vec<_> = (1..=9).map(seconds).collect();
        let wanted = [1, 2, 4, 8, 16, 30, 30, 30].map(Some);
        assert_eq!(pauses, [&wanted[..], &[None]].concat());
        assert_eq!(Patience { retries: 0, ..patience }.pause(1), None);
        assert_eq!(Patience { retries: u32::MAX, ..patience }.pause(1000), Some(MAX_PAUSE));
    }
}
