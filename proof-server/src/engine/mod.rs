//! What proves. Only a worker process calls an engine: the provers cannot be cancelled and may be
//! killed for memory, so they must not share a process with the server.

#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "cpu")]
pub mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
#[cfg(feature = "server")]
pub mod mock;
#[cfg(any(feature = "cluster", feature = "cuda"))]
pub mod outside;

use lc_core::ProgramId;
use serde::{Deserialize, Serialize};

use crate::types::{EngineInfo, Progress, Proof, ProofMode};

/// Makes proofs. Blocking.
pub trait Engine {
    /// What it is, and what a client pins. Constant for the life of the engine.
    fn describe(&self) -> EngineInfo;

    /// Proves `program` over `witness` (the guest's input, as [`lc_core::host::input::Checked::witness`]
    /// has it) and verifies the proof it made. Reports each step to `progress`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unsupported`] for a mode it cannot make, [`EngineError::Rejected`] where the guest
    /// finds fault with the witness, [`EngineError::Failed`] for everything that is the prover's fault.
    fn prove(
        &mut self,
        program: ProgramId,
        mode: ProofMode,
        witness: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Proven, EngineError>;
}

/// Checks proofs against this server's keys. Blocking; starts fast and needs little memory.
pub trait Verifier {
    /// Verifies `proof` against the server's own key for its program and says what was proven. The
    /// fields of `proof` are claims: program, mode, key and public values must all be checked.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if the proof does not hold, or for a mode or key that it cannot check.
    fn verify(&self, proof: &Proof) -> Result<VerifiedValues, VerifyError>;
}

/// A proof that its engine has verified, and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The proof.
    pub proof: Proof,
    /// Cycles the program ran.
    pub cycles: u64,
    /// Shards the proof consists of.
    pub shards: u32,
}

/// What a verified proof says.
#[must_use = "a verified proof says nothing until its public values are compared"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedValues(pub Vec<u8>);

/// What failed about a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GpuFault {
    /// It has too little free memory.
    Memory,
    /// CUDA says that the device or its driver failed.
    Device,
    /// SP1's GPU server ended or panicked for another reason.
    Server,
}

impl GpuFault {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Device, Self::Server];

    #[cfg(feature = "cuda")]
    fn of(fault: lc_cuda::Fault) -> Self {
        match fault {
            lc_cuda::Fault::Memory => Self::Memory,
            lc_cuda::Fault::Device => Self::Device,
            lc_cuda::Fault::Server => Self::Server,
        }
    }

    /// As the beginning of a sentence.
    const fn words(self) -> &'static str {
        match self {
            Self::Memory => "ran out of memory",
            Self::Device => "failed",
            Self::Server => "lost its server",
        }
    }
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// It cannot make such a proof.
    #[error("{engine} cannot make {mode} proofs of {program}: {hint}")]
    Unsupported {
        /// The engine.
        engine: crate::types::EngineKind,
        /// The mode asked for.
        mode: ProofMode,
        /// The program asked for.
        program: ProgramId,
        /// What to ask for instead.
        hint: String,
    },
    /// The program ended without output: the witness breaks a rule.
    #[error("the program {program} refused its input: {reason}")]
    Rejected {
        /// The program.
        program: ProgramId,
        /// What the executor said.
        reason: String,
    },
    /// A GPU failed. The worker is replaced, and the GPU's server with it.
    #[error("GPU {device} {} while it was to {doing}; a new server is being started for it, send the request again later", fault.words())]
    Gpu {
        /// As `nvidia-smi` counts.
        device: u32,
        /// What failed.
        fault: GpuFault,
        /// Verb and object.
        doing: &'static str,
        /// What the GPU's server said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A cluster made no proof. The worker goes on.
    #[error("the cluster made no proof")]
    Cluster {
        /// Whether the same request may do better later.
        worth_another_try: bool,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The prover failed, or its proof did not verify. The worker is replaced.
    #[error("the prover failed while it was to {doing}")]
    Failed {
        /// Verb and object, for example `prove shard 3 of 7`.
        doing: &'static str,
        /// What the prover said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a proof was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The proof names another key than this release has for its program.
    #[error(
        "the proof of {program} is for key {theirs}, this release has {ours}: use the release that made it"
    )]
    Vkey {
        /// The program the proof names.
        program: ProgramId,
        /// The key the proof names.
        theirs: crate::types::VkeyHash,
        /// The key of this release.
        ours: crate::types::VkeyHash,
    },
    /// A proof that proves nothing.
    #[error(
        "the proof was made by the MOCK engine and proves nothing: ask a server with a real engine"
    )]
    Mock,
    /// A SNARK of a circuit that is not SP1's, and that nobody allowed.
    #[error(
        "the {mode} proof is of the development circuit {circuit}: whoever set that up can have forged it; ask a server with the official circuit, or in a test allow this one"
    )]
    DevelopmentCircuit {
        /// The mode the proof names.
        mode: ProofMode,
        /// The circuit the proof names.
        circuit: crate::types::CircuitHash,
    },
    /// Another SP1 release made it.
    #[error(
        "the proof of {program} was made by SP1 {theirs}, this release checks proofs of SP1 {ours}: use the release that made it"
    )]
    Version {
        /// The program the proof names.
        program: ProgramId,
        /// The SP1 release the proof names.
        theirs: String,
        /// The SP1 release of this build.
        ours: &'static str,
    },
    /// The proof is of something else than its public values say.
    #[error(
        "the public values beside the proof of {program} are not those it proves: do not use it"
    )]
    PublicValues {
        /// The program the proof names.
        program: ProgramId,
    },
    /// The bytes are no proof.
    #[error(
        "the bytes beside the public values of {program} are no proof ({reason}): fetch it again"
    )]
    Malformed {
        /// The program the proof names.
        program: ProgramId,
        /// What is wrong with them.
        reason: String,
    },
    /// The proof does not hold.
    #[error("the proof of {program} does not hold: {reason}; do not use it")]
    Invalid {
        /// The program the proof names.
        program: ProgramId,
        /// What the verifier said.
        reason: String,
    },
}
