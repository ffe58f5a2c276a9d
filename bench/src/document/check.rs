//! What a document must hold to beyond its types: the same when it is written and when it is read.

use std::collections::BTreeSet;

use super::{
    Document, Failure, Hardware, Load, ProveOutcome, ProveSample, Quantity, ReplayOutcome,
    ReplayRun, ReplaySample, Run, git::is_revision,
};

/// Longest name, in characters: programs, recordings, phases, addresses, and what identifies a machine.
pub const MAX_NAME_CHARS: usize = 200;

/// Longest text for people, in characters: twice a failure's on the wire.
pub const MAX_TEXT_CHARS: usize = 4000;

/// One fault of a document: where, what, and what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct Fault {
    /// As in `run.prove.samples[3].program`.
    pub path: String,
    /// What was seen and what was wanted.
    pub fault: String,
}

type Checked = Result<(), Fault>;

fn fault(path: impl Into<String>, fault: impl Into<String>) -> Checked {
    Err(Fault { path: path.into(), fault: fault.into() })
}

/// The first fault of a document, if it has one.
pub(super) fn check(document: &Document) -> Checked {
    text("tool_version", &document.tool_version)?;
    name("sp1_version", &document.sp1_version)?;
    document.note.iter().try_for_each(|note| text("note", note))?;
    if let Some(git) = &document.git
        && !is_revision(&git.revision)
    {
        return fault("git.revision", "is not 40 or 64 lowercase hex digits: give the full hash");
    }
    hardware("hardware", &document.hardware)?;
    for (key, value) in &document.settings {
        name("settings", key)?;
        text(&format!("settings.{key}"), value)?;
    }
    let programs = names("programs", document.programs.iter().map(|program| &program.name))?;
    let fixtures = names("fixtures", document.fixtures.iter().map(|fixture| &fixture.name))?;
    let known = Known { programs, fixtures };
    match &document.run {
        Run::Prove(run) => each("run.prove.samples", &run.samples, |at, sample| {
            known.check(at, &sample.program, &sample.recording)?;
            prove(at, sample)
        }),
        Run::Replay(run) => replay(&known, run),
    }
}

/// What samples may name.
struct Known<'a> {
    programs: BTreeSet<&'a str>,
    fixtures: BTreeSet<&'a str>,
}

impl Known<'_> {
    fn check(&self, at: &str, program: &str, recording: &str) -> Checked {
        is_in(&self.programs, &format!("{at}.program"), program, "programs")?;
        is_in(&self.fixtures, &format!("{at}.recording"), recording, "fixtures")
    }
}

fn is_in(known: &BTreeSet<&str>, path: &str, name: &str, list: &str) -> Checked {
    if known.contains(name) {
        return Ok(());
    }
    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
    fault(path, format!("{name:?} is not in `{list}`: list it there, with its hashes"))
}

/// Checks each element; its path is made only for what is looked into.
fn each<T>(path: &str, list: &[T], check: impl Fn(&str, &T) -> Checked) -> Checked {
    list.iter().enumerate().try_for_each(|(index, item)| check(&format!("{path}[{index}]"), item))
}

/// Names that are said once each.
fn names<'a>(
    path: &str,
    list: impl Iterator<Item = &'a String>,
) -> Result<BTreeSet<&'a str>, Fault> {
    let mut seen = BTreeSet::new();
    for (index, item) in list.enumerate() {
        name(&format!("{path}[{index}]"), item)?;
        if !seen.insert(item.as_str()) {
            fault(
                format!("{path}[{index}]"),
                format!("{item:?} is there twice: names are unique"),
            )?;
        }
    }
    Ok(seen)
}

fn name(path: &str, name: &str) -> Checked {
    if name.is_empty() {
        return fault(path, "is empty: give it a name");
    }
    if name.chars().any(char::is_control) {
        return fault(path, "has control characters: give it a name that can be printed");
    }
    at_most(path, name, MAX_NAME_CHARS)
}

fn text(path: &str, text: &str) -> Checked {
    if text.chars().any(|character| character.is_control() && !"\n\t".contains(character)) {
        return fault(path, "has control characters: give text that can be printed");
    }
    at_most(path, text, MAX_TEXT_CHARS)
}

