//! Every case is also put to the host's `blst`, so that server and guest never disagree on a signature.

use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey, Signature};
use lc_core::alloy_primitives::B256;
use lc_core::host::NativeCrypto;

use super::*;
use crate::ZkvmCrypto;
use lc_core::crypto::Crypto;

/// Bit of a compressed point's first byte: the point at infinity.
const INFINITY: u8 = 0x40;
/// Bit of a compressed point's first byte: which y.
const SIGN: u8 = 0x20;

/// A small committee, its aggregate key and a signature by those not absent.
struct Case {
    keys: Vec<SecretKey>,
    aggregate_pubkey: BlsPubkey,
    absent: Vec<BlsPubkey>,
    signing_root: B256,
    signature: BlsSignature,
}

impl Case {
    /// Seven members, of whom the first and fourth are absent.
    fn valid() -> Self {
        Self::with_absent(&[0, 3])
    }

    fn with_absent(absent: &[usize]) -> Self {
        let keys: Vec<SecretKey> =
            (1..=7u8).map(|i| SecretKey::key_gen(&[i; 32], &[]).unwrap()).collect();
        let signing_root = B256::repeat_byte(0x5a);
        let present = keys.iter().enumerate().filter(|(i, _)| !absent.contains(i));
        let signatures: Vec<Signature> = present.map(|(_, key)| sign(key, &signing_root)).collect();
        let signatures: Vec<&Signature> = signatures.iter().collect();
        let signature = AggregateSignature::aggregate(&signatures, true).unwrap().to_signature();
        Self {
            aggregate_pubkey: sum(&keys),
            absent: absent.iter().map(|i| pubkey(&keys[*i])).collect(),
            signing_root,
            signature: BlsSignature::new(signature.compress()),
            keys,
        }
    }

    /// The guest's verdict, which must be the host's.
    fn verdict(&self) -> Result<(), SignatureError> {
        let check = SignatureCheck {
            aggregate_pubkey: &self.aggregate_pubkey,
            absent: &self.absent,
            signing_root: self.signing_root,
            signature: &self.signature,
        };
        let verdict = ZkvmCrypto::verify_sync_signature(&check);
        assert_eq!(verdict, NativeCrypto::verify_sync_signature(&check), "guest and host disagree");
        verdict
    }
}

fn pubkey(key: &SecretKey) -> BlsPubkey {
    BlsPubkey::new(key.sk_to_pk().compress())
}

fn sign(key: &SecretKey, root: &B256) -> Signature {
    key.sign(root.as_slice(), BLS_DST, &[])
}

fn sum(keys: &[SecretKey]) -> BlsPubkey {
    let keys: Vec<PublicKey> = keys.iter().map(SecretKey::sk_to_pk).collect();
    let keys: Vec<&PublicKey> = keys.iter().collect();
    BlsPubkey::new(AggregatePublicKey::aggregate(&keys, true).unwrap().to_public_key().compress())
}

fn infinity<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    bytes[0] = 0x80 | INFINITY;
    bytes
}

/// A point of the curve with this small x, if there is one.
fn g1_point(x: u8) -> Option<BlsPubkey> {
    let mut bytes = BlsPubkey::ZERO;
    (bytes[0], bytes[47]) = (0x80, x);
    PublicKey::uncompress(bytes.as_slice()).ok().map(|_| bytes)
}

fn g2_point(x: u8) -> Option<BlsSignature> {
    let mut bytes = BlsSignature::ZERO;
    (bytes[0], bytes[95]) = (0x80, x);
    Signature::uncompress(bytes.as_slice()).ok().map(|_| bytes)
}

/// p, the field's modulus: no canonical coordinate.
const MODULUS: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7,
    0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24,
    0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// `value + MODULUS` over 48 big-endian bytes.
fn plus_modulus(value: &[u8]) -> [u8; 48] {
    let (mut out, mut carry) = ([0; 48], 0u16);
    for i in (0..48).rev() {
        let digit = u16::from(value[i]) + u16::from(MODULUS[i]) + carry;
        (out[i], carry) = (digit as u8, digit >> 8);
    }
    out
}

