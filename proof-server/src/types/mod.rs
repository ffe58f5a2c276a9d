//! What crosses a socket: messages, proofs, and the frames that carry them.
//!
//! `docs/protocol.md` defines the bytes; the golden files in `tests/golden` pin them.

mod bytes;
mod failure;
pub mod frame;
#[cfg(feature = "server")]
pub mod frame_async;
mod hash;
mod mode;
mod name;
mod proof;
pub mod proof_server;

pub use failure::{Code, Failure};
pub use frame::{FrameError, FrameLimits, FrameReader, Message, encode, write_message};
pub use hash::{CircuitHash, ElfHash, HashError, RequestName, VkeyHash};
pub use mode::{ModeInfo, ProofMode, UnknownMode};
pub use proof::{EngineKind, Proof, ProofFileError};
pub use proof_server::{
    ClientHello, ClientMessage, EngineInfo, Joined, Limits, PROTOCOL_VERSION, Phase, ProgramInfo,
    Progress, ProofStats, RequestId, RunningJob, ServerHello, ServerMessage, StatusReport,
    WorkerReport, WorkerState,
};

pub use lc_core::ProgramId;
