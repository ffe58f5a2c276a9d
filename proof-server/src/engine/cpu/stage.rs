//! A part of a proof in a process of its own, below the worker.
//!
//! What follows a core proof needs up to twenty gigabytes in each of its stages, and neither SP1 nor Go
//! gives memory back before its process ends. Go's memory is moreover bounded by the environment that
//! a process starts with. The child is in the worker's process group: it counts as its memory and ends
//! with it.

use std::{
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{self, Command, ExitStatus, Stdio},
    thread,
    time::Instant,
};

use lc_snark::{Recursion, Step, outer};
use lc_stark::{ProofSystem, VerifyingKey};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::{
    error_chain,
    types::{FrameError, FrameLimits, FrameReader, Message, Phase, Progress, write_message},
    worker::own_peak,
};

/// What a child is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Core proof to compressed proof.
    Compress { key: Vec<u8>, public_values: Vec<u8>, core: Vec<u8> },
    /// Compressed proof to wrap proof.
    Wrap { compressed: Vec<u8> },
    /// Wrap proof to SNARK.
    Outer { plonk: bool, circuit: PathBuf, key: Vec<u8>, public_values: Vec<u8>, wrapped: Vec<u8> },
    /// Wrap proof to development circuit.
    Build { plonk: bool, directory: PathBuf, template: Vec<u8> },
}

impl Stage {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Compress { .. } => "compress",
            Self::Wrap { .. } => "wrap",
            Self::Outer { .. } => "prove the circuit",
            Self::Build { .. } => "build the circuit",
        }
    }
}

/// What it says.
#[derive(Debug, Serialize, Deserialize)]
enum Report {
    Progress(Progress),
    /// The result, and the most memory that it took.
    Done {
        result: Vec<u8>,
        peak_bytes: u64,
    },
    Failed(String),
}

impl Message for Stage {
    const KINDS: &'static [&'static str] = &["Compress", "Wrap", "Outer", "Build"];

    fn cap(_: u32, limits: &FrameLimits) -> u32 {
        limits.proof
    }
}

impl Message for Report {
    const KINDS: &'static [&'static str] = &["Progress", "Done", "Failed"];

    fn cap(_: u32, limits: &FrameLimits) -> u32 {
        limits.proof
    }
}

/// Both ends are this program.
const LIMITS: FrameLimits = FrameLimits { request: u32::MAX, proof: u32::MAX };

/// Why a stage has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// No process.
    #[error("cannot start a process for it")]
    Spawn(#[source] io::Error),
    /// The conversation broke off.
    #[error("its process does not listen")]
    Conversation(#[source] FrameError),
    /// It failed.
    #[error("{0}")]
    Failed(String),
    /// It ended without a word.
    #[error(
        "its process ended with {0}; its log above may say why, and a kill often means too little memory"
    )]
    Lost(ExitStatus),
}

