//! Keccak-256 with Ethereum's padding: trie nodes and trie paths.

use crate::precompiles::{KeccakState, keccak_permute};

/// Bytes absorbed by one permutation: 1600 bits less twice the 256 of the digest.
const RATE: usize = 136;

/// Lanes of a block.
const RATE_LANES: usize = RATE / 8;

/// Keccak-256 of any bytes. Fastest where they begin at a word, as a witness's trie nodes do.
#[must_use]
pub fn keccak256(data: &[u8]) -> [u8; 32] {
    let mut state: KeccakState = [0; 25];
    let (blocks, rest) = data.as_chunks::<RATE>();
    for block in blocks {
        absorb(&mut state, block);
    }
    let mut last = [0; RATE];
    last[..rest.len()].copy_from_slice(rest);
    // The pad10*1 rule with the original submission's (not SHA-3's) domain bits; both may share a byte.
    last[rest.len()] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);

    let mut out = [0; 32];
    for (bytes, lane) in out.as_chunks_mut::<8>().0.iter_mut().zip(&state) {
        *bytes = lane.to_le_bytes();
    }
    out
}

fn absorb(state: &mut KeccakState, block: &[u8; RATE]) {
    match bytemuck::try_cast_ref::<_, [u64; RATE_LANES]>(block) {
        Ok(lanes) => {
            state.iter_mut().zip(lanes).for_each(|(lane, word)| *lane ^= u64::from_le(*word))
        }
        Err(_) => {
            let words = block.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
            state.iter_mut().zip(words).for_each(|(lane, word)| *lane ^= word);
        }
    }
    keccak_permute(state);
}

#[cfg(test)]
mod tests {
    use super::*;

    use tiny_keccak::Hasher as _;

    #[test]
    fn every_length_around_a_block_agrees_with_the_reference() {
        for len in 0..=2 * RATE + 8 {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 5 + 1) as u8).collect();
            let mut reference = tiny_keccak::Keccak::v256();
            reference.update(&bytes);
            let mut expected = [0; 32];
            reference.finalize(&mut expected);
            assert_eq!(keccak256(&bytes), expected, "length {len}");
        }
    }
}
