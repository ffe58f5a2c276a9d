//! What others see of a lane.

use std::sync::{Mutex, MutexGuard};

use tokio::time::Instant;

use crate::types::{RunningJob, WorkerReport, WorkerState};

/// What a lane is doing.
#[derive(Debug, Clone)]
pub(crate) struct LaneReport {
    pub(crate) worker: WorkerState,
    pub(crate) restarts: u32,
    pub(crate) running: Option<RunningJob>,
    pub(crate) since: Instant,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
}

/// What other tasks see of a lane.
#[derive(Debug)]
pub(crate) struct LaneView(pub(super) Mutex<LaneReport>);

impl LaneView {
    pub(crate) fn report(&self) -> LaneReport {
        let mut report = self.lock().clone();
        if let Some(running) = &mut report.running {
            running.seconds = u32::try_from(report.since.elapsed().as_secs()).unwrap_or(u32::MAX);
        }
        report
    }

    /// The same as a client sees it.
    pub(crate) fn worker(&self) -> WorkerReport {
        let report = self.report();
        WorkerReport { state: report.worker, running: report.running }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, LaneReport> {
        self.0.lock().expect("nothing panics while it holds a report")
    }
}