fn at_most(path: &str, text: &str, most: usize) -> Checked {
    match text.chars().nth(most) {
        None => Ok(()),
        Some(_) => fault(path, format!("is longer than {most} characters: shorten it")),
    }
}

fn hardware(at: &str, hardware: &Hardware) -> Checked {
    name(&format!("{at}.cpu"), &hardware.cpu)?;
    name(&format!("{at}.kernel"), &hardware.kernel)?;
    each(&format!("{at}.gpus"), &hardware.gpus, |at, gpu| {
        name(&format!("{at}.name"), &gpu.name)?;
        name(&format!("{at}.driver"), &gpu.driver)
    })
}

fn failure(at: &str, failure: &Failure) -> Checked {
    name(&format!("{at}.outcome.failed.code"), &failure.code)?;
    text(&format!("{at}.outcome.failed.reason"), &failure.reason)
}

fn percent(path: &str, percent: Option<Quantity>) -> Checked {
    match percent {
        Some(percent) if percent.get() > 100.0 => {
            fault(path, format!("is {percent}: a share of the time is 100 percent at most"))
        }
        _ => Ok(()),
    }
}

fn in_order(path: &str, mut times: impl Iterator<Item = Quantity>) -> Checked {
    let mut last = Quantity::ZERO;
    if times.all(|time| std::mem::replace(&mut last, time) <= time) {
        return Ok(());
    }
    fault(path, "goes back in time: put its points in order of `seconds`")
}

/// Phases may add up to a little more than the total: each is rounded by itself.
const ROUNDING: f64 = 1e-3;

fn prove(at: &str, sample: &ProveSample) -> Checked {
    each(&format!("{at}.phases"), &sample.phases, |at, phase| name(at, &phase.name))?;
    let phases: f64 = sample.phases.iter().map(|phase| phase.seconds.get()).sum();
    let total = sample.total_seconds.get();
    if phases > total * (1.0 + ROUNDING) + ROUNDING {
        let said = format!(
            "take {phases} s, more than the total of {total} s: leave out what is no part of it"
        );
        return fault(format!("{at}.phases"), said);
    }
    in_order(&format!("{at}.memory"), sample.memory.iter().map(|point| point.seconds))?;
    if let Some(gpu) = sample.gpu {
        percent(&format!("{at}.gpu.utilisation_percent"), gpu.utilisation_percent)?;
    }
    match &sample.outcome {
        ProveOutcome::Proved(_) => Ok(()),
        ProveOutcome::Failed(failed) => failure(at, failed),
    }
}

fn replay(known: &Known<'_>, run: &ReplayRun) -> Checked {
    match run.load {
        Load::Open { requests_per_second } if requests_per_second == Quantity::ZERO => {
            fault(
                "run.replay.load.open.requests_per_second",
                "is 0: a run without requests has no load",
            )?;
        }
        Load::Closed { clients: 0 } => {
            fault("run.replay.load.closed.clients", "is 0: one is the least")?
        }
        Load::Open { .. } | Load::Closed { .. } => {}
    }
    let servers = names("run.replay.servers", run.servers.iter().map(|server| &server.address))?;
    each("run.replay.servers", &run.servers, |at, server| {
        server
            .hardware
            .iter()
            .try_for_each(|machine| hardware(&format!("{at}.hardware"), machine))?;
        in_order(&format!("{at}.resources"), server.resources.iter().map(|point| point.seconds))?;
        each(&format!("{at}.resources"), &server.resources, |at, point| {
            percent(&format!("{at}.gpu_utilisation_percent"), point.gpu_utilisation_percent)
        })
    })?;
    each("run.replay.samples", &run.samples, |at, sample: &ReplaySample| {
        known.check(at, &sample.program, &sample.recording)?;
        is_in(&servers, &format!("{at}.server"), &sample.server, "servers")?;
        match &sample.outcome {
            ReplayOutcome::Proved { .. } => Ok(()),
            ReplayOutcome::Failed(failed) => failure(at, failed),
        }
    })
}
