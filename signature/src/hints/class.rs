//! Classes of Fp12*/Fp6*, and the root of the pairing's that shows it to be one.

use ark_bls12_381::{Fq, Fq2, Fq6, Fq12};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use num_bigint::BigUint;

use super::{NoHints, walk::Line};

/// The line at (x_P, y_P): k - slope x_P X^2 + y_P X^3. X is the tower's w, X^2 its v.
pub(super) fn line_at(line: &Line, [x, y]: [Fq; 2]) -> Fq12 {
    let mut slope = line.slope;
    slope.mul_assign_by_fp(&-x);
    Fq12::new(
        Fq6::new(line.k, slope, Fq2::ZERO),
        Fq6::new(Fq2::ZERO, Fq2::new(y, Fq::ZERO), Fq2::ZERO),
    )
}

/// g with g + X in the class of `value`.
pub(super) fn normal(value: &Fq12) -> Result<Fq6, NoHints> {
    // Every value here is a product of lines: in Fp6 only by accident.
    Ok(value.c0 * value.c1.inverse().ok_or(NoHints::Mismatch)?)
}

/// g + X.
pub(super) fn class(g: Fq6) -> Fq12 {
    Fq12::new(g, Fq6::ONE)
}

/// The six coefficients in Y: u is Y^3 - 1.
pub(super) fn coefficients(g: &Fq6) -> [Fq; 6] {
    let [a, b, c] = [g.c0, g.c1, g.c2];
    [a.c0 - a.c1, b.c0 - b.c1, c.c0 - c.c1, a.c1, b.c1, c.c1]
}

/// d with f d^(u + p) in Fp6, if f^((p^12 - 1)/r) = 1.
///
/// The classes are a cyclic group of order p^6 + 1, in which such an f is one of order (p^6 + 1)/r; there u + p can be
/// inverted.
pub(super) fn inverse_root(f: &Fq12, u: u64) -> Result<Fq6, NoHints> {
    let p = BigUint::from(Fq::MODULUS);
    let order = (p.pow(6) + 1u32) / BigUint::from(ark_bls12_381::Fr::MODULUS);
    let inverse = (p + u).modinv(&order).expect("p + u is prime to the order");
    normal(&f.pow((order - inverse).to_u64_digits()))
}
