//! Real proofs on this machine: what they take, phase by phase, and how much memory.
//!
//! Each run is a server of its own, from nothing: its first proof is cold, those after it are warm. What is measured is
//! what a client waits for, so nothing that a deployment would pay is left out.

mod args;
mod gpu;
mod memory;
mod phases;
mod server;
mod tell;

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use lc_core::ProgramId;
use proof_server::{
    SP1_VERSION,
    artifacts::{ArtifactError, Artifacts},
    client::ClientError,
    engine::Verifier,
    types::{Proof, ProofMode, ProofStats},
    verify::ProofVerifier,
};

pub use self::{args::ProveArgs, tell::run};
use self::{phases::Phases, server::Server};
use crate::{
    document::{
        Document, Failure, Fixture, Git, GitError, GpuUse, Hardware, HardwareError, Hash, Phase,
        Program, ProveOutcome, ProveRun, ProveSample, Proved, Run, Schema, unix_seconds,
    },
    recording::{Recording, RecordingError, Request},
};

/// Why nothing was measured. What happens to a single proof is in its sample.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// A recording that is none.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// No request has what was asked for.
    #[error("no request of the recordings is left: there are {there}")]
    Nothing {
        /// The names of those that there are.
        there: String,
    },
    /// No server to measure.
    #[error(
        "there is no {0}: build it with `cargo build --release --workspace`, or name it with --server-binary"
    )]
    NoServer(String),
    /// A file that was named cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// This release's programs.
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
    /// The machine.
    #[error(transparent)]
    Hardware(#[from] HardwareError),
    /// The source.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What a run is about, and what it is measured with.
struct Bench<'a> {
    args: &'a ProveArgs,
    verifier: ProofVerifier,
    gpus: bool,
}

/// What is proven.
struct Subject<'a> {
    name: &'a str,
    request: &'a Request,
    gas: Option<u64>,
}

/// What one attempt came to.
struct Attempt {
    total: Duration,
    phases: Vec<Phase>,
    result: Result<(Proof, ProofStats), Failure>,
}

/// Makes the proofs that `args` ask for, and tells `report` of each sample when it is there.
///
/// # Errors
///
/// [`ProveError`], before the first proof.
pub fn prove(
    args: &ProveArgs,
    report: &mut dyn FnMut(&ProveSample),
) -> Result<Document, ProveError> {
    let server = args.server_binary();
    if !server.exists() {
        return Err(ProveError::NoServer(server.display().to_string()));
    }
    let recordings = args
        .recording
        .iter()
        .map(|folder| Recording::load(folder))
        .collect::<Result<Vec<_>, _>>()?;
    let chosen = choose(args, &recordings)?;
    let hardware = Hardware::detect()?;
    let git = Git::detect(Path::new(env!("CARGO_MANIFEST_DIR")), args.git.as_deref())?;
    let keys = args.development_keys()?;
    let bench = Bench {
        args,
        verifier: ProofVerifier::new()?.with_development_circuits(keys),
        gpus: !hardware.gpus.is_empty(),
    };
    let (started_unix_seconds, began) = (unix_seconds(), Instant::now());
    let mut samples = Vec::new();
    for (fixture, request) in &chosen {
        let subject = Subject { name: &fixture.name, request, gas: gas(request) };
        for run in 0..args.runs {
            for sample in bench.run(&subject, run) {
                report(&sample);
                samples.push(sample);
            }
        }
    }
    Ok(Document {
        schema: Schema,
        started_unix_seconds,
        duration_seconds: began.elapsed().into(),
        note: args.note.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        git,
        hardware,
        settings: args.settings(),
        sp1_version: SP1_VERSION.to_owned(),
        programs: programs(bench.verifier.artifacts()),
        fixtures: chosen.into_iter().map(|(fixture, _)| fixture).collect(),
        price_dollars_per_hour: args.price,
        run: Run::Prove(ProveRun { samples }),
    })
}

/// The requests that were asked for. Each is a fixture of its own, with its recording's name before its own and its
/// recording's hash.
fn choose<'a>(
    args: &ProveArgs,
    recordings: &'a [Recording],
) -> Result<Vec<(Fixture, &'a Request)>, ProveError> {
    let all = recordings.iter().flat_map(|recording| {
        recording.requests.iter().map(|request| {
            let name = format!("{}/{}", recording.name, request.name);
            (Fixture { name, sha256: Hash(recording.hash.0) }, request)
        })
    });
    let (mut chosen, other): (Vec<_>, Vec<_>) =
        all.partition(|(fixture, request)| args.wants(&fixture.name, request.program()));
    if args.request.is_none() {
        let mut seen = BTreeSet::new();
        chosen.retain(|(_, request)| seen.insert(request.program().to_string()));
    }
    if chosen.is_empty() {
        let there = other.iter().map(|(fixture, _)| fixture.name.as_str());
        return Err(ProveError::Nothing { there: there.collect::<Vec<_>>().join(", ") });
    }
    Ok(chosen)
}

