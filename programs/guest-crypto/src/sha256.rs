//! SHA-256 (FIPS 180-4): a fast path for Merkle nodes, and the public values' digest.

use lc_core::Root;

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

/// Runs `work` on the one schedule that all hashes use: part of the image, so that the circuits may write it before
/// anything else has, and nobody need zero it each time. `work` must not hash.
#[cfg(target_os = "zkvm")]
#[inline(always)]
#[expect(unsafe_code, reason = "no threads")]
fn with_schedule<T>(work: impl FnOnce(&mut Schedule) -> T) -> T {
    struct OneThread(core::cell::UnsafeCell<Schedule>);
    // SAFETY: the zkVM has one thread.
    unsafe impl Sync for OneThread {}
    static SCHEDULE: OneThread = OneThread(core::cell::UnsafeCell::new([0; 64]));
    // SAFETY: `work` does not come here again: both callers are below.
    work(unsafe { &mut *SCHEDULE.0.get() })
}

#[cfg(not(target_os = "zkvm"))]
fn with_schedule<T>(work: impl FnOnce(&mut Schedule) -> T) -> T {
    work(&mut [0; 64])
}

/// SHA-256 of `left ‖ right`: one node of an SSZ Merkle tree.
#[must_use]
pub fn hash_pair(left: &Root, right: &Root) -> Root {
    let mut state = INITIAL_STATE;
    with_schedule(|schedule| {
        write_root(&mut schedule[..8], left);
        write_root(&mut schedule[8..16], right);
        sha256_extend(schedule);
        sha256_compress(schedule, &mut state);
    });
    sha256_compress(&PADDING_OF_64_BYTES, &mut state);
    let [a, b, c, d, e, f, g, h] = state;
    Root([a << 32 | b, c << 32 | d, e << 32 | f, g << 32 | h])
}

/// A root's eight words of 32 bits.
#[inline(always)]
fn write_root(cells: &mut [u64], root: &Root) {
    for (cells, word) in cells.as_chunks_mut::<2>().0.iter_mut().zip(root.0) {
        *cells = [word >> 32, u64::from(word as u32)];
    }
}

/// SHA-256 of any bytes: the digest's eight words.
#[must_use]
pub fn sha256(data: &[u8]) -> [u32; 8] {
    let mut state = INITIAL_STATE;
    with_schedule(|schedule| {
        let (blocks, rest) = data.as_chunks::<BLOCK>();
        for block in blocks {
            compress(schedule, &mut state, block);
        }
        let mut last = [0; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        last[rest.len()] = 0x80;
        if rest.len() >= LENGTH_AT {
            compress(schedule, &mut state, &last);
            last.fill(0);
        }
        last[LENGTH_AT..].copy_from_slice(&(data.len() as u64 * 8).to_be_bytes());
        compress(schedule, &mut state, &last);
    });
    state.map(|word| word as u32)
}

fn compress(schedule: &mut Schedule, state: &mut ShaState, block: &[u8; BLOCK]) {
    for (cell, bytes) in schedule.iter_mut().zip(block.as_chunks::<4>().0) {
        *cell = u64::from(u32::from_be_bytes(*bytes));
    }
    sha256_extend(schedule);
    sha256_compress(schedule, state);
}

#[cfg(test)]
mod tests {
    use super::*;

    use lc_core::alloy_primitives::B256;
    use sha2::Digest as _;

    fn message(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + 3) as u8).collect()
    }

    #[test]
    fn a_pair_hashes_as_its_64_bytes() {
        let bytes = message(64);
        let [left, right] = [&bytes[..32], &bytes[32..]].map(|half| B256::from_slice(half).into());
        let seen = B256::from(hash_pair(&left, &right));
        assert_eq!(seen[..], sha2::Sha256::digest(&bytes)[..]);
    }

    #[test]
    fn every_length_around_a_block_agrees_with_the_reference() {
        for len in 0..=200 {
            let bytes = message(len);
            let seen = sha256(&bytes).map(u32::to_be_bytes).concat();
            assert_eq!(seen, sha2::Sha256::digest(&bytes)[..], "length {len}");
        }
    }
}
