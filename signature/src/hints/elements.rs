//! The elements that the identity is about, in the order of [`crate::layout`].

use ark_bls12_381::{Fq, Fq2, Fq6, Fq12, G2Affine, G2Projective};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{AdditiveGroup, BigInteger as _, Field, PrimeField};
use num_bigint::BigUint;

use super::{
    NoHints,
    class::{class, coefficients, inverse_root, line_at, normal},
    walk::{Line, Walk},
};
use crate::{
    constants::{P_2, PSI_X, PSI_Y},
    identity::Choices,
    layout::{AccumulatorDue, ELEMENTS, U, multiply_by_u},
    portable::to_fq,
};

/// What they follow from.
pub(super) struct Elements {
    pub(super) key: [Fq; 2],
    pub(super) signature: G2Affine,
    /// What the message hashes to.
    pub(super) u: [Fq2; 2],
}

/// A point of E'' and how it was found.
struct Mapped {
    x1: Fq2,
    x: Fq2,
    y: Fq2,
    second: bool,
}

impl Elements {
    pub(super) fn find(&self) -> Result<(Vec<Fq>, Choices), NoHints> {
        let [first, second] = [map(self.u[0])?, map(self.u[1])?];
        let choices = Choices([first.second, second.second]);
        let mut out = Out(Vec::with_capacity(ELEMENTS));
        out.0.extend(self.key);
        out.fp2([self.signature.x, self.u[0], self.u[1]]);
        out.0.extend([Fq::from(choices.bits()), Fq::ZERO]);
        out.fp2([self.signature.y, first.x1, first.y, second.x1, second.y]);

        let inverse = (second.x - first.x).inverse().ok_or(NoHints::Unmappable)?;
        let r = isogeny(&first, &second, inverse)?;
        out.fp2([inverse, r.x, r.y]);

        let component = multiply(r, &projection_to_g2());
        let s = preimage((r.into_group() - component).into_affine());
        out.fp2([s.x, s.y]);
        let mut walk = Walk::from(s);
        for adds in multiply_by_u() {
            out.fp2([walk.double()?.slope]);
            if adds {
                out.fp2([walk.add()?.slope]);
            }
        }
        let (psi_s, end) = (psi(s), walk.end());
        let a = (psi_s + end).into_affine();
        let to_a = (end.x - psi_s.x).inverse().ok_or(NoHints::Unmappable)?;
        let to_r_r = (r.x - a.x).inverse().ok_or(NoHints::Unmappable)?;
        out.fp2([to_a, to_r_r, (r.y + a.y) * to_r_r, component.x, component.y]);

        self.pairing(component, &mut out)?;
        out.0.resize(ELEMENTS, Fq::ZERO);
        Ok((out.0, choices))
    }

    /// The class d, then slopes and accumulators.
    fn pairing(&self, component: G2Affine, out: &mut Out) -> Result<(), NoHints> {
        let mut walks = [
            (Walk::from(component), self.key),
            (Walk::from(self.signature), [-to_fq(&P_2[0]), to_fq(&P_2[1])]),
        ];
        let mut steps = Vec::new();
        for adds in multiply_by_u() {
            let mut lines = Vec::new();
            for (walk, at) in &mut walks {
                lines.push((walk.double()?, *at));
            }
            if adds {
                for (walk, at) in &mut walks {
                    lines.push((walk.add()?, *at));
                }
            }
            steps.push((adds, lines));
        }
        let product = |f: Fq12, lines: &[(Line, [Fq; 2])]| {
            lines.iter().fold(f, |f, (line, at)| f * line_at(line, *at))
        };
        let f = steps.iter().fold(Fq12::ONE, |f, (_, lines)| product(f.square(), lines));
        let d: Fq6 = inverse_root(&f, U)?;
        out.0.extend(coefficients(&d));

        let (mut accumulator, mut due) = (class(d), AccumulatorDue::default());
        for (adds, lines) in &steps {
            out.fp2(lines.iter().map(|(line, _)| line.slope));
            accumulator = product(accumulator.square(), lines);
            if *adds {
                accumulator *= class(d);
            }
            if due.after(*adds) {
                let g = normal(&accumulator)?;
                out.0.extend(coefficients(&g));
                accumulator = class(g);
            }
        }
        Ok(())
    }
}

struct Out(Vec<Fq>);

