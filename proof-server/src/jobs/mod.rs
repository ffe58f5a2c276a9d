//! Jobs between the connections that want them and the worker that does them.
//!
//! A job's state is a watch channel: whoever follows it sees the latest, a slow follower holds nothing
//! up, and any number may follow one job. When the last [`JobHandle`] is dropped nobody waits any more,
//! and the job ends, queued or running.

mod estimate;
mod queue;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use lc_core::ProgramId;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::types::{Failure, JobId, Progress, Proof, ProofMode, ProofStats, VkeyHash};

pub(crate) use queue::{Condition, Queue};

/// What a worker is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Task {
    /// Make a proof.
    Prove {
        program: ProgramId,
        mode: ProofMode,
        /// The guest's input.
        witness: Vec<u8>,
        /// What the guest must commit: the native check's result.
        public_values: Vec<u8>,
    },
    /// Check a proof.
    Verify { proof: Proof },
}

impl Task {
    /// What kind of job this is: kinds have similar durations.
    pub(crate) fn kind(&self) -> (ProgramId, ProofMode) {
        match self {
            Self::Prove { program, mode, .. } => (*program, *mode),
            Self::Verify { proof } => (proof.program, proof.mode),
        }
    }
}

/// What came of a job.
#[derive(Debug)]
pub(crate) enum Success {
    Proof { proof: Proof, stats: ProofStats },
    Verified { program: ProgramId, vkey: VkeyHash, public_values: Vec<u8> },
}

/// Where a job stands.
#[derive(Debug, Clone)]
pub(crate) enum JobState {
    /// `position` jobs come first; it should start at `starts`.
    Queued {
        position: usize,
        starts: Option<Instant>,
    },
    Running(Option<Progress>),
    /// Shared, because a proof is megabytes and may have several followers.
    Done(Arc<Result<Success, Failure>>),
}

/// A job on its way through queue and worker.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) task: Task,
    pub(crate) accepted: Instant,
    /// Set when nobody waits for it any more.
    pub(crate) unwanted: CancellationToken,
    /// The request's span: what the worker does for it is logged under it.
    pub(crate) span: tracing::Span,
    state: watch::Sender<JobState>,
}

impl Job {
    pub(crate) fn started(&self) {
        self.state.send_replace(JobState::Running(None));
    }

    pub(crate) fn progress(&self, progress: Progress) {
        self.state.send_replace(JobState::Running(Some(progress)));
    }

    /// Ends the job: the only way to, and there is no second time.
    pub(crate) fn finish(self, outcome: Result<Success, Failure>) {
        self.state.send_replace(JobState::Done(Arc::new(outcome)));
    }

    fn queued(&self, position: usize, wait: Option<Duration>) {
        let starts = wait.map(|wait| Instant::now() + wait);
        self.state.send_replace(JobState::Queued { position, starts });
    }
}

/// Somebody's interest in a job.
#[derive(Debug)]
pub(crate) struct JobHandle {
    pub(crate) id: JobId,
    pub(crate) state: watch::Receiver<JobState>,
    _interest: Arc<Interest>,
}

/// Ends the job when the last handle goes.
#[derive(Debug)]
struct Interest {
    job: JobId,
    unwanted: CancellationToken,
    queue: Weak<Queue>,
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.unwanted.cancel();
        if let Some(queue) = self.queue.upgrade() {
            queue.forget(self.job);
        }
    }
}
