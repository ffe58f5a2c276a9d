//! The seam between the rules and the machine that runs them: the same checks run on the host with
//! `blst` and in the zkVM with precompiles.

use alloy_primitives::{B256, FixedBytes};

use crate::root::{PubkeyWords, Root, SignatureWords};

/// A compressed G1 point, as in the consensus specs.
pub type BlsPubkey = FixedBytes<48>;
/// A compressed G2 point, as in the consensus specs.
pub type BlsSignature = FixedBytes<96>;

/// The ciphersuite tag of Ethereum's consensus signatures (consensus-specs, `BLSSignature`).
pub const BLS_DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/// The primitives that a statement needs. Implementations hold no state.
pub trait Crypto {
    /// SHA-256 of the 64 bytes `left ‖ right`: one node of an SSZ Merkle tree.
    fn hash_pair(left: &Root, right: &Root) -> Root;

    /// Keccak-256 of any bytes: trie nodes and trie paths.
    fn keccak256(data: &[u8]) -> B256;

    /// Checks one sync-committee signature.
    ///
    /// # Errors
    /// Says which of key, signature or pairing failed.
    fn verify_sync_signature(check: &SignatureCheck<'_>) -> Result<(), SignatureError>;
}

/// A sync-committee signature to check: `FastAggregateVerify` of the committee without its absentees.
///
/// The keys come from a committee whose root the caller has bound, so they need no subgroup check;
/// the signature comes from anybody and does.
#[derive(Debug, Clone, Copy)]
pub struct SignatureCheck<'a> {
    /// The committee's own `aggregate_pubkey`.
    pub aggregate_pubkey: &'a PubkeyWords,
    /// The keys of the members that did not sign, one for each clear bit (a key may repeat).
    pub absent: &'a [PubkeyWords],
    /// `compute_signing_root(attested_header, domain)`.
    pub signing_root: Root,
    /// The aggregate signature of the members that did.
    pub signature: &'a SignatureWords,
}

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A committee key is not a compressed point of the curve.
    #[error(
        "a committee key is not a compressed G1 point: the committee is damaged, fetch it again"
    )]
    MalformedKey,
    /// The signers' keys add up to the point at infinity, under which anything would verify.
    #[error("the signers' keys add up to the point at infinity: no such update can be accepted")]
    InfiniteKey,
    /// The signature is not a compressed point of the prime-order subgroup, or is infinity.
    #[error(
        "the signature is not a compressed G2 point of prime order: the update is damaged, fetch it again"
    )]
    MalformedSignature,
    /// The pairing check failed.
    #[error(
        "the signature does not verify for these signers, header and fork: check the network and the committee"
    )]
    Mismatch,
}
