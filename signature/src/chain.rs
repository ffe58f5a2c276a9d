//! Multiples of a point of E'(Fp2), from the slopes of tangents and chords.

use core::mem;

use crate::{identity::Claims, ring::Ring};

/// A point in affine coordinates.
#[derive(Debug)]
pub(crate) struct Point<'a, R> {
    pub(crate) x: &'a R,
    pub(crate) y: &'a R,
}

impl<R> Clone for Point<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Point<'_, R> {}

/// Where a chain begins: no line has been drawn, so y is minus the constant of a line of slope zero.
pub(crate) struct Start<R> {
    k: R,
    slope: R,
}

impl<R: Ring> Start<R> {
    pub(crate) fn at(point: Point<'_, R>) -> Self {
        Self { k: point.y.clone(), slope: R::small(0) }
    }
}

/// A multiple T of a point. Its y is never computed: the line y = slope * x - k that gave T cuts the curve in -T, so
/// that y_T = k - slope * x_T. Every value stays of degree 18 or less in X, however long the chain.
pub(crate) struct Chain<'a, R> {
    base: Point<'a, R>,
    x: &'a R,
    /// The last line's constant and slope; what the pairing multiplies by.
    pub(crate) k: &'a mut R,
    pub(crate) slope: &'a mut R,
}

impl<'a, R: Ring> Chain<'a, R> {
    pub(crate) fn new(base: Point<'a, R>, start: &'a mut Start<R>) -> Self {
        Self { base, x: base.x, k: &mut start.k, slope: &mut start.slope }
    }

    /// T = 2T, by the tangent at T with this slope. `place` is used up.
    #[inline(always)]
    pub(crate) fn double(&mut self, slope: &'a mut R, place: &'a mut R, claims: &mut Claims<R>) {
        let scratch = self.draw(slope);
        // x' = slope^2 - 2x.
        place.clone_from(self.slope);
        place.square();
        *place -= self.x;
        let mut right = place.clone();
        *place -= self.x;
        // Tangent: 2 slope y = 3 x^2, with y = slope x - k: 2 slope k = 2 slope^2 x - 3 x^2 = x (x + 2x').
        right += place;
        right *= self.x;
        scratch.clone_from(self.slope);
        *scratch *= self.k;
        scratch.double();
        *scratch -= &right;
        claims.zero(scratch);
        self.x = place;
    }

    /// T = T + Q, by the chord through T and Q with this slope. `place` is used up.
    #[inline(always)]
    pub(crate) fn add(&mut self, slope: &'a mut R, place: &'a mut R, claims: &mut Claims<R>) {
        let scratch = self.draw(slope);
        // x' = slope^2 - x - x_Q.
        place.clone_from(self.slope);
        place.square();
        *place -= self.x;
        *place -= self.base.x;
        // Chord: y_Q = slope x_Q - k.
        scratch.clone_from(self.slope);
        *scratch *= self.base.x;
        *scratch -= self.base.y;
        *scratch -= self.k;
        claims.zero(scratch);
        self.x = place;
    }

    /// The line through T with this slope: its constant is slope x - y = (slope + last slope) x - last k. Gives the
    /// place of the last constant, which is free now.
    #[inline(always)]
    fn draw(&mut self, slope: &'a mut R) -> &'a mut R {
        let k = mem::replace(&mut self.slope, slope);
        *k += self.slope;
        *k *= self.x;
        *k -= self.k;
        mem::replace(&mut self.k, k)
    }

    /// T in affine coordinates.
    pub(crate) fn end(self) -> (&'a R, R) {
        let mut y = self.slope.clone();
        y *= self.x;
        let mut negative = self.k.clone();
        negative -= &y;
        (self.x, negative)
    }
}
