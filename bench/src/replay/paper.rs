//! A replay as a document.

use std::{path::Path, time::Duration};

use eyre::WrapErr;
use proof_server::types::ServerHello;

use super::{
    ReplayArgs,
    plan::Pace,
    sample::Sample,
    summary::{JOINED, Summary},
};
use crate::{
    document::{
        Document, Failure, Fixture, Git, Hardware, Hash, Load, MAX_TEXT_CHARS, Program, Quantity,
        ReplayOutcome, ReplayRun, ReplaySample, ResourcePoint, Run, Schema, Server,
    },
    recording::{Recording, Request},
};

/// What is known before a run begins, so that nothing of it can fail after hours of measuring.
#[derive(Debug)]
pub(super) struct Paper {
    started_unix_seconds: u64,
    git: Option<Git>,
    hardware: Hardware,
}

impl Paper {
    /// Looks at this machine, and whether the document can be written.
    pub(super) fn prepare(out: Option<&Path>) -> eyre::Result<Self> {
        if let Some(out) = out {
            let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
            tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).wrap_err_with(|| {
                format!(
                    "cannot write {}: name a file in a folder where you may write",
                    out.display()
                )
            })?;
            eyre::ensure!(!out.is_dir(), "{} is a folder: name a file", out.display());
        }
        Ok(Self {
            started_unix_seconds: crate::document::unix_seconds(),
            git: Git::detect(Path::new("."), None)?,
            hardware: Hardware::detect()?,
        })
    }

    /// The document of a run.
    pub(super) fn document(
        self,
        args: &ReplayArgs,
        recordings: &[Recording],
        requests: &[Request],
        servers: &[(String, ServerHello)],
        resources: Vec<Vec<ResourcePoint>>,
        summary: &Summary<'_>,
    ) -> Document {
        let engine = &servers[0].1.engine;
        let programs = engine.programs.iter().map(|info| Program {
            name: info.program.name().to_owned(),
            elf_sha256: info.elf_sha256,
            vkey: info.vkey,
        });
        let mut settings = args.settings();
        settings.insert("engine".to_owned(), engine.engine.to_string());
        Document {
            schema: Schema,
            started_unix_seconds: self.started_unix_seconds,
            duration_seconds: summary.took.into(),
            note: note(args, engine.engine.is_mock(), summary),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            git: self.git,
            hardware: self.hardware,
            settings,
            sp1_version: engine.sp1_version.clone(),
            programs: programs.collect(),
            fixtures: fixtures(recordings, requests),
            price_dollars_per_hour: args.price,
            run: Run::Replay(ReplayRun {
                load: load(args),
                samples: summary
                    .samples
                    .iter()
                    .map(|sample| row(args, requests, servers, sample))
                    .collect(),
                servers: servers
                    .iter()
                    .zip(resources)
                    .map(|((address, _), resources)| Server {
                        address: address.clone(),
                        hardware: None,
                        resources,
                    })
                    .collect(),
            }),
        }
    }
}

/// Each request by its recording's name and its own, with the recording's hash.
fn fixtures(recordings: &[Recording], requests: &[Request]) -> Vec<Fixture> {
    let fixture = |request: &Request| {
        let of = recordings.iter().find(|recording| {
            request.name.strip_prefix(&recording.name).is_some_and(|rest| rest.starts_with('/'))
        });
        let sha256 = Hash(of.map_or([0; 32], |recording| recording.hash.0));
        Fixture { name: request.name.clone(), sha256 }
    };
    requests.iter().map(fixture).collect()
}

fn load(args: &ReplayArgs) -> Load {
    match args.pace() {
        Pace::Open { per_second } => {
            Load::Open { requests_per_second: Quantity::try_from(per_second).unwrap_or_default() }
        }
        Pace::Closed => Load::Closed { clients: args.clients },
    }
}

fn note(args: &ReplayArgs, is_mock: bool, summary: &Summary<'_>) -> Option<String> {
    let mut notes = Vec::from_iter(args.note.clone());
    if is_mock {
        notes.push("MOCK engine: nothing was proven".to_owned());
    }
    if let Some(left) = summary.stopped {
        notes.push(format!(
            "stopped: {} requests were due and had not begun, {} were given up",
            left.waiting, left.given_up
        ));
    }
    if summary.joined() > 0 {
        notes.push(format!("{} answers {JOINED}", summary.joined()));
    }
    (!notes.is_empty()).then(|| printable(&notes.join("; ")))
}

fn row(
    args: &ReplayArgs,
    requests: &[Request],
    servers: &[(String, ServerHello)],
    sample: &Sample,
) -> ReplaySample {
    let request = &requests[sample.number % requests.len()];
    let proved = sample.outcome.as_ref().ok();
    let outcome = match &sample.outcome {
        Ok(proved) => ReplayOutcome::Proved { proof_bytes: proved.bytes },
        Err(trouble) => ReplayOutcome::Failed(Failure {
            code: trouble.code.clone(),
            reason: printable(&trouble.reason),
        }),
    };
    ReplaySample {
        intended_start_seconds: sample.intended.into(),
        start_seconds: sample.start.into(),
        client: sample.client as u32,
        server: servers[sample.server].0.clone(),
        program: request.program().name().to_owned(),
        recording: request.name.clone(),
        mode: args.mode,
        queue_us: proved.map(|proved| proved.stats.queue_us),
        prove_us: proved.map(|proved| proved.stats.prove_us),
        total_us: micros(sample.total()),
        retries: sample.failed.len() as u32,
        outcome,
        verified: proved.and_then(|proved| proved.verified),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A server's or a user's words, as a document takes them.
fn printable(text: &str) -> String {
    let shown = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().take(MAX_TEXT_CHARS).map(shown).collect()
}
