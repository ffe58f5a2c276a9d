//! Jobs between the requests that want them and the worker that does them.
//!
//! A job's state is a watch channel: whoever follows it sees the latest, a slow follower holds nothing
//! up, and any number may follow one job. The [`Desk`] knows every job by the name of the request it answers,
//! keeps results for whoever asks again, and ends jobs that nobody waits for. A [`Queue`] says which job is next.

mod desk;
mod estimate;
mod kept;
mod queue;
mod shares;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use lc_core::{ProgramId, host::input::ProgramInput};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::types::{Code, Failure, Progress, Proof, ProofMode, ProofStats, RequestName, VkeyHash};

pub(crate) use desk::{Desk, DeskLimits, JobHandle};
pub(crate) use queue::{Queue, QueueLimits, shutting_down};
pub(crate) use shares::ClientKey;

/// What a worker is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Task {
    /// Make a proof.
    Prove {
        program: ProgramId,
        mode: ProofMode,
        payload: Payload,
        /// What the guest must commit: the native check's result.
        public_values: Vec<u8>,
    },
    /// Check a proof.
    Verify { proof: Proof },
}

/// What a proof is made from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    /// The guest's input, for a worker of this server.
    Witness(Vec<u8>),
    /// The request as it came, for another server.
    Input(Arc<ProgramInput>),
}

/// Jobs of one kind have similar durations.
pub(crate) type Kind = (ProgramId, ProofMode);

impl Task {
    pub(crate) fn kind(&self) -> Kind {
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

/// Shared, because a proof is megabytes and may have several followers.
pub(crate) type Outcome = Arc<Result<Success, Failure>>;

/// Where a job stands.
#[derive(Debug, Clone)]
pub(crate) enum JobState {
    /// `position` jobs come first; it should start at `starts`.
    Queued {
        position: usize,
        starts: Option<Instant>,
    },
    Running(Option<Progress>),
    Done(Outcome),
}

/// Names a job on this server: no two have the same, also where the request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct JobId(pub(crate) u64);

/// A job on its way through queue and worker. Dropping it unfinished, as a panic would, ends it with INTERNAL.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    /// The request it answers.
    pub(crate) name: RequestName,
    /// Who asked for it first.
    pub(crate) client: ClientKey,
    pub(crate) task: Task,
    pub(crate) accepted: Instant,
    /// Workers lost over it so far.
    pub(crate) losses: u32,
    /// Set when nobody waits for it any more.
    pub(crate) unwanted: CancellationToken,
    /// The request's span: what the worker does for it is logged under it.
    pub(crate) span: tracing::Span,
    state: watch::Sender<JobState>,
    desk: Weak<Desk>,
}

impl Job {
    pub(crate) fn started(&self) {
        self.state.send_replace(JobState::Running(None));
    }

    pub(crate) fn progress(&self, progress: Progress) {
        self.state.send_replace(JobState::Running(Some(progress)));
    }

    /// `position` jobs come first; tells the followers if that is new.
    pub(crate) fn queued(&self, position: usize, wait: Option<Duration>) {
        let starts = wait.map(|wait| Instant::now() + wait);
        self.state.send_if_modified(|state| {
            let told = match *state {
                JobState::Queued { position: told, starts: Some(_) } => told == position,
                JobState::Queued { position: told, starts: None } => {
                    told == position && starts.is_none()
                }
                JobState::Running(_) | JobState::Done(_) => false,
            };
            *state = JobState::Queued { position, starts };
            !told
        });
    }

    /// Ends the job: the only way to, and there is no second time.
    pub(crate) fn finish(self, outcome: Result<Success, Failure>) {
        self.end(Arc::new(outcome));
    }

    fn end(&self, outcome: Outcome) {
        // The desk first: who asks once the end is told finds the result kept.
        if let Some(desk) = self.desk.upgrade() {
            desk.ended(self.name, self.id, &outcome);
        }
        self.state.send_replace(JobState::Done(outcome));
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !matches!(*self.state.borrow(), JobState::Done(_)) {
            let failure = Failure::new(Code::Internal, "the job was lost: send the request again");
            self.end(Arc::new(Err(failure)));
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;
