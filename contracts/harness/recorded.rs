//! The SNARKs that were made once, with the statements that they prove.

use std::{fs, path::Path};

use alloy_primitives::{B256, Bytes};
use alloy_sol_types::SolValue;
use lc_core::statement::{CommitteeChange, Inclusion};
use proof_server::types::Proof;

use crate::{SP1Verifier, SP1VerifierPlonk};

/// How a proof was made: each has a circuit, a verifier contract and a length of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofSystem {
    /// 356 bytes.
    Groth16,
    /// 964 bytes.
    Plonk,
}

impl ProofSystem {
    /// Creation code of SP1's verifier for its development circuit.
    #[must_use]
    pub fn verifier_code(self) -> Bytes {
        match self {
            Self::Groth16 => SP1Verifier::BYTECODE.clone(),
            Self::Plonk => SP1VerifierPlonk::BYTECODE.clone(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Groth16 => "groth16",
            Self::Plonk => "plonk",
        }
    }
}

/// A proof by a development circuit of `artifacts/snarks`.
#[derive(Debug, Clone)]
pub struct Recorded<Statement> {
    /// What it proves.
    pub statement: Statement,
    /// The same as the program committed it.
    pub public_values: Bytes,
    /// As SP1's verifiers take it.
    pub proof: Bytes,
    /// The program's key.
    pub vkey: B256,
}

impl Recorded<CommitteeChange> {
    /// Of the simulated chain's first change.
    ///
    /// # Panics
    /// If the committed files are damaged.
    #[must_use]
    pub fn committee_change(system: ProofSystem) -> Self {
        Self::read("committee-change", system, |bytes| {
            CommitteeChange::abi_decode(bytes).expect("a program committed it")
        })
    }
}

impl Recorded<Inclusion> {
    /// Of a token's slots, signed by the committee that the first change brings.
    ///
    /// # Panics
    /// If the committed files are damaged.
    #[must_use]
    pub fn inclusion(system: ProofSystem) -> Self {
        Self::read("inclusion", system, |bytes| {
            Inclusion::abi_decode(bytes).expect("a program committed it")
        })
    }
}

impl<Statement> Recorded<Statement> {
    fn read(program: &str, system: ProofSystem, decode: impl Fn(&[u8]) -> Statement) -> Self {
        let file = format!("../artifacts/snarks/{program}-{}.proof", system.name());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let file = fs::read(path).expect("a committed file");
        let proof = Proof::from_file(&file).expect("`make snark` wrote it");
        Self {
            statement: decode(&proof.public_values),
            public_values: proof.public_values.into(),
            proof: proof.bytes.into(),
            vkey: proof.vkey.0.into(),
        }
    }
}
