//! Signatures made by another library, checked from hints on the portable machine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use blst::min_pk::{AggregatePublicKey, AggregateSignature, PublicKey, SecretKey, Signature};
use lc_signature::{
    Check, Portable, Refused,
    hints::{NoHints, find},
    layout::hint_words,
    verify, words,
};
use proptest::prelude::*;
use sha2::Digest as _;

const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

struct Committee {
    secrets: Vec<SecretKey>,
}

impl Committee {
    fn new(size: u8) -> Self {
        Self { secrets: (1..=size).map(|n| SecretKey::key_gen(&[n; 32], &[]).unwrap()).collect() }
    }

    fn keys(&self) -> Vec<[u8; 48]> {
        self.secrets.iter().map(|secret| secret.sk_to_pk().compress()).collect()
    }

    fn aggregate(&self) -> [u8; 48] {
        let keys: Vec<PublicKey> = self.secrets.iter().map(SecretKey::sk_to_pk).collect();
        let keys: Vec<&PublicKey> = keys.iter().collect();
        AggregatePublicKey::aggregate(&keys, false).unwrap().to_public_key().compress()
    }

    fn sign(&self, signers: usize, root: &[u8; 32]) -> [u8; 96] {
        let all: Vec<Signature> =
            self.secrets[..signers].iter().map(|secret| secret.sign(root, DST, &[])).collect();
        let all: Vec<&Signature> = all.iter().collect();
        AggregateSignature::aggregate(&all, false).unwrap().to_signature().compress()
    }
}

/// A check, from bytes.
struct Words {
    aggregate: [u64; 6],
    absent: Vec<[u64; 6]>,
    root: [u64; 4],
    signature: [u64; 12],
}

impl Words {
    fn new(
        aggregate: &[u8; 48],
        absent: &[[u8; 48]],
        root: &[u8; 32],
        signature: &[u8; 96],
    ) -> Self {
        Self {
            aggregate: words(aggregate),
            absent: absent.iter().map(words).collect(),
            root: words(root),
            signature: words(signature),
        }
    }

    fn check(&self) -> Check<'_> {
        Check {
            aggregate_pubkey: &self.aggregate,
            absent: &self.absent,
            signing_root: &self.root,
            signature: &self.signature,
        }
    }
}

#[test]
fn a_signature_of_the_present_members_is_accepted() {
    let committee = Committee::new(5);
    let (keys, aggregate) = (committee.keys(), committee.aggregate());
    for (signers, seed) in [(5, 1), (4, 2), (2, 3)] {
        let root = [seed; 32];
        let signature = committee.sign(signers, &root);
        let check = Words::new(&aggregate, &keys[signers..], &root, &signature);
        let mut hints = find(&check.check()).unwrap();
        verify::<Portable>(&check.check(), &mut hints).unwrap();
    }
}

/// What the standard's own implementation says.
fn accepted_by_blst(
    aggregate: &[u8; 48],
    absent: &[[u8; 48]],
    root: &[u8; 32],
    signature: &[u8; 96],
) -> bool {
    let verdict = || -> Option<bool> {
        let mut sum = AggregatePublicKey::from_public_key(&key(aggregate)?);
        for absent in absent {
            let mut negated = *absent;
            negated[0] ^= 0x20;
            sum.add_public_key(&key(&negated)?, false).ok()?;
        }
        let signature = Signature::from_bytes(signature).ok()?;
        signature.validate(true).ok()?;
        let sum = sum.to_public_key();
        let verdict = signature.fast_aggregate_verify_pre_aggregated(false, root, DST, &sum);
        Some(verdict == blst::BLST_ERROR::BLST_SUCCESS)
    };
    verdict().unwrap_or(false)
}

fn key(bytes: &[u8; 48]) -> Option<PublicKey> {
    if bytes[0] & 0x40 != 0 { None } else { PublicKey::uncompress(bytes).ok() }
}

