//! e(P, R_r) e(P_2, A) = 1, and that R_r and the signature A are in G2.

use crate::{
    chain::{Chain, Point, Start},
    constants::{FROBENIUS_X, FROBENIUS_Y, P_2},
    identity::{Claims, Elements, Frame},
    layout::{AccumulatorDue, multiply_by_u},
    mapping::{WithPsi, on_curve},
    ring::Ring,
};

/// A polynomial in X by its value there and the value of its mirror image f(-X): products of such pairs are
/// taken value by value, and even and odd parts are half their sum and difference.
struct Mirrored<R> {
    plus: R,
    minus: R,
}

impl<R: Ring> Mirrored<R> {
    /// g + X, for g even.
    fn class(g: &R, frame: &Frame<R>) -> Self {
        let (mut plus, mut minus) = (g.clone(), g.clone());
        plus += &frame.x;
        minus -= &frame.x;
        Self { plus, minus }
    }

    #[inline(always)]
    fn square(&mut self) {
        self.plus.square();
        self.minus.square();
    }

    #[inline(always)]
    fn times(&mut self, other: &Self) {
        self.plus *= &other.plus;
        self.minus *= &other.minus;
    }
}

/// A point of G1 as lines are evaluated there: k - slope x_P X^2 + y_P X^3.
struct At<R> {
    /// -x_P X^2.
    slope: R,
    /// y_P X^3, and twice that.
    odd: R,
    twice: R,
}

impl<R: Ring> At<R> {
    fn new(frame: &Frame<R>, negative_x: &R, y: &R) -> Self {
        let mut slope = negative_x.clone();
        slope *= &frame.y;
        let mut odd = y.clone();
        odd *= &frame.x_cubed;
        let mut twice = odd.clone();
        twice.double();
        Self { slope, odd, twice }
    }

    /// Multiplies by the chain's last line.
    #[inline(always)]
    fn line(&self, chain: &Chain<'_, R>, product: &mut Mirrored<R>) {
        let mut value = chain.slope.clone();
        value *= &self.slope;
        value += chain.k;
        value += &self.odd;
        product.plus *= &value;
        value -= &self.twice;
        product.minus *= &value;
    }
}

/// Claims that r_r and the signature are in G2, and that the pairing holds.
pub(crate) fn claim<R: Ring>(
    frame: &Frame<R>,
    key: &mut [R; 2],
    r_r: &WithPsi<'_, R>,
    signature: &WithPsi<'_, R>,
    elements: &mut Elements<'_, R>,
    claims: &mut Claims<R>,
) {
    on_curve(frame, signature.point, claims);
    let [x, y] = key;
    let mut negative_x = R::small(0);
    negative_x -= x;
    let at_key = At::new(frame, &negative_x, y);
    let at_constant = At::new(frame, &R::constant(&P_2[0]), &R::constant(&P_2[1]));

    let d: &mut [R; 6] = elements.take();
    let class_d = Mirrored::class(&polynomial_at(d, &frame.y), frame);
    let mut product = Mirrored { plus: class_d.plus.clone(), minus: class_d.minus.clone() };
    let mut last = R::small(0);
    let (mut start_r, mut start_a) = (Start::at(r_r.point), Start::at(signature.point));
    let mut of_r = Chain::new(r_r.point, &mut start_r);
    let mut of_a = Chain::new(signature.point, &mut start_a);
    let mut due = AccumulatorDue::default();
    for adds in multiply_by_u() {
        product.square();
        let (slope, place) = frame.fp2(elements.take());
        of_r.double(slope, place, claims);
        at_key.line(&of_r, &mut product);
        let (slope, place) = frame.fp2(elements.take());
        of_a.double(slope, place, claims);
        at_constant.line(&of_a, &mut product);
        if adds {
            let (slope, place) = frame.fp2(elements.take());
            of_r.add(slope, place, claims);
            at_key.line(&of_r, &mut product);
            let (slope, place) = frame.fp2(elements.take());
            of_a.add(slope, place, claims);
            at_constant.line(&of_a, &mut product);
            product.times(&class_d);
        }
        if due.after(adds) {
            last = polynomial_at(elements.take::<6>(), &frame.y);
            same_class(frame, &product, &last, claims);
            product = Mirrored::class(&last, frame);
        }
    }
    negative_psi(of_r.end(), r_r.psi, claims);
    negative_psi(of_a.end(), signature.psi, claims);
    inverse_classes(frame, &last, d, claims);
}

/// The polynomial with these coefficients, lowest first, at `y`.
pub(crate) fn polynomial_at<R: Ring>(coefficients: &[R], y: &R) -> R {
    let mut value = R::small(0);
    for coefficient in coefficients.iter().rev() {
        value *= y;
        value += coefficient;
    }
    value
}

/// Claims that `product` is in the class of g + X: its even part is g times its odd part's half in Y. Twice Y times that, so
/// as to be even.
fn same_class<R: Ring>(frame: &Frame<R>, product: &Mirrored<R>, g: &R, claims: &mut Claims<R>) {
    let mut even = product.plus.clone();
    even += &product.minus;
    even *= &frame.x;
    let mut odd = product.plus.clone();
    odd -= &product.minus;
    odd *= g;
    even -= &odd;
    even *= &frame.x;
    claims.zero(&even);
}

/// Claims that the point which a chain ended at is minus `psi`.
fn negative_psi<R: Ring>((x, mut y): (&R, R), psi: Point<'_, R>, claims: &mut Claims<R>) {
    claims.equal(x.clone(), psi.x);
    y += psi.y;
    claims.zero(&y);
}

/// Claims that (g + X) Frobenius(d + X) is in Fp6: its odd part, g X^(p - 1) + Frobenius(d), is zero.
fn inverse_classes<R: Ring>(frame: &Frame<R>, g: &R, d: &mut [R; 6], claims: &mut Claims<R>) {
    // d = the sum over j < 3 of (d_j + d_(j+3) (1 + u)) Y^j; Frobenius conjugates the coefficients and multiplies
    // Y^j by Y^(j (p - 1)).
    let mut one_less_u = frame.one.clone();
    one_less_u -= &frame.u;
    let mut y = R::constant(&FROBENIUS_Y);
    y *= &frame.u;
    y *= &frame.y;
    let [lower @ .., d_3, d_4, d_5] = d;
    let mut frobenius = R::small(0);
    for (low, high) in lower.iter().zip([d_3, d_4, d_5]).rev() {
        *high *= &one_less_u;
        *high += low;
        frobenius *= &y;
        frobenius += high;
    }
    let mut factor = R::constant(&FROBENIUS_X[1]);
    factor *= &frame.u;
    factor += &R::constant(&FROBENIUS_X[0]);
    factor *= g;
    frobenius += &factor;
    claims.zero(&frobenius);
}
