//! A proof as it travels and as it is kept in a file.

use std::fmt;

use lc_core::ProgramId;
use serde::{Deserialize, Serialize};

use super::{
    CircuitHash, ProofMode, VkeyHash, bytes,
    frame::{FrameError, decode_body, encode_body},
};

/// What made a proof. Variant order is wire format: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EngineKind {
    /// Nothing is proven: for tests and load. A verifier refuses it unless told otherwise.
    Mock,
    /// SP1's CPU prover.
    Cpu,
    /// SP1's CUDA prover.
    Cuda,
    /// SP1's distributed prover.
    Cluster,
}

impl EngineKind {
    /// The name in flags and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Cluster => "cluster",
        }
    }

    /// Whether this engine proves nothing.
    #[must_use]
    pub const fn is_mock(self) -> bool {
        matches!(self, Self::Mock)
    }
}

impl fmt::Display for EngineKind {
    /// `MOCK` stands out on purpose: nobody should take such a proof for a real one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_mock() { "MOCK" } else { self.name() })
    }
}

/// A proof of one program's public values. It says nothing until it was verified against a pinned
/// key: every field but `bytes` is what the sender claims.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Which statement.
    pub program: ProgramId,
    /// Which kind of proof.
    pub mode: ProofMode,
    /// What made it.
    pub engine: EngineKind,
    /// The circuit whose key a SNARK verifies against; `None` for STARKs.
    pub circuit: Option<CircuitHash>,
    /// The key it verifies against.
    pub vkey: VkeyHash,
    /// The SP1 release that made it, for example `6.10.0`.
    pub sp1_version: String,
    /// What it proves: `abi.encode` of the program's public-values struct.
    #[serde(with = "bytes")]
    pub public_values: Vec<u8>,
    /// The proof itself: of a STARK the bincode of `SP1Proof`, of a SNARK the bytes that contracts take.
    #[serde(with = "bytes")]
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Proof {
    /// Lengths instead of megabytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("program", &self.program)
            .field("mode", &self.mode)
            .field("engine", &self.engine)
            .field("circuit", &self.circuit)
            .field("vkey", &self.vkey)
            .field("sp1_version", &self.sp1_version)
            .field("public_values", &format_args!("{} bytes", self.public_values.len()))
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .finish()
    }
}

/// What a proof file starts with; the last byte is the format's version.
const FILE_MAGIC: &[u8; 8] = b"lcproof\x02";

/// Why bytes are not a proof file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFileError {
    /// It does not start like one.
    #[error(
        "not a proof file: it does not start with `lcproof` and version 2; give a file that `light-client prove` wrote"
    )]
    NotAProof,
    /// It starts like one, but the rest is damaged.
    #[error("the proof file is damaged or cut short: fetch the proof again")]
    Damaged(#[source] FrameError),
}

impl Proof {
    /// Whether it claims a circuit whose set-up anybody may know, who could then prove anything.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.circuit.is_some_and(|circuit| !circuit.is_official(self.mode))
    }

    /// The proof as a file: `lcproof`, version byte 2, then the bincode of the struct.
    ///
    /// # Errors
    ///
    /// [`FrameError::Encode`] if it cannot be encoded, which no proof provokes.
    pub fn to_file(&self) -> Result<Vec<u8>, FrameError> {
        let mut file = FILE_MAGIC.to_vec();
        encode_body(self, &mut file)?;
        Ok(file)
    }

    /// Reads what [`Proof::to_file`] made. Nothing is verified.
    ///
    /// # Errors
    ///
    /// [`ProofFileError`] for anything else; bytes after the proof count as damage.
    pub fn from_file(file: &[u8]) -> Result<Self, ProofFileError> {
        let body = file.strip_prefix(FILE_MAGIC).ok_or(ProofFileError::NotAProof)?;
        decode_body(body).map_err(ProofFileError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> Proof {
        Proof {
            program: ProgramId::Inclusion,
            mode: ProofMode::Core,
            engine: EngineKind::Mock,
            circuit: None,
            vkey: VkeyHash([7; 32]),
            sp1_version: "6.10.0".into(),
            public_values: vec![1, 2, 3],
            bytes: vec![9; 100],
        }
    }

    #[test]
    fn a_proof_file_reads_back() {
        let file = proof().to_file().unwrap();
        assert_eq!(Proof::from_file(&file).unwrap(), proof());
    }

    #[test]
    fn a_proof_file_cut_or_extended_anywhere_is_refused() {
        let file = proof().to_file().unwrap();
        for end in 0..file.len() {
            assert!(Proof::from_file(&file[..end]).is_err(), "cut at {end}");
        }
        let mut longer = file;
        longer.push(0);
        assert!(matches!(Proof::from_file(&longer), Err(ProofFileError::Damaged(_))));
    }

    #[test]
    fn another_file_is_told_apart() {
        let error = Proof::from_file(b"{\"version\":\"deneb\"}").unwrap_err();
        assert!(error.to_string().starts_with("not a proof file"), "{error}");
    }

    #[test]
    fn a_mock_proof_shouts() {
        assert_eq!(EngineKind::Mock.to_string(), "MOCK");
        assert_eq!(EngineKind::Cpu.to_string(), "cpu");
        assert!(format!("{:?}", proof()).contains("bytes: 100 bytes"));
    }
}
