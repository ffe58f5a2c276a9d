//! SP1's own types behind this crate's, for those crates of this workspace that prove further what
//! was proven here. Nothing else should need them.

use bincode::Options;
use slop_basefold_prover::BasefoldProver;
use slop_jagged::JaggedProver;
use slop_stacked::StackedPcsProver;
use sp1_hypercube::{
    GkrProverImpl, LogupGkrCpuTraceGenerator, SP1Pcs, SP1PcsProofInner, SP1RecursionProof, SP1SC,
    SP1VerifyingKey, ShardProof, ShardVerifier,
    prover::{CpuShardProver, DefaultTraceGenerator, ZerocheckAir},
};
use sp1_primitives::{SP1ExtensionField, SP1Field, SP1GlobalContext};
use sp1_verifier::SP1Proof;

use crate::{InvalidProof, VerifyingKey, verifier};
pub use crate::{prove::Committer, verifier::panic_message};

/// SP1's own CPU prover but for [`Committer`], for any table set over its inner field.
pub type InnerProver<A> = CpuShardProver<
    SP1GlobalContext,
    SP1Pcs<SP1GlobalContext>,
    StackedPcsProver<Committer, SP1GlobalContext>,
    A,
>;

/// A prover of what `verifier` verifies.
pub fn inner_prover<A>(
    verifier: &ShardVerifier<SP1GlobalContext, SP1SC<SP1GlobalContext, A>>,
) -> InnerProver<A>
where
    A: ZerocheckAir<SP1Field, SP1ExtensionField>,
{
    inner_prover_with(verifier, Committer::default())
}

pub(crate) fn inner_prover_with<A>(
    verifier: &ShardVerifier<SP1GlobalContext, SP1SC<SP1GlobalContext, A>>,
    committer: Committer,
) -> InnerProver<A>
where
    A: ZerocheckAir<SP1Field, SP1ExtensionField>,
{
    let (pcs, machine) = (&verifier.jagged_pcs_verifier, verifier.machine.clone());
    let mut basefold = BasefoldProver::new(&pcs.pcs_verifier.basefold_verifier);
    basefold.tcs_prover = committer;
    let mut jagged = JaggedProver::from_verifier(pcs);
    let StackedPcsProver { log_stacking_height, batch_size, .. } = jagged.pcs_prover;
    jagged.pcs_prover = StackedPcsProver::new(basefold, log_stacking_height, batch_size);
    CpuShardProver::from_components(
        DefaultTraceGenerator::new(machine),
        GkrProverImpl::new(LogupGkrCpuTraceGenerator::default()),
        jagged,
    )
}

/// The key as SP1 has it.
#[must_use]
pub fn key(key: &VerifyingKey) -> &SP1VerifyingKey {
    &key.0
}

/// The shards of a core proof, in the verifier's order.
///
/// # Errors
///
/// [`InvalidProof::Malformed`].
pub fn decode_core(
    bytes: &[u8],
) -> Result<Vec<ShardProof<SP1GlobalContext, SP1PcsProofInner>>, InvalidProof> {
    verifier::decode(bytes).map(|proof| proof.0)
}

/// A compressed proof.
///
/// # Errors
///
/// [`InvalidProof::Malformed`].
pub fn decode_compressed(
    bytes: &[u8],
) -> Result<SP1RecursionProof<SP1GlobalContext, SP1PcsProofInner>, InvalidProof> {
    verifier::decode_compressed(bytes)
}

/// Writes a compressed proof as [`CompressedVerifier`](crate::CompressedVerifier) reads it.
#[must_use]
pub fn encode_compressed(proof: SP1RecursionProof<SP1GlobalContext, SP1PcsProofInner>) -> Vec<u8> {
    let options = bincode::DefaultOptions::new().with_fixint_encoding();
    let proof = SP1Proof::Compressed(Box::new(proof));
    options.serialize(&proof).expect("plain data in memory can be encoded")
}
