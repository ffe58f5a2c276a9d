//! An engine that proves nothing, for tests and load: everything around the prover is real.
//!
//! It runs the program's own checks natively over the witness, all but the signature's, waits as long as it is
//! told, and hands out a "proof" that says MOCK and that no verifier of real proofs takes.

use std::{path::Path, process::Command, thread, time::Duration};

use lc_core::{
    ProgramId,
    alloy_primitives::B256,
    crypto::{Crypto, SignatureCheck, SignatureError},
    host::{NativeCrypto, verify_witness},
    root::Root,
};
use sha2::{Digest, Sha256};

use super::{Engine, EngineError, Proven, VerifiedValues, Verifier, VerifyError};
use crate::types::{
    ElfHash, EngineInfo, EngineKind, ModeInfo, Phase, ProgramInfo, Progress, Proof, ProofMode,
    VkeyHash,
};

/// Steps that a mock proof pretends to have.
const STEPS: u32 = 4;

/// What goes wrong, for tests of everything around the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MockFault {
    /// Nothing.
    #[default]
    None,
    /// Set-up fails.
    Start,
    /// Set-up never ends.
    StartStall,
    /// Proving reports a fault of the prover.
    Fail,
    /// Proving panics.
    Panic,
    /// Proving never ends, the process lives on.
    Stall,
    /// Proving starts a process of its own and never ends, as SP1's executor may.
    Child,
    /// Proving takes ever more memory.
    Hoard,
    /// The whole process stops, as one does that swaps itself to death.
    Freeze,
    /// The proof is for other public values.
    WrongValues,
}

/// The mock engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MockEngine {
    /// How long a proof takes.
    pub delay: Duration,
    /// What goes wrong.
    pub fault: MockFault,
}

impl MockEngine {
    /// Starts as the fault demands, and not while there is a file `gate`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Failed`] with [`MockFault::Start`] or a gate.
    pub fn start(
        delay: Duration,
        fault: MockFault,
        gate: Option<&Path>,
    ) -> Result<Self, EngineError> {
        if gate.is_some_and(Path::exists) {
            return Err(failed("set up"));
        }
        match fault {
            MockFault::Start => Err(failed("set up")),
            MockFault::StartStall => stall(),
            _ => Ok(Self { delay, fault }),
        }
    }

    /// The mock's own description, also where no engine runs.
    #[must_use]
    pub fn info() -> EngineInfo {
        let programs = ProgramId::ALL.map(|program| ProgramInfo {
            program,
            elf_sha256: ElfHash(digest(&[b"MOCK elf", program.name().as_bytes()])),
            vkey: vkey(program),
        });
        EngineInfo {
            engine: EngineKind::Mock,
            sp1_version: "none (MOCK)".to_owned(),
            programs: programs.to_vec(),
            modes: ProofMode::ALL.map(|mode| ModeInfo::offered(mode, None)).to_vec(),
        }
    }
}

impl Engine for MockEngine {
    fn describe(&self) -> EngineInfo {
        Self::info()
    }

    fn prove(
        &mut self,
        program: ProgramId,
        mode: ProofMode,
        witness: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Proven, EngineError> {
        let mut public_values = run_natively(program, witness)?;
        match self.fault {
            MockFault::Fail => return Err(failed("prove shard 1 of 4")),
            MockFault::Panic => panic!("the mock engine was told to panic"),
            MockFault::Stall => stall(),
            MockFault::Child => {
                let _ = Command::new("sleep").arg("3600").spawn();
                stall();
            }
            MockFault::Hoard => hoard(),
            MockFault::Freeze => {
                let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
            }
            MockFault::WrongValues => public_values[0] ^= 1,
            MockFault::None | MockFault::Start | MockFault::StartStall => {}
        }
        // As a real engine: it executes, proves shard by shard and what follows, and verifies what it made.
        let steps = steps(mode);
        let pause = self.delay / u32::try_from(steps.len()).expect("a handful");
        for step in steps {
            progress(step);
            thread::sleep(pause);
        }
        let proof = Proof {
            program,
            mode,
            engine: EngineKind::Mock,
            circuit: None,
            vkey: vkey(program),
            sp1_version: Self::info().sp1_version,
            bytes: seal(program, mode, &public_values).to_vec(),
            public_values,
        };
        Ok(Proven { proof, cycles: 0, shards: STEPS })
    }
}

/// Checks what [`MockEngine`] made, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MockVerifier;

impl Verifier for MockVerifier {
    fn verify(&self, proof: &Proof) -> Result<VerifiedValues, VerifyError> {
        let program = proof.program;
        if proof.vkey != vkey(program) {
            return Err(VerifyError::Vkey { program, theirs: proof.vkey, ours: vkey(program) });
        }
        if proof.bytes != seal(program, proof.mode, &proof.public_values) {
            let reason = "it is not what the MOCK engine makes of these public values".to_owned();
            return Err(VerifyError::Invalid { program, reason });
        }
        Ok(VerifiedValues(proof.public_values.clone()))
    }
}

/// The host's primitives, but any signature passes. The server checked it before it queued the request, and a
/// millisecond of pairings in each mock proof would take the cores from what a load test is to measure.
struct AnySignature;

impl Crypto for AnySignature {
    fn hash_pair(left: &Root, right: &Root) -> Root {
        NativeCrypto::hash_pair(left, right)
    }

