//! Why requests fail: a code for programs, a line for people.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// Longest text of a failure, in characters: a line or some, and far below the cap of its frame even
/// where each takes four bytes.
const MAX_MESSAGE_CHARS: usize = 2000;

/// Why a request ended without its result. The numbers are wire format: never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum Code {
    /// 1: the input breaks a rule, which the failure names. Do not send it again.
    InvalidInput,
    /// 2: no room now. Try again after [`Failure::retry_after_seconds`].
    Busy,
    /// 3: a time limit passed.
    Timeout,
    /// 4: the client gave it up.
    Cancelled,
    /// 5: the worker died while it had the job. The server starts another; try again.
    WorkerLost,
    /// 6: this server cannot do that: mode, program or protocol version.
    Unsupported,
    /// 7: the server is going down. Try another.
    ShuttingDown,
    /// 8: no worker can be started at the moment. Try again later.
    Unavailable,
    /// 9: a fault of the server; its log says more.
    Internal,
    /// A number that this release does not know.
    Unknown(u16),
}

impl Code {
    /// Every code of this release.
    pub const ALL: [Self; 9] = [
        Self::InvalidInput,
        Self::Busy,
        Self::Timeout,
        Self::Cancelled,
        Self::WorkerLost,
        Self::Unsupported,
        Self::ShuttingDown,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::InvalidInput => 1,
            Self::Busy => 2,
            Self::Timeout => 3,
            Self::Cancelled => 4,
            Self::WorkerLost => 5,
            Self::Unsupported => 6,
            Self::ShuttingDown => 7,
            Self::Unavailable => 8,
            Self::Internal => 9,
            Self::Unknown(number) => number,
        }
    }

    /// The name in documents, output and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidInput => "INVALID_INPUT",
            Self::Busy => "BUSY",
            Self::Timeout => "TIMEOUT",
            Self::Cancelled => "CANCELLED",
            Self::WorkerLost => "WORKER_LOST",
            Self::Unsupported => "UNSUPPORTED",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
            Self::Unknown(_) => "UNKNOWN",
        }
    }

    /// Whether the same request may succeed later, here or on another server.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Timeout | Self::WorkerLost | Self::ShuttingDown | Self::Unavailable
        )
    }
}

impl From<u16> for Code {
    fn from(number: u16) -> Self {
        Self::ALL.into_iter().find(|code| code.number() == number).unwrap_or(Self::Unknown(number))
    }
}

impl From<Code> for u16 {
    fn from(code: Code) -> Self {
        code.number()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(number) => write!(f, "UNKNOWN({number})"),
            known => f.write_str(known.name()),
        }
    }
}

/// Why a request ended without its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// The kind, for programs.
    pub code: Code,
    /// One line for people: what was seen, what was wanted, what to do.
    pub message: String,
    /// With [`Code::InvalidInput`]: the name of the check that failed, if it was one of a statement's.
    pub check: Option<String>,
    /// With [`Code::Busy`] and the like: seconds to wait before trying again.
    pub retry_after_seconds: Option<u32>,
}

impl Failure {
    /// A failure without check or retry hint. An overlong message is cut.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
            message.truncate(end);
        }
        Self { code, message, check: None, retry_after_seconds: None }
    }

    /// A failure that passes: says when to try again, in words too, and after a second at least.
    #[cfg(feature = "server")]
    pub(crate) fn for_now(code: Code, what: &str, wait: Duration) -> Self {
        let failure = Self::new(code, "").with_retry_after(wait.max(Duration::from_secs(1)));
        let seconds = failure.retry_after_seconds.unwrap_or_default();
        Self { message: format!("{what}: try again in {seconds} s"), ..failure }
    }

    /// Names the check that failed.
    #[must_use]
    pub fn with_check(mut self, check: impl Into<String>) -> Self {
        self.check = Some(check.into());
        self
    }

    /// Says when to try again, rounded up to whole seconds.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after_seconds = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_numbers() {
        let numbers: Vec<u16> = Code::ALL.into_iter().map(Code::number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        for code in Code::ALL {
            assert_eq!(Code::from(code.number()), code);
        }
    }

    #[test]
    fn a_code_of_a_later_release_is_kept_as_its_number() {
        assert_eq!(Code::from(77), Code::Unknown(77));
        assert_eq!(Code::Unknown(77).number(), 77);
        assert_eq!(Code::Unknown(77).to_string(), "UNKNOWN(77)");
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_failure_that_passes_says_when_in_words_and_in_seconds() {
        for (millis, seconds) in [(0, 1), (250, 1), (2500, 3), (40_000, 40)] {
            let failure = Failure::for_now(Code::Busy, "no room", Duration::from_millis(millis));
            assert_eq!(failure.retry_after_seconds, Some(seconds));
            assert_eq!(failure.to_string(), format!("BUSY: no room: try again in {seconds} s"));
        }
    }

    #[test]
    fn a_failure_reads_as_one_line() {
        let failure = Failure::new(Code::Busy, "16 jobs wait already: try again in 90 s");
        assert_eq!(failure.to_string(), "BUSY: 16 jobs wait already: try again in 90 s");
        let failure = failure.with_retry_after(Duration::from_millis(1001));
        assert_eq!(failure.retry_after_seconds, Some(2));
    }
}
