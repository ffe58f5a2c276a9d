//! Checks proofs against the committed keys: no prover, no key set-up, well under a second and a
//! gigabyte.

use lc_stark::{CoreVerifier, InvalidProof};

use crate::{
    SP1_VERSION,
    artifacts::{ArtifactError, Artifacts},
    engine::{VerifiedValues, Verifier, VerifyError},
    types::{Proof, ProofMode},
};

/// Checks proofs of this release's programs. Blocking: half a second for a proof of 12 MB.
#[derive(Debug)]
pub struct ProofVerifier {
    artifacts: Artifacts,
    core: CoreVerifier,
}

impl ProofVerifier {
    /// A verifier with the keys that this release was built with. Half a second.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] if they do not fit their manifest.
    pub fn new() -> Result<Self, ArtifactError> {
        Ok(Self { artifacts: Artifacts::embedded()?, core: CoreVerifier::new() })
    }

    /// The keys it checks against, and what they belong to.
    #[must_use]
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }
}

impl Verifier for ProofVerifier {
    fn verify(&self, proof: &Proof) -> Result<VerifiedValues, VerifyError> {
        let (program, ours) = (proof.program, self.artifacts.vkey(proof.program));
        if proof.engine.is_mock() {
            return Err(VerifyError::Mock);
        }
        if proof.mode != ProofMode::Core {
            return Err(VerifyError::Unsupported { mode: proof.mode });
        }
        if proof.vkey != ours {
            return Err(VerifyError::Vkey { program, theirs: proof.vkey, ours });
        }
        if proof.sp1_version != SP1_VERSION {
            return Err(VerifyError::Version {
                program,
                theirs: proof.sp1_version.clone(),
                ours: SP1_VERSION,
            });
        }
        match self.core.verify(
            self.artifacts.verifying_key(program),
            &proof.public_values,
            &proof.bytes,
        ) {
            Ok(()) => Ok(VerifiedValues(proof.public_values.clone())),
            Err(InvalidProof::PublicValues) => Err(VerifyError::PublicValues { program }),
            Err(InvalidProof::Malformed(reason)) => Err(VerifyError::Malformed { program, reason }),
            Err(refused) => Err(VerifyError::Invalid { program, reason: refused.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use lc_core::ProgramId;

    use super::*;
    use crate::types::{EngineKind, VkeyHash};

    /// Everything about it is right, but the bytes are no proof.
    fn empty_proof(verifier: &ProofVerifier) -> Proof {
        Proof {
            program: ProgramId::Inclusion,
            mode: ProofMode::Core,
            engine: EngineKind::Cpu,
            vkey: verifier.artifacts().vkey(ProgramId::Inclusion),
            sp1_version: SP1_VERSION.to_owned(),
            public_values: vec![1],
            bytes: Vec::new(),
        }
    }

    fn refusal(change: impl Fn(&mut Proof)) -> VerifyError {
        let verifier = ProofVerifier::new().unwrap();
        let mut proof = empty_proof(&verifier);
        change(&mut proof);
        verifier.verify(&proof).unwrap_err()
    }

    #[test]
    fn a_mock_proof_is_refused_whatever_else_it_says() {
        let error = refusal(|proof| proof.engine = EngineKind::Mock);
        assert!(matches!(error, VerifyError::Mock), "{error}");
    }

    #[test]
    fn a_mode_that_is_not_checked_here_is_named() {
        let error = refusal(|proof| proof.mode = ProofMode::Groth16);
        assert!(matches!(error, VerifyError::Unsupported { mode: ProofMode::Groth16 }), "{error}");
    }

    #[test]
    fn a_proof_for_another_key_is_refused_with_both_keys() {
        let error = refusal(|proof| proof.vkey = VkeyHash([7; 32]));
        let VerifyError::Vkey { theirs, ours, .. } = error else { panic!("{error}") };
        assert_eq!(theirs, VkeyHash([7; 32]));
        assert_ne!(ours, theirs);
    }

    #[test]
    fn a_proof_of_one_program_is_not_taken_for_the_other() {
        let error = refusal(|proof| proof.program = ProgramId::CommitteeChange);
        assert!(matches!(error, VerifyError::Vkey { .. }), "{error}");
    }

    #[test]
    fn a_proof_of_another_sp1_release_is_refused_with_both() {
        let error = refusal(|proof| proof.sp1_version = "6.9.0".into());
        let text = "the proof of inclusion was made by SP1 6.9.0, this release checks proofs of SP1 6.10.0";
        assert!(error.to_string().starts_with(text), "{error}");
    }

    #[test]
    fn bytes_that_are_no_proof_are_malformed() {
        let error = refusal(|_| {});
        assert!(matches!(error, VerifyError::Malformed { .. }), "{error}");
        let error = refusal(|proof| proof.bytes = vec![0; 100]);
        assert!(matches!(error, VerifyError::Malformed { .. }), "{error}");
    }
}
