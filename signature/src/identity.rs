//! One polynomial identity that holds if and only if the signature does.
//!
//! # What is claimed
//!
//! u is the imaginary unit of Fp2, and Fp12 = Fp\[X\]/M with M = X^12 - 2 X^6 + 2, so that X^6 = 1 + u and X is the w of
//! the usual tower. An element a + b u of Fp2 is written as the polynomial a + b (X^6 - 1). Every claim below is
//! a polynomial made of given elements by sums and products, and says that M divides it.
//!
//! Given (the transcript holds all of it before the first challenge): the statement (key P that signed, x of the
//! signature, the two field elements u_0, u_1 that the message hashes to), y of the signature, two mapped points, R, S,
//! R_r, all slopes, a class d, accumulators.
//!
//! 1. *Mapping* (`mapping.rs`, `mapped_point`). (x, y) is the point of RFC 9380's curve E'' (section 6.6.3) that u_i maps to: `tv2 x1 A = -B (tv2 + 1)`
//!    fixes x1 (if tv2 = 0 nothing satisfies it: such a message is refused); x is x1 or tv1 x1, and as tv1 is Z u^2 with Z
//!    no square, exactly one of the two is on the curve (both if y = 0, which no one can aim for: u_i is a hash). The sign of y is
//!    checked outside, on canonical limbs.
//! 2. *Sum and isogeny* (`isogeny` there). R is the isogeny's image of the two points' sum. The chord's inverse exists, so the points differ in x.
//! 3. *Component* (`component` there). S is on the curve E' and R = R_r + psi(S) + \[u\]S, with u = -x, the curve's parameter negated. psi - \[x\]
//!    sends E'(Fp2) = G2 x H (H of order h2, prime to r) into H: it commutes with \[r\] and vanishes on G2. So if R_r is in
//!    G2, it is the component of R in G2, and the hashed message H(m) = \[h_eff\]R is \[h_eff\]R_r, as h_eff vanishes on H.
//! 4. *Subgroup* (`pairing.rs`). R_r and the signature A are on the curve and psi(Q) = -\[u\]Q = \[x\]Q, which holds on G2 alone
//!    (M. Scott, ePrint 2021/1130).
//! 5. *Pairing*. e(P, R_r) e(P_2, A) = 1 with the constant P_2 = -\[1/h_eff\]g_1, which is e(P, H(m)) = e(g_1, A) to the power 1/h_eff mod r.
//!
//! # Multiples of a point (`chain.rs`)
//!
//! A tangent's or chord's slope is given and claimed to be one. A tangent at a point of order two fails (its claim says x = 0
//! there); a chord through T and Q with T = -Q fails (the claim says y = -y); with T = Q the slope would be free, but
//! then (k - 1) Q is infinity for one of the five k at which Q is added, all of which are prime to the order of E'(Fp2) (a test).
//!
//! # The pairing without a final exponentiation
//!
//! f is the product of lines of both pairs' Miller loops, h = (p^12 - 1)/r; the pairing's value is f^h. Lines are taken up to factors from
//! Fp6* and powers of X, which h sends to 1. A class of Fp12*/Fp6* other than 1 is g + X for one g in Fp6: six coefficients in Y = X^2. Accumulators
//! are such classes: from the class d on, each claim says that the square (times two lines, at set bits four and d) of the class before is that of the
//! next. No factor is zero, so neither side is: an odd part of zero would need an even part of zero. The last claim says that the last class
//! times the Frobenius of d is in Fp6: f d^(u + p) is. u + p = m r, so f^h = (element of Fp6 / d^(m r))^h = 1. Conversely, if f^h = 1 such a d
//! exists: m is prime to p^6 + 1, and so is r to (p^6 + 1)/r (A. Novakovic and L. Eagen, ePrint 2024/640).
//!
//! # The check
//!
//! gamma comes from the transcript of all elements. If M does not divide one of the n <= 300 claims C_i, it divides the sum of gamma^i C_i for at
//! most n values of gamma (a remainder's coefficient is a polynomial in gamma). The quotient Q is given; z comes from gamma's transcript
//! with Q. If the sum is not Q M, they agree at at most 160 points, their degree. Challenges take 2^247 values or more, so what is wrong passes for
//! at most one transcript in 2^238. All claims are even in X, so Q is a polynomial in Y.

use crate::{
    chain::Point,
    constants::{PSI_X, PSI_Y},
    layout::STATEMENT,
    mapping::{self, WithPsi},
    pairing,
    ring::Ring,
};

/// Of the two candidates for each mapped point's x, whether it is the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choices(pub(crate) [bool; 2]);

impl Choices {
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self([bits & 1 == 1, bits >> 1 & 1 == 1])
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0[0] as u64 | (self.0[1] as u64) << 1
    }
}