#[test]
fn the_present_members_signature_is_accepted() {
    assert_eq!(Case::valid().verdict(), Ok(()));
    assert_eq!(Case::with_absent(&[]).verdict(), Ok(()));
    assert_eq!(Case::with_absent(&[0, 1, 2, 3, 4, 5]).verdict(), Ok(()));
}

#[test]
fn a_key_may_be_absent_twice_if_the_aggregate_has_it_twice() {
    let mut case = Case::valid();
    let twice = SecretKey::key_gen(&[9; 32], &[]).unwrap();
    let mut keys = case.keys.clone();
    keys.extend([twice.clone(), twice.clone()]);
    case.aggregate_pubkey = sum(&keys);
    assert_eq!(case.verdict(), Err(SignatureError::Mismatch));
    case.absent.extend([pubkey(&twice), pubkey(&twice)]);
    assert_eq!(case.verdict(), Ok(()));
}

#[test]
fn another_message_is_refused() {
    let mut case = Case::valid();
    case.signing_root.0[31] ^= 1;
    assert_eq!(case.verdict(), Err(SignatureError::Mismatch));
}

#[test]
fn another_set_of_signers_is_refused() {
    let mut case = Case::valid();
    case.absent.pop();
    assert_eq!(case.verdict(), Err(SignatureError::Mismatch));
    case.absent.push(pubkey(&case.keys[5]));
    assert_eq!(case.verdict(), Err(SignatureError::Mismatch));
}

#[test]
fn another_keys_signature_is_refused() {
    let mut case = Case::valid();
    let stranger = SecretKey::key_gen(&[8; 32], &[]).unwrap();
    case.signature = BlsSignature::new(sign(&stranger, &case.signing_root).compress());
    assert_eq!(case.verdict(), Err(SignatureError::Mismatch));
}

#[test]
fn the_negated_signature_is_refused() {
    let mut case = Case::valid();
    case.signature[0] ^= SIGN;
    assert_eq!(case.verdict(), Err(SignatureError::Mismatch));
}

#[test]
fn the_negated_key_is_refused() {
    let mut case = Case::valid();
    case.absent[0][0] ^= SIGN;
    assert_eq!(case.verdict(), Err(SignatureError::Mismatch));
}

#[test]
fn signers_whose_keys_cancel_are_refused_with_any_signature() {
    let mut case = Case::with_absent(&[0]);
    case.aggregate_pubkey = case.absent[0];
    assert_eq!(case.verdict(), Err(SignatureError::InfiniteKey));
}

#[test]
fn infinity_is_no_key_and_no_signature() {
    let mut case = Case::valid();
    case.signature = BlsSignature::new(infinity());
    assert_eq!(case.verdict(), Err(SignatureError::MalformedSignature));
    let mut case = Case::valid();
    case.aggregate_pubkey = BlsPubkey::new(infinity());
    assert_eq!(case.verdict(), Err(SignatureError::MalformedKey));
    let mut case = Case::valid();
    case.absent.push(BlsPubkey::new(infinity()));
    assert_eq!(case.verdict(), Err(SignatureError::MalformedKey));
}

#[test]
fn an_x_off_the_curve_is_refused() {
    let x = (1..).find(|x| g1_point(*x).is_none()).unwrap();
    let mut key = BlsPubkey::ZERO;
    (key[0], key[47]) = (0x80, x);
    let mut case = Case::valid();
    case.absent[0] = key;
    assert_eq!(case.verdict(), Err(SignatureError::MalformedKey));

    let x = (1..).find(|x| g2_point(*x).is_none()).unwrap();
    let mut case = Case::valid();
    case.signature = BlsSignature::ZERO;
    (case.signature[0], case.signature[95]) = (0x80, x);
    assert_eq!(case.verdict(), Err(SignatureError::MalformedSignature));
}

#[test]
fn a_signature_outside_the_subgroup_is_refused() {
    // The subgroup is a 2^-507th of the curve: a point found at random is outside.
    let mut case = Case::valid();
    case.signature = (1..).find_map(g2_point).unwrap();
    assert_eq!(case.verdict(), Err(SignatureError::MalformedSignature));
}

