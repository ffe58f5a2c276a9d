//! Points that an implementation may get wrong: on the curve but in no subgroup, or of small order.

use std::{iter::successors, sync::LazyLock};

use ark_bls12_381::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveConfig, CurveGroup as _};
use ark_ff::{BigInteger as _, PrimeField as _};
use num_bigint::BigUint;

/// A point of either curve, in `N` bytes when encoded.
pub(crate) trait Point<const N: usize>: AffineRepr {
    /// The point with a small x, if there is one; most are in no subgroup.
    fn at(x: u8) -> Option<Self>;

    /// As it is encoded, whether it is in the subgroup or not.
    fn encode(self) -> [u8; N] {
        let mut bytes = [0; N];
        self.serialize_compressed(&mut bytes[..]).expect("a point takes N bytes");
        bytes
    }

    /// A point from [`Self::at`], at or after `x`.
    fn after(x: u8) -> Self {
        let found = successors(Some(x), |x| Some(x.wrapping_add(1))).find_map(Self::at);
        found.expect("every second x is that of a point")
    }
}

impl Point<48> for G1Affine {
    fn at(x: u8) -> Option<Self> {
        Self::get_point_from_x_unchecked(Fq::from(x), x % 2 == 1)
    }
}

impl Point<96> for G2Affine {
    fn at(x: u8) -> Option<Self> {
        Self::get_point_from_x_unchecked(Fq2::new(Fq::from(x / 16), Fq::from(x % 16)), x % 2 == 1)
    }
}

/// A point of order 11, the least factor of the first curve's cofactor after 3. (Those of order 3 are
/// (0, 2) and (0, -2), see [`crate::statement::is_of_order_3`].)
pub(crate) static ORDER_11: LazyLock<G1Affine> = LazyLock::new(|| of_order(11));

/// A point of order 13, the least factor of the second curve's cofactor.
pub(crate) static ORDER_13: LazyLock<G2Affine> = LazyLock::new(|| of_order(13));

/// A point of this prime order, which divides the cofactor, maybe more than once.
fn of_order<const N: usize, P: Point<N>>(prime: u32) -> P {
    let limbs = <P::Config as CurveConfig>::COFACTOR.iter();
    let cofactor: Vec<u32> = limbs.flat_map(|limb| [*limb as u32, (limb >> 32) as u32]).collect();
    let (mut others, prime) = (BigUint::from_slice(&cofactor), BigUint::from(prime));
    while (&others % &prime).bits() == 0 {
        others /= &prime;
    }
    others *= BigUint::from(Fr::MODULUS);
    let multiples = (0..=u8::MAX).filter_map(P::at).map(|point| times(point, &others));
    let mut finite = multiples.filter(|point| !point.is_zero());
    let mut point = finite.next().expect("one of many points has a component of that order");
    loop {
        let multiple = times(point, &prime);
        if multiple.is_zero() {
            return point;
        }
        point = multiple;
    }
}

/// By doubling and adding: the library's own way takes scalars modulo the subgroup's order.
fn times<P: AffineRepr>(point: P, scalar: &BigUint) -> P {
    let mut sum = P::Group::default();
    for bit in (0..scalar.bits()).rev() {
        sum += sum;
        if scalar.bit(bit) {
            sum += point;
        }
    }
    sum.into_affine()
}

/// The encoding with the field's modulus added to the coordinate in these 48 bytes, if there is room under the flags.
pub(crate) fn add_modulus(coordinate: &mut [u8; 48]) -> bool {
    let flags = coordinate[0] & 0xe0;
    coordinate[0] &= 0x1f;
    let sum =
        BigUint::from_bytes_be(coordinate) + BigUint::from_bytes_be(&Fq::MODULUS.to_bytes_be());
    let fits = sum.bits() <= 381;
    if fits {
        let bytes = sum.to_bytes_be();
        coordinate[48 - bytes.len()..].copy_from_slice(&bytes);
    }
    coordinate[0] |= flags;
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::blst_key;

    #[test]
    fn points_of_small_order_have_that_order() {
        assert!(!ORDER_11.is_zero() && times(*ORDER_11, &11u32.into()).is_zero());
        let key = blst_key(&ORDER_11.encode()).expect("it is on the curve");
        assert!(key.validate().is_err(), "it is in no subgroup");
        assert!(!ORDER_13.is_zero() && times(*ORDER_13, &13u32.into()).is_zero());
        let signature = blst::min_pk::Signature::from_bytes(&ORDER_13.encode());
        assert!(signature.expect("it is on the curve").validate(true).is_err());
    }

    #[test]
    fn a_coordinate_that_is_not_canonical_keeps_its_flags() {
        let key: [u8; 48] = G1Affine::after(2).encode();
        let mut other = key;
        assert!(add_modulus(&mut other));
        assert!(other != key && other[0] & 0xe0 == key[0] & 0xe0);
        assert!(blst_key(&key).is_some() && blst_key(&other).is_none());
    }
}
