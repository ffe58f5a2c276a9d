//! Every metric of the server: what it is called, what it counts, which labels and buckets it has.
//!
//! All registration and `docs/metrics.md` come from here. Names end in their unit; there are no rates,
//! which a query makes, and no two metrics that say the same.

use super::label::Label;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many values were up to each of these bounds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// The name in documents and in the text format.
    #[cfg(test)]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) labels: &'static [Label],
    pub(crate) help: &'static str,
}

impl Spec {
    /// The unit that the name says; `None` for plain numbers.
    #[cfg(test)]
    pub(crate) fn unit(&self) -> Option<&'static str> {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
        if ends(&["_time_seconds", "_timestamp_seconds"]) {
            Some("seconds since 1970")
        } else if ends(&["_seconds"]) {
            Some("seconds")
        } else if ends(&["_bytes"]) {
            Some("bytes")
        } else if ends(&["_watts"]) {
            Some("watts")
        } else if ends(&["_joules"]) {
            Some("joules")
        } else if ends(&["_celsius"]) {
            Some("degrees Celsius")
        } else if ends(&["_ratio"]) {
            Some("0 to 1")
        } else {
            None
        }
    }
}

const fn counter(name: &'static str, labels: &'static [Label], help: &'static str) -> Spec {
    Spec { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [Label], help: &'static str) -> Spec {
    Spec { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(
    name: &'static str,
    buckets: &'static [f64],
    labels: &'static [Label],
    help: &'static str,
) -> Spec {
    Spec { name, kind: Kind::Histogram(buckets), labels, help }
}

/// Seconds of proving and of waiting for it: 10 ms (the mock engine) to an hour (a long chain of
/// updates on few cores), denser where one proof is, half a minute to ten minutes.
const LONG: &[f64] = &[
    0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0,
    1200.0, 1800.0, 3600.0,
];

/// Seconds of a native check: a millisecond (one signature) to ten seconds (the longest chain).
const SHORT: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Seconds of a part of a proof: verifying one takes milliseconds, proving shards up to an hour.
const STAGE: &[f64] = &[
    0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0,
    300.0, 600.0, 1200.0, 1800.0, 3600.0,
];

const GIB: f64 = (1_u64 << 30) as f64;

/// Bytes of a worker at its peak: 256 MiB to 64 GiB. A proof on 2 cores takes some 10 GiB.
const MEMORY: &[f64] = &[
    GIB / 4.0,
    GIB / 2.0,
    GIB,
    GIB * 2.0,
    GIB * 4.0,
    GIB * 6.0,
    GIB * 8.0,
    GIB * 12.0,
    GIB * 16.0,
    GIB * 24.0,
    GIB * 32.0,
    GIB * 48.0,
    GIB * 64.0,
];

const NONE: &[Label] = &[];
const TASK: &[Label] = &[Label::Task];
const STATEMENT: &[Label] = &[Label::Program, Label::Mode];
const SUBJECT: &[Label] = &[Label::Task, Label::Program, Label::Mode];
const SUBJECT_CODE: &[Label] = &[Label::Task, Label::Program, Label::Mode, Label::Code];

pub(super) const REQUESTS: Spec = counter(
    "proof_server_requests_total",
    SUBJECT,
    "Requests that arrived, counted before any work on them.",
);
pub(super) const OUTCOMES: Spec = counter(
    "proof_server_request_outcomes_total",
    SUBJECT_CODE,
    "Requests that ended, by code. One whose client went away is CANCELLED.",
);
pub(super) const IN_FLIGHT: Spec = gauge(
    "proof_server_requests_in_flight",
    SUBJECT,
    "Requests that arrived and have not ended: at every scrape, requests minus outcomes.",
);
pub(super) const JOINED: Spec = counter(
    "proof_server_requests_joined_total",
    &[Label::How],
    "Requests that needed no job of their own: they follow a running one or got a kept result.",
);
pub(super) const REQUEST_SECONDS: Spec = histogram(
    "proof_server_request_seconds",
    LONG,
    SUBJECT,
    "From the arrival of a request to its last answer, of those that ended OK.",
);
pub(super) const CHECK_SECONDS: Spec = histogram(
    "proof_server_check_seconds",
    SHORT,
    STATEMENT,
    "The native check of a request for a proof, before it is queued. Excludes waiting for a core.",
);

pub(super) const QUEUE_JOBS: Spec =
    gauge("proof_server_queue_jobs", TASK, "Jobs that wait for a worker.");
pub(super) const QUEUE_LIMIT: Spec =
    gauge("proof_server_queue_limit", TASK, "Jobs that may wait; more are answered BUSY.");
pub(super) const QUEUE_OLDEST: Spec = gauge(
    "proof_server_queue_oldest_seconds",
    TASK,
    "How long the job that waits longest has waited, since it was accepted; 0 if none waits.",
);
pub(super) const QUEUE_WAIT: Spec = histogram(
    "proof_server_queue_wait_seconds",
    LONG,
    SUBJECT,
    "From a job's place in the queue to its worker. Excludes the check before and the work after.",
);
pub(super) const PHASE_SECONDS: Spec = histogram(
    "proof_server_phase_seconds",
    STAGE,
    &[Label::Program, Label::Mode, Label::Phase],
    "The parts of a proof. A part that was broken off is not counted.",
);
pub(super) const SPAN_SECONDS: Spec = histogram(
    "proof_server_prover_span_seconds",
    STAGE,
    &[Label::Program, Label::Mode, Label::Span],
    "What the prover spends on its parts of a proof, over all shards: SP1's own tracing spans.",
);
pub(super) const JOBS: Spec =
    counter("proof_server_jobs_total", SUBJECT_CODE, "Jobs that a worker had, by how they ended.");
pub(super) const JOB_SECONDS: Spec = histogram(
    "proof_server_job_seconds",
    LONG,
    SUBJECT,
    "How long a worker had a job, of those that ended OK. Excludes the queue.",
);
pub(super) const RETRIES: Spec = counter(
    "proof_server_job_retries_total",
    SUBJECT,
    "Jobs that were given to another worker after the one that had it was lost.",
);
pub(super) const PEAK_BYTES: Spec = histogram(
    "proof_server_worker_peak_bytes",
    MEMORY,
    STATEMENT,
    "Most resident memory of a worker and its children during one proof.",
);
pub(super) const KEPT_RESULTS: Spec =
    gauge("proof_server_kept_results", NONE, "Results that are kept for whoever asks again.");
pub(super) const KEPT_BYTES: Spec =
    gauge("proof_server_kept_bytes", NONE, "Memory that the kept results take.");

pub(super) const WORKERS: Spec =
    gauge("proof_server_workers", &[Label::Task, Label::State], "Workers, by what they do.");
pub(super) const BUSY_SECONDS: Spec = counter(
    "proof_server_worker_busy_seconds_total",
    TASK,
    "Time that workers had a job, summed over workers; it grows while a job runs.",
);
pub(super) const START_SECONDS: Spec = histogram(
    "proof_server_worker_start_seconds",
    LONG,
    TASK,
    "From a worker's start until it is ready, with the set-up of its programs.",
);
pub(super) const RESTARTS: Spec = counter(
    "proof_server_worker_restarts_total",
    &[Label::Task, Label::RestartReason],
    "Workers that were replaced, by why.",
);
pub(super) const WORKER_BYTES: Spec = gauge(
    "proof_server_worker_resident_bytes",
    &[Label::Task, Label::Worker],
    "Resident memory of a worker and its children; 0 while it is not there.",
);
pub(super) const WORKER_LIMIT: Spec = gauge(
    "proof_server_worker_memory_limit_bytes",
    &[Label::Task, Label::Worker],
    "What --worker-memory allows a worker and its children. Absent if there is no limit.",
);
pub(super) const PROGRESS_AGE: Spec = gauge(
    "proof_server_worker_progress_age_seconds",
    &[Label::Task, Label::Worker],
    "Since the running job's last report of progress, or its start before the first; 0 without a job.",
);

const GPU: &[Label] = &[Label::Gpu];

pub(super) const GPU_MEMORY_USED: Spec = gauge(
    "proof_server_gpu_memory_used_bytes",
    GPU,
    "Memory of the GPU that is in use, by whomever. Like all of these: absent without a GPU.",
);
pub(super) const GPU_MEMORY: Spec =
    gauge("proof_server_gpu_memory_bytes", GPU, "All memory of the GPU.");
pub(super) const GPU_UTILIZATION: Spec = gauge(
    "proof_server_gpu_utilization_ratio",
    GPU,
    "Part of the last moments in which the GPU ran anything, as its driver says.",
);
pub(super) const GPU_POWER: Spec =
    gauge("proof_server_gpu_power_watts", GPU, "What the GPU draws.");
pub(super) const GPU_ENERGY: Spec = counter(
    "proof_server_gpu_energy_joules_total",
    GPU,
    "What the GPU took since the server started, idle or not.",
);
pub(super) const GPU_TEMPERATURE: Spec =
    gauge("proof_server_gpu_temperature_celsius", GPU, "How hot the GPU is.");
pub(super) const GPU_ERRORS: Spec = counter(
    "proof_server_gpu_errors_total",
    &[Label::Gpu, Label::GpuReason],
    "Jobs that failed on the GPU: for its memory, by a CUDA error, or because SP1's GPU server ended or panicked.",
);

pub(super) const CONNECTIONS: Spec =
    gauge("proof_server_connections", NONE, "Connections that are open.");
pub(super) const CONNECTIONS_TOTAL: Spec =
    counter("proof_server_connections_total", NONE, "Connections that were let in.");
pub(super) const CONNECTIONS_REFUSED: Spec = counter(
    "proof_server_connections_refused_total",
    &[Label::ConnectionReason],
    "Connections that were refused, by why.",
);
pub(super) const FRAMES_REFUSED: Spec = counter(
    "proof_server_frames_refused_total",
    &[Label::FrameReason],
    "Frames that broke the protocol or a limit, by how. Each ended its connection.",
);
pub(super) const RECEIVED_BYTES: Spec = counter(
    "proof_server_received_bytes_total",
    NONE,
    "Bytes of frames that clients sent, without TLS and TCP around them.",
);
pub(super) const SENT_BYTES: Spec = counter(
    "proof_server_sent_bytes_total",
    NONE,
    "Bytes of frames that clients were sent, without TLS and TCP around them.",
);
pub(super) const TLS_RELOADS: Spec = counter(
    "proof_server_tls_reloads_total",
    &[Label::ReloadOutcome],
    "Times that the TLS certificate and key were read again.",
);
pub(super) const TLS_EXPIRY: Spec = gauge(
    "proof_server_tls_certificate_expiry_timestamp_seconds",
    NONE,
    "When the certificate in use ends. Absent without TLS.",
);

pub(super) const READY: Spec = gauge("proof_server_ready", NONE, "1 if /readyz says yes, else 0.");
pub(super) const SECONDARY_UP: Spec = gauge(
    "proof_server_secondary_up",
    NONE,
    "1 if the secondary answers, else 0. Absent if there is none.",
);
pub(super) const RESIDENT_BYTES: Spec = gauge(
    "proof_server_resident_bytes",
    NONE,
    "Resident memory of the server itself, without its workers. Absent where /proc does not say.",
);
pub(super) const START_TIME: Spec =
    gauge("proof_server_start_time_seconds", NONE, "When the server started.");
pub(super) const BUILD_INFO: Spec = gauge(
    "proof_server_build_info",
    &[Label::Version, Label::Sp1Version, Label::Engine, Label::Role],
    "Always 1: what runs here.",
);
pub(super) const PROGRAM_INFO: Spec = gauge(
    "proof_server_program_info",
    &[Label::Program, Label::Vkey, Label::ElfSha256],
    "Always 1: which programs this server proves, and the keys that clients pin.",
);

/// Every metric, for its documentation: by the part of the server that it is about, in the order of a request's way.
#[cfg(test)]
pub(crate) const TABLE: &[(&str, &[Spec])] = &[
    ("Requests", &[REQUESTS, OUTCOMES, IN_FLIGHT, JOINED, REQUEST_SECONDS, CHECK_SECONDS]),
    (
        "Queue and jobs",
        &[
            QUEUE_JOBS,
            QUEUE_LIMIT,
            QUEUE_OLDEST,
            QUEUE_WAIT,
            PHASE_SECONDS,
            SPAN_SECONDS,
            JOBS,
            JOB_SECONDS,
            RETRIES,
            PEAK_BYTES,
            KEPT_RESULTS,
            KEPT_BYTES,
        ],
    ),
    (
        "Workers",
        &[WORKERS, BUSY_SECONDS, START_SECONDS, RESTARTS, WORKER_BYTES, WORKER_LIMIT, PROGRESS_AGE],
    ),
    (
        "GPUs",
        &[
            GPU_MEMORY_USED,
            GPU_MEMORY,
            GPU_UTILIZATION,
            GPU_POWER,
            GPU_ENERGY,
            GPU_TEMPERATURE,
            GPU_ERRORS,
        ],
    ),
    (
        "Network",
        &[
            CONNECTIONS,
            CONNECTIONS_TOTAL,
            CONNECTIONS_REFUSED,
            FRAMES_REFUSED,
            RECEIVED_BYTES,
            SENT_BYTES,
            TLS_RELOADS,
            TLS_EXPIRY,
        ],
    ),
    ("Server", &[READY, SECONDARY_UP, RESIDENT_BYTES, START_TIME, BUILD_INFO, PROGRAM_INFO]),
];

/// Every metric.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static Spec> {
    TABLE.iter().flat_map(|(_, specs)| specs.iter())
}