impl Out {
    fn fp2(&mut self, elements: impl IntoIterator<Item = Fq2>) {
        self.0.extend(elements.into_iter().flat_map(|element| [element.c0, element.c1]));
    }
}

fn fp2(real: u64, imaginary: u64) -> Fq2 {
    Fq2::new(real.into(), imaginary.into())
}

/// RFC 9380, section 6.6.2.
fn map(u: Fq2) -> Result<Mapped, NoHints> {
    let (a, b) = (fp2(0, 240), fp2(1012, 1012));
    let tv1 = -fp2(2, 1) * u.square();
    let tv2 = tv1.square() + tv1;
    let x1 = -b
        * a.inverse().expect("A is not zero")
        * (Fq2::ONE + tv2.inverse().ok_or(NoHints::Unmappable)?);
    let g = |x: Fq2| (x.square() + a) * x + b;
    let (x, y, second) = match g(x1).sqrt() {
        Some(y) => (x1, y, false),
        None => (tv1 * x1, g(tv1 * x1).sqrt().ok_or(NoHints::Unmappable)?, true),
    };
    let y = if sgn0(y) == sgn0(u) { y } else { -y };
    Ok(Mapped { x1, x, y, second })
}

fn sgn0(value: Fq2) -> bool {
    let decides = if value.c0 == Fq::ZERO { value.c1 } else { value.c0 };
    decides.into_bigint().is_odd()
}

/// The image on E' of two points' sum. `inverse`: of the difference of their x.
fn isogeny(first: &Mapped, second: &Mapped, inverse: Fq2) -> Result<G2Affine, NoHints> {
    let slope = inverse * (second.y - first.y);
    let x = slope.square() - first.x - second.x;
    let y = slope * (first.x - x) - first.y;
    let (v, w) = (fp2(0, 48), fp2(16, 16));
    let d = x + fp2(6, 0) - fp2(0, 6);
    let inverse = d.inverse().ok_or(NoHints::Unmappable)?;
    let (inverse_2, inverse_3) = (inverse.square(), inverse.square() * inverse);
    let of_9 = fp2(9, 0).inverse().expect("9 is not zero");
    let of_27 = fp2(27, 0).inverse().expect("27 is not zero");
    Ok(G2Affine::new_unchecked(
        (x * d.square() + v * d + w) * inverse_2 * of_9,
        -y * (d.square() * d - v * d - w - w) * inverse_3 * of_27,
    ))
}

/// Order of E'(Fp2) over r.
pub(super) fn cofactor() -> BigUint {
    let u = BigUint::from(U);
    let positive = u.pow(8) + u.pow(7) * 4u32 + u.pow(6) * 5u32 + &u * 4u32 + 13u32;
    (positive - u.pow(4) * 4u32 - u.pow(3) * 6u32 - u.pow(2) * 4u32) / 9u32
}

pub(super) fn group_order() -> BigUint {
    ark_bls12_381::Fr::MODULUS.into()
}

/// One modulo r, zero modulo the cofactor.
fn projection_to_g2() -> BigUint {
    let cofactor = cofactor();
    let inverse = cofactor.modinv(&group_order()).expect("r is prime to the cofactor");
    cofactor * inverse
}

/// S with psi(S) - \[x\]S = `point`, which has no component in G2: psi - \[x\] has degree p + u there, and its dual is
/// -(psi - 1) up to that.
fn preimage(point: G2Affine) -> G2Affine {
    let cofactor = cofactor();
    let degree = BigUint::from(Fq::MODULUS) + U;
    let inverse = degree.modinv(&cofactor).expect("p + u is prime to the cofactor");
    let difference = (psi(point) - point).into_affine();
    multiply(difference, &(cofactor - inverse))
}

fn multiply(point: G2Affine, by: &BigUint) -> G2Affine {
    G2Projective::from(point.mul_bigint(by.to_u64_digits())).into_affine()
}

fn psi(point: G2Affine) -> G2Affine {
    let conjugate = |value: Fq2| Fq2::new(value.c0, -value.c1);
    let (x, y) = (to_fq(&PSI_X), to_fq(&PSI_Y));
    G2Affine::new_unchecked(
        conjugate(point.x) * Fq2::new(Fq::ZERO, x),
        conjugate(point.y) * Fq2::new(y, -y),
    )
}
