//! The engine that proves on the CPU: core proofs in this process, what follows them in children of it.

#[cfg(feature = "snark")]
pub mod build;
mod recorded;
#[cfg(feature = "snark")]
pub(super) mod snark;
#[cfg(feature = "snark")]
pub mod stage;

use std::{path::PathBuf, thread};

use lc_core::ProgramId;
use lc_stark::prove::{
    self, CoreProof, CoreProver, GuestError, Keys, Machine, NotExecutable, ProveError, ShardPlan,
    SharedMemoryFull, Step,
};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::{Engine, EngineError, Proven};
#[cfg(feature = "snark")]
use crate::circuits::{Circuits, Official, Snark};
use crate::{
    SP1_VERSION,
    artifacts::{self, Artifacts},
    guest_input::guest_input,
    types::{
        CircuitHash, ElfHash, EngineInfo, EngineKind, ModeInfo, Phase, ProgramInfo, Progress,
        Proof, ProofMode, VkeyHash,
    },
};

pub use recorded::RecordedError;

/// How an engine is to be set up.
#[derive(Debug, Clone, Default)]
pub struct CpuOptions {
    /// Bytes of memory to plan for at most.
    pub memory: Option<u64>,
    /// Where the circuits of SNARKs are.
    pub circuits: PathBuf,
    /// In tests: where to take SNARKs from instead of making them.
    pub recorded_snarks: Option<PathBuf>,
    /// Arguments that make a child log as this process does.
    pub log: Vec<String>,
}

impl CpuOptions {
    /// The verifying keys of the development circuits that an engine with these options makes proofs
    /// with: its server takes such proofs too.
    #[must_use]
    pub fn development_circuits(&self) -> Vec<Vec<u8>> {
        if let Some(directory) = &self.recorded_snarks {
            let files = ["groth16_vk.bin", "plonk_vk.bin"].map(|name| directory.join(name));
            return files.into_iter().filter_map(|file| std::fs::read(file).ok()).collect();
        }
        self.used_development_circuits()
    }

    #[cfg(feature = "snark")]
    fn used_development_circuits(&self) -> Vec<Vec<u8>> {
        let circuits = Circuits::open(&self.circuits, &Official::SP1);
        let used = Snark::ALL.into_iter().filter_map(|snark| circuits.best(snark).ok());
        used.filter(|circuit| circuit.id.development)
            .map(|circuit| circuit.verifying_key.clone())
            .collect()
    }

