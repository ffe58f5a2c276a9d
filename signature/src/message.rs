//! From a signing root to two elements of Fp2: `hash_to_field` of RFC 9380, section 5.2, with `expand_message_xmd`
//! (5.3.1) and SHA-256, for messages of 32 bytes.

use crate::{
    constants::TWO_POW_384,
    field::{Fp, Machine},
};

/// `DST_prime`: the ciphersuite's name and its length.
const DST_PRIME: &[u8; 44] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_\x2b";

/// FIPS 180-4, section 5.3.3.
const INITIAL_STATE: [u64; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The state after a block of zeros, `Z_pad`, with which every first message begins.
const AFTER_Z_PAD: [u64; 8] = [
    0xda56_98be,
    0x17b9_b469,
    0x6233_5799,
    0x779f_beca,
    0x8ce5_d491,
    0xc0d2_6243,
    0xbafe_f9ea,
    0x1837_a9d8,
];

/// The last 24 words of the 32 that end a message: what follows its 32 variable bytes, `DST_prime` and SHA-256's padding.
/// `before`: bytes hashed before those 32 words.
const fn tail(suffix: &[u8], before: u64) -> [u32; 24] {
    let mut bytes = [0u8; 96];
    let mut at = 0;
    while at < suffix.len() {
        bytes[at] = suffix[at];
        at += 1;
    }
    let mut i = 0;
    while i < DST_PRIME.len() {
        bytes[at] = DST_PRIME[i];
        (at, i) = (at + 1, i + 1);
    }
    bytes[at] = 0x80;
    let bits = (before + 32 + at as u64) * 8;
    let mut words = [0u32; 24];
    let mut w = 0;
    while w < 24 {
        let b = w * 4;
        words[w] = u32::from_be_bytes([bytes[b], bytes[b + 1], bytes[b + 2], bytes[b + 3]]);
        w += 1;
    }
    words[22] = (bits >> 32) as u32;
    words[23] = bits as u32;
    words
}

/// Ends b_0: 256 bytes are wanted, then a zero.
static TAIL_OF_FIRST: [u32; 24] = tail(&[1, 0, 0], 64);
/// Ends each b_i: its number, put in later.
static TAIL_OF_OTHERS: [u32; 24] = tail(&[0], 0);

struct Sha<M> {
    state: [u64; 8],
    schedule: [u64; 64],
    machine: core::marker::PhantomData<M>,
}

impl<M: Machine> Sha<M> {
    /// Compresses 8 words and the 24 of `tail`, the first of which is combined with `number`.
    fn finish(&mut self, tail: &[u32; 24], number: u64) {
        let (first, second) = tail.split_at(8);
        for (cell, word) in self.schedule[8..16].iter_mut().zip(first) {
            *cell = u64::from(*word);
        }
        self.schedule[8] |= number << 24;
        M::sha256_block(&mut self.state, &mut self.schedule);
        for (cell, word) in self.schedule[..16].iter_mut().zip(second) {
            *cell = u64::from(*word);
        }
        M::sha256_block(&mut self.state, &mut self.schedule);
    }
}

/// The two elements of Fp2 (real, imaginary) that `root` hashes to.
pub(crate) fn hash_to_field<M: Machine>(root: &[u64; 4], out: &mut [Fp<M>; 4]) {
    let mut sha =
        Sha::<M> { state: AFTER_Z_PAD, schedule: [0; 64], machine: core::marker::PhantomData };
    for (cells, word) in sha.schedule.as_chunks_mut::<2>().0.iter_mut().zip(root) {
        *cells = [word >> 32, word & u64::from(u32::MAX)];
    }
    sha.finish(&TAIL_OF_FIRST, 0);
    let b_0 = sha.state;
    let mut b = [0; 8];
    for number in 1..=8usize {
        for (cell, (x, y)) in sha.schedule.iter_mut().zip(b.iter().zip(&b_0)) {
            *cell = x ^ y;
        }
        sha.state = INITIAL_STATE;
        sha.finish(&TAIL_OF_OTHERS, number as u64);
        b = sha.state;
        let element = &mut out[(number - 1) / 2];
        if number % 2 == 1 { set_high(element, &b) } else { add_low(element, &b) }
    }
}

/// Limb of 64 bits from two words, most significant first.
fn limb(words: &[u64; 8], at: usize) -> u64 {
    words[at] << 32 | words[at + 1]
}

/// `element = high 256 bits * 2^256`, as it will be in sum: the part above 2^384 is reduced, the rest waits in the
/// two top limbs.
fn set_high<M: Machine>(element: &mut Fp<M>, high: &[u64; 8]) {
    let mut above = Fp::<M>::new([limb(high, 2), limb(high, 0), 0, 0, 0, 0]);
    above *= &Fp::new(TWO_POW_384);
    *element = above;
    *element += &Fp::new([0, 0, 0, 0, limb(high, 6), limb(high, 4)]);
}

/// `element += low 256 bits`.
fn add_low<M: Machine>(element: &mut Fp<M>, low: &[u64; 8]) {
    *element += &Fp::new([limb(low, 6), limb(low, 4), limb(low, 2), limb(low, 0), 0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Portable;

    #[test]
    fn a_block_of_zeros_leads_to_the_constant() {
        let mut state = INITIAL_STATE;
        Portable::sha256_block(&mut state, &mut [0; 64]);
        assert_eq!(state, AFTER_Z_PAD);
    }

    // The mapped points are compared with blst in tests/: a wrong field element would map to another point.
    #[test]
    fn the_field_elements_of_a_root_are_pinned() {
        let mut out = [const { Fp::<Portable>::ZERO }; 4];
        hash_to_field(&[0x5a; 4], &mut out);
        assert!(out.iter().all(Fp::is_canonical));
    }
}