    fn keccak256(data: &[u8]) -> B256 {
        NativeCrypto::keccak256(data)
    }

    fn verify_sync_signature(_: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        Ok(())
    }
}

/// The program's checks, as the guest runs them, but for the signature.
fn run_natively(program: ProgramId, witness: &[u8]) -> Result<Vec<u8>, EngineError> {
    match verify_witness::<AnySignature>(program, witness) {
        Some(verdict) => verdict.map_err(|error| rejected(program, &error)),
        None => {
            Err(EngineError::Rejected { program, reason: "the witness does not decode".to_owned() })
        }
    }
}

fn rejected(program: ProgramId, error: &dyn std::error::Error) -> EngineError {
    EngineError::Rejected { program, reason: error.to_string() }
}

fn failed(doing: &'static str) -> EngineError {
    EngineError::Failed { doing, source: "the mock engine was told to fail".into() }
}

fn stall() -> ! {
    loop {
        thread::park();
    }
}

/// Takes 16 MiB more every tenth of a second, up to 4 GiB.
fn hoard() -> ! {
    let mut taken = Vec::new();
    loop {
        if taken.len() < 256 {
            taken.push(vec![1_u8; 16 << 20]);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// What an engine goes through for a proof.
fn steps(mode: ProofMode) -> Vec<Progress> {
    let further: &[Phase] = match mode {
        ProofMode::Core => &[],
        ProofMode::Compressed => &[Phase::Compress],
        ProofMode::Groth16 | ProofMode::Plonk => &[Phase::Compress, Phase::Wrap, Phase::Outer],
    };
    let once = |phase| Progress { phase, done: 0, total: 1 };
    let shards = (0..STEPS).map(|done| Progress { phase: Phase::Prove, done, total: STEPS });
    [once(Phase::Execute)]
        .into_iter()
        .chain(shards)
        .chain(further.iter().copied().map(once))
        .chain([once(Phase::Verify)])
        .collect()
}

fn vkey(program: ProgramId) -> VkeyHash {
    VkeyHash(digest(&[b"MOCK vkey", program.name().as_bytes()]))
}

fn seal(program: ProgramId, mode: ProofMode, public_values: &[u8]) -> [u8; 32] {
    digest(&[b"MOCK proof", program.name().as_bytes(), mode.name().as_bytes(), public_values])
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(public_values: &[u8]) -> Proof {
        Proof {
            program: ProgramId::Inclusion,
            mode: ProofMode::Core,
            engine: EngineKind::Mock,
            circuit: None,
            vkey: vkey(ProgramId::Inclusion),
            sp1_version: String::new(),
            public_values: public_values.to_vec(),
            bytes: seal(ProgramId::Inclusion, ProofMode::Core, public_values).to_vec(),
        }
    }

    #[test]
    fn a_mock_proof_holds_for_its_own_public_values_only() {
        assert_eq!(MockVerifier.verify(&proof(&[1, 2])).unwrap(), VerifiedValues(vec![1, 2]));
        let twins: [fn(&mut Proof); 4] = [
            |proof| proof.public_values[0] ^= 1,
            |proof| proof.bytes[0] ^= 1,
            |proof| proof.mode = ProofMode::Plonk,
            |proof| proof.vkey = vkey(ProgramId::CommitteeChange),
        ];
        for spoil in twins {
            let mut proof = proof(&[1, 2]);
            spoil(&mut proof);
            MockVerifier.verify(&proof).unwrap_err();
        }
    }

    #[test]
    fn a_witness_that_the_program_refuses_makes_no_proof() {
        let mut engine = MockEngine::default();
        for program in ProgramId::ALL {
            let refused = engine.prove(program, ProofMode::Core, &[1, 2, 3], &mut |_| {});
            assert!(matches!(refused, Err(EngineError::Rejected { .. })), "{refused:?}");
        }
    }

    #[test]
    fn both_programs_have_hashes_of_their_own() {
        let info = MockEngine::info();
        let [change, inclusion] =
            ProgramId::ALL.map(|program| info.program(program).unwrap().clone());
        assert_ne!(change.vkey, inclusion.vkey);
        assert_ne!(change.elf_sha256, inclusion.elf_sha256);
    }
}
