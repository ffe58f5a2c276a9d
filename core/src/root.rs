//! Merkle nodes in the form in which SHA-256 takes and gives them, so that a guest hashes a whole branch without
//! turning a byte.

use core::fmt;

use alloy_primitives::{B256, FixedBytes, U256};

use crate::crypto::{BlsPubkey, BlsSignature};

/// A node of an SSZ Merkle tree: its 32 bytes as four big-endian words, which is SHA-256's eight words of 32 bits,
/// two to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct Root(pub [u64; 4]);

impl Root {
    /// 32 bytes of zero.
    pub const ZERO: Self = Self([0; 4]);

    /// The chunk of up to four `uint64` that lie in one: each little endian.
    #[must_use]
    pub const fn of_u64s(values: [u64; 4]) -> Self {
        let [a, b, c, d] = values;
        Self([a.swap_bytes(), b.swap_bytes(), c.swap_bytes(), d.swap_bytes()])
    }

    /// The chunk of a `uint64`: little endian, zero-padded.
    #[must_use]
    pub const fn of_u64(value: u64) -> Self {
        Self::of_u64s([value, 0, 0, 0])
    }

    /// The chunk of a `uint256`: little endian.
    #[must_use]
    pub fn of_u256(value: &U256) -> Self {
        B256::from(value.to_le_bytes::<32>()).into()
    }

    /// The chunk of a byte vector of at most 32 bytes, zero-padded.
    ///
    /// # Panics
    /// If `bytes` is longer than a chunk.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut chunk = B256::ZERO;
        chunk[..bytes.len()].copy_from_slice(bytes);
        chunk.into()
    }

    /// Whether all 32 bytes are zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl From<B256> for Root {
    fn from(bytes: B256) -> Self {
        Self(words(&bytes))
    }
}

impl From<Root> for B256 {
    fn from(root: Root) -> Self {
        bytes(&root.0)
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        B256::from(*self).fmt(f)
    }
}

impl PartialEq<B256> for Root {
    fn eq(&self, other: &B256) -> bool {
        *self == Self::from(*other)
    }
}

/// What can be hashed as a node: a [`Root`], or on the host the bytes of one.
pub trait Node: Copy + Into<Root> {}

impl<T: Copy + Into<Root>> Node for T {}

/// A compressed G1 point as six big-endian words.
pub type PubkeyWords = [u64; 6];
/// A compressed G2 point as twelve big-endian words.
pub type SignatureWords = [u64; 12];

/// The words of a key.
#[must_use]
pub fn pubkey_words(key: &BlsPubkey) -> PubkeyWords {
    words(key)
}

/// The words of a signature.
#[must_use]
pub fn signature_words(signature: &BlsSignature) -> SignatureWords {
    words(signature)
}

/// The bytes that are these big-endian words.
///
/// # Panics
/// If `BYTES` is not eight times `WORDS`.
#[must_use]
pub fn bytes<const WORDS: usize, const BYTES: usize>(words: &[u64; WORDS]) -> FixedBytes<BYTES> {
    const { assert!(BYTES == 8 * WORDS) };
    let mut bytes = FixedBytes::ZERO;
    for (eight, word) in bytes.0.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *eight = word.to_be_bytes();
    }
    bytes
}

fn words<const WORDS: usize, const BYTES: usize>(bytes: &FixedBytes<BYTES>) -> [u64; WORDS] {
    const { assert!(BYTES == 8 * WORDS) };
    let mut words = [0; WORDS];
    for (word, eight) in words.iter_mut().zip(bytes.0.as_chunks::<8>().0) {
        *word = u64::from_be_bytes(*eight);
    }
    words
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_root_is_the_big_endian_words_of_its_bytes() {
        let bytes = B256::new(core::array::from_fn(|i| i as u8));
        let root = Root::from(bytes);
        assert_eq!(root.0[1], 0x0809_0a0b_0c0d_0e0f);
        assert_eq!(B256::from(root), bytes);
        assert_eq!(root, bytes);
        assert_ne!(root, B256::ZERO);
        assert_eq!(root.to_string(), bytes.to_string());
    }

    #[test]
    fn integers_are_chunks_of_little_endian_bytes() {
        let bytes = B256::from(Root::of_u64(0x0102));
        assert_eq!(bytes[..3], [2, 1, 0]);
        assert_eq!(Root::of_u256(&U256::from(0x0102)), bytes);
        assert_eq!(Root::of_bytes(&[2, 1]), bytes);
        assert_eq!(B256::from(Root::of_u64s([0, 1, 0, 0]))[8], 1);
        assert!(!Root::of_u64(1).is_zero());
    }
}
