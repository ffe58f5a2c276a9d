//! What a forger can do: change any hint, compute everything after it again, and still be refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use ark_bls12_381::{Fq, Fq2, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::{Field, PrimeField};
use blst::min_pk::{PublicKey, SecretKey};
use num_bigint::BigUint;

use super::*;
use crate::{
    Refused,
    layout::{CLAIMED, ELEMENT, STATEMENT, U, multiply_by_u},
    verify, words,
};

const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const ROOT: [u8; 32] = [0x5a; 32];
const ROOT_WORDS: [u64; 4] = [0x5a5a_5a5a_5a5a_5a5a; 4];

/// Two members, the second absent.
struct Signed {
    aggregate: [u64; 6],
    absent: [[u64; 6]; 1],
    signature: [u64; 12],
}

impl Signed {
    fn new() -> Self {
        let [present, absent] = [1, 2].map(|n| SecretKey::key_gen(&[n; 32], &[]).unwrap());
        let keys: [PublicKey; 2] = [present.sk_to_pk(), absent.sk_to_pk()];
        let all = blst::min_pk::AggregatePublicKey::aggregate(&[&keys[0], &keys[1]], false);
        Self {
            aggregate: words(&all.unwrap().to_public_key().compress()),
            absent: [words(&keys[1].compress())],
            signature: words(&present.sign(&ROOT, DST, &[]).compress()),
        }
    }

    fn check(&self) -> Check<'_> {
        Check {
            aggregate_pubkey: &self.aggregate,
            absent: &self.absent,
            signing_root: &ROOT_WORDS,
            signature: &self.signature,
        }
    }

    fn found(&self) -> Found {
        Found::new(&self.check()).unwrap()
    }

    fn verify(&self, mut hints: Vec<u64>) -> Result<(), Refused> {
        verify::<Portable>(&self.check(), &mut hints)
    }
}

#[test]
fn found_hints_are_accepted() {
    let signed = Signed::new();
    let (hints, holds) = signed.found().close();
    assert!(holds);
    assert_eq!(signed.verify(hints), Ok(()));
}

#[test]
fn every_hint_counts() {
    let signed = Signed::new();
    let (hints, _) = signed.found().close();
    // Before the y of the aggregate and the (y, slope) of the absent key.
    let choices = hints.len() - 1 - 3 * ELEMENT;
    // The statement is overwritten, so there is nothing to forge in it. Of each element one word, or two, the next
    // time another: all six would take five times as long.
    let words = (STATEMENT * ELEMENT..hints.len()).step_by(ELEMENT - 1);
    for word in words.filter(|word| *word != choices).chain([choices]) {
        let mut forged = hints.clone();
        // Of the choices two bits are read.
        forged[word] ^= 1 << if word == choices { 0 } else { word % 64 };
        assert!(signed.verify(forged).is_err(), "word {word}");
    }
}

#[test]
fn a_wrong_hint_is_refused_with_all_challenges_computed_again() {
    let signed = Signed::new();
    let found = signed.found();
    for element in STATEMENT..CLAIMED {
        let mut forged = found.clone();
        forged.elements[element] += Fq::ONE;
        let (hints, holds) = forged.close();
        assert!(!holds, "element {element} is claimed nothing of");
        assert!(signed.verify(hints).is_err(), "element {element}");
    }
}

#[test]
fn the_other_of_two_square_roots_is_refused() {
    let signed = Signed::new();
    let found = signed.found();
    // y of the signature and of the two mapped points: each claim holds for -y as well, the sign does not.
    for (at, refused) in [
        (STATEMENT, Refused::MalformedSignature),
        (STATEMENT + 4, Refused::Hint("sign of a mapped point")),
        (STATEMENT + 8, Refused::Hint("sign of a mapped point")),
    ] {
        let mut forged = found.clone();
        for element in &mut forged.elements[at..at + 2] {
            *element = -*element;
        }
        assert_eq!(signed.verify(forged.close().0), Err(refused), "at {at}");
    }
}

#[test]
fn the_other_candidate_of_a_mapping_is_refused() {
    let signed = Signed::new();
    for point in 0..2 {
        let mut forged = signed.found();
        forged.choices.0[point] ^= true;
        forged.elements[STATEMENT - 2] = Fq::from(forged.choices.bits());
        let (hints, holds) = forged.close();
        assert!(!holds);
        assert_eq!(signed.verify(hints), Err(Refused::Identity));
    }
}

