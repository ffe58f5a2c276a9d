//! The messages between a client and the proof server.
//!
//! The order of variants and fields is the wire format: append variants, never reorder, and raise
//! [`PROTOCOL_VERSION`] when a message changes. `docs/protocol.md` has the bytes.

use std::fmt;

use lc_core::{ProgramId, host::input::ProgramInput};
use serde::{Deserialize, Serialize};

use super::{
    ElfHash, EngineKind, Failure, ModeInfo, Proof, ProofMode, RequestName, VkeyHash, bytes,
};

/// The protocol this crate speaks. Both sides must speak the same.
pub const PROTOCOL_VERSION: u16 = 5;

/// Names a request on its connection. The client chooses it; each is above the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// Whose work answers a request. Variant order is wire format: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Joined {
    /// Its own: nobody asked for this before.
    No,
    /// Somebody asked for the same, and that job still waits or runs.
    Open,
    /// Somebody asked for the same, and the result was kept.
    Kept,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a client sends. `Hello` comes first and once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// Opens the conversation.
    Hello(ClientHello),
    /// Asks for a proof. Answered by `Accepted`, `Queued`…, `Started`, `Progress`…, then `Proof` or `Failed`.
    Prove {
        /// Names this request.
        id: RequestId,
        /// Which kind of proof.
        mode: ProofMode,
        /// What to prove, as Ethereum nodes hand it out.
        input: ProgramInput,
    },
    /// Asks the server to verify a proof against its own keys. Ends with `Verified` or `Failed`.
    Verify {
        /// Names this request.
        id: RequestId,
        /// The proof.
        proof: Proof,
    },
    /// Gives up a request, which then ends with `Failed` and [`Code::Cancelled`](super::Code::Cancelled). An id that is not in
    /// use is ignored: its answer may be on the way.
    Cancel {
        /// The request to give up.
        id: RequestId,
    },
    /// Asks what the server is doing. Answered by `Status`.
    Status {
        /// Names this request.
        id: RequestId,
    },
}

/// The client's side of the handshake. Its first field never moves: it is how versions find out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientHello {
    /// [`PROTOCOL_VERSION`] of the sender.
    pub protocol: u16,
    /// Name and version, for the server's log. What comes before them is for balancers: [`ClientHello::about`].
    pub client: String,
}

impl ClientHello {
    /// The hello of this release for a program called `client`, for example `light-client 0.1.0`.
    #[must_use]
    pub fn new(client: impl Into<String>) -> Self {
        Self { protocol: PROTOCOL_VERSION, client: client.into() }
    }

    /// The same of a client that is about to ask for one job, whose name comes first: `job=3f2a9c0d1e2f3a4b light-client
    /// 0.1.0`. A balancer that looks at these bytes sends who asks again to the server that has the job already; a
    /// server does nothing with them.
    #[must_use]
    pub fn about(job: RequestName, client: &str) -> Self {
        Self::new(format!("job={job} {client}"))
    }
}

/// What a server sends. `Hello` answers the client's; the rest answer a request by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The server's side of the handshake.
    Hello(ServerHello),
    /// The input passed the native checks and has a place in the queue.
    Accepted {
        /// The request.
        id: RequestId,
        /// Its name on every server, in clients' output and in servers' logs.
        request: RequestName,
        /// Whether the same request was here already.
        joined: Joined,
    },
    /// Where the job stands. Sent again when that changes, and as a sign of life.
    Queued {
        /// The request.
        id: RequestId,
        /// Jobs that come first, the running one included.
        position: u32,
        /// Estimated seconds until it starts; `None` until the server has proven such a program once.
        eta_seconds: Option<u32>,
    },
    /// A worker has the job. `Queued` and `Started` may come again where a worker was lost and another one
    /// begins anew.
    Started {
        /// The request.
        id: RequestId,
    },
    /// How far the job is. Sent when that changes, and as a sign of life.
    Progress {
        /// The request.
        id: RequestId,
        /// How far.
        progress: Progress,
    },
    /// The end of a `Prove`. The server has verified this proof.
    Proof {
        /// The request.
        id: RequestId,
        /// The proof.
        proof: Proof,
        /// What it cost.
        stats: ProofStats,
    },
    /// The end of a `Verify`: the proof is valid for the server's own key of that program.
    Verified {
        /// The request.
        id: RequestId,
        /// Which statement.
        program: ProgramId,
        /// The key it was checked against.
        vkey: VkeyHash,
        /// What it proves.
        #[serde(with = "bytes")]
        public_values: Vec<u8>,
    },
    /// The end of a request, or with no id of the connection.
    Failed {
        /// The request; `None`: the connection, which the server now closes.
        id: Option<RequestId>,
        /// Why.
        failure: Failure,
    },
    /// The answer to a `Status`.
    Status {
        /// The request.
        id: RequestId,
        /// What the server is doing.
        report: StatusReport,
    },
}

impl ServerMessage {
    /// The request it belongs to; `None` for Hello and for a failure of the connection.
    #[must_use]
    pub const fn request(&self) -> Option<RequestId> {
        match *self {
            Self::Hello(_) => None,
            Self::Failed { id, .. } => id,
            Self::Accepted { id, .. }
            | Self::Queued { id, .. }
            | Self::Started { id }
            | Self::Progress { id, .. }
            | Self::Proof { id, .. }
            | Self::Verified { id, .. }
            | Self::Status { id, .. } => Some(id),
        }
    }

