//! Samples of the same thing, taken together.

use std::{collections::BTreeMap, fmt};

use proof_server::types::ProofMode;

use super::{
    Metric, Sorted, Unit,
    metric::{Collector, GPU_BUSY, PEAK_MEMORY, PHASE, TOTAL},
};
use crate::document::{
    Document, Failure, ProveOutcome, ProveRun, ProveSample, ReplayOutcome, ReplayRun, ReplaySample,
    Run,
};

/// Whether the prover was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Warmth {
    Cold,
    Warm,
}

impl fmt::Display for Warmth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
        })
    }
}

/// What was proven, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key<'a> {
    pub(crate) program: &'a str,
    pub(crate) recording: &'a str,
    pub(crate) mode: ProofMode,
    /// Servers are neither cold nor warm: they answer.
    pub(crate) warmth: Option<Warmth>,
}

impl Key<'_> {
    /// Whether a sample belongs to it.
    pub(crate) fn is_of(&self, sample: &ProveSample) -> bool {
        let warmth = if sample.cold { Warmth::Cold } else { Warmth::Warm };
        self.program == sample.program
            && self.recording == sample.recording
            && self.mode == sample.mode
            && self.warmth == Some(warmth)
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.program, self.recording, self.mode)?;
        self.warmth.map_or(Ok(()), |warmth| write!(f, ", {warmth}"))
    }
}

/// Failures of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) code: String,
    pub(crate) reason: String,
    pub(crate) count: usize,
}

/// All samples of one key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group<'a> {
    pub(crate) key: Key<'a>,
    /// Attempts, with and without a proof.
    pub(crate) runs: usize,
    /// By code and reason, the most frequent first.
    pub(crate) failures: Vec<Failed>,
    /// Attempts after the first, of all requests together.
    pub(crate) retries: u64,
    /// How many proofs were checked by the client.
    pub(crate) checked: usize,
    /// Of the proofs, in the order of their making; total first.
    pub(crate) metrics: Vec<Metric>,
    /// Proofs a second, where time passed.
    pub(crate) per_second: Option<f64>,
    /// What one proof cost: all that was paid for, failed attempts too, over the proofs.
    pub(crate) dollars: Option<f64>,
}

impl Group<'_> {
    pub(crate) fn failed(&self) -> usize {
        self.failures.iter().map(|failed| failed.count).sum()
    }

    pub(crate) fn proved(&self) -> usize {
        self.runs - self.failed()
    }

    /// Values of a metric; none where nothing was measured of it.
    pub(crate) fn values(&self, name: &str) -> &Sorted {
        static NONE: Sorted = Sorted::new_empty();
        let metric = self.metrics.iter().find(|metric| metric.name == name);
        metric.map_or(&NONE, |metric| &metric.values)
    }

    pub(crate) fn total(&self) -> &Sorted {
        self.values(TOTAL)
    }

    pub(crate) fn peak_memory(&self) -> &Sorted {
        self.values(PEAK_MEMORY)
    }

    /// Where the time of a proof went on average, in order. Averages, because they add up to the average of all.
    pub(crate) fn mean_phases(&self) -> Vec<(&str, f64)> {
        let count = self.proved().max(1) as f64;
        let mut phases: Vec<(&str, f64)> = self
            .metrics
            .iter()
            .filter_map(|metric| {
                Some((metric.name.strip_prefix(PHASE)?, metric.values.sum() / count))
            })
            .collect();
        let told: f64 = phases.iter().map(|(_, seconds)| seconds).sum();
        let rest = self.total().sum() / count - told;
        // Less is what rounding leaves.
        if !phases.is_empty() && rest > 1e-3 * told {
            phases.push(("other", rest));
        }
        phases
    }
}

/// What is known of a group while its samples come by.
#[derive(Debug, Default)]
struct Gathering {
    runs: usize,
    failures: BTreeMap<(String, String), usize>,
    retries: u64,
    checked: usize,
    metrics: Collector,
    /// Seconds of all attempts, or of all of a server's work.
    worked_seconds: f64,
}

impl Gathering {
    fn fail(&mut self, failure: &Failure) {
        *self.failures.entry((failure.code.clone(), failure.reason.clone())).or_default() += 1;
    }

    fn prove(&mut self, sample: &ProveSample) {
        self.runs += 1;
        self.worked_seconds += sample.total_seconds.get();
        let proved = match &sample.outcome {
            ProveOutcome::Failed(failure) => return self.fail(failure),
            ProveOutcome::Proved(proved) => proved,
        };
        let metrics = &mut self.metrics;
        metrics.measured(TOTAL, Unit::Seconds, sample.total_seconds.get());
        for phase in &sample.phases {
            metrics.measured(&format!("{PHASE}{}", phase.name), Unit::Seconds, phase.seconds.get());
        }
        metrics.measured("verify", Unit::Seconds, proved.verify_seconds.get());
        if let Some(bytes) = sample.peak_memory_bytes {
            metrics.measured(PEAK_MEMORY, Unit::Bytes, bytes as f64);
        }
        if let Some(bytes) = sample.gpu.and_then(|gpu| gpu.peak_memory_bytes) {
            metrics.measured("GPU memory", Unit::Bytes, bytes as f64);
        }
        if let Some(percent) = sample.gpu.and_then(|gpu| gpu.utilisation_percent) {
            metrics.measured(GPU_BUSY, Unit::Percent, percent.get());
        }
        if let Some(joules) = sample.gpu.and_then(|gpu| gpu.energy_joules) {
            metrics.measured("GPU energy", Unit::Joules, joules.get());
        }
        metrics.exact("proof size", Unit::Bytes, Some(proved.proof_bytes));
        metrics.exact("cycles", Unit::Count, proved.cycles);
        metrics.exact("gas", Unit::Count, proved.gas);
        metrics.exact("shards", Unit::Count, proved.shards.map(u64::from));
    }