/// Checks with hints found for what is checked, or else with `others`.
fn accepted(
    aggregate: &[u8; 48],
    absent: &[[u8; 48]],
    root: &[u8; 32],
    signature: &[u8; 96],
    others: &[u64],
) -> bool {
    let words = Words::new(aggregate, absent, root, signature);
    let check = words.check();
    let mut hints = find(&check).unwrap_or_else(|_| others.to_vec());
    verify::<Portable>(&check, &mut hints).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_are_those_of_blst(
        root: [u8; 32],
        signers in 1usize..=6,
        part in 0usize..4,
        at in 0usize..96,
        bit in 0u32..8,
    ) {
        let committee = Committee::new(6);
        let (mut aggregate, mut keys) = (committee.aggregate(), committee.keys());
        let (mut root, mut signature) = (root, committee.sign(signers, &root));
        let absent = &mut keys[signers..];
        let honest = Words::new(&aggregate, absent, &root, &signature);
        let honest = find(&honest.check()).unwrap();
        prop_assert!(accepted_by_blst(&aggregate, absent, &root, &signature));
        prop_assert!(accepted(&aggregate, absent, &root, &signature, &honest));
        match part {
            0 => aggregate[at % 48] ^= 1 << bit,
            1 => root[at % 32] ^= 1 << bit,
            2 => signature[at] ^= 1 << bit,
            _ => match absent.first_mut() {
                Some(key) => key[at % 48] ^= 1 << bit,
                None => signature[at] ^= 1 << bit,
            },
        }
        prop_assert!(!accepted_by_blst(&aggregate, absent, &root, &signature));
        prop_assert!(!accepted(&aggregate, absent, &root, &signature, &honest));
    }
}

#[test]
fn malformed_points_are_refused_as_what_they_are() {
    let committee = Committee::new(3);
    let (keys, aggregate, root) = (committee.keys(), committee.aggregate(), [9; 32]);
    let signature = committee.sign(2, &root);
    let check = |aggregate: &[u8; 48], absent: [u8; 48], signature: &[u8; 96]| {
        let honest =
            Words::new(&committee.aggregate(), &keys[2..], &root, &committee.sign(2, &root));
        let mut hints = find(&honest.check()).unwrap();
        let words = Words::new(aggregate, &[absent], &root, signature);
        let check = words.check();
        (find(&check).err(), verify::<Portable>(&check, &mut hints))
    };
    assert_eq!(check(&aggregate, keys[2], &signature), (None, Ok(())));

    let infinity = {
        let mut key = [0; 48];
        key[0] = 0xc0;
        key
    };
    // p - 1 has no y; p and 2^381 - 1 are not below p; without the first flag a point is not compressed.
    let above = {
        let mut key = [0xff; 48];
        key[0] = 0x9f;
        key
    };
    let plain = {
        let mut key = keys[2];
        key[0] ^= 0x80;
        key
    };
    for malformed in [infinity, above, plain] {
        assert_eq!(check(&malformed, keys[2], &signature).1, Err(Refused::MalformedKey));
        assert_eq!(check(&aggregate, malformed, &signature).1, Err(Refused::MalformedKey));
    }
    for (byte, bits) in [(0, 0x80), (0, 0x40), (0, 0x20), (48, 0x80), (48, 0x40), (48, 0x20)] {
        let mut malformed = signature;
        malformed[byte] ^= bits;
        let (_, verdict) = check(&aggregate, keys[2], &malformed);
        assert_eq!(verdict, Err(Refused::MalformedSignature), "{bits:#x} of byte {byte}");
    }
}

#[test]
fn a_committee_less_all_its_members_is_refused() {
    let committee = Committee::new(2);
    let (keys, aggregate, root) = (committee.keys(), committee.aggregate(), [9; 32]);
    let signature = committee.sign(1, &root);
    let words = Words::new(&aggregate, &keys, &root, &signature);
    let check = words.check();
    assert_eq!(find(&check), Err(NoHints::DegenerateKeys));
    let mut hints = vec![0; hint_words(2)];
    assert!(verify::<Portable>(&check, &mut hints).is_err());
}

#[test]
fn a_member_that_is_there_twice_can_be_absent_twice() {
    let mut committee = Committee::new(4);
    committee.secrets.extend_from_within(3..);
    let (keys, aggregate, root) = (committee.keys(), committee.aggregate(), [7; 32]);
    let signature = committee.sign(3, &root);
    assert!(accepted_by_blst(&aggregate, &keys[3..], &root, &signature));
    assert!(accepted(&aggregate, &keys[3..], &root, &signature, &[]));
    assert!(!accepted(&aggregate, &keys[4..], &root, &signature, &[]));
}

/// The order of hints is shared with programs whose key clients pin.
#[test]
fn the_hints_of_a_fixed_signature_are_pinned() {
    let committee = Committee::new(3);
    let (keys, aggregate, root) = (committee.keys(), committee.aggregate(), [1; 32]);
    let signature = committee.sign(2, &root);
    let words = Words::new(&aggregate, &keys[2..], &root, &signature);
    let bytes: Vec<u8> =
        find(&words.check()).unwrap().iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(bytes.len(), 8 * hint_words(1));
    assert_eq!(
        format!("{:x}", sha2::Sha256::digest(&bytes)),
        "3f855b4c9f37ef91a6eb940f8f0c190c1479e5381bbc7db9897a778f3f35cc97"
    );
}
