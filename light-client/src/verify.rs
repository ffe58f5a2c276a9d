//! From a proof that anybody may have sent to a statement that holds.

use std::error::Error;

use proof_server::types::{EngineKind, ProgramInfo, Proof};

use crate::statement::{PublicValuesError, Statement};

/// Checks proofs against the keys that this release was built with. Needs no prover.
pub trait ProofChecker {
    /// The programs it knows and their keys: what a server must have.
    fn pins(&self) -> Vec<ProgramInfo>;

    /// Checks that the proof holds under the key of its program; the public values that it proves.
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

    /// The statement alone.
    #[must_use]
    pub fn into_statement(self) -> Statement {
        self.statement
    }
}

/// Verifies a proof. One by the MOCK engine passes unverified if `allow_mock`.
///
/// # Errors
/// [`ProofError`].
pub fn verify(
    checker: &dyn ProofChecker,
    proof: &Proof,
    allow_mock: bool,
) -> Result<Verified, ProofError> {
    let mock = proof.engine == EngineKind::Mock;
    let public_values = match (mock, allow_mock) {
        (false, _) => checker.check(proof)?,
        (true, true) => proof.public_values.clone(),
        (true, false) => return Err(ProofError::Mock),
    };
    Ok(Verified { statement: Statement::decode(proof.program, &public_values)?, mock })
}

/// The checker of this build.
///
/// # Errors
/// [`ProofError::Keys`] where the keys that were built in cannot be used.
#[cfg(feature = "verify")]
pub fn built_in_checker() -> Result<Box<dyn ProofChecker>, ProofError> {
    sp1::Sp1Checker::new().map(|checker| Box::new(checker) as _)
}

/// The checker of this build: there is none, real proofs are refused.
///
/// # Errors
/// None in this build.
#[cfg(not(feature = "verify"))]
pub fn built_in_checker() -> Result<Box<dyn ProofChecker>, ProofError> {
    Ok(Box::new(NoChecker))
}

/// Refuses every proof.
#[cfg(not(feature = "verify"))]
struct NoChecker;

#[cfg(not(feature = "verify"))]
impl ProofChecker for NoChecker {
    fn pins(&self) -> Vec<ProgramInfo> {
        Vec::new()
    }

    fn check(&self, _proof: &Proof) -> Result<Vec<u8>, ProofError> {
        Err(ProofError::NoVerifier)
    }
}

#[cfg(feature = "verify")]
mod sp1 {
    use proof_server::{artifacts::ProgramEntry, engine::Verifier, verify::ProofVerifier};

    use super::{ProgramInfo, Proof, ProofChecker, ProofError};

    /// SP1's verifier with the committed keys.
    pub(super) struct Sp1Checker(ProofVerifier);

    impl Sp1Checker {
        pub(super) fn new() -> Result<Self, ProofError> {
            ProofVerifier::new().map(Self).map_err(|err| ProofError::Keys(err.into()))
        }
    }

    impl ProofChecker for Sp1Checker {
        fn pins(&self) -> Vec<ProgramInfo> {
            let entries = self.0.artifacts().entries();
            let info = |entry: &ProgramEntry| ProgramInfo {
                program: entry.program,
                elf_sha256: entry.sha256,
                vkey: entry.vkey,
            };
            entries.map(info).collect()
        }

        fn check(&self, proof: &Proof) -> Result<Vec<u8>, ProofError> {
            let verified = self.0.verify(proof).map_err(|err| ProofError::Invalid(err.into()))?;
            Ok(verified.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeChecker, change, proof_of};

    #[test]
    fn a_proof_that_holds_gives_its_statement() {
        let statement = Statement::CommitteeChange(change());
        let verified = verify(&FakeChecker, &proof_of(&statement), false).unwrap();
        assert!(!verified.is_mock());
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
    fn a_proof_of_bytes_that_are_no_statement_gives_nothing() {
        let mut proof = proof_of(&Statement::CommitteeChange(change()));
        proof.public_values.push(0);
        let error = verify(&FakeChecker, &proof, false).unwrap_err();
        assert!(matches!(error, ProofError::PublicValues(_)), "{error}");
    }
}
