//! Witnesses as guests read them. The first byte chooses the program, words follow; bytes that are no whole word are
//! left out.
//!
//! - No input makes the decoder panic, or hold much more memory than it was given.
//! - A value has one encoding: what is accepted encodes to the same words.
//! - A guest, which reads bytes where they lie, and the host, which copies them, accept the same.

use lc_core::{
    statement::{CommitteeChangeWitness, InclusionWitness},
    words::{Words, from_bytes, to_bytes},
};

use crate::memory::{proportional, within};

/// Bytes that a decoder may hold for each that it was given: a list's elements are as many as words are left at most,
/// and the largest takes less than 128 words.
const FACTOR: usize = 128;

/// Checks all of it.
pub fn check(data: &[u8]) -> bool {
    let Some((program, bytes)) = data.split_first() else { return false };
    let whole = bytes.len() - bytes.len() % size_of::<u64>();
    assert_eq!(from_bytes(bytes).is_some(), whole == bytes.len());
    let bytes = &bytes[..whole];
    let words = from_bytes(bytes).expect("a whole number of words");
    assert_eq!(to_bytes(&words), bytes);
    if *program == 0 {
        return accepted_alike(
            is_one_encoding::<CommitteeChangeWitness>(&words),
            is_one_encoding::<CommitteeChangeWitness<&[u8]>>(&words),
        );
    }
    accepted_alike(
        is_one_encoding::<InclusionWitness>(&words),
        is_one_encoding::<InclusionWitness<&[u8]>>(&words),
    )
}

fn accepted_alike(by_host: bool, by_guest: bool) -> bool {
    assert_eq!(by_guest, by_host, "guest and host accept different things");
    by_host
}

fn is_one_encoding<'a, W: Words<'a>>(words: &'a [u64]) -> bool {
    let limit = proportional(FACTOR, size_of_val(words));
    let Some(value) = within(limit, || W::decode(words)) else { return false };
    assert_eq!(value.encode(), words, "another encoding of the same value was accepted");
    true
}
