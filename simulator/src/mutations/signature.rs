//! Points that are no keys or signatures, and signatures of something else. The arithmetic crate's own tests have the same
//! points on the host; here the guests get them.

use blst::min_pk::Signature;
use lc_core::{
    BlsPubkey, BlsSignature, SignatureError,
    alloy_primitives::{B256, FixedBytes},
    host::signers,
    objects::SyncCommittee,
    root::{SignatureWords, bytes, signature_words},
    sync_protocol::CheckError as E,
};

use super::{
    Mutation, Witness,
    committee_change::one,
    finality::{aggregate, finality, made},
    mutation,
};
use crate::chain::Chain;

pub(super) fn mutations(chain: &Chain) -> Vec<Mutation> {
    [keys, signature].iter().flat_map(|group| group(chain)).collect()
}

fn keys(chain: &Chain) -> Vec<Mutation> {
    vec![
        mutation!(
            "a committee key is no point",
            doctored(chain, |committee, absent| committee.pubkeys[absent] =
                FixedBytes::repeat_byte(0xff)),
            E::Signature(SignatureError::MalformedKey)
        ),
        mutation!(
            "an absent member's key is infinity",
            doctored(chain, |committee, absent| {
                committee.pubkeys[absent] = FixedBytes::ZERO;
                committee.pubkeys[absent][0] = 0xc0;
            }),
            E::Signature(SignatureError::MalformedKey)
        ),
        mutation!(
            "an absent member's key is not compressed",
            doctored(chain, |committee, absent| committee.pubkeys[absent][0] ^= 0x80),
            E::Signature(SignatureError::MalformedKey)
        ),
        mutation!(
            "the x of an absent member's key is the field's modulus",
            doctored(chain, |committee, absent| committee.pubkeys[absent] =
                compressed(MODULUS).into()),
            E::Signature(SignatureError::MalformedKey)
        ),
        mutation!(
            "an absent member's key has the other sign",
            doctored(chain, |committee, absent| committee.pubkeys[absent][0] ^= 0x20),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "an absent member's key is a point of order three",
            doctored(chain, |committee, absent| committee.pubkeys[absent] =
                compressed([0; 48]).into()),
            // Natively, for blst takes no x = 0; in a guest because another key is subtracted.
            E::Signature(SignatureError::MalformedKey)
        ),
        mutation!(
            "the aggregate key has the other sign",
            doctored(chain, |committee, _| committee.aggregate_pubkey[0] ^= 0x20),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the aggregate key is no point",
            doctored(chain, |committee, _| committee.aggregate_pubkey = BlsPubkey::ZERO),
            E::Signature(SignatureError::MalformedKey)
        ),
        mutation!(
            "the signers' keys add up to infinity",
            doctored(chain, |committee, absent| {
                committee.aggregate_pubkey = committee.pubkeys[absent];
            }),
            E::Signature(SignatureError::InfiniteKey)
        ),
    ]
}

/// A witness whose trusted committee is not what a beacon state can hold: `change` gets it and the number of
/// the one absent member.
fn doctored(chain: &Chain, change: impl FnOnce(&mut SyncCommittee, usize)) -> Witness {
    let mut witness = one(chain, |u| u.bits(vec![0xff, 0xff, 0xff, 0x7f]));
    let mut committee = chain.committee(chain.first_period()).public().clone();
    change(&mut committee, 31);
    let finality = &mut witness.updates[0].finality;
    let aggregate = aggregate(finality);
    finality.signers = signers(&committee, &aggregate);
    witness.signer_committee = committee.hash_tree_root::<lc_core::host::NativeCrypto>().into();
    Witness::CommitteeChange(witness)
}