    /// The kind's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "Hello",
            Self::Accepted { .. } => "Accepted",
            Self::Queued { .. } => "Queued",
            Self::Started { .. } => "Started",
            Self::Progress { .. } => "Progress",
            Self::Proof { .. } => "Proof",
            Self::Verified { .. } => "Verified",
            Self::Failed { .. } => "Failed",
            Self::Status { .. } => "Status",
        }
    }
}

/// The server's side of the handshake. Its first field never moves: it is how versions find out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerHello {
    /// [`PROTOCOL_VERSION`] of the sender.
    pub protocol: u16,
    /// The server's release.
    pub server: String,
    /// What proves here, for which programs and modes.
    pub engine: EngineInfo,
    /// What this server takes.
    pub limits: Limits,
}

/// What an engine is and can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// Which engine; [`EngineKind::Mock`] proves nothing.
    pub engine: EngineKind,
    /// The SP1 release behind it.
    pub sp1_version: String,
    /// The programs it proves, with what a client pins.
    pub programs: Vec<ProgramInfo>,
    /// Each mode, and whether it makes such proofs.
    pub modes: Vec<ModeInfo>,
}

impl EngineInfo {
    /// What this engine has of `program`, if anything.
    #[must_use]
    pub fn program(&self, program: ProgramId) -> Option<&ProgramInfo> {
        self.programs.iter().find(|info| info.program == program)
    }

    /// Whether the proofs of both are checked with the same keys, whichever modes each makes.
    #[must_use]
    pub fn is_same_prover(&self, other: &Self) -> bool {
        (self.engine, &self.sp1_version, &self.programs)
            == (other.engine, &other.sp1_version, &other.programs)
    }

    /// What it says of `mode`, if anything.
    #[must_use]
    pub fn mode(&self, mode: ProofMode) -> Option<&ModeInfo> {
        self.modes.iter().find(|info| info.mode == mode)
    }

    /// The modes it makes.
    pub fn offered(&self) -> impl Iterator<Item = &ModeInfo> {
        self.modes.iter().filter(|info| info.unsupported.is_none())
    }
}

/// One program: what it is, and what its proofs are checked against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramInfo {
    /// Which statement.
    pub program: ProgramId,
    /// SHA-256 of the ELF file.
    pub elf_sha256: ElfHash,
    /// Hash of the verifying key.
    pub vkey: VkeyHash,
}

/// What a server takes. A request beyond one of these is refused, not cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest `Prove` frame, in bytes.
    pub max_request_bytes: u32,
    /// Largest `Verify` frame, and largest `Proof` frame it will send, in bytes.
    pub max_proof_bytes: u32,
    /// Requests that one connection may have open.
    pub max_requests: u32,
    /// Jobs that may wait.
    pub queue: u32,
    /// Seconds a job may run before it ends with [`Code::Timeout`](super::Code::Timeout).
    pub job_timeout_seconds: u32,
    /// At least one frame in this many seconds for each open request.
    pub keepalive_seconds: u32,
    /// Seconds that a job goes on after the connection of its last client broke: within them the same request,
    /// asked again, finds it further on.
    pub grace_seconds: u32,
}

/// What a job is doing. Variant order is wire format: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Running the program and cutting its trace.
    Execute,
    /// Proving shards.
    Prove,
    /// Compressing the shards' proofs into one.
    Compress,
    /// Wrapping it into a proof that a circuit can check.
    Wrap,
    /// Verifying the result before it is sent.
    Verify,
    /// Making the SNARK.
    Outer,
}

impl Phase {
    /// The name in output and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Prove => "prove",
            Self::Compress => "compress",
            Self::Wrap => "wrap",
            Self::Verify => "verify",
            Self::Outer => "outer",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a job is within its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// Steps done.
    pub done: u32,
    /// Steps known so far; it may grow, and 0 means unknown.
    pub total: u32,
}

/// What a proof cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProofStats {
    /// From `Accepted` to `Started`, in microseconds.
    pub queue_us: u64,
    /// From `Started` to `Proof`, in microseconds: execution, proving and the server's own verification.
    pub prove_us: u64,
    /// Most resident memory of the worker and its children during this job, in bytes.
    pub peak_worker_bytes: u64,
    /// Cycles the program ran.
    pub cycles: u64,
    /// Shards the proof consists of.
    pub shards: u32,
}

/// What a server is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Seconds since it began to listen.
    pub uptime_seconds: u64,
    /// Connections open, this one included.
    pub connections: u32,
    /// The workers that prove.
    pub workers: Vec<WorkerReport>,
    /// Workers replaced since the start, whatever the reason.
    pub worker_restarts: u32,
    /// Jobs waiting for them.
    pub queued: u32,
    /// With a secondary server: whether it can be reached.
    pub secondary: Option<bool>,
    /// Results kept for whoever asks for the same again.
    pub kept: u32,
    /// Proofs made since the start.
    pub proofs: u64,
    /// Jobs that ended without a proof since the start.
    pub failures: u64,
}

/// One worker process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// What it is doing.
    pub state: WorkerState,
    /// The job it has.
    pub running: Option<RunningJob>,
}

/// What a worker process is doing. Variant order is wire format: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WorkerState {
    /// Setting up programs and keys, or waiting to be started again.
    Starting,
    /// Ready for a job.
    Idle,
    /// Has a job.
    Busy,
    /// Not there: the server is going down.
    Stopped,
}

/// The job a worker has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningJob {
    /// Which request it answers.
    pub request: RequestName,
    /// What it proves.
    pub program: ProgramId,
    /// Which kind of proof.
    pub mode: ProofMode,
    /// Seconds since it started.
    pub seconds: u32,
    /// How far it is, once it said so.
    pub progress: Option<Progress>,
}
