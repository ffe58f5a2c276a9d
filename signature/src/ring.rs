//! What the claims of [`crate::identity`] are written over.

use core::{
    fmt::Debug,
    ops::{AddAssign, MulAssign, SubAssign},
};

use crate::field::{Fp, Limbs, Machine};

/// A commutative ring over Fp: Fp itself in the check (all polynomials at one point), Fp\[X\] where hints are found.
///
/// It has no comparison on purpose. Code over a `Ring` cannot branch on a value, so what it computes over Fp\[X\] and
/// then evaluates at `z` is what it computes over Fp from the values at `z`. The soundness argument rests on this.
pub(crate) trait Ring:
    Clone
    + Debug
    + for<'a> AddAssign<&'a Self>
    + for<'a> SubAssign<&'a Self>
    + for<'a> MulAssign<&'a Self>
{
    fn constant(limbs: &Limbs) -> Self;
    fn square(&mut self);
    fn double(&mut self);

    #[inline(always)]
    fn small(value: u64) -> Self {
        Self::constant(&[value, 0, 0, 0, 0, 0])
    }
}

impl<M: Machine> Ring for Fp<M> {
    #[inline(always)]
    fn constant(limbs: &Limbs) -> Self {
        Self::new(*limbs)
    }

    #[inline(always)]
    fn square(&mut self) {
        M::square(&mut self.0);
    }

    #[inline(always)]
    fn double(&mut self) {
        M::double(&mut self.0);
    }
}