    #[cfg(not(feature = "snark"))]
    fn used_development_circuits(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

/// Proves this release's programs.
#[derive(Debug)]
pub struct CpuEngine {
    prover: CoreProver,
    programs: Vec<(ProgramInfo, Keys)>,
    further: Further,
}

/// What makes the modes beyond core.
#[derive(Debug)]
enum Further {
    #[cfg(feature = "snark")]
    Stages(snark::Snarks),
    Recorded(recorded::Recorded),
    #[cfg(not(feature = "snark"))]
    Nothing,
}

impl Further {
    #[cfg(feature = "snark")]
    fn new(options: &CpuOptions) -> Self {
        let circuits = Circuits::open(&options.circuits, &Official::SP1);
        Self::Stages(snark::Snarks::new(&circuits, machine(options.memory), options.log.clone()))
    }

    #[cfg(not(feature = "snark"))]
    fn new(_: &CpuOptions) -> Self {
        Self::Nothing
    }

    fn modes(&self) -> Vec<ModeInfo> {
        match self {
            #[cfg(feature = "snark")]
            Self::Stages(snarks) => snarks.modes().collect(),
            Self::Recorded(recorded) => recorded.modes().collect(),
            #[cfg(not(feature = "snark"))]
            Self::Nothing => [ProofMode::Compressed, ProofMode::Groth16, ProofMode::Plonk]
                .map(|mode| {
                    let why = "this build makes core proofs only: build with the feature `snark`";
                    ModeInfo::unsupported(mode, why.to_owned())
                })
                .into(),
        }
    }
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
    /// Programs cannot be started.
    #[error(transparent)]
    Temporary(#[from] NotExecutable),
    /// The recorded proofs cannot be used.
    #[error(transparent)]
    Recorded(#[from] RecordedError),
    /// No threads.
    #[error("the prover's threads could not be started: raise the limit on processes")]
    Threads(#[source] std::io::Error),
}

impl CpuEngine {
    /// Sets up the keys of all programs and checks them against the manifest; removes what killed
    /// workers left in shared memory. A second or two, and some hundred megabytes. Not for async tasks.
    ///
    /// # Errors
    ///
    /// [`StartError`] says what does not fit.
    pub fn start(options: &CpuOptions) -> Result<Self, StartError> {
        let plan = plan_shards(options.memory);
        let further = match &options.recorded_snarks {
            Some(directory) => Further::Recorded(recorded::Recorded::read(directory)?),
            None => Further::new(options),
        };
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
        prove::check_temporary_folder()?;
        Ok(Self { prover, programs: infos.into_iter().zip(keys).collect(), further })
    }

    fn keys(&self, program: ProgramId) -> &(ProgramInfo, Keys) {
        self.programs
            .iter()
            .find(|(info, _)| info.program == program)
            .expect("`start` sets up every program")
    }

    /// Goes on from a core proof: the proof's bytes, and the circuit that made it.
    fn prove_further(
        &self,
        program: ProgramId,
        mode: ProofMode,
        made: &mut CoreProof,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Vec<u8>, Option<CircuitHash>), EngineError> {
        match &self.further {
            #[cfg(feature = "snark")]
            Further::Stages(snarks) => {
                let key = self.keys(program).1.verifying();
                let core = std::mem::take(&mut made.bytes);
                let bytes = snarks
                    .prove(mode, key, &made.public_values, core, progress)
                    .map_err(|(doing, error)| failed(doing, error))?;
                Ok((bytes, snarks.mode(mode).and_then(|info| info.circuit)))
            }
            Further::Recorded(recorded) => {
                let proof = recorded.find(program, mode, &made.public_values, progress);
                let proof =
                    proof.ok_or(NotRecorded).map_err(|error| failed("find a proof", error))?;
                Ok((proof.bytes.clone(), proof.circuit))
            }
            #[cfg(not(feature = "snark"))]
            Further::Nothing => unreachable!("only offered modes come this far"),
        }
    }
}

/// No recorded proof says the same.
#[derive(Debug, thiserror::Error)]
#[error("no SNARK was recorded of these public values")]
struct NotRecorded;

/// What each of several provers on this machine may take, in bytes: equal parts of what is available now.
#[must_use]
pub fn memory_share(provers: usize) -> u64 {
    Machine::of_this_process().available_bytes / u64::try_from(provers.max(1)).unwrap_or(1)
}

/// This machine, with `memory` bytes at most.
fn machine(memory: Option<u64>) -> Machine {
    let machine = Machine::of_this_process();
    let limit = memory.unwrap_or(u64::MAX);
    Machine {
        available_bytes: machine.available_bytes.min(limit),
        total_bytes: machine.total_bytes.min(limit),
        ..machine
    }
}

/// Chooses the shard size and says so.
fn plan_shards(memory: Option<u64>) -> ShardPlan {
    let machine = machine(memory);
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
            modes: [ModeInfo::offered(ProofMode::Core, None)]
                .into_iter()
                .chain(self.further.modes())
                .collect(),
        }
    }

    fn prove(
        &mut self,
        program: ProgramId,
        mode: ProofMode,
        witness: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Proven, EngineError> {
        let info = self.describe().mode(mode).cloned();
        if let Some(hint) = info.and_then(|info| info.unsupported) {
            return Err(EngineError::Unsupported { engine: EngineKind::Cpu, mode, program, hint });
        }
        let (info, keys) = self.keys(program);
        let mut made = self
            .prover
            .prove(keys, &guest_input(program, witness), &mut |step| {
                // Of a proof that goes on, the last step is yet to come.
                if mode == ProofMode::Core || step != Step::Verify {
                    progress(told(step));
                }
            })
            .map_err(|error| engine_error(program, error))?;
        let (bytes, circuit) = if mode == ProofMode::Core {
            (std::mem::take(&mut made.bytes), None)
        } else {
            let further = self.prove_further(program, mode, &mut made, progress)?;
            progress(told(Step::Verify));
            further
        };
        let proof = Proof {
            program,
            mode,
            engine: EngineKind::Cpu,
            circuit,
            vkey: info.vkey,
            sp1_version: SP1_VERSION.to_owned(),
            public_values: made.public_values,
            bytes,
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