/// Runs `stage` in a child with `environment` and passes its progress on.
pub(super) fn run(
    stage: &Stage,
    log: &[String],
    environment: &[(&'static str, String)],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<u8>, StageError> {
    let (mut ours, theirs) = UnixStream::pair().map_err(StageError::Spawn)?;
    // The link and not its target: the same binary even where an upgrade replaced the file.
    let mut child = Command::new("/proc/self/exe")
        .arg0("proof-server")
        .arg("stage")
        .args(log)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        // gnark tells of its progress there, in a form of its own.
        .stdout(Stdio::null())
        .spawn()
        .map_err(StageError::Spawn)?;
    let sent = write_message(&mut ours, stage, &LIMITS).map_err(StageError::Conversation);
    let begun = Instant::now();
    let outcome = sent.and_then(|()| listen(ours, progress));
    // It ends by itself when it has nothing more to say, and now nobody hears it any more.
    let ended = child.wait().map_err(StageError::Spawn)?;
    match outcome {
        Ok(Some((result, peak_bytes))) => {
            let (stage, bytes) = (stage.name(), result.len());
            info!(stage, seconds = begun.elapsed().as_secs_f64(), peak_bytes, bytes, "stage done");
            Ok(result)
        }
        Ok(None) | Err(StageError::Conversation(_)) => Err(StageError::Lost(ended)),
        Err(error) => Err(error),
    }
}

fn listen(
    socket: UnixStream,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<(Vec<u8>, u64)>, StageError> {
    let mut reader = FrameReader::new(socket, LIMITS);
    loop {
        match reader.next_message().map_err(StageError::Conversation)? {
            Some(Report::Progress(step)) => progress(step),
            Some(Report::Done { result, peak_bytes }) => return Ok(Some((result, peak_bytes))),
            Some(Report::Failed(why)) => return Err(StageError::Failed(why)),
            None => return Ok(None),
        }
    }
}

/// Does what the worker at the other end of standard input asks for.
///
/// # Errors
///
/// [`StageError`], if there is no worker. What goes wrong with the stage itself is told to the worker.
pub fn serve() -> Result<(), StageError> {
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(StageError::Spawn)?;
    let mut socket = UnixStream::from(socket);
    let mut reader = FrameReader::new(socket.try_clone().map_err(StageError::Spawn)?, LIMITS);
    let stage = reader.next_message().map_err(StageError::Conversation)?;
    let Some(stage) = stage else { return Ok(()) };
    end_with_worker(socket.try_clone().map_err(StageError::Spawn)?);
    let mut report = |progress| {
        // Should the worker be gone, the thread above ends the process.
        let _ = write_message(&mut socket, &Report::Progress(progress), &LIMITS);
    };
    let report = match perform(stage, &mut report) {
        Ok(result) => Report::Done { result, peak_bytes: own_peak() },
        Err(error) => Report::Failed(error_chain(&*error)),
    };
    write_message(&mut socket, &report, &LIMITS).map_err(StageError::Conversation)
}

/// Ends this process when the worker does, also where the kernel killed that one alone.
fn end_with_worker(mut socket: UnixStream) {
    thread::spawn(move || {
        // The worker says nothing more, so whatever comes is its end.
        let _ = socket.read(&mut [0]);
        process::exit(1);
    });
}

type Outcome = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

fn perform(stage: Stage, report: &mut dyn FnMut(Progress)) -> Outcome {
    match stage {
        Stage::Compress { key, public_values, core } => {
            let (key, recursion) = (VerifyingKey::from_bytes(&key)?, Recursion::new()?);
            let proof =
                recursion.compress(&key, &public_values, &core, &mut |step| report(told(step)))?;
            Ok(proof)
        }
        Stage::Wrap { compressed } => {
            Ok(Recursion::new()?.wrap(&compressed, &mut |step| report(told(step)))?)
        }
        Stage::Outer { plonk, circuit, key, public_values, wrapped } => {
            report(Progress { phase: Phase::Outer, done: 0, total: 1 });
            let system = if plonk { ProofSystem::Plonk } else { ProofSystem::Groth16 };
            let key = VerifyingKey::from_bytes(&key)?;
            Ok(outer::prove(system, &circuit, &key, &public_values, &wrapped)?)
        }
        Stage::Build { plonk, directory, template } => {
            let system = if plonk { ProofSystem::Plonk } else { ProofSystem::Groth16 };
            outer::build_development(system, &directory, &template)?;
            Ok(Vec::new())
        }
    }
}

/// A step as it travels.
fn told(step: Step) -> Progress {
    let count = |steps| u32::try_from(steps).unwrap_or(u32::MAX);
    let (phase, done, total) = match step {
        Step::Compress { done, total } => (Phase::Compress, done, total),
        Step::Wrap { done, total } => (Phase::Wrap, done, total),
    };
    Progress { phase, done: count(done), total: count(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Heard = Result<Option<(Vec<u8>, u64)>, StageError>;

    /// What [`listen`] makes of a child that says this and ends.
    fn heard(bytes: &[u8]) -> (Heard, Vec<Progress>) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        io::Write::write_all(&mut theirs, bytes).unwrap();
        drop(theirs);
        let mut steps = Vec::new();
        let outcome = listen(ours, &mut |step| steps.push(step));
        (outcome, steps)
    }

    fn frames(reports: &[Report]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for report in reports {
            write_message(&mut bytes, report, &LIMITS).unwrap();
        }
        bytes
    }

    const STEP: Progress = Progress { phase: Phase::Wrap, done: 1, total: 2 };

    fn done() -> Report {
        Report::Done { result: vec![7; 9], peak_bytes: 11 }
    }

    #[test]
    fn progress_is_passed_on_and_the_result_is_what_was_told() {
        let (outcome, steps) = heard(&frames(&[Report::Progress(STEP), done()]));
        assert_eq!(outcome.unwrap(), Some((vec![7; 9], 11)));
        assert_eq!(steps, [STEP]);
    }

    #[test]
    fn a_failure_is_told_in_its_own_words() {
        let (outcome, steps) = heard(&frames(&[Report::Failed("no such circuit".to_owned())]));
        assert_eq!(outcome.unwrap_err().to_string(), "no such circuit");
        assert_eq!(steps, []);
    }

    #[test]
    fn an_end_before_the_result_is_no_result() {
        let (outcome, steps) = heard(&frames(&[Report::Progress(STEP)]));
        assert_eq!(outcome.unwrap(), None);
        assert_eq!(steps, [STEP]);
        let frames = frames(&[done()]);
        for length in 1..frames.len() {
            let (outcome, _) = heard(&frames[..length]);
            assert!(matches!(outcome, Err(StageError::Conversation(_))), "{length}: {outcome:?}");
        }
    }

    #[test]
    fn what_is_no_input_of_a_stage_is_told_and_nothing_panics() {
        let none = || b"no such thing".to_vec();
        let (key, public_values) = (none(), Vec::new());
        let stages = [
            Stage::Compress { key: none(), public_values: Vec::new(), core: none() },
            Stage::Outer {
                plonk: false,
                circuit: "no such folder".into(),
                key,
                public_values,
                wrapped: none(),
            },
            Stage::Build { plonk: true, directory: "no such folder".into(), template: none() },
        ];
        for stage in stages {
            let name = stage.name();
            assert!(perform(stage, &mut drop).is_err(), "{name}");
        }
    }
}
