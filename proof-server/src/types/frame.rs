//! Frames: a big-endian `u32` length, then that many bytes, one bincode message.
//!
//! The length comes from a stranger. So nothing is allocated for it: memory grows with the bytes that
//! arrived, and each kind of message has its own cap, checked as soon as the kind is known (the first
//! four bytes of the message).

use std::{
    io::{self, Read, Write},
    marker::PhantomData,
};

use bincode::Options;
use serde::{Serialize, de::DeserializeOwned};

use super::proof_server::{ClientMessage, PROTOCOL_VERSION, ServerMessage};

/// Bytes of the length, and of the message's kind that follows it.
const LENGTH_BYTES: usize = 4;
const HEAD_BYTES: usize = 8;

/// Most bytes that one read asks for, 64 KiB: a core proof takes 200 reads, and a peer that announces
/// much and sends nothing costs no more than this.
const READ_CHUNK: usize = 64 << 10;

/// Cap on a message without payload. Hello has two short texts, the rest a few numbers.
pub const CONTROL_FRAME_BYTES: u32 = 4 << 10;

/// Cap on an answer with text: the server's Hello with its programs, a failure with its message.
const TEXT_FRAME_BYTES: u32 = 64 << 10;

/// Default cap on a `Prove` frame, 8 MiB. An update is 27 kB, so 128 periods (four years) are 3.5 MB; an
/// account with a storage slot is 10 kB.
pub const DEFAULT_MAX_REQUEST_BYTES: u32 = 8 << 20;

/// Default cap on a frame with a proof, 64 MiB. A core proof of one committee change measured 12.2 MB;
/// chained updates add shards, so five times that. Above it the peer is broken or hostile.
pub const DEFAULT_MAX_PROOF_BYTES: u32 = 64 << 20;

/// The caps that a deployment chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLimits {
    /// Largest `Prove` frame, in bytes.
    pub request: u32,
    /// Largest frame with a proof, in bytes.
    pub proof: u32,
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self { request: DEFAULT_MAX_REQUEST_BYTES, proof: DEFAULT_MAX_PROOF_BYTES }
    }
}

/// A type that frames carry: an enum whose variant number is its first four bytes, little endian.
pub trait Message: Serialize + DeserializeOwned {
    /// The names of the kinds, by variant number.
    const KINDS: &'static [&'static str];

    /// Most bytes that a message of this kind may have. Only called with numbers within `KINDS`.
    fn cap(kind: u32, limits: &FrameLimits) -> u32;

    /// The protocol version that a message announces, if it is of a kind that does.
    fn version(_body: &[u8]) -> Option<u16> {
        None
    }
}

impl Message for ClientMessage {
    const KINDS: &'static [&'static str] = &["Hello", "Prove", "Verify", "Cancel", "Status"];

    fn cap(kind: u32, limits: &FrameLimits) -> u32 {
        match kind {
            1 => limits.request,
            2 => limits.proof,
            _ => CONTROL_FRAME_BYTES,
        }
    }

    fn version(body: &[u8]) -> Option<u16> {
        hello_version(body)
    }
}

impl Message for ServerMessage {
    const KINDS: &'static [&'static str] = &[
        "Hello", "Accepted", "Queued", "Started", "Progress", "Proof", "Verified", "Failed",
        "Status",
    ];

    fn cap(kind: u32, limits: &FrameLimits) -> u32 {
        match kind {
            5 => limits.proof,
            0 | 7 | 8 => TEXT_FRAME_BYTES,
            // Public values: a statement's own inputs bound them.
            6 => limits.request,
            _ => CONTROL_FRAME_BYTES,
        }
    }

    fn version(body: &[u8]) -> Option<u16> {
        hello_version(body)
    }
}

/// Both Hellos are variant 0 and start with the version, in every version of the protocol.
fn hello_version(body: &[u8]) -> Option<u16> {
    let version = body.strip_prefix(&[0; 4])?.first_chunk()?;
    Some(u16::from_le_bytes(*version))
}

