//! The machine off the zkVM.

use ark_bls12_381::Fq;
use ark_ff::{BigInt, PrimeField};
use slop_algebra::{AbstractField, PrimeField32};
use slop_koala_bear::{KoalaBear, my_kb_16_perm};
use slop_symmetric::Permutation;

use crate::field::{Limbs, Machine};

/// Well-kept libraries in the place of circuits: slower, for tests and for finding hints.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

/// The big-endian words of some bytes: a key's 48, a message's 32, a signature's 96.
///
/// # Panics
/// If `BYTES` is not eight times `WORDS`.
#[must_use]
pub fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u64; WORDS] {
    const { assert!(BYTES == 8 * WORDS) };
    let (words, _) = bytes.as_chunks::<8>();
    core::array::from_fn(|i| u64::from_be_bytes(words[i]))
}

/// The element with these limbs, reduced.
pub(crate) fn to_fq(limbs: &Limbs) -> Fq {
    Fq::from_le_bytes_mod_order(&limbs.map(u64::to_le_bytes).concat())
}

/// The canonical limbs.
pub(crate) fn to_limbs(value: Fq) -> Limbs {
    let BigInt(limbs) = value.into_bigint();
    limbs
}

impl Machine for Portable {
    fn add(a: &mut Limbs, b: &Limbs) {
        *a = to_limbs(to_fq(a) + to_fq(b));
    }

    fn sub(a: &mut Limbs, b: &Limbs) {
        *a = to_limbs(to_fq(a) - to_fq(b));
    }

    fn mul(a: &mut Limbs, b: &Limbs) {
        *a = to_limbs(to_fq(a) * to_fq(b));
    }

    fn square(a: &mut Limbs) {
        let b = *a;
        Self::mul(a, &b);
    }

    fn double(a: &mut Limbs) {
        let b = *a;
        Self::add(a, &b);
    }

    fn poseidon2(state: &mut [u64; 8]) {
        let halves: [KoalaBear; 16] = core::array::from_fn(|i| {
            KoalaBear::from_canonical_u32((state[i / 2] >> (32 * (i % 2))) as u32)
        });
        let halves = my_kb_16_perm().permute(halves).map(|half| u64::from(half.as_canonical_u32()));
        for (word, [low, high]) in state.iter_mut().zip(halves.as_chunks::<2>().0) {
            *word = low | high << 32;
        }
    }

    fn sha256_block(state: &mut [u64; 8], schedule: &mut [u64; 64]) {
        let mut block = [0; 64];
        for (bytes, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(&*schedule) {
            *bytes = (*word as u32).to_be_bytes();
        }
        let mut words = state.map(|word| word as u32);
        sha2::compress256(&mut words, &[block.into()]);
        *state = words.map(u64::from);
        // As the zkVM's circuit does: nobody may rely on what was there.
        schedule[16..].fill(u64::MAX);
    }
}