#[test]
fn a_coordinate_above_the_modulus_is_refused_where_its_sign_is_read() {
    let signed = Signed::new();
    let (hints, _) = signed.found().close();
    for element in [STATEMENT, STATEMENT + 1, STATEMENT + 4, STATEMENT + 8] {
        let mut forged = hints.clone();
        let limbs = &mut forged[element * ELEMENT..][..ELEMENT];
        let sum = BigUint::from(Fq::MODULUS)
            + BigUint::from(to_fq((&*limbs).try_into().unwrap()).into_bigint());
        let mut digits = sum.to_u64_digits();
        digits.resize(ELEMENT, 0);
        limbs.copy_from_slice(&digits);
        let refused = signed.verify(forged).unwrap_err();
        assert_ne!(refused, Refused::Identity, "element {element}");
    }
}

#[test]
fn hints_of_another_length_are_refused() {
    let signed = Signed::new();
    let (hints, _) = signed.found().close();
    for other in [&hints[1..], &[hints.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(signed.verify(other.to_vec()), Err(Refused::HintLength));
    }
}

/// A signature that is right but for a component outside G2, by whoever leaves out every check of their own.
#[test]
fn a_signature_outside_the_subgroup_is_refused() {
    let mut signed = Signed::new();
    let honest = signature(&signed.signature).unwrap();
    let outside = (honest + point_outside_g2()).into_affine();
    assert!(!outside.is_in_correct_subgroup_assuming_on_curve());
    signed.signature = words(&compress(outside));
    assert_eq!(find(&signed.check()), Err(NoHints::MalformedSignature));
    let (key, keys) = keys(&signed.check()).unwrap();
    let mut u = [const { Fp::<Portable>::ZERO }; 4];
    crate::message::hash_to_field(&ROOT_WORDS, &mut u);
    let u = [0, 2].map(|i| Fq2::new(to_fq(u[i].limbs()), to_fq(u[i + 1].limbs())));
    let (elements, choices) = Elements { key, signature: outside, u }.find().unwrap();
    let (hints, holds) = Found { elements, choices, keys }.close();
    assert!(!holds);
    assert_eq!(signed.verify(hints), Err(Refused::Identity));
}

/// x that is on the curve, times r: a point without component in G2.
fn point_outside_g2() -> G2Affine {
    let mut x = Fq2::ONE;
    loop {
        x += Fq2::ONE;
        if let Some(point) = G2Affine::get_point_from_x_unchecked(x, false) {
            return point.mul_bigint(ark_bls12_381::Fr::MODULUS).into_affine();
        }
    }
}

fn compress(point: G2Affine) -> [u8; 96] {
    let bytes = |value: Fq| {
        let mut bytes = to_limbs(value).map(u64::to_le_bytes).concat();
        bytes.reverse();
        bytes
    };
    let mut all = [bytes(point.x.c1), bytes(point.x.c0)].concat();
    all[0] |= 0x80 | u8::from(is_larger(point.y.c1)) << 5;
    all.try_into().unwrap()
}

/// Why a chord through T and Q never has T = Q: (k - 1) Q would be infinity.
#[test]
fn no_multiple_at_which_a_point_is_added_meets_the_point() {
    let order = elements::group_order() * elements::cofactor();
    let mut k = BigUint::from(1u32);
    for adds in multiply_by_u() {
        k *= 2u32;
        if adds {
            assert!((&k - 1u32).modinv(&order).is_some(), "{k} - 1 is prime to the order");
            k += 1u32;
        }
    }
    assert_eq!(k, BigUint::from(U));
}

#[test]
fn the_cofactor_times_r_annihilates_the_curve() {
    let order = elements::group_order() * elements::cofactor();
    let point = G2Affine::get_point_from_x_unchecked(Fq2::new(2u64.into(), Fq::ONE), true)
        .or_else(|| G2Affine::get_point_from_x_unchecked(Fq2::new(3u64.into(), Fq::ONE), true))
        .unwrap();
    assert!(point.mul_bigint(order.to_u64_digits()).into_affine().is_zero());
}
