//! SHA-256 (FIPS 180-4): a fast path for Merkle nodes, and a streaming hasher for hashing to the curve.

use digest::consts::{U32, U64};
use digest::core_api::BlockSizeUser;
use digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};

use crate::precompiles::{Schedule, ShaState, extend, sha256_compress, sha256_extend};

/// FIPS 180-4, section 5.3.3.
const INITIAL_STATE: ShaState = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Schedule of the padding block that follows any 64-byte message: the end mark and the length, 512 bits.
static PADDING_OF_64_BYTES: Schedule =
    extend([0x8000_0000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 512]);

/// Bytes of a block.
const BLOCK: usize = 64;
/// Where the message's length in bits stands in the last block.
const LENGTH_AT: usize = BLOCK - 8;

/// SHA-256 of `left ‖ right`: one node of an SSZ Merkle tree.
#[must_use]
pub fn hash_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut schedule = [0; 64];
    write_words(&mut schedule[..8], left);
    write_words(&mut schedule[8..16], right);
    sha256_extend(&mut schedule);
    let mut state = INITIAL_STATE;
    sha256_compress(&schedule, &mut state);
    sha256_compress(&PADDING_OF_64_BYTES, &mut state);
    to_bytes(&state)
}

/// A streaming SHA-256 with the `digest` traits that hashing to the curve asks for.
#[derive(Debug, Clone)]
pub struct Sha256 {
    state: ShaState,
    block: [u8; BLOCK],
    /// Bytes taken in so far; `length % 64` of them wait in `block`.
    length: usize,
}

impl Default for Sha256 {
    fn default() -> Self {
        Self { state: INITIAL_STATE, block: [0; BLOCK], length: 0 }
    }
}

impl Sha256 {
    fn compress(&mut self) {
        let mut schedule = [0; 64];
        write_words(&mut schedule[..16], &self.block);
        sha256_extend(&mut schedule);
        sha256_compress(&schedule, &mut self.state);
    }
}

impl HashMarker for Sha256 {}

impl OutputSizeUser for Sha256 {
    type OutputSize = U32;
}

impl BlockSizeUser for Sha256 {
    type BlockSize = U64;
}

impl Update for Sha256 {
    fn update(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let at = self.length % BLOCK;
            let take = data.len().min(BLOCK - at);
            let (now, later) = data.split_at(take);
            self.block[at..at + take].copy_from_slice(now);
            self.length += take;
            if at + take == BLOCK {
                self.compress();
            }
            data = later;
        }
    }
}

impl FixedOutput for Sha256 {
    fn finalize_into(mut self, out: &mut Output<Self>) {
        let bits = (self.length as u64) * 8;
        let at = self.length % BLOCK;
        self.block[at] = 0x80;
        self.block[at + 1..].fill(0);
        if at >= LENGTH_AT {
            self.compress();
            self.block.fill(0);
        }
        self.block[LENGTH_AT..].copy_from_slice(&bits.to_be_bytes());
        self.compress();
        out.copy_from_slice(&to_bytes(&self.state));
    }
}

fn write_words(words: &mut [u64], bytes: &[u8]) {
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
    }
}

fn to_bytes(state: &ShaState) -> [u8; 32] {
    let mut out = [0; 32];
    for (chunk, word) in out.chunks_exact_mut(4).zip(state) {
        chunk.copy_from_slice(&(*word as u32).to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    use sha2::Digest as _;

    fn message(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + 3) as u8).collect()
    }

    #[test]
    fn a_pair_hashes_as_its_64_bytes() {
        let bytes = message(64);
        let (left, right) = (bytes[..32].try_into().unwrap(), bytes[32..].try_into().unwrap());
        assert_eq!(hash_pair(left, right)[..], sha2::Sha256::digest(&bytes)[..]);
    }

    #[test]
    fn every_length_around_a_block_agrees_with_the_reference() {
        for len in 0..=200 {
            let bytes = message(len);
            let ours = Sha256::default().chain(&bytes).finalize_fixed();
            assert_eq!(ours[..], sha2::Sha256::digest(&bytes)[..], "length {len}");
        }
    }

    #[test]
    fn torn_updates_hash_as_one() {
        let bytes = message(150);
        let mut torn = Sha256::default();
        for piece in bytes.chunks(11) {
            Update::update(&mut torn, piece);
        }
        assert_eq!(torn.finalize_fixed()[..], sha2::Sha256::digest(&bytes)[..]);
    }
}
