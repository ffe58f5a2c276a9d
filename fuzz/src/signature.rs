//! The signature check from hints.
//!
//! - It accepts what blst accepts, whatever keys, signatures and encodings it is given, if the keys can be
//!   subtracted one by one. So does the host's own check, without that condition.
//! - With whatever hints, it never accepts what blst refuses.

use ark_bls12_381::{G1Affine, G2Affine, G2Projective};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_serialize::CanonicalDeserialize as _;
use blst::min_pk::SecretKey;
use lc_core::crypto::BLS_DST;
use lc_signature::hints::NoHints;

use crate::{
    input::Input,
    points::{ORDER_11, ORDER_13, Point, add_modulus},
    statement::Statement,
};

/// Words that a change of hints likes: the modulus' and others at an edge.
const EDGES: [u64; 6] =
    [0, 1, u64::MAX, 0xb9fe_ffff_ffff_aaab, 0x1a01_11ea_397f_e69a, 0xb9fe_ffff_ffff_aaaa];

/// Checks all of it.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let honest = statement(&mut input);
    let mut checked = honest.clone();
    for _ in 0..input.below(4) {
        damage(&mut checked, &mut input);
    }
    if checked.has_key_of_order_3() {
        return false;
    }
    let accepted = checked.blst_accepts();
    assert_eq!(accepted, checked.host_accepts(), "the host's check differs from blst's");
    let mut hints = match checked.find() {
        Ok(hints) => {
            assert_eq!(checked.verify(hints.clone()).is_ok(), accepted, "verdicts differ");
            hints
        }
        Err(error) => {
            let excused = error == NoHints::DegenerateKeys && checked.has_degenerate_keys();
            assert!(!accepted || excused, "no hints for a good signature: {error}");
            stolen(&honest, &checked)
        }
    };
    for _ in 0..=input.below(8) {
        let forged = checked.verify(hints.clone()).is_ok();
        assert!(accepted || !forged, "a signature that blst refuses was accepted");
        change(&mut hints, &mut input);
    }
    accepted
}

/// A committee with members that no honest one has, less some, and the signature of the rest.
fn statement(input: &mut Input<'_>) -> Statement {
    let members: Vec<Member> = (0..=input.below(5)).map(|_| Member::new(input)).collect();
    let present = input.byte();
    let root = input.array();
    let (mut aggregate, mut signature) = (G1Affine::zero().into_group(), G2Projective::default());
    let mut absent = Vec::new();
    for (number, member) in members.iter().enumerate() {
        aggregate += member.key;
        if present >> number & 1 == 1 {
            signature += member.sign(&root);
        } else {
            absent.push(member.key.encode());
        }
    }
    let (aggregate, signature) = (aggregate.into_affine(), signature.into_affine());
    Statement { aggregate: aggregate.encode(), absent, root, signature: signature.encode() }
}

/// A key, and the secret of that part of it that can sign.
struct Member {
    key: G1Affine,
    secret: Option<SecretKey>,
    negated: bool,
}

impl Member {
    fn new(input: &mut Input<'_>) -> Self {
        let (kind, parameter) = (input.below(7), input.byte());
        let secret = SecretKey::key_gen(&[parameter % 8; 32], &[]).expect("32 bytes are enough");
        let honest = G1Affine::deserialize_compressed_unchecked(&secret.sk_to_pk().compress()[..]);
        let honest = honest.expect("both libraries encode alike");
        let (key, signs) = match kind {
            0..=2 => (honest, true),
            3 => (-honest, true),
            4 => ((honest + *ORDER_11).into_affine(), true),
            5 => (*ORDER_11, false),
            _ => (Point::after(parameter), false),
        };
        Self { key, secret: signs.then_some(secret), negated: kind == 3 }
    }

    fn sign(&self, root: &[u8; 32]) -> G2Affine {
        let Some(secret) = &self.secret else { return G2Affine::zero() };
        let signature = secret.sign(root, BLS_DST, &[]).compress();
        let point = G2Affine::deserialize_compressed_unchecked(&signature[..]);
        let point = point.expect("both libraries encode alike");
        if self.negated { -point } else { point }
    }
}

fn damage(statement: &mut Statement, input: &mut Input<'_>) {
    let (part, kind) = (input.below(4), input.below(8));
    match part {
        0 => damage_point(&mut statement.aggregate, kind, input),
        1 => {
            let at = input.byte();
            let count = statement.absent.len().max(1);
            if let Some(key) = statement.absent.get_mut(usize::from(at) % count) {
                damage_point(key, kind, input);
            }
        }
        2 => statement.root[kind * 4] ^= input.byte(),
        _ => damage_signature(&mut statement.signature, kind, input),
    }
}

fn damage_point<const N: usize>(point: &mut [u8; N], kind: usize, input: &mut Input<'_>) {
    match kind {
        0 => point[0] ^= input.byte() & 0xe0,
        1 => {
            *point = [0; N];
            point[0] = 0xc0 | input.byte();
        }
        2 => {
            let coordinates = point.as_chunks_mut::<48>().0;
            let at = input.below(coordinates.len());
            add_modulus(&mut coordinates[at]);
        }
        3 => *point = input.array(),
        4 => {
            *point = [0xff; N];
            point[0] = 0x9f | input.byte();
        }
        _ => {
            let at = input.below(N);
            point[at] ^= input.byte();
        }
    }
}

/// The points that only signatures can be: the encodings' faults are those of keys.
fn damage_signature(signature: &mut [u8; 96], kind: usize, input: &mut Input<'_>) {
    let point = G2Affine::deserialize_compressed_unchecked(&signature[..]).unwrap_or_default();
    match kind {
        5 => *signature = (point + *ORDER_13).into_affine().encode(),
        6 => *signature = ORDER_13.encode(),
        7 => *signature = G2Affine::after(input.byte()).encode(),
        _ => damage_point(signature, kind, input),
    }
}

/// Hints of the signature before it was damaged, with the keys' own; or those alone.
fn stolen(honest: &Statement, checked: &Statement) -> Vec<u64> {
    let mut hints = checked.hints_of_keys();
    if let Ok(found) = honest.find() {
        let keys = checked.words_of_keys();
        let before = hints.len() - keys;
        hints[..before].copy_from_slice(&found[..before]);
    }
    hints
}

fn change(hints: &mut Vec<u64>, input: &mut Input<'_>) {
    let kind = input.below(6);
    let at = usize::from(input.u16()) % hints.len().max(1);
    match (kind, hints.get_mut(at)) {
        (0, Some(word)) => *word ^= 1 << (input.byte() % 64),
        (1, Some(word)) => *word = u64::from_le_bytes(input.array()),
        (2, Some(word)) => *word = EDGES[input.below(EDGES.len())],
        (3, Some(_)) => hints.rotate_left(at),
        (4, Some(_)) => hints.truncate(at),
        _ => hints.push(input.byte().into()),
    }
}