fn signature(chain: &Chain) -> Vec<Mutation> {
    let first = chain.first_period();
    let with =
        |signature: BlsSignature| finality(chain, |f| f.signature = signature_words(&signature));
    let mut infinity = [0; 96];
    infinity[0] = 0xc0;
    vec![
        mutation!(
            "another period's committee signed",
            made(chain, |u| u.signed_by(first + 1)),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the signature is for another fork's version",
            made(chain, |u| u.fork_version([9, 9, 9, 9])),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the signature is over another header",
            finality(chain, |f| f.attested.proposer_index += 1),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the signature is one member's alone",
            with(chain.committee(first).sign(&[1], &B256::repeat_byte(1))),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the signature is infinity",
            with(infinity.into()),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the signature is no point",
            with(FixedBytes::repeat_byte(0xff)),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the signature is all zero",
            with(FixedBytes::ZERO),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the signature is a point outside the subgroup",
            with(outside_subgroup()),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the signature is a point of order thirteen",
            with(SMALL_ORDER.into()),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the signature has the other sign",
            finality(chain, |f| edit(&mut f.signature, |signature| signature[0] ^= 0x20)),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the signature is not compressed",
            finality(chain, |f| edit(&mut f.signature, |signature| signature[0] ^= 0x80)),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the signature is said to be infinity and is a point",
            finality(chain, |f| edit(&mut f.signature, |signature| signature[0] ^= 0x40)),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the first half of the signature's x is the field's modulus",
            finality(chain, |f| edit(&mut f.signature, |signature| signature[..48]
                .copy_from_slice(&compressed(MODULUS)))),
            E::Signature(SignatureError::MalformedSignature)
        ),
        mutation!(
            "the second half of the signature's x is the field's modulus",
            finality(chain, |f| edit(&mut f.signature, |signature| signature[48..]
                .copy_from_slice(&MODULUS))),
            E::Signature(SignatureError::MalformedSignature)
        ),
    ]
}

/// Modulus of the field that coordinates are of, as long as they are: the first number that is none.
const MODULUS: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7,
    0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24,
    0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

/// A point of the signatures' curve that thirteen times is infinity: 13 divides the cofactor.
const SMALL_ORDER: [u8; 96] = [
    0x8e, 0x07, 0x42, 0x68, 0x35, 0x8c, 0xed, 0x05, 0x5a, 0x27, 0xab, 0x8d, 0xe3, 0xbb, 0xde, 0xb6,
    0xd0, 0xc2, 0x94, 0x96, 0x85, 0x10, 0x30, 0x95, 0xe4, 0x91, 0xdc, 0x53, 0x7f, 0xc8, 0xee, 0x47,
    0x4a, 0x73, 0xce, 0x0b, 0x28, 0x26, 0xfa, 0xe8, 0xea, 0xbf, 0xb3, 0x07, 0x8a, 0x91, 0x0b, 0x64,
    0x15, 0x75, 0x73, 0xf4, 0xc7, 0x75, 0x85, 0x78, 0x7c, 0x2c, 0x98, 0x85, 0x85, 0xc1, 0xf6, 0xaf,
    0xe3, 0x9f, 0x5b, 0x91, 0xaa, 0xcb, 0x37, 0x50, 0x9b, 0x42, 0xec, 0x71, 0xfc, 0xeb, 0x51, 0xa1,
    0x57, 0x6f, 0xda, 0x15, 0xda, 0xc1, 0x03, 0x1f, 0x8d, 0x26, 0x78, 0x5d, 0x6b, 0x13, 0x97, 0x84,
];

/// A key's bytes from those of its x, with the smaller y. Of x = 0 that is a point of order three.
fn compressed(mut x: [u8; 48]) -> [u8; 48] {
    x[0] |= 0x80;
    x
}

fn edit(signature: &mut SignatureWords, change: impl FnOnce(&mut BlsSignature)) {
    let mut changed = bytes(signature);
    change(&mut changed);
    *signature = signature_words(&changed);
}

/// A point of the curve outside the prime-order subgroup: as nearly all of its points are.
fn outside_subgroup() -> BlsSignature {
    (0..=u8::MAX)
        .map(|x| {
            let mut bytes = [0; 96];
            bytes[0] = 0x80;
            bytes[95] = x;
            bytes
        })
        .find(|bytes| Signature::uncompress(bytes).is_ok_and(|point| !point.subgroup_check()))
        .expect("half of all x are those of a point")
        .into()
}

#[cfg(test)]
mod tests {
    use blst::min_pk::AggregateSignature;

    use super::*;

    #[test]
    fn the_point_of_order_thirteen_is_one_and_is_outside_the_subgroup() {
        let point = Signature::uncompress(&SMALL_ORDER).unwrap();
        assert!(!point.subgroup_check());
        let times = |n| {
            AggregateSignature::aggregate(&vec![&point; n], false)
                .unwrap()
                .to_signature()
                .compress()
        };
        assert_eq!(times(1), SMALL_ORDER);
        assert_eq!(times(13)[0], 0xc0, "thirteen times is not infinity");
    }
}
