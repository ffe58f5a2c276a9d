//! Eight unsigned 64-bit numbers at once, and the products of their low 52 bits: what AVX-512 has for
//! long integers. Elsewhere the same in plain code.

/// Numbers in one [`Lanes`].
pub(super) const LANES: usize = 8;

/// The bits of a limb.
pub(super) const LIMB_BITS: u32 = 52;
pub(super) const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

#[cfg(all(target_feature = "avx512f", target_feature = "avx512ifma"))]
pub(super) use avx512::Lanes;
#[cfg(not(all(target_feature = "avx512f", target_feature = "avx512ifma")))]
pub(super) use plain::Lanes;

#[cfg(all(target_feature = "avx512f", target_feature = "avx512ifma"))]
#[expect(
    unsafe_code,
    reason = "the features are the target's own, which the compiler does not count"
)]
mod avx512 {
    use std::arch::x86_64::{
        __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
        _mm512_madd52lo_epu64, _mm512_mul_epu32, _mm512_permutexvar_epi64, _mm512_set1_epi64,
        _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64,
        _mm512_storeu_si512, _mm512_sub_epi64,
    };

    use super::LANES;

    /// Eight numbers.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Lanes(__m512i);

    // SAFETY, of each block: this module exists only where the whole program may use AVX-512.
    impl Lanes {
        #[inline(always)]
        pub(in super::super) fn zero() -> Self {
            Self(unsafe { _mm512_setzero_si512() })
        }

        #[inline(always)]
        pub(in super::super) fn splat(value: u64) -> Self {
            Self(unsafe { _mm512_set1_epi64(value.cast_signed()) })
        }

        #[inline(always)]
        pub(in super::super) fn load(values: &[u64; LANES]) -> Self {
            Self(unsafe { _mm512_loadu_si512(values.as_ptr().cast()) })
        }

        #[inline(always)]
        pub(in super::super) fn store(self) -> [u64; LANES] {
            let mut values = [0; LANES];
            unsafe { _mm512_storeu_si512(values.as_mut_ptr().cast(), self.0) };
            values
        }

        #[inline(always)]
        pub(in super::super) fn plus(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_epi64(self.0, other.0) })
        }

        #[inline(always)]
        pub(in super::super) fn minus(self, other: Self) -> Self {
            Self(unsafe { _mm512_sub_epi64(self.0, other.0) })
        }

        #[inline(always)]
        pub(in super::super) fn and(self, other: Self) -> Self {
            Self(unsafe { _mm512_and_si512(self.0, other.0) })
        }

        #[inline(always)]
        pub(in super::super) fn shift_left<const BITS: u32>(self) -> Self {
            Self(unsafe { _mm512_slli_epi64::<BITS>(self.0) })
        }

        #[inline(always)]
        pub(in super::super) fn shift_right<const BITS: u32>(self) -> Self {
            Self(unsafe { _mm512_srli_epi64::<BITS>(self.0) })
        }

        /// As of signed numbers.
        #[inline(always)]
        pub(in super::super) fn shift_right_signed<const BITS: u32>(self) -> Self {
            Self(unsafe { _mm512_srai_epi64::<BITS>(self.0) })
        }

        /// Products of the low 32 bits.
        #[inline(always)]
        pub(in super::super) fn times_32(self, other: Self) -> Self {
            Self(unsafe { _mm512_mul_epu32(self.0, other.0) })
        }

        /// `self` and the low 52 bits of `a * b`, of whose factors the low 52 bits count.
        #[inline(always)]
        pub(in super::super) fn plus_low(self, a: Self, b: Self) -> Self {
            Self(unsafe { _mm512_madd52lo_epu64(self.0, a.0, b.0) })
        }

        /// `self` and the upper 52 bits of `a * b`, of whose factors the low 52 bits count.
        #[inline(always)]
        pub(in super::super) fn plus_high(self, a: Self, b: Self) -> Self {
            Self(unsafe { _mm512_madd52hi_epu64(self.0, a.0, b.0) })
        }

        /// Of each lane the entry of `table` that its low three bits name.
        #[inline(always)]
        pub(in super::super) fn look_up(self, table: Self) -> Self {
            Self(unsafe { _mm512_permutexvar_epi64(self.0, table.0) })
        }
    }
}

