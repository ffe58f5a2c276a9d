//! Checks core proofs: no prover, no key set-up, well under a second and a gigabyte.

use std::{
    any::Any,
    borrow::Borrow,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bincode::Options;
use sha2::{Digest, Sha256};
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{
    HashableKey, Machine, PROOF_MAX_NUM_PVS, PrimeField32, SP1PcsProofInner, SP1RecursionProof,
    ShardProof, air::PublicValues,
};
use sp1_primitives::{SP1Field, SP1GlobalContext};
use sp1_prover::{
    SP1CoreProofData,
    verify::{SP1Verifier, VerifierRecursionVks},
};
use sp1_verifier::{
    SP1Proof,
    compressed::{CompressedError, SP1CompressedVerifier},
};

use crate::VerifyingKey;

pub(crate) type Shard = ShardProof<SP1GlobalContext, SP1PcsProofInner>;

/// Why bytes are no core proof of given public values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProof {
    /// The bytes are not one core proof, or more than that.
    #[error("the bytes are no SP1 core proof: {0}")]
    Malformed(String),
    /// It is a proof of something else, if it is one.
    #[error("the public values are not those that the proof commits to")]
    PublicValues,
    /// It does not prove what it should.
    #[error("the proof does not hold: {0}")]
    Refused(String),
}

/// Checks core proofs of any program.
pub struct CoreVerifier(SP1Verifier);

impl CoreVerifier {
    /// A verifier; takes half a second and some 50 MB.
    #[must_use]
    pub fn new() -> Self {
        Self::for_machine(RiscvAir::machine())
    }

    pub(crate) fn for_machine(machine: Machine<SP1Field, RiscvAir<SP1Field>>) -> Self {
        Self(SP1Verifier::new_with_machine(VerifierRecursionVks::default(), machine))
    }

    /// Checks that `bytes` prove: the program of `key` ran, ended with success and committed
    /// `public_values`.
    ///
    /// `bytes` are the bincode (1, fixed-width integers, little endian, nothing after it) of
    /// [`SP1Proof::Core`].
    ///
    /// # Errors
    ///
    /// [`InvalidProof`], whatever the bytes are; never a panic.
    pub fn verify(
        &self,
        key: &VerifyingKey,
        public_values: &[u8],
        bytes: &[u8],
    ) -> Result<(), InvalidProof> {
        guarded(|| self.verify_unguarded(key, public_values, bytes))
    }

    fn verify_unguarded(
        &self,
        key: &VerifyingKey,
        public_values: &[u8],
        bytes: &[u8],
    ) -> Result<(), InvalidProof> {
        let proof = decode(bytes)?;
        let last =
            proof.0.last().ok_or_else(|| InvalidProof::Malformed("it has no shards".into()))?;
        check_public_values(last, public_values)?;
        self.0.verify(&proof, &key.0).map_err(|error| InvalidProof::Refused(error.to_string()))
    }
}

impl Default for CoreVerifier {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CoreVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreVerifier").finish_non_exhaustive()
    }
}

/// SP1 checks a proof's shape as it goes, and indexes and asserts on the way. It was not written to be handed proofs
/// by strangers inside a server, so a panic counts as a refusal. Verifiers are only read: nothing can be left half-done.
fn guarded(verify: impl FnOnce() -> Result<(), InvalidProof>) -> Result<(), InvalidProof> {
    catch_unwind(AssertUnwindSafe(verify))
        .unwrap_or_else(|panic| Err(InvalidProof::Malformed(panic_message(&*panic))))
}

/// Reads the proof. Takes memory as bytes come: serde reserves at most a megabyte on a count's
/// word.
fn decode_any(bytes: &[u8]) -> Result<SP1Proof, InvalidProof> {
    let options =
        bincode::DefaultOptions::new().with_fixint_encoding().with_limit(bytes.len() as u64);
    options.deserialize(bytes).map_err(|error| InvalidProof::Malformed(error.to_string()))
}

pub(crate) fn decode(bytes: &[u8]) -> Result<SP1CoreProofData, InvalidProof> {
    match decode_any(bytes)? {
        SP1Proof::Core(shards) => Ok(SP1CoreProofData(shards)),
        other => Err(InvalidProof::Malformed(format!("it is a {other} proof"))),
    }
}

pub(crate) fn decode_compressed(
    bytes: &[u8],
) -> Result<SP1RecursionProof<SP1GlobalContext, SP1PcsProofInner>, InvalidProof> {
    match decode_any(bytes)? {
        SP1Proof::Compressed(proof) => Ok(*proof),
        other => Err(InvalidProof::Malformed(format!("it is a {other} proof"))),
    }
}

/// Checks compressed proofs of any program: one STARK of constant size.
pub struct CompressedVerifier(SP1CompressedVerifier);

impl CompressedVerifier {
    /// A verifier; takes some milliseconds.
    #[must_use]
    pub fn new() -> Self {
        Self(SP1CompressedVerifier::new())
    }

    /// Checks that `bytes` prove: the program of `key` ran, ended with success and committed
    /// `public_values`.
    ///
    /// `bytes` are the bincode (1, fixed-width integers, little endian, nothing after it) of
    /// [`SP1Proof::Compressed`].
    ///
    /// # Errors
    ///
    /// [`InvalidProof`], whatever the bytes are; never a panic.
    pub fn verify(
        &self,
        key: &VerifyingKey,
        public_values: &[u8],
        bytes: &[u8],
    ) -> Result<(), InvalidProof> {
        guarded(|| {
            let proof = decode_compressed(bytes)?;
            let key = key.0.hash_koalabear();
            self.0.verify_compressed_with_public_values(&proof, public_values, &key).map_err(
                |error| match error {
                    CompressedError::PublicValuesMismatch => InvalidProof::PublicValues,
                    error => InvalidProof::Refused(error.to_string()),
                },
            )
        })
    }
}

impl Default for CompressedVerifier {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CompressedVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompressedVerifier").finish_non_exhaustive()
    }
}

/// Writes a proof as [`CoreVerifier::verify`] reads it.
#[cfg(feature = "prove")]
pub(crate) fn encode(shards: Vec<Shard>) -> Vec<u8> {
    let options = bincode::DefaultOptions::new().with_fixint_encoding();
    options.serialize(&SP1Proof::Core(shards)).expect("plain data in memory can be encoded")
}

/// Checks what SP1's SDK checks around its verifier: the last shard's claims are about
/// `public_values`, and the program did not fail. The verifier itself ties the other shards to the
/// last.
fn check_public_values(last: &Shard, public_values: &[u8]) -> Result<(), InvalidProof> {
    if last.public_values.len() != PROOF_MAX_NUM_PVS {
        let count = last.public_values.len();
        return Err(InvalidProof::Malformed(format!(
            "a shard has {count} public values, not {PROOF_MAX_NUM_PVS}"
        )));
    }
    let claimed: &PublicValues<[SP1Field; 4], [SP1Field; 3], [SP1Field; 4], SP1Field> =
        last.public_values.as_slice().borrow();
    let exit_code = claimed.exit_code.as_canonical_u32();
    if exit_code != 0 {
        return Err(InvalidProof::Refused(format!("the program ended with exit code {exit_code}")));
    }
    let claimed =
        claimed.committed_value_digest.iter().flatten().map(|byte| byte.as_canonical_u32());
    let digest = Sha256::digest(public_values);
    if claimed.eq(digest.iter().copied().map(u32::from)) {
        Ok(())
    } else {
        Err(InvalidProof::PublicValues)
    }
}

/// What a panic said.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
