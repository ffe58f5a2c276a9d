use std::collections::VecDeque;

use lc_core::ProgramId;
use proptest::prelude::*;

use super::*;
use crate::types::{ClientHello, Code, EngineKind, Failure, Proof, ProofMode, RequestId, VkeyHash};

/// A stream that hands out what it was given, piece by piece, and counts what it is asked for.
struct Pieces {
    left: VecDeque<Vec<u8>>,
    largest_read: usize,
}

impl Pieces {
    fn new(pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { left: pieces.into_iter().collect(), largest_read: 0 }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.largest_read = self.largest_read.max(into.len());
        let Some(mut piece) = self.left.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let taken = piece.len().min(into.len());
        into[..taken].copy_from_slice(&piece[..taken]);
        if taken < piece.len() {
            self.left.push_front(piece.split_off(taken));
        }
        Ok(taken)
    }
}

fn limits() -> FrameLimits {
    FrameLimits::default()
}

fn frame(message: &ClientMessage) -> Vec<u8> {
    encode(message, &limits()).unwrap()
}

fn verify_message(bytes: usize) -> ClientMessage {
    let proof = Proof {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        engine: EngineKind::Cpu,
        circuit: None,
        vkey: VkeyHash([1; 32]),
        sp1_version: "6.10.0".into(),
        public_values: vec![2; 40],
        bytes: vec![3; bytes],
    };
    ClientMessage::Verify { id: RequestId(1), proof }
}

fn read_one(bytes: &[u8]) -> Result<Option<ClientMessage>, FrameError> {
    FrameReader::new(bytes, limits()).next_message()
}

#[test]
fn messages_arrive_however_the_stream_is_torn() {
    let messages = [
        ClientMessage::Hello(ClientHello::new("test")),
        verify_message(200),
        ClientMessage::Cancel { id: RequestId(u64::MAX) },
    ];
    let bytes: Vec<u8> = messages.iter().flat_map(frame).collect();
    for size in [1, 2, 3, 7, 64, bytes.len()] {
        let mut reader =
            FrameReader::new(Pieces::new(bytes.chunks(size).map(<[u8]>::to_vec)), limits());
        for message in &messages {
            assert_eq!(reader.next_message().unwrap().as_ref(), Some(message), "pieces of {size}");
        }
    }
}

#[test]
fn reading_goes_on_after_a_timeout_in_the_middle_of_a_frame() {
    let message = verify_message(100);
    let bytes = frame(&message);
    for cut in 0..bytes.len() {
        let mut reader = FrameReader::new(
            Pieces::new([bytes[..cut].to_vec()].into_iter().filter(|p| !p.is_empty())),
            limits(),
        );
        let error = reader.next_message().unwrap_err();
        assert!(matches!(error, FrameError::Io(_)), "{error}");
        reader.stream.left.push_back(bytes[cut..].to_vec());
        assert_eq!(reader.next_message().unwrap(), Some(message.clone()), "cut at {cut}");
    }
}

#[test]
fn a_stream_that_ends_between_frames_is_over_and_within_one_is_torn() {
    let bytes = frame(&verify_message(10));
    assert!(read_one(&[]).unwrap().is_none());
    for end in 1..bytes.len() {
        match read_one(&bytes[..end]) {
            Err(FrameError::Torn { got }) => assert_eq!(got, end),
            other => panic!("cut at {end}: {other:?}"),
        }
    }
}

#[test]
fn a_forged_length_is_refused_before_anything_is_read_for_it() {
    // The stream blocks after the head: a reader that wanted the announced bytes would report that.
    for kind in 0..u32::try_from(ClientMessage::KINDS.len()).unwrap() {
        let mut reader: FrameReader<_, ClientMessage> =
            FrameReader::new(Pieces::new([vec![0xff; 4], kind.to_le_bytes().to_vec()]), limits());
        let error = reader.next_message().unwrap_err();
        assert!(matches!(error, FrameError::TooLarge { announced: 0xffff_ffff, .. }), "{error}");
        assert!(reader.stream.largest_read <= 8 && reader.buffer.bytes.capacity() <= 64);
    }
}

#[test]
fn an_announced_length_within_the_cap_costs_no_memory_until_bytes_come() {
    let mut head = (60_u32 << 20).to_be_bytes().to_vec();
    head.extend(2_u32.to_le_bytes());
    head.extend([0; 1000]);
    let mut reader: FrameReader<_, ClientMessage> = FrameReader::new(Pieces::new([head]), limits());
    assert!(matches!(reader.next_message(), Err(FrameError::Io(_))));
    let held = reader.buffer.bytes.capacity();
    assert!(held <= 2 * (1008 + READ_CHUNK), "{held} bytes held for 1008 that came");
}

