//! What crosses a socket, and proof files. The first byte chooses the direction, the second the pieces in
//! which the stream arrives.
//!
//! - No input makes a reader panic, or hold more than a fixed reserve and a multiple of what arrived.
//! - However a stream is torn, the same messages arrive and the same fault ends it.
//! - A message has one encoding: those that arrived, sent again, are the bytes that arrived.
//! - Any message arrives as it was sent, and one with a byte changed does no harm.

use std::{
    fmt::Debug,
    io::{self, Read},
};

use proof_server::types::{
    ClientMessage, FrameError, FrameLimits, FrameReader, Message, Proof, ServerMessage, encode,
};

use crate::{
    input::Input,
    memory::{proportional, within},
    messages,
};

/// Caps that the fuzzer's inputs can reach.
pub const LIMITS: FrameLimits = FrameLimits { request: 16 << 10, proof: 24 << 10 };

/// What serde reserves for a list that announces more than 1 MiB of elements, times the lists in lists.
const ANNOUNCED_LISTS: usize = 3 << 20;
/// Bytes held for each that arrived: the frame, its growth, and the message that is made of it.
const HELD_FOR_EACH: usize = 64;

/// First byte of what a client sends.
pub const CLIENT: u8 = 0;
/// First byte of what a server sends.
pub const SERVER: u8 = 1;
/// First byte of a proof file; the second is not used.
pub const FILE: u8 = 2;
/// First byte of what is made into a message, which is sent.
pub const MESSAGE: u8 = 3;

/// Checks all of it.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let kind = input.byte();
    let piece = 1 + usize::from(input.byte());
    if kind % 4 == MESSAGE {
        return match input.below(2) {
            0 => sent(&messages::client(&mut input), &mut input, piece),
            _ => sent(&messages::server(&mut input), &mut input, piece),
        };
    }
    let bytes = input.bytes(usize::MAX);
    match kind % 4 {
        CLIENT => stream::<ClientMessage>(bytes, piece),
        SERVER => stream::<ServerMessage>(bytes, piece),
        _ => proof_file(bytes),
    }
}

/// Sends a message, whole and with a byte changed. Gives whether it is within the limits.
fn sent<M: Message + PartialEq + Debug>(message: &M, input: &mut Input<'_>, piece: usize) -> bool {
    let mut frame = match encode(message, &LIMITS) {
        Ok(frame) => frame,
        Err(FrameError::TooLarge { .. }) => return false,
        Err(error) => panic!("{error}"),
    };
    let (messages, end) = read::<M>(Pieces { bytes: &frame, piece });
    assert!(end.is_none(), "{end:?}");
    assert!(messages.iter().eq([message]), "it arrives as it was sent: {messages:?}");
    let at = usize::from(input.u16()) % frame.len();
    frame[at] ^= input.byte();
    stream::<M>(&frame, piece);
    true
}

fn held(bytes: &[u8]) -> usize {
    ANNOUNCED_LISTS + proportional(HELD_FOR_EACH, bytes.len())
}

fn stream<M: Message + PartialEq + Debug>(bytes: &[u8], piece: usize) -> bool {
    let (messages, end) = within(held(bytes), || read::<M>(bytes));
    let (torn, end_of_torn) = within(held(bytes), || read::<M>(Pieces { bytes, piece }));
    assert_eq!(messages, torn);
    assert_eq!(
        end.as_ref().map(ToString::to_string),
        end_of_torn.as_ref().map(ToString::to_string)
    );
    let sent = messages.iter().map(|message| encode(message, &LIMITS).expect("it arrived so"));
    let sent: Vec<u8> = sent.flatten().collect();
    assert!(bytes.starts_with(&sent), "another encoding of the same message was accepted");
    assert_eq!(end.is_none(), sent.len() == bytes.len(), "a stream ends between two messages");
    !messages.is_empty() && end.is_none()
}

/// All messages, and what ended the stream but its end.
fn read<M: Message>(stream: impl Read) -> (Vec<M>, Option<FrameError>) {
    let (mut reader, mut messages) = (FrameReader::new(stream, LIMITS), Vec::new());
    loop {
        match reader.next_message() {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, None),
            Err(error) => return (messages, Some(error)),
        }
    }
}

/// Hands out at most `piece` bytes at a time.
struct Pieces<'a> {
    bytes: &'a [u8],
    piece: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.piece);
        self.bytes.read(&mut into[..most])
    }
}

fn proof_file(bytes: &[u8]) -> bool {
    let Ok(proof) = within(held(bytes), || Proof::from_file(bytes)) else { return false };
    assert_eq!(proof.to_file().expect("it was read so"), bytes);
    true
}
