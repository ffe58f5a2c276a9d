//! Fp, the base field of BLS12-381, on a [`Machine`].

use core::{
    fmt,
    marker::PhantomData,
    ops::{AddAssign, MulAssign, SubAssign},
};

/// A number below 2^384, least significant limb first.
pub type Limbs = [u64; 6];

/// The modulus p.
pub(crate) const MODULUS: Limbs = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

/// (p + 1) / 2: an element is the larger of itself and its negative from here on.
const HALF: Limbs = [
    0xdcff_7fff_ffff_d556,
    0x0f55_ffff_58a9_ffff,
    0xb398_6950_7b58_7b12,
    0xb23b_a5c2_79c2_895f,
    0x258d_d3db_21a5_d66b,
    0x0d00_88f5_1cbf_f34d,
];

/// What the zkVM has circuits for. Two machines exist: the zkVM's system calls, and `Portable` for any host.
///
/// Field operations give the canonical result. Operands are numbers below 2^384; of a product's one must be below p, and
/// a difference's first, the second at most p above it; else SP1 cannot prove what it ran. Nothing wrong would be proven.
pub trait Machine: Copy + fmt::Debug + 'static {
    /// `a = a + b mod p`.
    fn add(a: &mut Limbs, b: &Limbs);
    /// `a = a - b mod p`.
    fn sub(a: &mut Limbs, b: &Limbs);
    /// `a = a * b mod p`.
    fn mul(a: &mut Limbs, b: &Limbs);
    /// `a = a^2 mod p`.
    fn square(a: &mut Limbs);
    /// `a = 2a mod p`.
    fn double(a: &mut Limbs);
    /// SP1's Poseidon2 permutation of 16 elements of KoalaBear, two to a word, each below its modulus.
    fn poseidon2(state: &mut [u64; 8]);
    /// SHA-256's compression of the block in `schedule[..16]`; the rest of the schedule is overwritten. A word of 32
    /// bits to a cell.
    fn sha256_block(state: &mut [u64; 8], schedule: &mut [u64; 64]);
}

/// An element of Fp. Canonical (below p) if it came out of an operation; one that was given may not be, see
/// `is_canonical`.
#[derive(Debug)]
#[repr(transparent)]
pub struct Fp<M>(pub(crate) Limbs, PhantomData<M>);

impl<M> Fp<M> {
    pub(crate) const ZERO: Self = Self::new([0; 6]);

    /// The element with these limbs.
    #[must_use]
    pub const fn new(limbs: Limbs) -> Self {
        Self(limbs, PhantomData)
    }

    pub(crate) const fn small(value: u64) -> Self {
        Self::new([value, 0, 0, 0, 0, 0])
    }

    /// The limbs.
    #[must_use]
    pub const fn limbs(&self) -> &Limbs {
        &self.0
    }

    /// Takes the elements that lie in `words` where they lie. None if the words are no whole number of elements.
    #[expect(unsafe_code, reason = "hints are used in place: a copy would double what they cost")]
    pub(crate) fn from_words(words: &mut [u64]) -> Option<&mut [Self]> {
        let (elements, rest) = words.as_chunks_mut::<6>();
        if !rest.is_empty() {
            return None;
        }
        let (first, count) = (elements.as_mut_ptr().cast::<Self>(), elements.len());
        // SAFETY: `Fp` is `repr(transparent)` over `Limbs`, for which every bit pattern is valid.
        Some(unsafe { core::slice::from_raw_parts_mut(first, count) })
    }

    /// The words of some elements, limb after limb.
    #[expect(unsafe_code, reason = "hints are hashed where they lie")]
    pub(crate) fn as_words(elements: &[Self]) -> &[u64] {
        // SAFETY: `Fp` is `repr(transparent)` over six words.
        unsafe { core::slice::from_raw_parts(elements.as_ptr().cast(), elements.len() * 6) }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.iter().fold(0, |bits, limb| bits | limb) == 0
    }

    /// Whether this is below p, the only form that encodings allow.
    pub(crate) fn is_canonical(&self) -> bool {
        self.is_below(&MODULUS)
    }

    /// Whether this is larger than its negative: the sign that compressed points carry.
    pub(crate) fn is_larger_half(&self) -> bool {
        !self.is_below(&HALF)
    }

    fn is_below(&self, bound: &Limbs) -> bool {
        for (limb, of_bound) in self.0.iter().zip(bound).rev() {
            if limb != of_bound {
                return limb < of_bound;
            }
        }
        false
    }
}

impl<M> Clone for Fp<M> {
    #[inline(always)]
    fn clone(&self) -> Self {
        Self::new(self.0)
    }
}

impl<M: Machine> Fp<M> {
    pub(crate) fn equals(&self, other: &Self) -> bool {
        let mut difference = self.clone();
        difference -= other;
        difference.is_zero()
    }
}

impl<M: Machine> AddAssign<&Self> for Fp<M> {
    #[inline(always)]
    fn add_assign(&mut self, other: &Self) {
        M::add(&mut self.0, &other.0);
    }
}

impl<M: Machine> SubAssign<&Self> for Fp<M> {
    #[inline(always)]
    fn sub_assign(&mut self, other: &Self) {
        M::sub(&mut self.0, &other.0);
    }
}

impl<M: Machine> MulAssign<&Self> for Fp<M> {
    #[inline(always)]
    fn mul_assign(&mut self, other: &Self) {
        M::mul(&mut self.0, &other.0);
    }
}

#[cfg(all(test, feature = "portable"))]
mod tests {
    use super::*;
    use crate::Portable;

    /// The element with this much more in its lowest limb.
    fn above(limbs: Limbs, by: i64) -> Fp<Portable> {
        let [lowest, rest @ ..] = limbs;
        let lowest = lowest.checked_add_signed(by).expect("no carry");
        let [a, b, c, d, e] = rest;
        Fp::new([lowest, a, b, c, d, e])
    }

    #[test]
    fn zero_has_no_bit_set_in_any_limb() {
        assert!(Fp::<Portable>::ZERO.is_zero());
        for at in 0..6 {
            for other in 0..6 {
                // Equal limbs do not cancel.
                let mut limbs = [0; 6];
                (limbs[at], limbs[other]) = (1 << 40, 1 << 40);
                assert!(!Fp::<Portable>::new(limbs).is_zero(), "limbs {at} and {other}");
            }
        }
    }

    #[test]
    fn an_element_is_canonical_below_the_modulus_only() {
        assert!(above(MODULUS, -1).is_canonical());
        assert!(!above(MODULUS, 0).is_canonical());
        assert!(!above(MODULUS, 1).is_canonical());
        let mut high = [0; 6];
        high[5] = MODULUS[5] + 1;
        assert!(!Fp::<Portable>::new(high).is_canonical());
        high[5] = MODULUS[5] - 1;
        high[..5].fill(u64::MAX);
        assert!(Fp::<Portable>::new(high).is_canonical());
    }

    #[test]
    fn the_larger_half_begins_above_the_middle() {
        let [smaller, larger] = [above(HALF, -1), above(HALF, 0)];
        assert!(!smaller.is_larger_half());
        assert!(larger.is_larger_half());
        // They are each other's negative.
        let mut sum = smaller.clone();
        sum += &larger;
        assert!(sum.is_zero());
        assert!(!Fp::<Portable>::ZERO.is_larger_half());
    }
}
