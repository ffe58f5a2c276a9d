use alloc::{string::ToString, vec::Vec};

use alloy_primitives::{Bytes, U256, keccak256};
use alloy_rlp::{Encodable, Header};
use proptest::prelude::*;

use super::*;
use crate::{host::NativeCrypto, sync_protocol::CheckError};

/// The encodings of a header's fields: those of mainnet's time of Fulu, then Gloas's two.
fn fields() -> Vec<Vec<u8>> {
    let hash = |n: u8| encoded(B256::repeat_byte(n));
    vec![
        hash(0x11),
        hash(0x1d),
        encoded([0x42u8; 20]),
        hash(0x33),
        hash(0x44),
        hash(0x55),
        encoded([0x66u8; 256]),
        encoded(0u64),
        encoded(23_456_789u64),
        encoded(45_000_000u64),
        encoded(22_345_678u64),
        encoded(1_764_798_551u64),
        encoded(&b"reth/v1.9.3"[..]),
        hash(0x77),
        encoded([0u8; 8]),
        encoded(U256::from(1_234_567_890u64)),
        hash(0x88),
        encoded(0x60000u64),
        encoded(0x4a0000u64),
        hash(0x99),
        hash(0xaa),
        hash(0xbb),
        encoded(12_345_678u64),
    ]
}

fn encoded(value: impl Encodable) -> Vec<u8> {
    alloy_rlp::encode(value)
}