#[test]
fn counts_inside_a_message_cannot_ask_for_more_than_arrived() {
    let honest = frame(&verify_message(10));
    let count = honest.len() - 10 - 8;
    for forged in [u64::MAX, 1 << 40, 11] {
        let mut bytes = honest.clone();
        bytes[count..count + 8].copy_from_slice(&forged.to_le_bytes());
        assert!(
            matches!(read_one(&bytes), Err(FrameError::Malformed { kind: "Verify", .. })),
            "{forged}"
        );
    }
}

#[test]
fn each_kind_has_its_own_cap() {
    let limits = FrameLimits { request: 1 << 20, proof: 2 << 20 };
    for (kind, cap) in
        [(0, CONTROL_FRAME_BYTES), (1, 1 << 20), (2, 2 << 20), (3, CONTROL_FRAME_BYTES)]
    {
        for (announced, fits) in [(cap, true), (cap + 1, false)] {
            let head = [announced.to_be_bytes(), u32::to_le_bytes(kind)].concat();
            let mut reader: FrameReader<_, ClientMessage> =
                FrameReader::new(Pieces::new([head]), limits);
            let error = reader.next_message().unwrap_err();
            assert_eq!(
                matches!(error, FrameError::Io(_)),
                fits,
                "kind {kind}, {announced} bytes: {error}"
            );
        }
    }
}

#[test]
fn a_message_over_its_cap_is_not_sent_and_says_what_to_do() {
    let limits = FrameLimits { request: 100, proof: 100 };
    let error = encode(&verify_message(1000), &limits).unwrap_err();
    assert!(error.to_string().starts_with("Verify frame of 11"), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("this side takes 100: send less, or raise the limit where it is configured")
    );
}

#[test]
fn kinds_and_lengths_that_do_not_exist_are_refused() {
    let error = read_one(&[0, 0, 0, 3]).unwrap_err();
    assert!(matches!(error, FrameError::TooShort { announced: 3 }), "{error}");
    let error = read_one(b"GET / HTTP/1.1\r\n").unwrap_err();
    assert!(
        error.to_string().starts_with("message kind 1414012975 does not exist, there are 5"),
        "{error}"
    );
}

#[test]
fn bytes_behind_a_message_are_refused() {
    let mut bytes = frame(&ClientMessage::Cancel { id: RequestId(1) });
    bytes.push(0);
    let length = u32::try_from(bytes.len() - 4).unwrap();
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    assert!(matches!(read_one(&bytes), Err(FrameError::Malformed { kind: "Cancel", .. })));
}

#[test]
fn another_protocol_version_is_named_whatever_its_hello_holds() {
    let mut body = vec![0; 4];
    body.extend(9_u16.to_le_bytes());
    body.extend(b"what version 9 says in its Hello");
    let error = decode::<ClientMessage>(&body, &limits()).unwrap_err();
    assert_eq!(error.to_string(), "peer speaks protocol 9, this side 5: upgrade the older one");
    assert!(matches!(
        decode::<ServerMessage>(&body, &limits()),
        Err(FrameError::Version { theirs: 9, ours: 5 })
    ));
}

#[test]
fn an_idle_reader_holds_no_memory_of_its_largest_frame() {
    let bytes = [frame(&verify_message(1 << 20)), vec![0]].concat();
    let mut reader: FrameReader<_, ClientMessage> =
        FrameReader::new(Pieces::new([bytes]), limits());
    reader.next_message().unwrap();
    assert!(matches!(reader.next_message(), Err(FrameError::Io(_))));
    assert!(reader.buffer.bytes.capacity() < 1024);
}

#[test]
fn a_failure_of_any_length_fits_its_frame() {
    let failure = Failure::new(Code::Internal, "\u{1f4a5}".repeat(100_000));
    encode(&ServerMessage::Failed { id: None, failure }, &limits()).unwrap();
}

proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_one(&bytes);
        let _ = decode::<ServerMessage>(&bytes, &limits());
        let _ = decode::<ClientMessage>(&bytes, &limits());
    }

    #[test]
    fn a_damaged_message_is_refused_or_another_message(
        at in 0_usize..200, bit in 0_u8..8, size in 0_usize..80,
    ) {
        let message = verify_message(size);
        let mut bytes = frame(&message);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(Some(other)) = read_one(&bytes) {
            prop_assert_ne!(other, message);
        }
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        head in 0_u32..5, bytes in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let body = [&head.to_le_bytes()[..], &bytes].concat();
        if let Ok(message) = decode::<ClientMessage>(&body, &limits()) {
            let frame = encode(&message, &limits()).unwrap();
            prop_assert_eq!(&frame[4..], &body[..]);
        }
    }
}
