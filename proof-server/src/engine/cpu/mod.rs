//! The engine that proves on the CPU, in this process.

use std::thread;

use lc_core::ProgramId;
use lc_stark::prove::{
    self, CoreProver, GuestError, Keys, Machine, ProveError, ShardPlan, SharedMemoryFull, Step,
};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::{Engine, EngineError, Proven};
use crate::{
    SP1_VERSION,
    artifacts::{self, Artifacts},
    guest_input::guest_input,
    types::{
        ElfHash, EngineInfo, EngineKind, Phase, ProgramInfo, Progress, Proof, ProofMode, VkeyHash,
    },
};

/// Proves this release's programs, in core mode.
#[derive(Debug)]
pub struct CpuEngine {
    prover: CoreProver,
    programs: Vec<(ProgramInfo, Keys)>,
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The artifacts do not fit together.
    #[error(transparent)]
    Artifacts(#[from] artifacts::ArtifactError),
    /// An ELF file is not the one in the manifest.
    #[error(
        "the ELF file of {program} has SHA-256 {found}, the manifest says {wanted}: run `make artifacts` and commit all of its files"
    )]
    Elf {
        /// The program.
        program: ProgramId,
        /// Of the file.
        found: ElfHash,
        /// In the manifest.
        wanted: ElfHash,
    },
    /// An ELF file has another key than the manifest says.
    #[error(
        "the ELF file of {program} has the key {found}, the manifest says {wanted}: run `make artifacts` and commit all of its files"
    )]
    Vkey {
        /// The program.
        program: ProgramId,
        /// Made from the file.
        found: VkeyHash,
        /// In the manifest.
        wanted: VkeyHash,
    },
    /// A program could not be loaded.
    #[error(transparent)]
    Program(#[from] GuestError),
    /// There is no room to run programs.
    #[error(transparent)]
    SharedMemory(#[from] SharedMemoryFull),
    /// No threads.
    #[error("the prover's threads could not be started: raise the limit on processes")]
    Threads(#[source] std::io::Error),
}

impl CpuEngine {
    /// Sets up the keys of all programs and checks them against the manifest; removes what killed
    /// workers left in shared memory. A second or two, and some hundred megabytes. Shards are planned for
    /// `memory` bytes at most. Not for async tasks.
    ///
    /// # Errors
    ///
    /// [`StartError`] says what does not fit.
    pub fn start(memory: Option<u64>) -> Result<Self, StartError> {
        let plan = plan_shards(memory);
        let artifacts = Artifacts::embedded()?;
        let (prover, keys) = thread::scope(|scope| {
            let prover = scope.spawn(|| CoreProver::new(plan));
            let keys = prove::set_up(
                ProgramId::ALL
                    .map(|program| (artifacts::elf(program), Some(artifacts::outline(program)))),
            );
            (prover.join().expect("SP1's machine can always be made"), keys)
        });
        let (prover, keys) = (prover.map_err(StartError::Threads)?, keys?);
        let infos = artifacts.entries().zip(&keys).map(|(entry, keys)| check(entry, keys));
        let infos = infos.collect::<Result<Vec<_>, _>>()?;
        // Now, not before: what a worker left that was killed just before this one is old enough by now.
        match prove::sweep_shared_memory() {
            0 => {}
            files => info!(files, "removed shared memory that a killed worker left"),
        }
        prove::check_shared_memory()?;
        Ok(Self { prover, programs: infos.into_iter().zip(keys).collect() })
    }

    fn keys(&self, program: ProgramId) -> &(ProgramInfo, Keys) {
        self.programs
            .iter()
            .find(|(info, _)| info.program == program)
            .expect("`start` sets up every program")
    }
}

/// What each of several provers on this machine may take, in bytes: equal parts of what is available now.
#[must_use]
pub fn memory_share(provers: usize) -> u64 {
    Machine::of_this_process().available_bytes / u64::try_from(provers.max(1)).unwrap_or(1)
}

/// Chooses the shard size and says so.
fn plan_shards(memory: Option<u64>) -> ShardPlan {
    let machine = Machine::of_this_process();
    let available_bytes = machine.available_bytes.min(memory.unwrap_or(u64::MAX));
    let machine = Machine { available_bytes, ..machine };
    let plan = ShardPlan::for_machine(machine);
    let (cores, available_bytes) = (machine.cores, machine.available_bytes);
    info!(
        cores,
        available_bytes,
        max_cells = plan.max_cells,
        peak_bytes = plan.peak_bytes,
        "chose the shard size"
    );
    if !plan.fits {
        warn!(
            available_bytes,
            peak_bytes = plan.peak_bytes,
            "too little memory for full shards: large proofs may be killed"
        );
    }
    plan
}

/// Holds ELF file and key to the manifest.
fn check(entry: &artifacts::ProgramEntry, keys: &Keys) -> Result<ProgramInfo, StartError> {
    let program = entry.program;
    let elf_sha256 = ElfHash(Sha256::digest(artifacts::elf(program)).into());
    if elf_sha256 != entry.sha256 {
        return Err(StartError::Elf { program, found: elf_sha256, wanted: entry.sha256 });
    }
    let vkey = VkeyHash(keys.verifying().hash());
    if vkey != entry.vkey {
        return Err(StartError::Vkey { program, found: vkey, wanted: entry.vkey });
    }
    Ok(ProgramInfo { program, elf_sha256, vkey })
}

impl Engine for CpuEngine {
    fn describe(&self) -> EngineInfo {
        EngineInfo {
            engine: EngineKind::Cpu,
            sp1_version: SP1_VERSION.to_owned(),
            programs: self.programs.iter().map(|(info, _)| info.clone()).collect(),
            modes: vec![ProofMode::Core],
        }
    }

    fn prove(
        &mut self,
        program: ProgramId,
        mode: ProofMode,
        witness: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Proven, EngineError> {
        if mode != ProofMode::Core {
            let (engine, hint) = (EngineKind::Cpu, "ask for a core proof (stark)".to_owned());
            return Err(EngineError::Unsupported { engine, mode, program, hint });
        }
        let (info, keys) = self.keys(program);
        let made = self
            .prover
            .prove(keys, &guest_input(program, witness), &mut |step| progress(told(step)))
            .map_err(|error| engine_error(program, error))?;
        let proof = Proof {
            program,
            mode,
            engine: EngineKind::Cpu,
            vkey: info.vkey,
            sp1_version: SP1_VERSION.to_owned(),
            public_values: made.public_values,
            bytes: made.bytes,
        };
        Ok(Proven {
            proof,
            cycles: made.cycles,
            shards: u32::try_from(made.shards).unwrap_or(u32::MAX),
        })
    }
}

/// A step as it travels.
fn told(step: Step) -> Progress {
    let count = |shards| u32::try_from(shards).unwrap_or(u32::MAX);
    match step {
        Step::Execute => Progress { phase: Phase::Execute, done: 0, total: 1 },
        Step::Prove { done, total } => {
            Progress { phase: Phase::Prove, done: count(done), total: count(total) }
        }
        Step::Verify => Progress { phase: Phase::Verify, done: 0, total: 1 },
    }
}

fn engine_error(program: ProgramId, error: ProveError) -> EngineError {
    match error {
        ProveError::Guest(refused @ GuestError::Refused { .. }) => {
            EngineError::Rejected { program, reason: refused.to_string() }
        }
        ProveError::Guest(error) => failed("run the program", error),
        ProveError::Invalid(error) => failed("verify the proof it made", error),
        error => failed("prove a shard", error),
    }
}

fn failed(
    doing: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> EngineError {
    EngineError::Failed { doing, source: Box::new(error) }
}
