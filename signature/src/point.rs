//! Compressed points (the encoding of ZCash, which Ethereum's signatures use): flags, then big-endian coordinates.

use crate::field::{Fp, Limbs, Machine};

/// The three top bits of an encoded point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u64);

impl Flags {
    /// Compressed, not infinity, and of the two possible y the one that is (not) the larger half.
    pub(crate) const fn finite(larger: bool) -> Self {
        Self(0b100 | larger as u64)
    }

    /// A coordinate without flags.
    pub(crate) const NONE: Self = Self(0);
}

/// A coordinate and the flags over it. The coordinate may be above p.
pub(crate) fn decode<M: Machine>(bytes: &[u8; 48]) -> (Fp<M>, Flags) {
    let mut limbs: Limbs = [0; 6];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    let flags = limbs[5] >> 61;
    limbs[5] &= (1 << 61) - 1;
    (Fp::new(limbs), Flags(flags))
}
