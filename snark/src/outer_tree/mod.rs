//! SP1's commitment to the tables of a wrap proof: a Merkle tree hashed with Poseidon2 over BN254's
//! scalar field, which takes most of such a proof's time. SP1 hashes one row after the other in plain
//! code; here eight are hashed at once.

mod commitment;
mod field;
mod lanes;
mod poseidon2;
mod tree;

use slop_algebra::{AbstractField, PrimeField};
use slop_bn254::Bn254Fr;

pub(crate) use self::commitment::OuterCommitter;
use self::field::Words;

/// An element as a number below the order.
fn number(element: Bn254Fr) -> Words {
    let mut words = element.as_canonical_biguint().to_u64_digits();
    words.resize(4, 0);
    words.try_into().expect("resized")
}

/// The element that a number stands for.
fn element(words: Words) -> Bn254Fr {
    let base = Bn254Fr::from_canonical_u64(1 << 32) * Bn254Fr::from_canonical_u64(1 << 32);
    let next = |sum, word: &u64| sum * base + Bn254Fr::from_canonical_u64(*word);
    words.iter().rev().fold(Bn254Fr::zero(), next)
}
