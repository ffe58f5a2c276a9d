//! What server and worker say to each other. Both are the same binary, so nothing here is versioned.

use std::time::Duration;

use lc_core::ProgramId;
use serde::{Deserialize, Serialize};

use super::spans::ProverSpan;
use crate::engine::GpuFault;
use crate::types::{
    EngineInfo, Failure, FrameLimits, Message, Progress, Proof, ProofMode, ProofStats, VkeyHash,
};

/// What the server sends. One job at a time; closing the socket ends the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    Prove { program: ProgramId, mode: ProofMode, witness: Vec<u8> },
    Verify { proof: Proof },
}

/// What the worker sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// Set up, and what with; verifying workers have no engine.
    Ready(Option<EngineInfo>),
    /// Alive, and how large: sent every second, also while proving.
    Alive {
        resident_bytes: u64,
    },
    Progress(Progress),
    Proved {
        proof: Proof,
        stats: ProofStats,
        /// Where the time went inside the prover.
        spans: Vec<(ProverSpan, Duration)>,
    },
    Verified {
        program: ProgramId,
        vkey: VkeyHash,
        public_values: Vec<u8>,
    },
    /// No result. `detail` is for the server's log, `faulty` says that the worker must not be used again, `gpu` which
    /// one it was where one failed.
    Failed {
        failure: Failure,
        detail: String,
        faulty: bool,
        gpu: Option<(u32, GpuFault)>,
    },
}

impl Message for ToWorker {
    const KINDS: &'static [&'static str] = &["Prove", "Verify"];

    /// A witness is smaller than the objects it is made of, give or take its hashes: twice the request
    /// is never reached.
    fn cap(kind: u32, limits: &FrameLimits) -> u32 {
        if kind == 0 { limits.request.saturating_mul(2) } else { limits.proof }
    }
}

impl Message for FromWorker {
    const KINDS: &'static [&'static str] =
        &["Ready", "Alive", "Progress", "Proved", "Verified", "Failed"];

    fn cap(kind: u32, limits: &FrameLimits) -> u32 {
        match kind {
            3 => limits.proof,
            4 => limits.request,
            _ => 1 << 20,
        }
    }
}

impl FromWorker {
    /// The kind's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ready(_) => "Ready",
            Self::Alive { .. } => "Alive",
            Self::Progress(_) => "Progress",
            Self::Proved { .. } => "Proved",
            Self::Verified { .. } => "Verified",
            Self::Failed { .. } => "Failed",
        }
    }
}
