//! A bounded queue in front of one worker.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lc_core::ProgramId;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    Interest, Job, JobHandle, JobState, Task,
    estimate::{History, left, wait},
};
use crate::types::{Code, Failure, JobId, ProofMode};

/// What a client is told to wait where the server has no estimate yet. A core proof takes half a minute
/// to minutes; ten seconds find a free place soon without hammering.
const BUSY_RETRY: Duration = Duration::from_secs(10);

/// Whether jobs are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Open,
    /// The last attempt to start a worker failed; the next is in this long.
    NoWorker(Duration),
    ShuttingDown,
}

/// Jobs that wait for one worker, in order of arrival.
#[derive(Debug)]
pub(crate) struct Queue {
    limit: usize,
    next_job: Arc<AtomicU64>,
    inner: Mutex<Inner>,
    arrived: Notify,
}

#[derive(Debug)]
struct Inner {
    condition: Condition,
    waiting: VecDeque<Job>,
    running: Option<Running>,
    history: History,
}

#[derive(Debug)]
struct Running {
    kind: (ProgramId, ProofMode),
    since: Instant,
}

/// Whether one more job is taken. Pure.
fn admit(
    condition: Condition,
    waiting: usize,
    limit: usize,
    next_free: Option<Duration>,
) -> Result<(), Failure> {
    match condition {
        Condition::ShuttingDown => Err(shutting_down()),
        Condition::NoWorker(retry) => Err(no_worker(retry)),
        Condition::Open if waiting >= limit => {
            let retry = next_free.unwrap_or(BUSY_RETRY).max(Duration::from_secs(1));
            let message =
                format!("{waiting} jobs wait already: try again in {} s", retry.as_secs());
            Err(Failure::new(Code::Busy, message).with_retry_after(retry))
        }
        Condition::Open => Ok(()),
    }
}

fn shutting_down() -> Failure {
    Failure::new(Code::ShuttingDown, "the server is going down: try another one")
}

fn no_worker(retry: Duration) -> Failure {
    let message = format!("the worker does not start: try again in {} s", retry.as_secs().max(1));
    Failure::new(Code::Unavailable, message).with_retry_after(retry)
}

impl Queue {
    /// A queue of at most `limit` waiting jobs, which take their numbers from `next_job`.
    pub(crate) fn new(limit: usize, next_job: Arc<AtomicU64>) -> Self {
        let inner = Inner {
            condition: Condition::Open,
            waiting: VecDeque::new(),
            running: None,
            history: History::default(),
        };
        Self { limit, next_job, inner: Mutex::new(inner), arrived: Notify::new() }
    }

    /// Puts a job in the queue.
    pub(crate) fn submit(self: &Arc<Self>, task: Task) -> Result<JobHandle, Failure> {
        let mut inner = self.lock();
        admit(inner.condition, inner.waiting.len(), self.limit, inner.running_left())?;
        let id = JobId(self.next_job.fetch_add(1, Ordering::Relaxed));
        let (state, follower) = watch::channel(JobState::Queued { position: 0, starts: None });
        let unwanted = CancellationToken::new();
        let interest =
            Interest { job: id, unwanted: unwanted.clone(), queue: Arc::downgrade(self) };
        let span = tracing::Span::current();
        inner.waiting.push_back(Job { id, task, accepted: Instant::now(), unwanted, span, state });
        inner.tell_positions();
        drop(inner);
        self.arrived.notify_one();
        Ok(JobHandle { id, state: follower, _interest: Arc::new(interest) })
    }

    /// Waits for the next job and marks it as running. Cancel safe.
    pub(crate) async fn take(&self) -> Job {
        loop {
            if let Some(job) = self.lock().start_next() {
                job.started();
                return job;
            }
            self.arrived.notified().await;
        }
    }

    /// Waits until there is a job, and leaves it there. Cancel safe.
    pub(crate) async fn not_empty(&self) {
        while self.lock().waiting.is_empty() {
            self.arrived.notified().await;
        }
    }

    /// The running job is over; `took` if it ended with a result.
    pub(crate) fn finished(&self, took: Option<Duration>) {
        let mut inner = self.lock();
        if let (Some(running), Some(took)) = (inner.running.take(), took) {
            inner.history.record(running.kind, took);
        }
        inner.tell_positions();
    }

    /// Changes whether jobs are taken. What waits ends, unless the queue is open.
    pub(crate) fn set_condition(&self, condition: Condition) {
        let mut inner = self.lock();
        inner.condition = condition;
        let failure = match condition {
            Condition::Open => return,
            Condition::NoWorker(retry) => no_worker(retry),
            Condition::ShuttingDown => shutting_down(),
        };
        for job in inner.waiting.drain(..) {
            job.finish(Err(failure.clone()));
        }
    }

    /// Jobs that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Takes a job that nobody wants out of the queue.
    pub(super) fn forget(&self, job: JobId) {
        let mut inner = self.lock();
        let before = inner.waiting.len();
        inner.waiting.retain(|waiting| waiting.id != job);
        if inner.waiting.len() < before {
            inner.tell_positions();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while it holds the queue")
    }
}

impl Inner {
    fn start_next(&mut self) -> Option<Job> {
        let job = self.waiting.pop_front()?;
        self.running = Some(Running { kind: job.task.kind(), since: Instant::now() });
        self.tell_positions();
        Some(job)
    }

    fn running_left(&self) -> Option<Duration> {
        let running = self.running.as_ref()?;
        left(self.history.expect(running.kind), running.since.elapsed())
    }

    fn tell_positions(&self) {
        let mut before: Vec<_> = self.running.iter().map(|_| self.running_left()).collect();
        for job in &self.waiting {
            job.queued(before.len(), wait(before.iter().copied()));
            before.push(self.history.expect(job.task.kind()));
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
