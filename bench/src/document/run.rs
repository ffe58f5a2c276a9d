//! What was run, and every sample of it.

use proof_server::types::ProofMode;
use serde::{Deserialize, Serialize};

use super::{Hardware, Quantity, text::as_text};

/// What kind of benchmark ran, with its samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Run {
    /// Proofs made on this machine, one at a time.
    Prove(ProveRun),
    /// Requests to running servers.
    Replay(ReplayRun),
}

impl Run {
    /// The kind's name, as documents and reports have it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Prove(_) => "prove",
            Self::Replay(_) => "replay",
        }
    }
}

/// Proofs made on this machine, one at a time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveRun {
    /// In the order in which they ran.
    pub samples: Vec<ProveSample>,
}

/// One attempt at one proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveSample {
    /// Which program: a name in [`super::Document::programs`].
    pub program: String,
    /// Of what: a name in [`super::Document::fixtures`].
    pub recording: String,
    /// What kind of proof.
    #[serde(with = "as_text")]
    pub mode: ProofMode,
    /// Which attempt of this program, recording and mode, from 0.
    pub index: u32,
    /// Whether a new process made it, with all that it sets up; else one that had made one before.
    pub cold: bool,
    /// By the clock, from the start of the attempt to its outcome.
    pub total_seconds: Quantity,
    /// What came of it.
    pub outcome: ProveOutcome,
    /// Where the time went, in order; together at most `total_seconds`. Of a failure, those that were reached.
    pub phases: Vec<Phase>,
    /// The most memory that the prover's processes had at once, children included.
    pub peak_memory_bytes: Option<u64>,
    /// The same over time, in order of time; may be empty.
    pub memory: Vec<MemoryPoint>,
    /// Where a GPU took part.
    pub gpu: Option<GpuUse>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProveOutcome {
    /// A proof that verified.
    Proved(Proved),
    /// None, or one that did not verify.
    Failed(Failure),
}

/// A proof that verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proved {
    /// Checking it, after `total_seconds`.
    pub verify_seconds: Quantity,
    /// Its length.
    pub proof_bytes: u64,
    /// Of the program, if the engine says.
    pub cycles: Option<u64>,
    /// SP1's measure of work, if the engine says.
    pub gas: Option<u64>,
    /// Of the core proof, if the engine says.
    pub shards: Option<u32>,
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// For programs: a code of the protocol such as `BUSY`, or a word of the harness's such as `CRASHED`.
    pub code: String,
    /// For people: one line or some.
    pub reason: String,
}

/// Part of a proof's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// `check`, `execute`, `core`, `compress`, `shrink`, `wrap`, `outer`, or what else there is.
    pub name: String,
    /// How long it took.
    pub seconds: Quantity,
}

/// Memory at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryPoint {
    /// Since the start of the attempt.
    pub seconds: Quantity,
    /// Resident, children included.
    pub bytes: u64,
}

/// What a proof took of the GPUs, all together; what the driver does not tell is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuUse {
    /// The most memory in use.
    pub peak_memory_bytes: Option<u64>,
    /// Mean over the attempt, 0 to 100.
    pub utilisation_percent: Option<Quantity>,
    /// Over the attempt.
    pub energy_joules: Option<Quantity>,
}

/// Requests to running servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayRun {
    /// How requests were paced.
    pub load: Load,
    /// In any order.
    pub samples: Vec<ReplaySample>,
    /// One for each server that requests went to; where nothing is known of a server but its address, the
    /// rest is absent.
    pub servers: Vec<Server>,
}

/// How requests were paced.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Load {
    /// Requests start when a clock says, whatever became of those before.
    Open {
        /// How many start in a second.
        requests_per_second: Quantity,
    },
    /// Each client starts a request when its last one is answered.
    Closed {
        /// How many clients.
        clients: u32,
    },
}

/// One request, with all its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplaySample {
    /// When it should have started, since the run began.
    pub intended_start_seconds: Quantity,
    /// When it did.
    pub start_seconds: Quantity,
    /// Which client, from 0.
    pub client: u32,
    /// Who answered: an address in [`ReplayRun::servers`].
    pub server: String,
    /// Which program: a name in [`super::Document::programs`].
    pub program: String,
    /// Of what: a name in [`super::Document::fixtures`].
    pub recording: String,
    /// What kind of proof.
    #[serde(with = "as_text")]
    pub mode: ProofMode,
    /// How long it queued, as the server says; absent where it does not.
    pub queue_us: Option<u64>,
    /// How long the proof took, as the server says; absent where it does not.
    pub prove_us: Option<u64>,
    /// From the intended start to the answer. A request that starts late, because those before it were slow,
    /// has waited too: counted from its real start it would hide that ("coordinated omission").
    pub total_us: u64,
    /// Attempts after the first.
    pub retries: u32,
    /// What came of it.
    pub outcome: ReplayOutcome,
    /// Whether its proof verified; absent where nobody checked.
    pub verified: Option<bool>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReplayOutcome {
    /// A proof came.
    Proved {
        /// Its length.
        proof_bytes: u64,
    },
    /// None did.
    Failed(Failure),
}

/// A server that requests went to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// As it was given: `10.0.0.2:7600`, a name and a port.
    pub address: String,
    /// Its machine, where known.
    pub hardware: Option<Hardware>,
    /// What it took over time, in order of time; may be empty.
    pub resources: Vec<ResourcePoint>,
}

/// A server at one moment; what could not be read is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourcePoint {
    /// Since the run began.
    pub seconds: Quantity,
    /// Resident, workers included.
    pub memory_bytes: Option<u64>,
    /// CPU time since the run began, workers included.
    pub cpu_seconds: Option<Quantity>,
    /// Jobs that wait.
    pub queue_depth: Option<u64>,
    /// Workers that have a job.
    pub busy_workers: Option<u64>,
    /// Memory in use on its GPUs.
    pub gpu_memory_bytes: Option<u64>,
    /// Of its GPUs, 0 to 100.
    pub gpu_utilisation_percent: Option<Quantity>,
}
