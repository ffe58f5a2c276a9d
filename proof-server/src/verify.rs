//! Checks proofs against the committed keys: no prover, no key set-up, well under a second and a
//! gigabyte; SNARKs in milliseconds.

use std::sync::LazyLock;

use lc_stark::{Circuit, CompressedVerifier, CoreVerifier, InvalidProof, ProofSystem};

use crate::{
    SP1_VERSION,
    artifacts::{ArtifactError, Artifacts},
    engine::{VerifiedValues, Verifier, VerifyError},
    types::{CircuitHash, Proof, ProofMode},
};

/// Checks proofs of this release's programs. Blocking: half a second for a proof of 12 MB.
#[derive(Debug)]
pub struct ProofVerifier {
    artifacts: Artifacts,
    // Who has a SNARK to check does not wait half a second for these.
    core: LazyLock<CoreVerifier>,
    compressed: LazyLock<CompressedVerifier>,
    development: Vec<Vec<u8>>,
}

impl ProofVerifier {
    /// A verifier with the keys that this release was built with. The first STARK that it checks takes half a second
    /// more than others.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] if they do not fit their manifest.
    pub fn new() -> Result<Self, ArtifactError> {
        Ok(Self {
            artifacts: Artifacts::embedded()?,
            core: LazyLock::new(CoreVerifier::new),
            compressed: LazyLock::new(CompressedVerifier::new),
            development: Vec::new(),
        })
    }

    /// The same, which also takes SNARKs of the development circuits with these verifying keys, as gnark
    /// writes them. Whoever set such a circuit up can prove anything with it.
    #[must_use]
    pub fn with_development_circuits(self, development: Vec<Vec<u8>>) -> Self {
        Self { development, ..self }
    }

    /// The keys it checks against, and what they belong to.
    #[must_use]
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// The circuit that a proof names, if this verifier may use it.
    fn circuit(
        &self,
        system: ProofSystem,
        mode: ProofMode,
        named: Option<CircuitHash>,
    ) -> Result<Circuit, VerifyError> {
        let official = Circuit::official(system);
        // Older than the field, or careless: the proof itself says which circuit it is of.
        let Some(named) = named else { return Ok(official) };
        if named.is_official(mode) {
            return Ok(official);
        }
        let keys = self.development.iter();
        let mut circuits = keys.filter_map(|key| Circuit::from_key(system, key.clone()));
        circuits
            .find(|circuit| circuit.hash() == named.0)
            .ok_or(VerifyError::DevelopmentCircuit { mode, circuit: named })
    }

    fn check(&self, proof: &Proof) -> Result<Result<(), InvalidProof>, VerifyError> {
        let key = self.artifacts.verifying_key(proof.program);
        let (values, bytes) = (&proof.public_values, &proof.bytes);
        let snark = |system| {
            let circuit = self.circuit(system, proof.mode, proof.circuit)?;
            Ok(circuit.verify(key, values, bytes))
        };
        match proof.mode {
            ProofMode::Core => Ok(self.core.verify(key, values, bytes)),
            ProofMode::Compressed => Ok(self.compressed.verify(key, values, bytes)),
            ProofMode::Groth16 => snark(ProofSystem::Groth16),
            ProofMode::Plonk => snark(ProofSystem::Plonk),
        }
    }
}

impl Verifier for ProofVerifier {
    fn verify(&self, proof: &Proof) -> Result<VerifiedValues, VerifyError> {
        let (program, ours) = (proof.program, self.artifacts.vkey(proof.program));
        if proof.engine.is_mock() {
            return Err(VerifyError::Mock);
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
        match self.check(proof)? {
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
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::types::{EngineKind, VkeyHash};

    /// Everything about it is right, but the bytes are no proof.
    fn empty_proof(verifier: &ProofVerifier) -> Proof {
        Proof {
            program: ProgramId::Inclusion,
            mode: ProofMode::Core,
            engine: EngineKind::Cpu,
            circuit: None,
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
    fn bytes_that_are_no_proof_are_malformed_in_every_mode() {
        for mode in ProofMode::ALL {
            let error = refusal(|proof| proof.mode = mode);
            assert!(matches!(error, VerifyError::Malformed { .. }), "{mode}: {error}");
        }
    }

    #[test]
    fn the_hashes_of_the_releases_circuits_are_those_of_sp1s_keys() {
        let official = |system| CircuitHash(Circuit::official(system).hash());
        assert_eq!(official(ProofSystem::Groth16), CircuitHash::GROTH16);
        assert_eq!(official(ProofSystem::Plonk), CircuitHash::PLONK);
    }

    #[test]
    fn a_snark_of_a_development_circuit_is_refused_unless_its_key_was_given() {
        let snark = |proof: &mut Proof| {
            proof.mode = ProofMode::Groth16;
            proof.circuit = Some(CircuitHash(Sha256::digest(b"key").into()));
            proof.bytes = vec![7; 356];
        };
        let error = refusal(snark);
        assert!(matches!(error, VerifyError::DevelopmentCircuit { .. }), "{error}");
        assert!(error.to_string().contains("can have forged it"), "{error}");

        let verifier =
            ProofVerifier::new().unwrap().with_development_circuits(vec![b"key".to_vec()]);
        let mut proof = empty_proof(&verifier);
        snark(&mut proof);
        let error = verifier.verify(&proof).unwrap_err();
        assert!(matches!(error, VerifyError::Invalid { .. }), "{error}");
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
    fn bytes_that_are_nearly_a_proof_are_malformed() {
        let error = refusal(|proof| proof.bytes = vec![0; 100]);
        assert!(matches!(error, VerifyError::Malformed { .. }), "{error}");
    }
}
