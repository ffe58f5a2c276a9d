//! The host's primitives: `blst` for signatures, `sha2` (with the CPU's SHA instructions) and Keccak.

use alloy_primitives::B256;
use blst::{
    BLST_ERROR, Pairing, blst_p1_affine, blst_p2_affine,
    min_pk::{AggregatePublicKey, PublicKey, Signature},
};
use sha2::{Digest, Sha256};
use tiny_keccak::{Hasher, Keccak};

use crate::{
    crypto::{BLS_DST, BlsPubkey, BlsSignature, Crypto, SignatureCheck, SignatureError},
    root::{PubkeyWords, Root, bytes},
};

/// [`Crypto`] on the host.
#[derive(Debug, Clone, Copy)]
pub struct NativeCrypto;

/// Bit of a compressed point's first byte that says it is the point at infinity.
const INFINITY_FLAG: u8 = 0x40;
/// Bit that says which of the two possible y the point has: flipping it negates the point.
const SIGN_FLAG: u8 = 0x20;

impl Crypto for NativeCrypto {
    fn hash_pair(left: &Root, right: &Root) -> Root {
        let [left, right] = [*left, *right].map(B256::from);
        B256::from_slice(&Sha256::new().chain_update(left).chain_update(right).finalize()).into()
    }

    fn keccak256(data: &[u8]) -> B256 {
        let mut keccak = Keccak::v256();
        keccak.update(data);
        let mut digest = B256::ZERO;
        keccak.finalize(&mut digest.0);
        digest
    }

    fn verify_sync_signature(check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        let key = signers_key(check.aggregate_pubkey, check.absent)?;
        let signature =
            Signature::from_bytes(BlsSignature::from(bytes(check.signature)).as_slice())
                .map_err(|_| SignatureError::MalformedSignature)?;
        // True: also refuse the point at infinity.
        signature.validate(true).map_err(|_| SignatureError::MalformedSignature)?;
        let message = B256::from(check.signing_root);
        let (key, signature): (&blst_p1_affine, &blst_p2_affine) =
            ((&key).into(), (&signature).into());
        // Not `Signature::verify`: that hands half of the work to a pool of threads, which is quicker for one signature
        // and dearer for many at once.
        let mut pairing = Pairing::new(true, BLS_DST);
        // False, twice: both points have been validated.
        let taken = pairing.aggregate(key, false, signature, false, message.as_slice(), &[]);
        pairing.commit();
        match taken {
            BLST_ERROR::BLST_SUCCESS if pairing.finalverify(None) => Ok(()),
            _ => Err(SignatureError::Mismatch),
        }
    }
}

/// The committee's aggregate key less the absent ones.
fn signers_key(
    aggregate: &PubkeyWords,
    absent: &[PubkeyWords],
) -> Result<PublicKey, SignatureError> {
    let mut sum = AggregatePublicKey::from_public_key(&decompress(&bytes(aggregate))?);
    for key in absent {
        let mut negated: BlsPubkey = bytes(key);
        negated[0] ^= SIGN_FLAG;
        // False: no subgroup check; the key's membership in the committee's tree vouches for it.
        sum.add_public_key(&decompress(&negated)?, false)
            .map_err(|_| SignatureError::MalformedKey)?;
    }
    let key = sum.to_public_key();
    if key.compress()[0] & INFINITY_FLAG != 0 {
        return Err(SignatureError::InfiniteKey);
    }
    Ok(key)
}

/// No committee holds the point at infinity: `KeyValidate` refused it at deposit.
fn decompress(key: &BlsPubkey) -> Result<PublicKey, SignatureError> {
    if key[0] & INFINITY_FLAG != 0 {
        return Err(SignatureError::MalformedKey);
    }
    PublicKey::uncompress(key.as_slice()).map_err(|_| SignatureError::MalformedKey)
}

#[cfg(test)]
mod tests {
    use blst::min_pk::{AggregateSignature, SecretKey};

    use super::*;
    use crate::root::{pubkey_words, signature_words};

    const MESSAGE: B256 = B256::repeat_byte(0x5a);

