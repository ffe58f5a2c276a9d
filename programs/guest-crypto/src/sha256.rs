//! SHA-256 (FIPS 180-4): a fast path for Merkle nodes, and any bytes.

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

/// SHA-256 of any bytes.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut state = INITIAL_STATE;
    let mut schedule = [0; 64];
    let (blocks, rest) = data.as_chunks::<BLOCK>();
    for block in blocks {
        compress(&mut schedule, &mut state, block);
    }
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    if rest.len() >= LENGTH_AT {
        compress(&mut schedule, &mut state, &last);
        last.fill(0);
    }
    last[LENGTH_AT..].copy_from_slice(&(data.len() as u64 * 8).to_be_bytes());
    compress(&mut schedule, &mut state, &last);
    to_bytes(&state)
}

fn compress(schedule: &mut Schedule, state: &mut ShaState, block: &[u8; BLOCK]) {
    write_words(&mut schedule[..16], block);
    sha256_extend(schedule);
    sha256_compress(schedule, state);
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
            assert_eq!(sha256(&bytes)[..], sha2::Sha256::digest(&bytes)[..], "length {len}");
        }
    }
}