    fn replay(&mut self, sample: &ReplaySample) {
        self.runs += 1;
        self.retries += u64::from(sample.retries);
        self.checked += usize::from(sample.verified.is_some());
        self.worked_seconds += seconds(sample.prove_us.unwrap_or_default());
        let proof_bytes = match is_failure(sample) {
            Some(failure) => return self.fail(&failure),
            None => match &sample.outcome {
                ReplayOutcome::Proved { proof_bytes } => *proof_bytes,
                ReplayOutcome::Failed(_) => return,
            },
        };
        let metrics = &mut self.metrics;
        metrics.measured(TOTAL, Unit::Seconds, seconds(sample.total_us));
        let parts = [("queue", sample.queue_us), ("prove", sample.prove_us)];
        for (name, micros) in parts {
            if let Some(micros) = micros {
                metrics.measured(&format!("{PHASE}{name}"), Unit::Seconds, seconds(micros));
            }
        }
        metrics.exact("proof size", Unit::Bytes, Some(proof_bytes));
    }

    fn finish<'a>(self, key: Key<'a>, seconds: f64, paid: Option<f64>) -> Group<'a> {
        let mut failures: Vec<Failed> = self
            .failures
            .into_iter()
            .map(|((code, reason), count)| Failed { code, reason, count })
            .collect();
        failures.sort_by_key(|failed| std::cmp::Reverse(failed.count));
        let mut group = Group {
            key,
            runs: self.runs,
            failures,
            retries: self.retries,
            checked: self.checked,
            metrics: self.metrics.finish(),
            per_second: None,
            dollars: None,
        };
        let proved = group.proved() as f64;
        group.per_second = (seconds > 0.0).then(|| proved / seconds);
        group.dollars = paid.filter(|_| proved > 0.0).map(|dollars| dollars / proved);
        group
    }
}

/// Why a request counts as failed: it did, or its proof did not verify.
pub(crate) fn is_failure(sample: &ReplaySample) -> Option<Failure> {
    match (&sample.outcome, sample.verified) {
        (ReplayOutcome::Failed(failure), _) => Some(failure.clone()),
        (ReplayOutcome::Proved { .. }, Some(false)) => Some(Failure {
            code: "NOT_VERIFIED".to_owned(),
            reason: "a proof came and did not verify".to_owned(),
        }),
        (ReplayOutcome::Proved { .. }, _) => None,
    }
}

pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// A document's groups, ordered by key.
pub(crate) fn groups(document: &Document) -> Vec<Group<'_>> {
    let per_second = document.price_dollars_per_hour.map(|price| price.get() / 3600.0);
    match &document.run {
        Run::Prove(run) => prove_groups(run, per_second),
        Run::Replay(run) => replay_groups(run, document.duration_seconds.get(), per_second),
    }
}

fn prove_groups(run: &ProveRun, dollars_per_second: Option<f64>) -> Vec<Group<'_>> {
    let mut found: BTreeMap<Key<'_>, Gathering> = BTreeMap::new();
    for sample in &run.samples {
        let key = Key {
            program: &sample.program,
            recording: &sample.recording,
            mode: sample.mode,
            warmth: Some(if sample.cold { Warmth::Cold } else { Warmth::Warm }),
        };
        found.entry(key).or_default().prove(sample);
    }
    // One proof at a time: the machine is the group's own while it works.
    let finish = |(key, group): (_, Gathering)| {
        let seconds = group.worked_seconds;
        group.finish(key, seconds, dollars_per_second.map(|dollars| dollars * seconds))
    };
    found.into_iter().map(finish).collect()
}

fn replay_groups(
    run: &ReplayRun,
    duration: f64,
    dollars_per_second: Option<f64>,
) -> Vec<Group<'_>> {
    let mut found: BTreeMap<Key<'_>, Gathering> = BTreeMap::new();
    for sample in &run.samples {
        let key = Key {
            program: &sample.program,
            recording: &sample.recording,
            mode: sample.mode,
            warmth: None,
        };
        found.entry(key).or_default().replay(sample);
    }
    let all: f64 = found.values().map(|group| group.worked_seconds).sum();
    // Groups share the servers, and so their price: by the time that provers worked for each.
    let finish = |(key, group): (_, Gathering)| {
        let share = if all > 0.0 { Some(group.worked_seconds / all) } else { None };
        let paid = dollars_per_second.zip(share).map(|(dollars, share)| dollars * duration * share);
        group.finish(key, duration, paid)
    };
    found.into_iter().map(finish).collect()
}