/// Why a frame was not taken or not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is too short to hold the kind of its message.
    #[error(
        "frame announces {announced} bytes, a message has at least 4: the peer does not speak this protocol"
    )]
    TooShort {
        /// The length it announces.
        announced: u32,
    },
    /// The kind is none of this protocol's.
    #[error(
        "message kind {kind} does not exist, there are {known}: the peer does not speak this protocol"
    )]
    UnknownKind {
        /// The number seen.
        kind: u32,
        /// How many kinds there are.
        known: usize,
    },
    /// The frame is larger than its kind may be.
    #[error(
        "{kind} frame of {announced} bytes, this side takes {limit}: send less, or raise the limit where it is configured"
    )]
    TooLarge {
        /// The message's kind.
        kind: &'static str,
        /// The length it announces.
        announced: u64,
        /// The cap of the kind.
        limit: u32,
    },
    /// The peer's Hello is of another version.
    #[error("peer speaks protocol {theirs}, this side {ours}: upgrade the older one")]
    Version {
        /// The peer's.
        theirs: u16,
        /// Ours.
        ours: u16,
    },
    /// The bytes are not such a message, or more than it.
    #[error("malformed {kind} message: the peer does not speak this protocol as this release does")]
    Malformed {
        /// The message's kind.
        kind: &'static str,
        /// What the decoder said.
        #[source]
        source: bincode::Error,
    },
    /// The stream ended inside a frame.
    #[error("stream ended after {got} bytes of a frame: the peer went away")]
    Torn {
        /// Bytes of the frame that arrived.
        got: usize,
    },
    /// A value has no encoding.
    #[error("message cannot be encoded")]
    Encode(#[source] bincode::Error),
    /// The stream failed. With a read timeout this is `WouldBlock` or `TimedOut`, and reading may go on.
    #[error("stream failed")]
    Io(#[source] io::Error),
}

/// bincode 1: fixed-width integers, little endian, nothing behind the message. Decoding is from memory
/// only, so the lengths inside a message cannot ask for more than arrived.
fn options() -> impl Options {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_little_endian()
        .reject_trailing_bytes()
}

pub(super) fn decode_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    decode_as("stored", body)
}

pub(super) fn encode_body<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), FrameError> {
    options().serialize_into(out, value).map_err(FrameError::Encode)
}

fn decode_as<T: DeserializeOwned>(kind: &'static str, body: &[u8]) -> Result<T, FrameError> {
    // The limit repeats what the slice already bounds, for any type that would count without reading.
    options()
        .with_limit(body.len() as u64)
        .deserialize(body)
        .map_err(|source| FrameError::Malformed { kind, source })
}

/// Decodes one whole message.
///
/// # Errors
///
/// [`FrameError::UnknownKind`], [`FrameError::TooLarge`], [`FrameError::Version`] for a Hello of another
/// version, [`FrameError::Malformed`] for the rest, bytes behind the message included.
pub fn decode<M: Message>(body: &[u8], limits: &FrameLimits) -> Result<M, FrameError> {
    let announced = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let Some(kind) = body.first_chunk() else {
        return Err(FrameError::TooShort { announced });
    };
    let kind = admit::<M>(announced, *kind, limits)?;
    match M::version(body) {
        Some(theirs) if theirs != PROTOCOL_VERSION => {
            Err(FrameError::Version { theirs, ours: PROTOCOL_VERSION })
        }
        _ => decode_as(kind, body),
    }
}

/// Encodes one message with its length in front.
///
/// # Errors
///
/// [`FrameError::TooLarge`] if the peer's caps would refuse it, [`FrameError::Encode`] if bincode does.
pub fn encode<M: Message>(message: &M, limits: &FrameLimits) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; LENGTH_BYTES];
    encode_body(message, &mut frame)?;
    let body = &frame[LENGTH_BYTES..];
    let length = body.len() as u64;
    let kind = *body.first_chunk().expect("an enum's encoding starts with its four-byte variant");
    let announced = u32::try_from(length).unwrap_or(u32::MAX);
    admit::<M>(announced, kind, limits)?;
    frame[..LENGTH_BYTES].copy_from_slice(&announced.to_be_bytes());
    Ok(frame)
}

/// Whether a frame of this length and kind is taken; the kind's name.
fn admit<M: Message>(
    announced: u32,
    kind: [u8; 4],
    limits: &FrameLimits,
) -> Result<&'static str, FrameError> {
    let number = u32::from_le_bytes(kind);
    let name = usize::try_from(number)
        .ok()
        .and_then(|index| M::KINDS.get(index))
        .ok_or(FrameError::UnknownKind { kind: number, known: M::KINDS.len() })?;
    let limit = M::cap(number, limits);
    if announced > limit {
        return Err(FrameError::TooLarge { kind: name, announced: announced.into(), limit });
    }
    Ok(name)
}