#[test]
fn a_signature_with_a_low_order_part_is_refused() {
    // A valid signature plus a point of the curve whose order divides the cofactor: the pairing alone would not
    // always notice, as the final exponentiation kills what the subgroup does not hold.
    let case = Case::valid();
    let stray = G2Projective::from(
        Option::<G2Affine>::from(G2Affine::from_compressed_unchecked(
            &(1..).find_map(g2_point).unwrap(),
        ))
        .unwrap(),
    );
    // r times a point is what is left of it outside the subgroup: r = (r - 1) + 1.
    let outside = stray * -sp1_bls12_381::Scalar::one() + stray;
    assert!(!bool::from(outside.is_identity()));
    let valid = Option::<G2Affine>::from(G2Affine::from_compressed(&case.signature)).unwrap();
    let shifted = G2Affine::from(outside + valid);
    let case = Case { signature: BlsSignature::new(shifted.to_compressed()), ..case };
    assert_eq!(case.verdict(), Err(SignatureError::MalformedSignature));
}

#[test]
fn coordinates_beyond_the_modulus_are_refused() {
    // x + p names the same point to a decoder that reduces. It fits under the flag bits only for small x.
    let key = (1..).find_map(g1_point).unwrap();
    let mut bare = key.0;
    bare[0] &= 0x1f;
    let mut case = Case::valid();
    case.absent[0] = BlsPubkey::new(plus_modulus(&bare));
    case.absent[0][0] |= 0x80;
    assert_eq!(case.verdict(), Err(SignatureError::MalformedKey));

    for half in [0, 48] {
        let mut case = Case::valid();
        let signature = (1..).find_map(g2_point).unwrap();
        let mut bare = signature.0;
        bare[0] &= 0x1f;
        let beyond = plus_modulus(&bare[half..half + 48]);
        bare[half..half + 48].copy_from_slice(&beyond);
        bare[0] |= 0x80;
        case.signature = BlsSignature::new(bare);
        assert_eq!(case.verdict(), Err(SignatureError::MalformedSignature));
    }
}

#[test]
fn wrong_flag_bits_are_refused() {
    type Damage = fn(&mut [u8]);
    let damages: [(&str, Damage); 4] = [
        ("not compressed", |bytes| bytes[0] &= 0x7f),
        ("infinity with an x", |bytes| bytes[0] |= INFINITY),
        ("infinity with a sign", |bytes| {
            bytes.fill(0);
            bytes[0] = 0x80 | INFINITY | SIGN;
        }),
        ("all zero", |bytes| bytes.fill(0)),
    ];
    for (what, damage) in damages {
        let mut case = Case::valid();
        damage(case.signature.as_mut_slice());
        assert_eq!(case.verdict(), Err(SignatureError::MalformedSignature), "{what}");
        let mut case = Case::valid();
        damage(case.absent[1].as_mut_slice());
        assert_eq!(case.verdict(), Err(SignatureError::MalformedKey), "{what}");
        let mut case = Case::valid();
        damage(case.aggregate_pubkey.as_mut_slice());
        assert_eq!(case.verdict(), Err(SignatureError::MalformedKey), "{what}");
    }
}

#[test]
fn every_damaged_byte_of_a_signature_is_refused() {
    for at in 0..96 {
        let mut case = Case::valid();
        case.signature[at] ^= 1;
        assert!(case.verdict().is_err(), "byte {at}");
    }
}

#[test]
fn messages_hash_to_the_curve_as_the_host_does() {
    // A signature under the key 1 is the hashed point itself.
    let mut one = [0; 32];
    one[31] = 1;
    let one = SecretKey::from_bytes(&one).unwrap();
    for seed in 0..8u8 {
        let root = B256::repeat_byte(seed);
        let expected = sign(&one, &root).compress();
        assert_eq!(hash_to_g2(root.as_slice()).to_compressed(), expected, "root {root}");
    }
}
