//! The jobs that the secondary has.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::task::{AbortHandle, JoinSet};
use tracing::debug;

use crate::{
    jobs::{Job, Payload, Queue, Success, Task},
    types::{ClientMessage, Code, EngineInfo, Failure, RequestId, ServerMessage},
    worker::mismatch,
};

/// Jobs by the ids that they have on the connection.
#[derive(Debug)]
pub(super) struct OpenJobs {
    queue: Arc<Queue>,
    jobs: BTreeMap<RequestId, Open>,
    given_up: JoinSet<RequestId>,
    last_id: u64,
}

/// A job, and the task that waits until nobody wants it. The task ends with this.
#[derive(Debug)]
struct Open {
    job: Job,
    watch: AbortHandle,
}

impl Open {
    fn into_job(self) -> Job {
        self.watch.abort();
        self.job
    }
}

impl OpenJobs {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, jobs: BTreeMap::new(), given_up: JoinSet::new(), last_id: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn new_id(&mut self) -> RequestId {
        self.last_id += 1;
        RequestId(self.last_id)
    }

    /// Takes a job in; gives what to ask, or nothing where nobody wants it any more.
    pub(super) fn add(&mut self, job: Job) -> Option<ClientMessage> {
        let Task::Prove { mode, payload: Payload::Input(input), .. } = &job.task else {
            let failure = Failure::new(Code::Internal, "a job for this server was to be passed on");
            self.end(job, Err(failure));
            return None;
        };
        if job.unwanted.is_cancelled() {
            self.end(job, Err(given_up()));
            return None;
        }
        let (mode, input) = (*mode, input.as_ref().clone());
        let id = self.new_id();
        let unwanted = job.unwanted.clone();
        let watch = self.given_up.spawn(async move {
            unwanted.cancelled().await;
            id
        });
        self.jobs.insert(id, Open { job, watch });
        Some(ClientMessage::Prove { id, mode, input })
    }

    /// On a new connection: what to ask for what was under way on the last one.
    pub(super) fn ask_again(&mut self) -> VecDeque<ClientMessage> {
        let jobs = std::mem::take(&mut self.jobs);
        let jobs: Vec<Job> = jobs.into_values().map(Open::into_job).collect();
        // Those of the last connection have the same numbers.
        self.given_up = JoinSet::new();
        self.last_id = 0;
        jobs.into_iter().filter_map(|job| self.add(job)).collect()
    }

    /// Waits until nobody wants one of the jobs, and ends it here; for ever if there is none. Cancel safe.
    pub(super) async fn one_given_up(&mut self) -> RequestId {
        loop {
            match self.given_up.join_next().await {
                Some(Ok(id)) => {
                    // Those that have ended are not told of again.
                    if self.end_of(id, Err(given_up())) {
                        return id;
                    }
                }
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// What the secondary says about a job. About others it may still say something: they were given up.
    pub(super) fn take_in(&mut self, answer: ServerMessage, engine: &EngineInfo) {
        let Some(Open { job, .. }) = answer.request().and_then(|id| self.jobs.get(&id)) else {
            return;
        };
        match answer {
            ServerMessage::Accepted { request, joined, .. } => {
                debug!(request = %job.name, there = %request, ?joined, "passed on");
            }
            ServerMessage::Queued { position, eta_seconds, .. } => {
                let wait = eta_seconds.map(|seconds| Duration::from_secs(seconds.into()));
                job.queued(usize::try_from(position).unwrap_or(usize::MAX), wait);
            }
            ServerMessage::Started { .. } => job.started(),
            ServerMessage::Progress { progress, .. } => job.progress(progress),
            ServerMessage::Proof { id, proof, stats } => {
                let result = match mismatch(&job.task, Some(engine), &proof) {
                    None => Ok(Success::Proof { proof, stats }),
                    Some(what) => Err(Failure::new(
                        Code::Internal,
                        format!("the secondary server answered with {what}: report this"),
                    )),
                };
                self.end_of(id, result);
            }
            ServerMessage::Failed { id: Some(id), failure } => {
                self.end_of(id, Err(passed_on(failure)));
            }
            ServerMessage::Hello(_)
            | ServerMessage::Verified { .. }
            | ServerMessage::Status { .. }
            | ServerMessage::Failed { id: None, .. } => {}
        }
    }

    /// Ends all jobs.
    pub(super) fn end_all(&mut self, failure: &Failure) {
        for open in std::mem::take(&mut self.jobs).into_values() {
            self.end(open.into_job(), Err(failure.clone()));
        }
    }

    /// Ends a job; `false` if it has ended.
    fn end_of(&mut self, id: RequestId, result: Result<Success, Failure>) -> bool {
        let Some(open) = self.jobs.remove(&id) else { return false };
        self.end(open.into_job(), result);
        true
    }

    fn end(&self, job: Job, result: Result<Success, Failure>) {
        self.queue.finished(job.id, None);
        job.finish(result);
    }
}

fn given_up() -> Failure {
    Failure::new(Code::Cancelled, "the client gave it up")
}

/// A failure of the secondary as this server's client gets it: this server is not going down.
fn passed_on(failure: Failure) -> Failure {
    match failure.code {
        Code::ShuttingDown => super::link::unavailable(Duration::from_secs(1)),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secondary_that_goes_down_is_not_this_server_going_down() {
        let passed = passed_on(Failure::new(Code::ShuttingDown, "bye"));
        assert_eq!(passed.code, Code::Unavailable);
        let busy = Failure::new(Code::Busy, "full").with_retry_after(Duration::from_secs(9));
        assert_eq!(passed_on(busy.clone()), busy);
    }
}