/// The images of X and of what is made of it.
#[derive(Debug)]
pub(crate) struct Frame<R> {
    pub(crate) x: R,
    /// Y = X^2.
    pub(crate) y: R,
    /// X^3.
    pub(crate) x_cubed: R,
    /// The imaginary unit, X^6 - 1.
    pub(crate) u: R,
    pub(crate) one: R,
}

impl<R: Ring> Frame<R> {
    pub(crate) fn new(x: R) -> Self {
        let one = R::small(1);
        let mut y = x.clone();
        y.square();
        let mut x_cubed = y.clone();
        x_cubed *= &x;
        let mut u = x_cubed.clone();
        u.square();
        u -= &one;
        Self { x, y, x_cubed, u, one }
    }

    /// The modulus: M = X^12 - 2 X^6 + 2 = u^2 + 1.
    pub(crate) fn modulus(&self) -> R {
        let mut modulus = self.u.clone();
        modulus.square();
        modulus += &self.one;
        modulus
    }

    /// `real + imaginary u`.
    pub(crate) fn constant(&self, real: u64, imaginary: u64) -> R {
        let mut value = R::small(imaginary);
        value *= &self.u;
        value += &R::small(real);
        value
    }

    /// An element of Fp2, and the place of its other coordinate for further use.
    #[inline(always)]
    pub(crate) fn fp2<'a>(&self, [real, imaginary]: &'a mut [R; 2]) -> (&'a mut R, &'a mut R) {
        *imaginary *= &self.u;
        *real += imaginary;
        (real, imaginary)
    }

    /// A point's coordinates.
    pub(crate) fn point<'a>(&self, [x, y]: [&'a mut [R; 2]; 2]) -> Point<'a, R> {
        Point { x: self.fp2(x).0, y: self.fp2(y).0 }
    }

    /// A point, and psi of it: (conj(x) / (1 + u)^((p - 1)/3), conj(y) / (1 + u)^((p - 1)/2)).
    pub(crate) fn point_with_psi<'a>(&self, [x, y]: [&'a mut [R; 2]; 2]) -> WithPsi<'a, R> {
        let (x, psi_x) = self.conjugates(x);
        *psi_x *= &R::constant(&PSI_X);
        *psi_x *= &self.u;
        let (y, psi_y) = self.conjugates(y);
        let mut one_less_u = self.one.clone();
        one_less_u -= &self.u;
        *psi_y *= &R::constant(&PSI_Y);
        *psi_y *= &one_less_u;
        WithPsi { point: Point { x, y }, psi: Point { x: psi_x, y: psi_y } }
    }

    /// An element of Fp2 and its conjugate.
    fn conjugates<'a>(&self, [real, imaginary]: &'a mut [R; 2]) -> (&'a mut R, &'a mut R) {
        *imaginary *= &self.u;
        let mut conjugate = real.clone();
        conjugate -= imaginary;
        *real += imaginary;
        *imaginary = conjugate;
        (real, imaginary)
    }
}

/// Values claimed to be zero modulo M, folded to one.
#[derive(Debug)]
pub(crate) struct Claims<R> {
    gamma: R,
    total: R,
}

impl<R: Ring> Claims<R> {
    #[inline(always)]
    pub(crate) fn zero(&mut self, value: &R) {
        self.total *= &self.gamma;
        self.total += value;
    }

    pub(crate) fn equal(&mut self, mut left: R, right: &R) {
        left -= right;
        self.zero(&left);
    }
}

/// Takes elements in the order of [`crate::layout`].
pub(crate) struct Elements<'a, R>(pub(crate) &'a mut [R]);

impl<'a, R> Elements<'a, R> {
    #[inline(always)]
    pub(crate) fn take<const N: usize>(&mut self) -> &'a mut [R; N] {
        let all = core::mem::take(&mut self.0);
        let (taken, rest) = all.split_first_chunk_mut().expect("the layout has as many elements");
        self.0 = rest;
        taken
    }

    /// The two coordinates, in Fp2, of a point.
    pub(crate) fn take_point(&mut self) -> [&'a mut [R; 2]; 2] {
        [self.take(), self.take()]
    }
}

/// The sum of all claims about `elements`, each times a power of `gamma`. Uses the elements up.
pub(crate) fn total<R: Ring>(
    frame: &Frame<R>,
    gamma: R,
    choices: Choices,
    elements: &mut [R],
) -> R {
    let mut claims = Claims { gamma, total: R::small(0) };
    let mut elements = Elements(elements);
    let key = elements.take();
    let signature_x = elements.take();
    let u = elements.take_point();
    let _choices_and_spare: &mut [R; STATEMENT - 8] = elements.take();
    let signature = frame.point_with_psi([signature_x, elements.take()]);
    let r_r = mapping::component(frame, u, choices, &mut elements, &mut claims);
    pairing::claim(frame, key, &r_r, &signature, &mut elements, &mut claims);
    claims.total
}
