//! Slopes on E'(Fp2).

use ark_bls12_381::{Fq2, G2Affine};
use ark_ff::Field;

use super::NoHints;

/// A multiple of a point, as [`crate::chain::Chain`] follows it.
pub(super) struct Walk {
    base: G2Affine,
    at: G2Affine,
}

/// A line y = slope * x - k.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) slope: Fq2,
    pub(super) k: Fq2,
}

impl Walk {
    pub(super) fn from(base: G2Affine) -> Self {
        Self { base, at: base }
    }

    pub(super) fn double(&mut self) -> Result<Line, NoHints> {
        let x_squared = self.at.x.square();
        let rise = x_squared + x_squared + x_squared;
        let run = self.at.y + self.at.y;
        self.step(rise, run, self.at)
    }

    pub(super) fn add(&mut self) -> Result<Line, NoHints> {
        let (rise, run) = (self.base.y - self.at.y, self.base.x - self.at.x);
        self.step(rise, run, self.base)
    }

    fn step(&mut self, rise: Fq2, run: Fq2, other: G2Affine) -> Result<Line, NoHints> {
        let slope = rise * run.inverse().ok_or(NoHints::Unmappable)?;
        let k = slope * self.at.x - self.at.y;
        let x = slope.square() - self.at.x - other.x;
        self.at = G2Affine::new_unchecked(x, k - slope * x);
        Ok(Line { slope, k })
    }

    pub(super) fn end(self) -> G2Affine {
        self.at
    }
}
