//! Stands in for what follows a core proof, in tests: hands out the SNARK that was recorded of the same
//! statement. A real one takes an hour of two cores and gigabytes of circuit.

use std::{fs, io, path::Path};

use lc_core::ProgramId;

use crate::types::{ModeInfo, Phase, Progress, Proof, ProofFileError, ProofMode};

/// Proofs that were made once.
#[derive(Debug)]
pub(super) struct Recorded(Vec<Proof>);

/// Why they cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// The directory or a file cannot be read.
    #[error("cannot read the recorded proofs in {directory}")]
    Read {
        /// The directory.
        directory: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is no proof.
    #[error("{file} is no recorded proof")]
    Proof {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[source]
        source: ProofFileError,
    },
}

impl Recorded {
    /// Reads every file of `directory` whose name ends with `.proof`.
    pub(super) fn read(directory: &Path) -> Result<Self, RecordedError> {
        let unreadable =
            |source| RecordedError::Read { directory: directory.display().to_string(), source };
        let mut proofs = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "proof") {
                let file = fs::read(&path).map_err(unreadable)?;
                let proof = Proof::from_file(&file).map_err(|source| RecordedError::Proof {
                    file: path.display().to_string(),
                    source,
                })?;
                proofs.push(proof);
            }
        }
        Ok(Self(proofs))
    }

    /// The modes there are proofs of; the others say what is missing.
    pub(super) fn modes(&self) -> impl Iterator<Item = ModeInfo> {
        [ProofMode::Compressed, ProofMode::Groth16, ProofMode::Plonk].into_iter().map(|mode| {
            match self.0.iter().find(|proof| proof.mode == mode) {
                Some(proof) => ModeInfo::offered(mode, proof.circuit),
                None => ModeInfo::unsupported(mode, "none is recorded".to_owned()),
            }
        })
    }

    /// The proof of `public_values`, with the phases that making it would have.
    pub(super) fn find(
        &self,
        program: ProgramId,
        mode: ProofMode,
        public_values: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> Option<&Proof> {
        for phase in [Phase::Compress, Phase::Wrap, Phase::Outer] {
            progress(Progress { phase, done: 0, total: 1 });
        }
        self.0.iter().find(|proof| {
            (proof.program, proof.mode) == (program, mode) && proof.public_values == public_values
        })
    }
}
