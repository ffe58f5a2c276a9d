//! What an operator can see of the server: counters, gauges and histograms for Prometheus.
//!
//! Each part of the server has its struct here, with a method for each thing that can happen. Labels are
//! enums, so the number of series is known before the first request. What can be read is read at the
//! scrape and not told in between.

mod gpu;
mod jobs;
mod label;
mod network;
mod process;
mod reason;
mod register;
mod requests;
mod table;
mod workers;

#[cfg(test)]
mod docs;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use prometheus::{Registry, TextEncoder};

pub(crate) use gpu::{GpuMetrics, GpuReading};
pub(crate) use jobs::JobMetrics;
pub(crate) use label::{Outcome, Stage, Subject, Value, Work};
pub(crate) use network::NetworkMetrics;
pub(crate) use process::ProcessMetrics;
pub(crate) use reason::{ConnectionRefusal, FrameRefusal, Reload, RestartReason};
pub(crate) use requests::{RequestGuard, RequestMetrics};
pub(crate) use workers::{WorkerMetrics, WorkerPlace};

use crate::types::EngineInfo;
use register::Register;

/// What [`Metrics::render`] makes.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a server is, for its labels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuildLabels<'a> {
    /// This release.
    pub(crate) version: &'a str,
    /// What the workers prove.
    pub(crate) engine: &'a EngineInfo,
    /// The server's role.
    pub(crate) role: &'a str,
    /// How many workers prove.
    pub(crate) workers: usize,
}

/// Every metric of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// From arrival to the last answer.
    pub(crate) requests: RequestMetrics,
    /// Checks, queues and jobs.
    pub(crate) jobs: JobMetrics,
    /// What they prove on.
    pub(crate) gpus: GpuMetrics,
    /// The processes that work.
    pub(crate) workers: WorkerMetrics,
    /// Connections, frames and TLS.
    pub(crate) network: NetworkMetrics,
    /// The server itself.
    pub(crate) process: ProcessMetrics,
}

impl Metrics {
    /// Registers every metric, in a registry of its own.
    pub(crate) fn new(build: &BuildLabels<'_>) -> Self {
        let registry = Registry::new();
        let register = Register::new(&registry, build.engine);
        Self {
            requests: RequestMetrics::register(&register),
            jobs: JobMetrics::register(&register),
            gpus: GpuMetrics::register(&register),
            workers: WorkerMetrics::register(&register, build.workers),
            network: NetworkMetrics::register(&register),
            process: ProcessMetrics::register(&register, build),
            registry,
        }
    }

    /// Everything as text, format 0.0.4. Reads some files of `/proc`, which does not block.
    pub(crate) fn render(&self, ready: bool) -> String {
        self.workers.refresh();
        self.process.refresh(ready);
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("gathered families have names and series")
    }
}

/// A count as gauges have it.
fn gauge_value(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A time as gauges have it; 0 for times before.
fn seconds_since_1970(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
