//! The key that signed: the committee's aggregate less the keys of those who did not, exactly, in G1's own field.

use crate::{
    field::{Fp, Machine},
    point::{Flags, decode},
    ring::Ring,
    verify::Refused,
};

/// A point of E(Fp), y^2 = x^3 + 4, in affine coordinates.
pub(crate) struct G1<M> {
    pub(crate) x: Fp<M>,
    pub(crate) y: Fp<M>,
}

impl<M: Machine> G1<M> {
    /// The point that `key` encodes, its other coordinate hinted: on the curve, not infinity, the y that the sign says.
    ///
    /// No subgroup check: the tree of a trusted committee vouches for the key.
    pub(crate) fn from_key(key: &[u64; 6], y: &Fp<M>) -> Result<Self, Refused> {
        let (x, flags) = decode::<M>(key);
        if flags != Flags::finite(y.is_larger_half()) || !x.is_canonical() || !y.is_canonical() {
            return Err(Refused::MalformedKey);
        }
        let mut right = x.clone();
        right.square();
        right *= &x;
        right += &Fp::small(4);
        let mut left = y.clone();
        left.square();
        if !left.equals(&right) {
            return Err(Refused::MalformedKey);
        }
        Ok(Self { x, y: y.clone() })
    }

    /// Subtracts `other` by the chord from this point to `-other`, whose slope is hinted.
    ///
    /// Refuses equal x, where the chord is no line or a tangent: the sum would be infinity or need a doubling. No
    /// honest committee comes near it.
    pub(crate) fn subtract(&mut self, other: &Self, slope: &Fp<M>) -> Result<(), Refused> {
        let mut run = other.x.clone();
        run -= &self.x;
        if run.is_zero() {
            return Err(Refused::DegenerateKeys);
        }
        // slope * (x_other - x) = -y_other - y.
        run *= slope;
        run += &self.y;
        run += &other.y;
        if !run.is_zero() {
            return Err(Refused::Hint("slope of an absent key"));
        }
        let mut x = slope.clone();
        x.square();
        x -= &self.x;
        x -= &other.x;
        // y' = slope * (x - x') - y.
        self.x -= &x;
        self.x *= slope;
        self.x -= &self.y;
        core::mem::swap(&mut self.x, &mut self.y);
        self.x = x;
        Ok(())
    }
}

/// The key of the signers. `hints`: y of the aggregate, then (y, slope) of each absent key.
pub(crate) fn signers_key<M: Machine>(
    aggregate: &[u64; 6],
    absent: &[[u64; 6]],
    hints: &[Fp<M>],
) -> Result<G1<M>, Refused> {
    let Some((aggregate_y, of_absent)) = hints.split_first() else {
        return Err(Refused::HintLength);
    };
    let mut sum = G1::from_key(aggregate, aggregate_y)?;
    for (key, [y, slope]) in absent.iter().zip(of_absent.as_chunks::<2>().0) {
        sum.subtract(&G1::from_key(key, y)?, slope)?;
    }
    Ok(sum)
}
