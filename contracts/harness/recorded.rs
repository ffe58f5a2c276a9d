//! The SNARKs that were made once, with the statements that they prove.

use std::{fs, path::Path};

use alloy_primitives::{B256, Bytes};
use alloy_sol_types::SolValue;
use lc_core::statement::{CommitteeChange, Inclusion};
use proof_server::types::Proof;

/// A Groth16 proof by the development circuit of `artifacts/snarks`.
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
    pub fn committee_change() -> Self {
        Self::read("committee-change-groth16.proof", |bytes| {
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
    pub fn inclusion() -> Self {
        Self::read("inclusion-groth16.proof", |bytes| {
            Inclusion::abi_decode(bytes).expect("a program committed it")
        })
    }
}

impl<Statement> Recorded<Statement> {
    fn read(file: &str, decode: impl Fn(&[u8]) -> Statement) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts/snarks").join(file);
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
