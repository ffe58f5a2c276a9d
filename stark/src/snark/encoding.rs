//! Numbers and points of BN254 as gnark writes them.
//!
//! A field element is 32 bytes, big endian; in the quadratic extension the second coordinate comes
//! first. Points are x and y, or x with y's sign in the two top bits. One element has one way to be
//! written here, and every point is in its group and not at infinity, which none of an honest key or
//! proof is.

use ark_bn254::{Fq2, G1Affine, G2Affine};
use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{BigInt, BigInteger, PrimeField};

/// Top bits of a compressed point: its y is the smaller or the larger of two.
const SIGN: u8 = 0b11 << 6;
const SMALLER: u8 = 0b10 << 6;
const LARGER: u8 = 0b11 << 6;

/// Reads from the front of bytes; `None` as soon as they are not what is asked for.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn field<F: PrimeField<BigInt = BigInt<4>>>(&mut self) -> Option<F> {
        read_field(self.take(32)?)
    }

    fn fq2(&mut self) -> Option<Fq2> {
        let (second, first) = (self.field()?, self.field()?);
        Some(Fq2::new(first, second))
    }

    pub(super) fn g1(&mut self) -> Option<G1Affine> {
        let (x, y) = (self.field()?, self.field()?);
        in_group(G1Affine::new_unchecked(x, y))
    }

    pub(super) fn g2(&mut self) -> Option<G2Affine> {
        let (x, y) = (self.fq2()?, self.fq2()?);
        in_group(G2Affine::new_unchecked(x, y))
    }

    pub(super) fn compressed_g1(&mut self) -> Option<G1Affine> {
        let (larger, x) = sign(self.take(32)?)?;
        in_group(G1Affine::get_point_from_x_unchecked(Reader(&x).field()?, larger)?)
    }

    pub(super) fn compressed_g2(&mut self) -> Option<G2Affine> {
        let (larger, x) = sign(self.take(64)?)?;
        in_group(G2Affine::get_point_from_x_unchecked(Reader(&x).fq2()?, larger)?)
    }
}

/// `None` for the modulus and above.
pub(super) fn read_field<F: PrimeField<BigInt = BigInt<4>>>(bytes: &[u8]) -> Option<F> {
    let &[high, b, c, low]: &[[u8; 8]; 4] = bytes.as_chunks().0.try_into().ok()?;
    F::from_bigint(BigInt([low, c, b, high].map(u64::from_be_bytes)))
}

pub(super) fn field_bytes<F: PrimeField>(element: F) -> Vec<u8> {
    element.into_bigint().to_bytes_be()
}

/// A point uncompressed; at infinity all zero, as contracts have it.
pub(super) fn point_bytes(point: &G1Affine) -> Vec<u8> {
    let (x, y) = point.xy().unwrap_or_default();
    [field_bytes(x), field_bytes(y)].concat()
}

/// Whether y is the larger one, and x without the bits that say so.
fn sign(bytes: &[u8]) -> Option<(bool, Vec<u8>)> {
    let mut x = bytes.to_vec();
    let first = x.first_mut()?;
    let larger = match *first & SIGN {
        SMALLER => false,
        LARGER => true,
        _ => return None,
    };
    *first &= !SIGN;
    Some((larger, x))
}

fn in_group<C: SWCurveConfig>(point: Affine<C>) -> Option<Affine<C>> {
    let member = point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve();
    (member && !point.is_zero()).then_some(point)
}
