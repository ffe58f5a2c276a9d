//! Everything that looks random here.

use lc_core::alloy_primitives::{Address, B256, FixedBytes};
use sha2::{Digest, Sha256};

/// What a simulated chain is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed(B256);

impl Seed {
    /// The seed called `number`.
    pub(crate) fn new(number: u64) -> Self {
        Self(hash(&[b"simulator", &number.to_le_bytes()]))
    }

    /// 32 bytes for the thing called `label` and numbered `numbers`.
    pub(crate) fn bytes(&self, label: &str, numbers: &[u64]) -> B256 {
        // The label ends at a zero byte and the numbers have one length, so no two things share bytes.
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        hash(&[self.0.as_slice(), label.as_bytes(), &[0], &numbers])
    }

    /// A number for it.
    pub(crate) fn number(&self, label: &str, numbers: &[u64]) -> u64 {
        let bytes = self.bytes(label, numbers);
        u64::from_le_bytes(*bytes.first_chunk().expect("a hash is longer"))
    }

    /// An address for it.
    pub(crate) fn address(&self, label: &str, numbers: &[u64]) -> Address {
        Address::from_slice(&self.bytes(label, numbers)[12..])
    }

    /// A bloom filter for it.
    pub(crate) fn bloom(&self, label: &str, number: u64) -> FixedBytes<256> {
        let mut bloom = FixedBytes::ZERO;
        for (chunk, at) in bloom.chunks_exact_mut(32).zip(0..) {
            chunk.copy_from_slice(self.bytes(label, &[number, at]).as_slice());
        }
        bloom
    }
}

fn hash(parts: &[&[u8]]) -> B256 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    B256::new(hasher.finalize().into())
}
