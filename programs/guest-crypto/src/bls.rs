//! The sync committee's signature (`FastAggregateVerify` of the ciphersuite
//! `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_`) with the field arithmetic of the zkVM.
//!
//! Inside the zkVM the library takes square roots and inverses as hints and checks each by a multiplication;
//! a wrong hint halts the program with exit code 3.

use lc_core::crypto::{BLS_DST, BlsPubkey, BlsSignature, SignatureCheck, SignatureError};
use sp1_bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
use sp1_bls12_381::{
    G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective, Gt, multi_miller_loop,
};

use crate::sha256::Sha256;

/// Checks `check.signature` under the committee's aggregate key less the absent members' keys.
///
/// # Errors
/// The first part that is refused: keys, their sum, the signature's encoding, the pairing.
pub(crate) fn verify_sync_signature(check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
    let key = signers_key(check.aggregate_pubkey, check.absent)?;
    let signature = decompress_signature(check.signature)?;
    let message = hash_to_g2(check.signing_root.as_slice());

    // e(key, message) = e(g1, signature), as one product with one final exponentiation.
    let pairs = [
        (&key, &G2Prepared::from(message)),
        (&-G1Affine::generator(), &G2Prepared::from(signature)),
    ];
    if multi_miller_loop(&pairs).final_exponentiation() == Gt::identity() {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// The sum of the keys that signed: the committee's own sum less the absent ones.
fn signers_key(aggregate: &BlsPubkey, absent: &[BlsPubkey]) -> Result<G1Affine, SignatureError> {
    let mut sum = G1Projective::from(decompress_key(aggregate)?);
    for key in absent {
        sum -= decompress_key(key)?;
    }
    let sum = G1Affine::from(sum);
    if sum.is_identity().into() { Err(SignatureError::InfiniteKey) } else { Ok(sum) }
}

/// No subgroup check: membership in the tree of a trusted committee vouches for it, as deposits are checked. No
/// committee holds the point at infinity for the same reason, so it is refused.
fn decompress_key(key: &BlsPubkey) -> Result<G1Affine, SignatureError> {
    Option::<G1Affine>::from(G1Affine::from_compressed_unchecked(key))
        .filter(|point| !bool::from(point.is_identity()))
        .ok_or(SignatureError::MalformedKey)
}

/// With the subgroup check: a signature comes from anybody.
fn decompress_signature(signature: &BlsSignature) -> Result<G2Affine, SignatureError> {
    Option::<G2Affine>::from(G2Affine::from_compressed(signature))
        .filter(|point| !bool::from(point.is_identity()))
        .ok_or(SignatureError::MalformedSignature)
}

fn hash_to_g2(message: &[u8]) -> G2Affine {
    let point =
        <G2Projective as HashToCurve<ExpandMsgXmd<Sha256>>>::hash_to_curve([message], BLS_DST);
    G2Affine::from(point)
}

#[cfg(test)]
mod tests;
