//! What engines share that have proofs made outside of this process.
//!
//! They keep what must not be left to others: the program runs here first, so that an input that it refuses costs
//! nobody anything, and what comes back is verified before anyone else sees it.

use lc_core::ProgramId;
use lc_stark::{
    elsewhere::{Kind, Made},
    prove::{GuestError, RUN_LIMIT, Run, Runnable, check_shared_memory, check_temporary_folder},
};
use sha2::{Digest, Sha256};

use super::{EngineError, Proven, Verifier};
use crate::{
    SP1_VERSION,
    artifacts::{self, ArtifactError, Artifacts, ProgramEntry},
    guest_input::guest_input,
    types::{
        ElfHash, EngineInfo, EngineKind, ModeInfo, Phase, ProgramInfo, Progress, Proof, ProofMode,
        VkeyHash,
    },
    verify::ProofVerifier,
};

/// Why the programs cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetUpError {
    /// The artifacts do not fit together.
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
    /// An ELF file or its key is not the one in the manifest.
    #[error(
        "the {what} of {program} is {found}, the manifest says {wanted}: run `make artifacts` and commit all of its files"
    )]
    Program {
        /// The program.
        program: ProgramId,
        /// Which of the two.
        what: &'static str,
        /// What is there.
        found: String,
        /// What should be.
        wanted: String,
    },
    /// A program could not be loaded.
    #[error(transparent)]
    Guest(#[from] GuestError),
}

/// Makes a program known where it is proven: what it is known by there and, where its verifying key is made there,
/// that.
type SetUp<'a, K, E> = dyn FnMut(&'static [u8], ProgramId) -> Result<(K, Option<VkeyHash>), E> + 'a;

/// A program, and what whoever proves it knows it by.
#[derive(Debug)]
struct Ours<K> {
    info: ProgramInfo,
    runnable: Runnable,
    key: K,
}

/// This release's programs, set up somewhere else too.
#[derive(Debug)]
pub(super) struct Outside<K> {
    engine: EngineKind,
    programs: Vec<Ours<K>>,
    modes: Vec<ModeInfo>,
    verifier: ProofVerifier,
}

/// What to have proven.
pub(super) struct Job<'a, K> {
    pub(super) key: &'a K,
    pub(super) kind: Kind,
    pub(super) input: &'a [u8],
    pub(super) run: &'a Run,
}

impl<K> Outside<K> {
    /// Sets all programs up.
    pub(super) fn new<E: From<SetUpError>>(
        engine: EngineKind,
        modes: Vec<ModeInfo>,
        verifier: ProofVerifier,
        set_up: &mut SetUp<'_, K, E>,
    ) -> Result<Self, E> {
        check_shared_memory().map_err(GuestError::from).map_err(SetUpError::from)?;
        check_temporary_folder().map_err(GuestError::from).map_err(SetUpError::from)?;
        let artifacts = Artifacts::embedded().map_err(SetUpError::from)?;
        let programs = artifacts.entries().map(|entry| Ours::new(entry, set_up));
        Ok(Self { engine, programs: programs.collect::<Result<_, E>>()?, modes, verifier })
    }

    pub(super) fn describe(&self) -> EngineInfo {
        EngineInfo {
            engine: self.engine,
            sp1_version: SP1_VERSION.to_owned(),
            programs: self.programs.iter().map(|program| program.info.clone()).collect(),
            modes: self.modes.clone(),
        }
    }

    /// Runs the program, has `make` make the proof, and verifies it.
    pub(super) fn prove(
        &self,
        program: ProgramId,
        mode: ProofMode,
        witness: &[u8],
        progress: &mut dyn FnMut(Progress),
        make: impl FnOnce(Job<'_, K>, &mut dyn FnMut(Progress)) -> Result<Made, EngineError>,
    ) -> Result<Proven, EngineError> {
        let offer = self.modes.iter().find(|info| info.mode == mode).cloned();
        let (circuit, unsupported) =
            offer.map_or((None, None), |info| (info.circuit, info.unsupported));
        if let Some(hint) = unsupported {
            return Err(EngineError::Unsupported { engine: self.engine, mode, program, hint });
        }
        progress(begun(Phase::Execute));
        let input = guest_input(program, witness);
        let ours = self
            .programs
            .iter()
            .find(|ours| ours.info.program == program)
            .expect("every program is set up");
        let run = ours.runnable.run(&input, RUN_LIMIT).map_err(|error| match error {
            refused @ GuestError::Refused { .. } => {
                EngineError::Rejected { program, reason: refused.to_string() }
            }
            error => failed("run the program", error),
        })?;
        progress(begun(Phase::Prove));
        let job = Job { key: &ours.key, kind: kind(mode), input: &input, run: &run };
        let made = make(job, progress)?;
        progress(begun(Phase::Verify));
        // Of a SNARK, the circuit that it is of comes first.
        let bytes = match &circuit {
            Some(circuit) => [&circuit.0[..4], &made.bytes].concat(),
            None => made.bytes,
        };
        let proof = Proof {
            program,
            mode,
            engine: self.engine,
            circuit,
            vkey: ours.info.vkey,
            sp1_version: SP1_VERSION.to_owned(),
            public_values: run.public_values,
            bytes,
        };
        let _the_same = self
            .verifier
            .verify(&proof)
            .map_err(|error| failed("verify the proof that came back", error))?;
        let shards = u32::try_from(made.shards).unwrap_or(u32::MAX);
        Ok(Proven { proof, cycles: run.cycles, shards })
    }
}

impl<K> Ours<K> {
    /// Holds ELF file and key to the manifest.
    fn new<E: From<SetUpError>>(
        entry: &ProgramEntry,
        set_up: &mut SetUp<'_, K, E>,
    ) -> Result<Self, E> {
        let (program, elf) = (entry.program, artifacts::elf(entry.program));
        let same = |what, found: String, wanted: String| {
            if found == wanted {
                return Ok(());
            }
            Err(SetUpError::Program { program, what, found, wanted })
        };
        let elf_sha256 = ElfHash(Sha256::digest(elf).into());
        same("SHA-256 of the ELF file", elf_sha256.to_string(), entry.sha256.to_string())?;
        let runnable = Runnable::load(elf).map_err(SetUpError::from)?;
        let (key, vkey) = set_up(elf, program)?;
        let vkey = vkey.unwrap_or(entry.vkey);
        same("key", vkey.to_string(), entry.vkey.to_string())?;
        Ok(Self { info: ProgramInfo { program, elf_sha256, vkey }, runnable, key })
    }
}

const fn begun(phase: Phase) -> Progress {
    Progress { phase, done: 0, total: 1 }
}

const fn kind(mode: ProofMode) -> Kind {
    match mode {
        ProofMode::Core => Kind::Core,
        ProofMode::Compressed => Kind::Compressed,
        ProofMode::Groth16 => Kind::Groth16,
        ProofMode::Plonk => Kind::Plonk,
    }
}

pub(super) fn failed(
    doing: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> EngineError {
    EngineError::Failed { doing, source: Box::new(error) }
}