fn list(fields: &[Vec<u8>]) -> Vec<u8> {
    let payload = fields.concat();
    let mut out = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

fn read(rlp: &[u8]) -> Result<ExecutionBlock, ExecutionHeaderError> {
    ExecutionBlock::from_rlp::<NativeCrypto>(rlp)
}

/// The header with a field replaced.
fn with(at: usize, encoding: &[u8]) -> Vec<u8> {
    let mut fields = fields();
    fields[at] = encoding.to_vec();
    list(&fields)
}

#[test]
fn a_header_gives_its_blocks_number_hash_and_state_root() {
    let rlp = list(&fields());
    let wanted = ExecutionBlock {
        number: 23_456_789,
        hash: keccak256(&rlp),
        state_root: B256::repeat_byte(0x33),
    };
    assert_eq!(read(&rlp), Ok(wanted));
    assert_eq!(ExecutionBlock::with_hash::<NativeCrypto>(&rlp, wanted.hash), Ok(wanted));
}

#[test]
fn headers_since_shanghai_are_read_and_so_are_those_of_forks_to_come() {
    for count in MIN_FIELDS..=FIELDS.len() {
        assert_eq!(read(&list(&fields()[..count])).unwrap().number, 23_456_789, "{count}");
    }
    // What is appended may be anything, a list too.
    let mut longer = fields();
    longer.extend([encoded(B256::repeat_byte(1)), encoded(vec![Bytes::new()]), encoded(7u64)]);
    assert_eq!(read(&list(&longer)).unwrap().state_root, B256::repeat_byte(0x33));
}

#[test]
fn another_blocks_header_is_refused_as_such() {
    let (rlp, other) = (list(&fields()), list(&fields()[..21]));
    let (seen, wanted) = (keccak256(&other), keccak256(&rlp));
    let error = ExecutionBlock::with_hash::<NativeCrypto>(&other, wanted).unwrap_err();
    assert_eq!(error, ExecutionHeaderError::Hash { seen, wanted });
    let check = CheckError::from(error);
    assert_eq!(check.to_string(), "the execution block's header is refused");
    let text = error.to_string();
    assert!(text.contains(&seen.to_string()) && text.ends_with("fetch that block's"), "{text}");
}

#[test]
fn a_header_that_was_cut_or_is_too_old_is_refused() {
    for count in 0..MIN_FIELDS {
        let error = ExecutionHeaderError::TooFewFields { seen: count, wanted: 17 };
        assert_eq!(read(&list(&fields()[..count])), Err(error));
        assert!(error.to_string().contains(&format!("has {count} fields, at least 17")));
    }
    let rlp = list(&fields());
    for len in 0..rlp.len() {
        let error = read(&rlp[..len]).unwrap_err();
        let cut = matches!(error, ExecutionHeaderError::NotAList(RlpError::Truncated { .. }));
        assert!(cut, "{len}: {error}");
    }
}

#[test]
fn what_is_no_list_is_refused() {
    let mut longer = list(&fields());
    longer.push(0);
    for (rlp, source) in [
        (encoded(&list(&fields())[..]), RlpError::ExpectedList { length: list(&fields()).len() }),
        (longer, RlpError::TrailingBytes { extra: 1 }),
    ] {
        let error = read(&rlp).unwrap_err();
        assert_eq!(error, ExecutionHeaderError::NotAList(source));
        assert!(error.to_string().contains("debug_getRawHeader"), "{error}");
    }
    // A block, whose first item is the header.
    let block = list(&[list(&fields()), list(&[])]);
    let error = read(&block).unwrap_err();
    assert!(matches!(error, ExecutionHeaderError::Field { field: "parentHash", .. }), "{error}");
}

#[test]
fn a_field_of_another_length_is_refused_by_name() {
    for (at, (field, kind)) in FIELDS.into_iter().enumerate() {
        let (Fixed(wanted) | UpTo(wanted)) = kind else { continue };
        let mut lengths = vec![wanted + 1];
        if let Fixed(_) = kind {
            lengths.extend([wanted - 1, 0]);
        }
        for seen in lengths {
            let error = read(&with(at, &encoded(&vec![0xff; seen][..]))).unwrap_err();
            assert_eq!(error, ExecutionHeaderError::Length { field, seen, wanted });
            let text = format!("{field} of the execution block header has {seen} bytes");
            assert!(error.to_string().starts_with(&text), "{error}");
        }
    }
}

#[test]
fn an_integer_that_is_not_canonical_or_too_large_is_refused_by_name() {
    for (at, (field, kind)) in FIELDS.into_iter().enumerate() {
        let limit = match kind {
            Uint64 => 8,
            Uint256 => 32,
            _ => continue,
        };
        for (encoding, source) in [
            (encoded(&[0u8, 1][..]), RlpError::LeadingZero),
            (vec![0], RlpError::LeadingZero),
            (vec![0x81, 5], RlpError::NonCanonicalByte { byte: 5 }),
            (encoded(&vec![1; limit + 1][..]), RlpError::IntegerTooLong { seen: limit + 1, limit }),
            (vec![0xc0], RlpError::ExpectedString { length: 0 }),
        ] {
            let error = read(&with(at, &encoding)).unwrap_err();
            assert_eq!(error, ExecutionHeaderError::Field { field, source });
            let text = format!("{field} of the execution block header is malformed");
            assert_eq!(error.to_string(), text);
        }
        let largest = vec![0xff; limit];
        read(&with(at, &encoded(&largest[..]))).unwrap();
    }
}

#[test]
fn a_list_in_the_place_of_any_field_is_refused_by_name() {
    for (at, (field, _)) in FIELDS.into_iter().enumerate() {
        let source = RlpError::ExpectedString { length: 0 };
        assert_eq!(read(&with(at, &[0xc0])), Err(ExecutionHeaderError::Field { field, source }));
    }
}

#[test]
fn a_malformed_field_after_the_known_ones_is_refused() {
    let mut longer = fields();
    longer.push(vec![0x81, 5]);
    let source = RlpError::NonCanonicalByte { byte: 5 };
    let wanted = ExecutionHeaderError::Field { field: "a later field", source };
    assert_eq!(read(&list(&longer)), Err(wanted));
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        let _ = read(&bytes);
        let _ = read(&list(&[bytes]));
    }

    #[test]
    fn a_changed_byte_gives_another_block_or_none(at: prop::sample::Index, byte: u8) {
        let rlp = list(&fields());
        let mut changed = rlp.clone();
        let at = at.index(changed.len());
        changed[at] = byte;
        let hash = keccak256(&rlp);
        let block = ExecutionBlock::with_hash::<NativeCrypto>(&changed, hash);
        prop_assert_eq!(block.is_ok(), changed == rlp);
    }
}
