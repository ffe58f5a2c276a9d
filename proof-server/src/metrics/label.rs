//! The labels that series have, and every value that each may take.
//!
//! A label's values are an enum's, so a stranger's request cannot make a series that was not there before.

use super::reason::{ConnectionRefusal, FrameRefusal, Reload, RestartReason};
use crate::engine::GpuFault;
use crate::types::{Code, Failure, Joined, Phase, ProgramId, ProofMode, WorkerState};
use crate::worker::ProverSpan;

/// An enum whose variants are a label's values.
pub(crate) trait Value: Copy + 'static {
    /// Every value.
    const ALL: &'static [Self];

    /// The value as the label has it.
    fn name(self) -> &'static str;
}

/// What kind of work a request asks for. Kept apart everywhere: a verification takes half a second, a
/// proof minutes, and no histogram says anything about both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// Making a proof.
    Prove,
    /// Checking one.
    Verify,
}

impl Value for Work {
    const ALL: &'static [Self] = &[Self::Prove, Self::Verify];

    fn name(self) -> &'static str {
        match self {
            Self::Prove => "prove",
            Self::Verify => "verify",
        }
    }
}

impl Value for ProgramId {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        Self::name(self)
    }
}

impl Value for ProofMode {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        Self::name(self)
    }
}

/// What a request or a job is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    /// Proving or verifying.
    pub(crate) work: Work,
    /// Which statement.
    pub(crate) program: ProgramId,
    /// Which kind of proof.
    pub(crate) mode: ProofMode,
}

impl Subject {
    /// Of a request for a proof.
    pub(crate) const fn prove(program: ProgramId, mode: ProofMode) -> Self {
        Self { work: Work::Prove, program, mode }
    }

    /// Of a request to check one.
    pub(crate) const fn verify(program: ProgramId, mode: ProofMode) -> Self {
        Self { work: Work::Verify, program, mode }
    }

    /// Values for the labels `task`, `program`, `mode`.
    pub(crate) fn labels(self) -> [&'static str; 3] {
        [self.work.name(), self.program.name(), self.mode.name()]
    }

    /// Values for the labels `program`, `mode`: of what only proofs have.
    pub(super) fn statement(self) -> [&'static str; 2] {
        [self.program.name(), self.mode.name()]
    }
}

/// How a request or a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// With its result.
    Ok,
    /// With this code.
    Failed(Code),
}

impl Outcome {
    /// Of a result.
    pub(crate) fn of<T>(result: &Result<T, Failure>) -> Self {
        result.as_ref().map_or_else(|failure| Self::Failed(failure.code), |_| Self::Ok)
    }
}

impl Value for Outcome {
    const ALL: &'static [Self] = &[
        Self::Ok,
        Self::Failed(Code::InvalidInput),
        Self::Failed(Code::Busy),
        Self::Failed(Code::Timeout),
        Self::Failed(Code::Cancelled),
        Self::Failed(Code::WorkerLost),
        Self::Failed(Code::Unsupported),
        Self::Failed(Code::ShuttingDown),
        Self::Failed(Code::Unavailable),
        Self::Failed(Code::Internal),
        // Whatever number: all that a later release of a secondary may say is one value here.
        Self::Failed(Code::Unknown(0)),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Failed(code) => code.name(),
        }
    }
}

impl Value for Joined {
    /// Not those that joined nothing.
    const ALL: &'static [Self] = &[Self::Open, Self::Kept];

    fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Open => "open",
            Self::Kept => "kept",
        }
    }
}

/// A part of a proof's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// Making or loading the program's keys.
    Setup,
    /// What the worker says it does.
    Phase(Phase),
}

impl Value for Stage {
    const ALL: &'static [Self] = &[
        Self::Setup,
        Self::Phase(Phase::Execute),
        Self::Phase(Phase::Prove),
        Self::Phase(Phase::Compress),
        Self::Phase(Phase::Wrap),
        Self::Phase(Phase::Outer),
        Self::Phase(Phase::Verify),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Phase(phase) => phase.name(),
        }
    }
}

impl Value for ProverSpan {
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        match self {
            Self::MainTraces => "main_traces",
            Self::Commit => "commit",
            Self::LogupGkr => "logup_gkr",
            Self::Zerocheck => "zerocheck",
            Self::EvaluationClaims => "evaluation_claims",
        }
    }
}

impl Value for GpuFault {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Device => "device",
            Self::Server => "server",
        }
    }
}

impl Value for WorkerState {
    const ALL: &'static [Self] = &[Self::Starting, Self::Idle, Self::Busy, Self::Stopped];

    fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Stopped => "stopped",
        }
    }
}

/// A label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    /// [`Work`].
    Task,
    /// [`ProgramId`].
    Program,
    /// [`ProofMode`].
    Mode,
    /// [`Outcome`].
    Code,
    /// [`Joined`].
    How,
    /// [`Stage`].
    Phase,
    /// [`ProverSpan`].
    Span,
    /// [`WorkerState`].
    State,
    /// [`RestartReason`].
    RestartReason,
    /// [`ConnectionRefusal`].
    ConnectionReason,
    /// [`FrameRefusal`].
    FrameReason,
    /// [`Reload`].
    ReloadOutcome,
    /// [`GpuFault`].
    GpuReason,
    /// A GPU's number, as `nvidia-smi` counts.
    Gpu,
    /// A worker's number, from 0 to below the configured number of workers.
    Worker,
    /// This release.
    Version,
    /// The SP1 release.
    Sp1Version,
    /// The engine's name.
    Engine,
    /// The server's role.
    Role,
    /// A program's verifying key.
    Vkey,
    /// The hash of a program's ELF.
    ElfSha256,
}

impl Label {
    /// The name in a series.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Program => "program",
            Self::Mode => "mode",
            Self::Code => "code",
            Self::How => "how",
            Self::Phase => "phase",
            Self::Span => "span",
            Self::State => "state",
            Self::RestartReason | Self::ConnectionReason | Self::FrameReason | Self::GpuReason => {
                "reason"
            }
            Self::Gpu => "gpu",
            Self::ReloadOutcome => "outcome",
            Self::Worker => "worker",
            Self::Version => "version",
            Self::Sp1Version => "sp1_version",
            Self::Engine => "engine",
            Self::Role => "role",
            Self::Vkey => "vkey",
            Self::ElfSha256 => "elf_sha256",
        }
    }

    /// Every value, where the code knows them; `None` where the build or the configuration decides.
    pub(crate) fn values(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Task => names::<Work>(),
            Self::Program => names::<ProgramId>(),
            Self::Mode => names::<ProofMode>(),
            Self::Code => names::<Outcome>(),
            Self::How => names::<Joined>(),
            Self::Phase => names::<Stage>(),
            Self::Span => names::<ProverSpan>(),
            Self::State => names::<WorkerState>(),
            Self::RestartReason => names::<RestartReason>(),
            Self::ConnectionReason => names::<ConnectionRefusal>(),
            Self::FrameReason => names::<FrameRefusal>(),
            Self::ReloadOutcome => names::<Reload>(),
            Self::GpuReason => names::<GpuFault>(),
            Self::Gpu
            | Self::Worker
            | Self::Version
            | Self::Sp1Version
            | Self::Engine
            | Self::Role
            | Self::Vkey
            | Self::ElfSha256 => None,
        }
    }
}

fn names<T: Value>() -> Option<Vec<&'static str>> {
    Some(T::ALL.iter().map(|value| value.name()).collect())
}
