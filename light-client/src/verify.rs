//! From a proof that anybody may have sent to a statement that holds.

use std::error::Error;

use proof_server::types::{CircuitHash, ProgramInfo, Proof};

use crate::{
    circuit::{CircuitNotAllowed, check_circuit, circuit_hash},
    statement::{PublicValuesError, Statement},
};

/// Checks proofs against the keys that this release was built with. Needs no prover.
pub trait ProofChecker {
    /// The programs it knows and their keys: what a server must have.
    fn pins(&self) -> Vec<ProgramInfo>;

    /// The development circuits that it was given the keys of. Whoever set one up can forge its proofs.
    fn development_circuits(&self) -> Vec<CircuitHash>;

    /// Checks that the proof holds under the key of its program, and a SNARK under the key of the circuit that it
    /// names; the public values that it proves.
    ///
    /// # Errors
    /// [`ProofError::Invalid`], or [`ProofError::NoVerifier`].
    fn check(&self, proof: &Proof) -> Result<Vec<u8>, ProofError>;
}

/// Why a proof says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Nothing was proven.
    #[error(
        "the proof was made by the MOCK engine and proves nothing: ask a server with a real engine, or pass --allow-mock in a test"
    )]
    Mock,
    /// A SNARK of a development circuit that was not allowed.
    #[error(transparent)]
    Circuit(#[from] CircuitNotAllowed),
    /// It does not verify.
    #[error("the proof does not verify")]
    Invalid(#[source] Box<dyn Error + Send + Sync>),
    /// It verifies, and its public values are not a statement.
    #[error(transparent)]
    PublicValues(#[from] PublicValuesError),
    /// There is nothing to check it with.
    #[error(
        "this light-client was built without the feature `verify` and cannot check real proofs: build it with default features"
    )]
    NoVerifier,
    /// The keys that were built in are damaged.
    #[error("the keys that this light-client was built with cannot be used")]
    Keys(#[source] Box<dyn Error + Send + Sync>),
}

/// A statement that holds: only [`verify`] makes one. It says nothing about what its reader trusts
/// until [`decide`](crate::decide) has compared it with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a verified statement is worth nothing until it is compared with a store"]
pub struct Verified {
    statement: Statement,
    mock: bool,
    development: bool,
}

impl Verified {
    /// What holds.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Whether it holds only because MOCK proofs were allowed.
    #[must_use]
    pub const fn is_mock(&self) -> bool {
        self.mock
    }

    /// Whether it is only as good as the word of whoever set up a development circuit that was allowed.
    #[must_use]
    pub const fn is_development(&self) -> bool {
        self.development
    }

    /// The statement alone.
    #[must_use]
    pub fn into_statement(self) -> Statement {
        self.statement
    }
}

/// Verifies a proof. One by the MOCK engine passes unverified if `allow_mock`; one of a development circuit is
/// verified if `checker` was given that circuit's key.
///
/// # Errors
/// [`ProofError`].
pub fn verify(
    checker: &dyn ProofChecker,
    proof: &Proof,
    allow_mock: bool,
) -> Result<Verified, ProofError> {
    let (mock, development) = (proof.engine.is_mock(), proof.is_development());
    if mock && !allow_mock {
        return Err(ProofError::Mock);
    }
    check_circuit(proof.mode, proof.circuit, &checker.development_circuits())?;
    let public_values = if mock { proof.public_values.clone() } else { checker.check(proof)? };
    let statement = Statement::decode(proof.program, &public_values)?;
    Ok(Verified { statement, mock, development })
}

/// The checker of this build. It also takes SNARKs of the circuits with the verifying keys `development`, as gnark
/// writes them: for tests, since whoever set such a circuit up can forge its proofs.
///
/// # Errors
/// [`ProofError::Keys`] where the keys that were built in cannot be used.
#[cfg(feature = "verify")]
pub fn built_in_checker(development: Vec<Vec<u8>>) -> Result<Box<dyn ProofChecker>, ProofError> {
    sp1::Sp1Checker::new(development).map(|checker| Box::new(checker) as _)
}

/// The checker of this build: there is none, real proofs are refused.
///
/// # Errors
/// None in this build.
#[cfg(not(feature = "verify"))]
pub fn built_in_checker(development: Vec<Vec<u8>>) -> Result<Box<dyn ProofChecker>, ProofError> {
    Ok(Box::new(NoChecker { development: hashes(&development) }))
}

fn hashes(keys: &[Vec<u8>]) -> Vec<CircuitHash> {
    keys.iter().map(|key| circuit_hash(key)).collect()
}

/// Refuses every proof.
#[cfg(not(feature = "verify"))]
struct NoChecker {
    development: Vec<CircuitHash>,
}

#[cfg(not(feature = "verify"))]
impl ProofChecker for NoChecker {
    fn pins(&self) -> Vec<ProgramInfo> {
        Vec::new()
    }

    fn development_circuits(&self) -> Vec<CircuitHash> {
        self.development.clone()
    }

    fn check(&self, _proof: &Proof) -> Result<Vec<u8>, ProofError> {
        Err(ProofError::NoVerifier)
    }
}

#[cfg(feature = "verify")]
mod sp1 {
    use proof_server::{artifacts::ProgramEntry, engine::Verifier, verify::ProofVerifier};

    use super::{CircuitHash, ProgramInfo, Proof, ProofChecker, ProofError, hashes};

    /// SP1's verifier with the committed keys, and those of the development circuits that were allowed.
    pub(super) struct Sp1Checker {
        verifier: ProofVerifier,
        development: Vec<CircuitHash>,
    }

    impl Sp1Checker {
        pub(super) fn new(keys: Vec<Vec<u8>>) -> Result<Self, ProofError> {
            let verifier = ProofVerifier::new().map_err(|err| ProofError::Keys(err.into()))?;
            let development = hashes(&keys);
            Ok(Self { verifier: verifier.with_development_circuits(keys), development })
        }
    }

    impl ProofChecker for Sp1Checker {
        fn pins(&self) -> Vec<ProgramInfo> {
            let entries = self.verifier.artifacts().entries();
            let info = |entry: &ProgramEntry| ProgramInfo {
                program: entry.program,
                elf_sha256: entry.sha256,
                vkey: entry.vkey,
            };
            entries.map(info).collect()
        }

        fn development_circuits(&self) -> Vec<CircuitHash> {
            self.development.clone()
        }

        fn check(&self, proof: &Proof) -> Result<Vec<u8>, ProofError> {
            let verified =
                self.verifier.verify(proof).map_err(|err| ProofError::Invalid(err.into()))?;
            Ok(verified.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use proof_server::types::EngineKind;

    use super::*;
    use crate::testing::{AllowingChecker, DEV_CIRCUIT, FakeChecker, change, proof_of, snark_of};

    #[test]
    fn a_proof_that_holds_gives_its_statement() {
        let statement = Statement::CommitteeChange(change());
        let verified = verify(&FakeChecker, &proof_of(&statement), false).unwrap();
        assert!(!verified.is_mock() && !verified.is_development());
        assert_eq!(verified.into_statement(), statement);
    }

    #[test]
    fn a_proof_that_does_not_hold_gives_nothing() {
        let mut proof = proof_of(&Statement::CommitteeChange(change()));
        proof.bytes = b"forged".to_vec();
        let error = verify(&FakeChecker, &proof, true).unwrap_err();
        assert!(matches!(error, ProofError::Invalid(_)), "{error}");
    }

    #[test]
    fn a_mock_proof_passes_only_where_it_is_allowed_and_is_marked() {
        let mut proof = proof_of(&Statement::CommitteeChange(change()));
        proof.engine = EngineKind::Mock;
        let error = verify(&FakeChecker, &proof, false).unwrap_err();
        assert!(error.to_string().contains("MOCK") && error.to_string().contains("--allow-mock"));
        assert!(verify(&FakeChecker, &proof, true).unwrap().is_mock());
    }

    #[test]
    fn a_snark_of_the_official_circuit_needs_no_leave() {
        let snark = snark_of(&Statement::CommitteeChange(change()), CircuitHash::GROTH16);
        assert!(!verify(&FakeChecker, &snark, false).unwrap().is_development());
    }

    #[test]
    fn a_snark_of_a_development_circuit_passes_only_where_its_key_was_given_and_is_marked() {
        let snark = snark_of(&Statement::CommitteeChange(change()), DEV_CIRCUIT);
        let error = verify(&FakeChecker, &snark, true).unwrap_err();
        assert!(matches!(error, ProofError::Circuit(_)), "{error}");
        let error = verify(&AllowingChecker(CircuitHash([1; 32])), &snark, true).unwrap_err();
        assert!(matches!(error, ProofError::Circuit(_)), "{error}");
        let verified = verify(&AllowingChecker(DEV_CIRCUIT), &snark, false).unwrap();
        assert!(verified.is_development() && !verified.is_mock());
    }

    #[test]
    fn leave_for_a_development_circuit_is_no_leave_for_a_forgery_or_a_mock() {
        let mut snark = snark_of(&Statement::CommitteeChange(change()), DEV_CIRCUIT);
        snark.bytes = b"forged".to_vec();
        let error = verify(&AllowingChecker(DEV_CIRCUIT), &snark, false).unwrap_err();
        assert!(matches!(error, ProofError::Invalid(_)), "{error}");
        snark.engine = EngineKind::Mock;
        let error = verify(&AllowingChecker(DEV_CIRCUIT), &snark, false).unwrap_err();
        assert!(matches!(error, ProofError::Mock), "{error}");
        // Nor the other way round.
        let error = verify(&FakeChecker, &snark, true).unwrap_err();
        assert!(matches!(error, ProofError::Circuit(_)), "{error}");
    }

    #[test]
    fn the_built_in_checker_knows_the_circuits_that_it_was_given_by_their_keys() {
        let checker = built_in_checker(vec![b"abc".to_vec()]).unwrap();
        assert_eq!(checker.development_circuits(), [circuit_hash(b"abc")]);
        assert_eq!(built_in_checker(Vec::new()).unwrap().development_circuits(), []);
    }

    #[test]
    fn a_proof_of_bytes_that_are_no_statement_gives_nothing() {
        let mut proof = proof_of(&Statement::CommitteeChange(change()));
        proof.public_values.push(0);
        let error = verify(&FakeChecker, &proof, false).unwrap_err();
        assert!(matches!(error, ProofError::PublicValues(_)), "{error}");
    }
}
