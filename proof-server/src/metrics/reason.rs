//! Why workers were replaced, and peers refused: the values of the labels `reason` and `outcome`.

use super::label::Value;
use crate::types::FrameError;

/// Why a worker was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RestartReason {
    /// It ended by itself.
    Exit,
    /// The kernel killed it for memory.
    Oom,
    /// Another signal ended it.
    Signal,
    /// Nothing was heard of it.
    Silent,
    /// It sent what is no message, or closed its socket.
    Garbled,
    /// Its answer was not to be trusted.
    Faulty,
    /// It was over the memory that this server allows it.
    Memory,
    /// Its job ran for too long.
    Timeout,
    /// Nobody wanted its job any more.
    Cancelled,
    /// The server goes down.
    Drained,
}

impl Value for RestartReason {
    const ALL: &'static [Self] = &[
        Self::Exit,
        Self::Oom,
        Self::Signal,
        Self::Silent,
        Self::Garbled,
        Self::Faulty,
        Self::Memory,
        Self::Timeout,
        Self::Cancelled,
        Self::Drained,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Oom => "oom",
            Self::Signal => "signal",
            Self::Silent => "silent",
            Self::Garbled => "garbled",
            Self::Faulty => "faulty",
            Self::Memory => "memory",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Drained => "drained",
        }
    }
}

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ConnectionRefusal {
    /// As many as the server takes are open: the client was told BUSY.
    Limit,
    /// So many refusals were being told that this one was closed without a word.
    Flood,
    /// No Hello in time.
    Handshake,
    /// TLS could not be agreed on, or there was no good client certificate.
    Tls,
    /// The server goes down.
    Draining,
}

impl Value for ConnectionRefusal {
    const ALL: &'static [Self] =
        &[Self::Limit, Self::Flood, Self::Handshake, Self::Tls, Self::Draining];

    fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Flood => "flood",
            Self::Handshake => "handshake",
            Self::Tls => "tls",
            Self::Draining => "draining",
        }
    }
}

/// Why a frame was refused, which ends its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FrameRefusal {
    /// Too short to hold the kind of its message.
    TooShort,
    /// Its kind does not exist.
    UnknownKind,
    /// Over its kind's limit.
    TooLarge,
    /// A Hello of another protocol version.
    Version,
    /// Bytes that are no such message.
    Malformed,
    /// The stream ended inside it.
    Torn,
    /// It took too long to arrive.
    Timeout,
    /// A well-formed message where it may not come: a second Hello, an id that is not above the last.
    Violation,
}

impl FrameRefusal {
    /// Of an error; `None` where the stream failed or the frame was our own.
    pub(crate) const fn of(error: &FrameError) -> Option<Self> {
        match error {
            FrameError::TooShort { .. } => Some(Self::TooShort),
            FrameError::UnknownKind { .. } => Some(Self::UnknownKind),
            FrameError::TooLarge { .. } => Some(Self::TooLarge),
            FrameError::Version { .. } => Some(Self::Version),
            FrameError::Malformed { .. } => Some(Self::Malformed),
            FrameError::Torn { .. } => Some(Self::Torn),
            FrameError::Encode(_) | FrameError::Io(_) => None,
        }
    }
}

impl Value for FrameRefusal {
    const ALL: &'static [Self] = &[
        Self::TooShort,
        Self::UnknownKind,
        Self::TooLarge,
        Self::Version,
        Self::Malformed,
        Self::Torn,
        Self::Timeout,
        Self::Violation,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::UnknownKind => "unknown_kind",
            Self::TooLarge => "too_large",
            Self::Version => "version",
            Self::Malformed => "malformed",
            Self::Torn => "torn",
            Self::Timeout => "timeout",
            Self::Violation => "violation",
        }
    }
}

/// How reading the TLS files again ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reload {
    /// The new certificate is in use.
    Ok,
    /// The files are no good: the old certificate stays in use.
    Failed,
}

impl Value for Reload {
    const ALL: &'static [Self] = &[Self::Ok, Self::Failed];

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
        }
    }
}
