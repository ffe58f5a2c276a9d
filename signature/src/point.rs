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

    /// Whether y is the larger half.
    #[cfg(feature = "hints")]
    pub(crate) const fn larger(self) -> bool {
        self.0 & 1 == 1
    }

    /// A coordinate without flags.
    pub(crate) const NONE: Self = Self(0);
}

/// A coordinate and the flags over it, from six big-endian words. The coordinate may be above p.
pub(crate) fn decode<M: Machine>(words: &[u64; 6]) -> (Fp<M>, Flags) {
    let [e, d, c, b, a, lowest] = *words;
    let limbs: Limbs = [lowest, a, b, c, d, e & COORDINATE];
    (Fp::new(limbs), Flags(e >> 61))
}

/// What the flags leave of a coordinate's highest limb.
const COORDINATE: u64 = (1 << 61) - 1;