    /// Four members' keys, their aggregate and the signatures of each.
    fn committee() -> (Vec<BlsPubkey>, BlsPubkey, Vec<Signature>) {
        let secrets: Vec<_> =
            (1..=4u8).map(|n| SecretKey::key_gen(&[n; 32], &[]).unwrap()).collect();
        let keys: Vec<_> = secrets.iter().map(SecretKey::sk_to_pk).collect();
        let aggregate =
            AggregatePublicKey::aggregate(&keys.iter().collect::<Vec<_>>(), false).unwrap();
        let signatures =
            secrets.iter().map(|key| key.sign(MESSAGE.as_slice(), BLS_DST, &[])).collect();
        let compressed = keys.iter().map(|key| BlsPubkey::from(key.compress())).collect();
        (compressed, BlsPubkey::from(aggregate.to_public_key().compress()), signatures)
    }

    fn sum(signatures: &[Signature]) -> BlsSignature {
        let all: Vec<_> = signatures.iter().collect();
        let sum = AggregateSignature::aggregate(&all, false).unwrap();
        BlsSignature::from(sum.to_signature().compress())
    }

    fn verify(
        aggregate_pubkey: &BlsPubkey,
        absent: &[BlsPubkey],
        signature: &BlsSignature,
    ) -> Result<(), SignatureError> {
        let absent: Vec<_> = absent.iter().map(pubkey_words).collect();
        NativeCrypto::verify_sync_signature(&SignatureCheck {
            aggregate_pubkey: &pubkey_words(aggregate_pubkey),
            absent: &absent,
            signing_root: MESSAGE.into(),
            signature: &signature_words(signature),
        })
    }

    #[test]
    fn those_who_signed_are_the_committee_less_its_absentees() {
        let (keys, aggregate, signatures) = committee();
        verify(&aggregate, &[], &sum(&signatures)).unwrap();
        verify(&aggregate, &keys[2..], &sum(&signatures[..2])).unwrap();
        // One absentee too many, one too few, and another's absence.
        for absent in [&keys[1..], &keys[3..], &keys[..2]] {
            let seen = verify(&aggregate, absent, &sum(&signatures[..2]));
            assert_eq!(seen, Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn a_member_that_is_there_twice_can_be_absent_twice() {
        let (keys, _, signatures) = committee();
        let decompressed: Vec<_> =
            keys.iter().chain([&keys[0]]).map(|key| decompress(key).unwrap()).collect();
        let all: Vec<_> = decompressed.iter().collect();
        let aggregate = AggregatePublicKey::aggregate(&all, false).unwrap().to_public_key();
        let aggregate = BlsPubkey::from(aggregate.compress());
        verify(&aggregate, &[keys[0], keys[0]], &sum(&signatures[1..])).unwrap();
        let seen = verify(&aggregate, &[keys[0]], &sum(&signatures[1..]));
        assert_eq!(seen, Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_committee_all_absent_has_no_key_to_verify_under() {
        let (keys, aggregate, signatures) = committee();
        let mut infinity = BlsSignature::ZERO;
        infinity[0] = 0xc0;
        // The empty sum of signatures fits the empty sum of keys for every message.
        for signature in [infinity, sum(&signatures)] {
            assert_eq!(verify(&aggregate, &keys, &signature), Err(SignatureError::InfiniteKey));
        }
        let seen = verify(&aggregate, &[], &infinity);
        assert_eq!(seen, Err(SignatureError::MalformedSignature));
    }

    #[test]
    fn keys_that_are_no_points_are_refused() {
        let (keys, aggregate, signatures) = committee();
        let mut infinity = BlsPubkey::ZERO;
        infinity[0] = 0xc0;
        // Infinity, not compressed, and an x that is not below the field's modulus.
        for wrong in [infinity, BlsPubkey::ZERO, BlsPubkey::repeat_byte(0x9f)] {
            let signature = sum(&signatures);
            let seen = verify(&wrong, &[], &signature);
            assert_eq!(seen, Err(SignatureError::MalformedKey), "as aggregate");
            let seen = verify(&aggregate, &[keys[0], wrong], &signature);
            assert_eq!(seen, Err(SignatureError::MalformedKey), "as absentee");
        }
    }
}
