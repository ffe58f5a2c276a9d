//! Fiat-Shamir challenges: a Poseidon2 sponge over the hint words.

use crate::field::{Fp, Machine};

/// Words that are absorbed together.
pub(crate) const BLOCK_WORDS: usize = 15;

/// The low 30 bits of both halves of a word: below KoalaBear's modulus, 2^31 - 2^24 + 1, whatever they are.
const LOW: u64 = 0x3fff_ffff_3fff_ffff;

/// A sponge in overwrite mode over KoalaBear: rate 8 elements (4 words of two), capacity 8 (248 bits, so that finding a
/// collision takes 2^124 permutations). Message lengths are fixed by the layout, which is why there is no padding rule.
pub(crate) struct Transcript {
    state: [u64; 8],
}

impl Transcript {
    pub(crate) const fn new() -> Self {
        Self { state: [0; 8] }
    }

    /// Absorbs whole blocks. A block's words become sixteen words of 30-bit halves, injectively: the low 30 bits of
    /// each half, and as the sixteenth the two top bits of all halves.
    pub(crate) fn absorb<M: Machine>(&mut self, words: &[u64]) {
        let (blocks, rest) = words.as_chunks::<BLOCK_WORDS>();
        debug_assert!(rest.is_empty(), "the layout is whole blocks");
        for block in blocks {
            let mut tops = 0;
            for (number, word) in block.iter().enumerate() {
                let low = word & LOW;
                // After fifteen shifts no pair has left its half: they fill bits 0 to 29 of both.
                tops = (tops | (word ^ low)) >> 2;
                self.state[number % 4] = low;
                if number % 4 == 3 {
                    M::poseidon2(&mut self.state);
                }
            }
            self.state[3] = tops;
            M::poseidon2(&mut self.state);
        }
    }

    /// An element that depends on all that was absorbed: the rate, 248 bits of entropy.
    pub(crate) fn challenge<M>(&self) -> Fp<M> {
        let [a, b, c, d, ..] = self.state;
        Fp::new([a, b, c, d, 0, 0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Portable;

    fn challenge(words: &[u64]) -> Fp<Portable> {
        let mut transcript = Transcript::new();
        transcript.absorb::<Portable>(words);
        transcript.challenge()
    }

    #[test]
    fn every_bit_of_every_word_counts() {
        let words = [0x0123_4567_89ab_cdef; 2 * BLOCK_WORDS];
        let expected = challenge(&words);
        for word in 0..words.len() {
            for bit in 0..64 {
                let mut other = words;
                other[word] ^= 1 << bit;
                assert!(!challenge(&other).equals(&expected), "bit {bit} of word {word}");
            }
        }
    }

    #[test]
    fn words_in_another_order_are_another_message() {
        let mut words: [u64; BLOCK_WORDS] = core::array::from_fn(|i| i as u64);
        let expected = challenge(&words);
        words.swap(3, 4);
        assert!(!challenge(&words).equals(&expected));
    }
}
