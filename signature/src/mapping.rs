//! From the field elements that a message hashes to, to the component in G2 of the point they map to.

use crate::{
    chain::{Chain, Point, Start},
    identity::{Choices, Claims, Elements, Frame},
    layout::multiply_by_u,
    ring::Ring,
};

/// A point of E'(Fp2) and psi of it.
pub(crate) struct WithPsi<'a, R> {
    pub(crate) point: Point<'a, R>,
    pub(crate) psi: Point<'a, R>,
}

/// A point that was computed.
struct Computed<R> {
    x: R,
    y: R,
}

/// Claims that r_r is the component in G2, if it is in G2, of what `u` maps to. Gives R_r.
pub(crate) fn component<'a, R: Ring>(
    frame: &Frame<R>,
    u: [&mut [R; 2]; 2],
    choices: Choices,
    elements: &mut Elements<'a, R>,
    claims: &mut Claims<R>,
) -> WithPsi<'a, R> {
    let [u_0, u_1] = u;
    let [second_0, second_1] = choices.0;
    let first = mapped_point(frame, u_0, second_0, elements, claims);
    let second = mapped_point(frame, u_1, second_1, elements, claims);
    let sum = add(first, second, frame.fp2(elements.take()).0, claims);
    let r = frame.point(elements.take_point());
    isogeny(frame, &sum, r, claims);

    // A = psi(S) + [u]S, which has no component in G2.
    let s = frame.point_with_psi(elements.take_point());
    on_curve(frame, s.point, claims);
    let mut start = Start::at(s.point);
    let mut chain = Chain::new(s.point, &mut start);
    for adds in multiply_by_u() {
        let (slope, place) = frame.fp2(elements.take());
        chain.double(slope, place, claims);
        if adds {
            let (slope, place) = frame.fp2(elements.take());
            chain.add(slope, place, claims);
        }
    }
    let (x, y) = chain.end();
    let a = add(s.psi, Point { x, y: &y }, frame.fp2(elements.take()).0, claims);

    // r_r = R - A: the chord through R and -A. Its slope is given, for the degrees of A's coordinates are high.
    let inverse = frame.fp2(elements.take()).0;
    let slope = frame.fp2(elements.take()).0;
    let component = frame.point_with_psi(elements.take_point());
    let r_r = component.point;
    let mut run = r.x.clone();
    run -= &a.x;
    *inverse *= &run;
    claims.equal(inverse.clone(), &frame.one);
    run *= slope;
    run -= r.y;
    claims.equal(run, &a.y);
    let mut x = slope.clone();
    x.square();
    x -= r.x;
    x -= &a.x;
    claims.equal(x, r_r.x);
    let mut y = r.x.clone();
    y -= r_r.x;
    y *= slope;
    y -= r.y;
    claims.equal(y, r_r.y);
    component
}

/// Claims that a point is on E'': y^2 = x^3 + A x + B, and what `u` maps to (RFC 9380, section 6.6.2, with the constants of 8.8.2).
/// Gives it.
fn mapped_point<'a, R: Ring>(
    frame: &Frame<R>,
    u: &mut [R; 2],
    second: bool,
    elements: &mut Elements<'a, R>,
    claims: &mut Claims<R>,
) -> Point<'a, R> {
    let (a, b) = (frame.constant(0, 240), frame.constant(1012, 1012));
    // tv1 = Z u^2 with Z = -(2 + u), tv2 = tv1^2 + tv1.
    let u = frame.fp2(u).0;
    u.square();
    *u *= &frame.constant(2, 1);
    let mut tv1 = R::small(0);
    tv1 -= u;
    let mut tv2 = tv1.clone();
    tv2 += &frame.one;
    tv2 *= &tv1;
    // x1 = -B/A (1 + 1/tv2): A tv2 x1 + B (tv2 + 1) = 0.
    let x = frame.fp2(elements.take()).0;
    let y = frame.fp2(elements.take()).0;
    let mut other = tv2.clone();
    other += &frame.one;
    other *= &b;
    tv2 *= x;
    tv2 *= &a;
    tv2 += &other;
    claims.zero(&tv2);
    if second {
        *x *= &tv1;
    }
    let mut right = x.clone();
    right.square();
    right += &a;
    right *= x;
    right += &b;
    let mut left = y.clone();
    left.square();
    claims.equal(left, &right);
    Point { x, y }
}

/// The sum of two points by the chord through them, which exists: `inverse` is claimed to be that of the difference
/// of their x.
fn add<R: Ring>(
    first: Point<'_, R>,
    second: Point<'_, R>,
    inverse: &mut R,
    claims: &mut Claims<R>,
) -> Computed<R> {
    let mut run = second.x.clone();
    run -= first.x;
    run *= inverse;
    run -= &R::small(1);
    claims.zero(&run);
    let slope = inverse;
    let mut rise = second.y.clone();
    rise -= first.y;
    *slope *= &rise;
    let mut x = slope.clone();
    x.square();
    x -= first.x;
    x -= second.x;
    let mut y = first.x.clone();
    y -= &x;
    y *= slope;
    y -= first.y;
    Computed { x, y }
}

/// Claims that the 3-isogeny from E'' to E' (RFC 9380, appendix E.3) sends `from` to `to`.
///
/// By Vélu's formulas, with d = x + 6 - 6u, v = 48u and w = 16 + 16u:
/// x' = (x d^2 + v d + w) / 9 d^2, y' = -y (d^3 - v d - 2w) / 27 d^3. At d = 0, where the image is infinity, the
/// first claim is w = 0 and fails.
fn isogeny<R: Ring>(
    frame: &Frame<R>,
    from: &Computed<R>,
    to: Point<'_, R>,
    claims: &mut Claims<R>,
) {
    let (v, w) = (frame.constant(0, 48), frame.constant(16, 16));
    let mut d = frame.constant(0, 6);
    let mut six = R::small(6);
    six -= &d;
    d = six;
    d += &from.x;
    let mut d_squared = d.clone();
    d_squared.square();
    let mut left = to.x.clone();
    left *= &d_squared;
    left *= &R::small(9);
    let mut right = from.x.clone();
    right *= &d;
    right += &v;
    right *= &d;
    right += &w;
    claims.equal(left, &right);

    let mut left = to.y.clone();
    left *= &d_squared;
    left *= &d;
    left *= &R::small(27);
    // y (d (d^2 - v) - 2w), to be the negative of the left side.
    let mut right = d_squared;
    right -= &v;
    right *= &d;
    right -= &w;
    right -= &w;
    right *= &from.y;
    left += &right;
    claims.zero(&left);
}

/// Claims that a point is on E': y^2 = x^3 + 4 (1 + u).
pub(crate) fn on_curve<R: Ring>(frame: &Frame<R>, point: Point<'_, R>, claims: &mut Claims<R>) {
    let mut right = point.x.clone();
    right.square();
    right *= point.x;
    right += &frame.constant(4, 4);
    let mut left = point.y.clone();
    left.square();
    claims.equal(left, &right);
}