fn programs(artifacts: &Artifacts) -> Vec<Program> {
    let program = |program: ProgramId| {
        let entry = artifacts.entries().find(|entry| entry.program == program);
        let entry = entry.expect("the manifest has every program");
        Program { name: program.to_string(), elf_sha256: entry.sha256, vkey: entry.vkey }
    };
    ProgramId::ALL.map(program).to_vec()
}

impl Bench<'_> {
    /// A server of its own, a cold proof and the warm ones.
    fn run(&self, subject: &Subject<'_>, run: u32) -> Vec<ProveSample> {
        let warm = self.args.warm;
        let begun = Instant::now();
        let mut server = match Server::start(self.args) {
            Ok(server) => server,
            Err(reason) => {
                let failed = Failure { code: "NO_SERVER".to_owned(), reason };
                let attempt =
                    Attempt { total: begun.elapsed(), phases: Vec::new(), result: Err(failed) };
                return vec![self.sample(subject, (run * (warm + 1), true), attempt, None)];
            }
        };
        let mut samples = Vec::new();
        for proof in 0..=warm {
            let begun = if proof == 0 { begun } else { Instant::now() };
            let memory = memory::Sampler::start(server.pid(), begun);
            let gpu = self.gpus.then(|| gpu::Sampler::start(begun));
            let attempt = attempt(&mut server, self.args.mode, subject.request, begun);
            let (memory, gpu) = (memory.stop(), gpu.and_then(gpu::Sampler::stop));
            let failed = attempt.result.is_err();
            let place = (run * (warm + 1) + proof, proof == 0);
            samples.push(self.sample(subject, place, attempt, Some((memory, gpu))));
            if failed {
                // Its log said why; a warm proof of a broken server would be none.
                break;
            }
        }
        samples
    }

    fn sample(
        &self,
        subject: &Subject<'_>,
        (index, cold): (u32, bool),
        attempt: Attempt,
        seen: Option<(memory::Seen, Option<GpuUse>)>,
    ) -> ProveSample {
        let (memory, gpu) = seen.unwrap_or_default();
        let stated = attempt.result.as_ref().map_or(0, |(_, stats)| stats.peak_worker_bytes);
        let outcome = match attempt.result {
            Ok((proof, stats)) => self.verified(subject, &proof, &stats),
            Err(failure) => ProveOutcome::Failed(failure),
        };
        ProveSample {
            program: subject.request.program().to_string(),
            recording: subject.name.to_owned(),
            mode: self.args.mode,
            index,
            cold,
            total_seconds: attempt.total.into(),
            outcome,
            phases: attempt.phases,
            peak_memory_bytes: Some(memory.peak.max(stated)).filter(|bytes| *bytes > 0),
            memory: memory.points,
            gpu,
        }
    }

    /// A proof counts only if it holds and says what the recording says.
    fn verified(&self, subject: &Subject<'_>, proof: &Proof, stats: &ProofStats) -> ProveOutcome {
        // The first one sets up what the others use.
        let _ = self.verifier.verify(proof);
        let begun = Instant::now();
        let verified = self.verifier.verify(proof);
        let verify_seconds = begun.elapsed().into();
        let failed = |reason: String| {
            ProveOutcome::Failed(Failure { code: "INVALID_PROOF".to_owned(), reason })
        };
        match verified {
            Ok(values) if values.0 == subject.request.public_values => {
                ProveOutcome::Proved(Proved {
                    verify_seconds,
                    proof_bytes: proof.bytes.len() as u64,
                    cycles: Some(stats.cycles),
                    gas: subject.gas,
                    shards: Some(stats.shards),
                })
            }
            Ok(_) => failed("it proves other public values than the recording's".to_owned()),
            Err(error) => failed(error.to_string()),
        }
    }
}

/// SP1's measure of work, which no server tells: the program runs once more.
#[cfg(feature = "cpu")]
fn gas(request: &Request) -> Option<u64> {
    let checked = request.input.check().ok()?;
    Some(proof_server::execute::execute(checked.program, &checked.witness).ok()?.gas)
}

#[cfg(not(feature = "cpu"))]
fn gas(_: &Request) -> Option<u64> {
    None
}

fn attempt(server: &mut Server, mode: ProofMode, request: &Request, begun: Instant) -> Attempt {
    let mut phases = Phases::default();
    let result = server.prove(mode, request, &mut |event| phases.saw(begun.elapsed(), &event));
    let total = begun.elapsed();
    let result = result.map_err(|error| match error {
        ClientError::Failed(failure) => Failure {
            code: failure.code.to_string(),
            reason: format!("{}\n{}", failure.message, server.log_end()),
        },
        error => Failure {
            code: "CRASHED".to_owned(),
            reason: format!("{error}: {}\n{}", server.state(), server.log_end()),
        },
    });
    Attempt { total, phases: phases.until(total), result }
}