/// Collects the bytes of one frame at a time and says how many to read next. No I/O: the blocking and
/// the async reader share it, and both may stop anywhere and go on later.
#[derive(Debug)]
pub(super) struct FrameBuffer<M> {
    limits: FrameLimits,
    bytes: Vec<u8>,
    message: PhantomData<fn() -> M>,
}

/// What a [`FrameBuffer`] needs.
#[derive(Debug)]
pub(super) enum Next<M> {
    /// At most this many bytes, never 0.
    Read(usize),
    /// Nothing: here is the message.
    Message(M),
}

impl<M: Message> FrameBuffer<M> {
    pub(super) fn new(limits: FrameLimits) -> Self {
        Self { limits, bytes: Vec::new(), message: PhantomData }
    }

    #[cfg(feature = "server")]
    pub(super) fn set_limits(&mut self, limits: FrameLimits) {
        self.limits = limits;
    }

    /// Where read bytes go: append only.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Whether a frame has begun.
    pub(super) fn has_begun(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// What has arrived of the frame that has begun.
    pub(super) fn begun(&self) -> &[u8] {
        &self.bytes
    }

    /// What end of stream means here: nothing between frames, [`FrameError::Torn`] within one.
    pub(super) fn end(&self) -> Result<(), FrameError> {
        if self.has_begun() { Err(FrameError::Torn { got: self.bytes.len() }) } else { Ok(()) }
    }

    pub(super) fn next(&mut self) -> Result<Next<M>, FrameError> {
        let Some(announced) = self.bytes.first_chunk().copied().map(u32::from_be_bytes) else {
            return Ok(Next::Read(LENGTH_BYTES - self.bytes.len()));
        };
        if (announced as usize) < HEAD_BYTES - LENGTH_BYTES {
            return Err(FrameError::TooShort { announced });
        }
        let Some(kind) = self.bytes[LENGTH_BYTES..].first_chunk().copied() else {
            return Ok(Next::Read(HEAD_BYTES - self.bytes.len()));
        };
        admit::<M>(announced, kind, &self.limits)?;
        let missing = LENGTH_BYTES + announced as usize - self.bytes.len();
        if missing > 0 {
            return Ok(Next::Read(missing.min(READ_CHUNK)));
        }
        // The buffer goes with its message: an idle connection should not hold its largest frame.
        let frame = std::mem::take(&mut self.bytes);
        decode(&frame[LENGTH_BYTES..], &self.limits).map(Next::Message)
    }
}

/// Reads messages from a blocking stream. After a read timeout it goes on where it stopped.
#[derive(Debug)]
pub struct FrameReader<R, M> {
    stream: R,
    buffer: FrameBuffer<M>,
}

impl<R: Read, M: Message> FrameReader<R, M> {
    /// Reads `M` from `stream`, refusing frames over `limits`.
    pub fn new(stream: R, limits: FrameLimits) -> Self {
        Self { stream, buffer: FrameBuffer::new(limits) }
    }

    /// Waits for the next message; `None` if the stream ended between two.
    ///
    /// # Errors
    ///
    /// [`FrameError`]. After anything but [`FrameError::Io`] the stream is of no use any more.
    pub fn next_message(&mut self) -> Result<Option<M>, FrameError> {
        loop {
            let wanted = match self.buffer.next()? {
                Next::Message(message) => return Ok(Some(message)),
                Next::Read(wanted) => wanted,
            };
            let bytes = self.buffer.bytes();
            let old = bytes.len();
            bytes.resize(old + wanted, 0);
            let read = self.stream.read(&mut bytes[old..]);
            bytes.truncate(old + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => return self.buffer.end().map(|()| None),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FrameError::Io(error)),
            }
        }
    }

    /// What has arrived of a frame that is not whole, or was refused: it tells what the peer speaks.
    pub fn begun(&self) -> &[u8] {
        self.buffer.begun()
    }

    /// The stream, for its time-outs.
    pub fn stream(&self) -> &R {
        &self.stream
    }
}

/// Writes one message and flushes.
///
/// # Errors
///
/// [`encode`]'s, and [`FrameError::Io`].
pub fn write_message<M: Message>(
    stream: &mut impl Write,
    message: &M,
    limits: &FrameLimits,
) -> Result<(), FrameError> {
    let frame = encode(message, limits)?;
    stream.write_all(&frame).and_then(|()| stream.flush()).map_err(FrameError::Io)
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