#[cfg_attr(
    all(target_feature = "avx512f", target_feature = "avx512ifma"),
    expect(dead_code, reason = "its tests run everywhere")
)]
mod plain {
    use std::array;

    use super::{LANES, LIMB_BITS, LIMB_MASK};

    /// Eight numbers.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Lanes([u64; LANES]);

    impl Lanes {
        fn map(self, f: impl Fn(u64) -> u64) -> Self {
            Self(self.0.map(f))
        }

        fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
            Self(array::from_fn(|lane| f(self.0[lane], other.0[lane])))
        }

        pub(in super::super) fn zero() -> Self {
            Self::splat(0)
        }

        pub(in super::super) fn splat(value: u64) -> Self {
            Self([value; LANES])
        }

        pub(in super::super) fn load(values: &[u64; LANES]) -> Self {
            Self(*values)
        }

        pub(in super::super) fn store(self) -> [u64; LANES] {
            self.0
        }

        pub(in super::super) fn plus(self, other: Self) -> Self {
            self.zip(other, u64::wrapping_add)
        }

        pub(in super::super) fn minus(self, other: Self) -> Self {
            self.zip(other, u64::wrapping_sub)
        }

        pub(in super::super) fn and(self, other: Self) -> Self {
            self.zip(other, |a, b| a & b)
        }

        pub(in super::super) fn shift_left<const BITS: u32>(self) -> Self {
            self.map(|a| a << BITS)
        }

        pub(in super::super) fn shift_right<const BITS: u32>(self) -> Self {
            self.map(|a| a >> BITS)
        }

        pub(in super::super) fn shift_right_signed<const BITS: u32>(self) -> Self {
            self.map(|a| (a.cast_signed() >> BITS).cast_unsigned())
        }

        pub(in super::super) fn times_32(self, other: Self) -> Self {
            let low = |a: u64| a & u64::from(u32::MAX);
            self.zip(other, |a, b| low(a) * low(b))
        }

        pub(in super::super) fn plus_low(self, a: Self, b: Self) -> Self {
            self.plus(a.zip(b, |a, b| (a & LIMB_MASK).wrapping_mul(b & LIMB_MASK) & LIMB_MASK))
        }

        pub(in super::super) fn plus_high(self, a: Self, b: Self) -> Self {
            let high = |a: u64, b: u64| {
                let product = u128::from(a & LIMB_MASK) * u128::from(b & LIMB_MASK);
                u64::try_from(product >> LIMB_BITS).expect("104 bits less 52")
            };
            self.plus(a.zip(b, high))
        }

        pub(in super::super) fn look_up(self, table: Self) -> Self {
            self.map(|a| table.0[usize::try_from(a & 7).expect("three bits")])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers with bits everywhere, also above the limb's.
    fn numbers(seed: u64) -> [u64; LANES] {
        std::array::from_fn(|lane| {
            (seed + lane as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
        })
    }

    #[test]
    fn plain_and_vector_code_agree_on_every_operation() {
        let (a, b, c) = (numbers(1), numbers(2), numbers(3));
        let (x, y, z) = (Lanes::load(&a), Lanes::load(&b), Lanes::load(&c));
        let (p, q, r) = (plain::Lanes::load(&a), plain::Lanes::load(&b), plain::Lanes::load(&c));
        assert_eq!(x.plus(y).store(), p.plus(q).store());
        assert_eq!(x.minus(y).store(), p.minus(q).store());
        assert_eq!(x.and(y).store(), p.and(q).store());
        assert_eq!(x.shift_left::<7>().store(), p.shift_left::<7>().store());
        assert_eq!(x.shift_right::<52>().store(), p.shift_right::<52>().store());
        assert_eq!(x.shift_right_signed::<52>().store(), p.shift_right_signed::<52>().store());
        assert_eq!(x.times_32(y).store(), p.times_32(q).store());
        assert_eq!(x.plus_low(y, z).store(), p.plus_low(q, r).store());
        assert_eq!(x.plus_high(y, z).store(), p.plus_high(q, r).store());
        assert_eq!(x.look_up(y).store(), p.look_up(q).store());
        assert_eq!(Lanes::splat(7).plus(Lanes::zero()).store(), [7; LANES]);
    }
}
