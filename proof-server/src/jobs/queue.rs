//! A bounded queue in front of a lane's workers.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Job, JobId, Kind,
    estimate::{History, left, starts},
    shares::{ClientKey, Shares, Turn},
};
use crate::types::{Code, Failure};

/// What a client is told to wait where the server has no estimate yet. A core proof takes half a minute
/// to minutes; ten seconds find a free place soon without hammering.
const BUSY_RETRY: Duration = Duration::from_secs(10);

/// Least pause between two tellings of places.
const TELL_PAUSE: Duration = Duration::from_millis(50);
/// How many clients are told at once, and the pause that each of them costs the next ones: a thousand hear of their
/// places every two seconds. All at once would be a thousand frames that a request which comes then has to wait for.
const TELL_AT_ONCE: usize = 8;
const TELL_PAUSE_EACH: Duration = Duration::from_millis(2);

/// What a queue takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    /// Jobs that may wait.
    pub(crate) waiting: usize,
    /// Those of one client.
    pub(crate) each: usize,
}

/// Jobs that wait for a worker; clients take turns.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: QueueLimits,
    /// What is said where nothing works off the queue.
    gone: &'static str,
    next_job: Arc<AtomicU64>,
    inner: Mutex<Inner>,
    arrived: Notify,
    moved: Notify,
}

#[derive(Debug)]
struct Inner {
    closed: bool,
    /// Each worker's: in how long the next attempt to start it is, where the last one failed.
    down: Vec<Option<Duration>>,
    waiting: BTreeMap<Turn, Job>,
    shares: Shares,
    running: HashMap<JobId, Running>,
    history: History,
}

#[derive(Debug)]
struct Running {
    kind: Kind,
    since: Instant,
}

/// Whether jobs are taken, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Open,
    /// No worker could be started; the next attempt is in this long.
    NoWorker(Duration),
    ShuttingDown,
}

/// What is full, or would be.
#[derive(Debug, Clone, Copy)]
struct Room {
    waiting: usize,
    of_client: usize,
    next_free: Option<Duration>,
}

/// Whether one more job is taken. Pure.
fn admit(condition: Condition, room: Room, limits: QueueLimits, gone: &str) -> Result<(), Failure> {
    let busy = |what: String| {
        Err(Failure::for_now(Code::Busy, &what, room.next_free.unwrap_or(BUSY_RETRY)))
    };
    match condition {
        Condition::ShuttingDown => Err(shutting_down()),
        Condition::NoWorker(retry) => Err(no_worker(gone, retry)),
        Condition::Open if room.waiting >= limits.waiting => {
            busy(format!("{} jobs wait already", room.waiting))
        }
        Condition::Open if room.of_client >= limits.each => {
            busy(format!("{} of your jobs wait already, a client's share", room.of_client))
        }
        Condition::Open => Ok(()),
    }
}

pub(crate) fn shutting_down() -> Failure {
    Failure::new(Code::ShuttingDown, "the server is going down: try another one")
}

fn no_worker(gone: &str, retry: Duration) -> Failure {
    Failure::for_now(Code::Unavailable, gone, retry)
}

impl Queue {
    /// A queue for this many workers; jobs take their numbers from `next_job`.
    pub(crate) fn new(limits: QueueLimits, workers: usize, next_job: Arc<AtomicU64>) -> Self {
        let inner = Inner {
            closed: false,
            down: vec![None; workers],
            waiting: BTreeMap::new(),
            shares: Shares::default(),
            running: HashMap::new(),
            history: History::default(),
        };
        Self {
            limits,
            gone: "the worker does not start",
            next_job,
            inner: Mutex::new(inner),
            arrived: Notify::new(),
            moved: Notify::new(),
        }
    }

    /// The same queue for something else than workers; `gone` is said where that is not there.
    pub(crate) fn or_else(self, gone: &'static str) -> Self {
        Self { gone, ..self }
    }

    /// Puts the job that `make` makes in the queue.
    pub(super) fn submit(
        &self,
        client: ClientKey,
        make: impl FnOnce(JobId) -> Job,
    ) -> Result<JobId, Failure> {
        let mut inner = self.lock();
        let room = Room {
            waiting: inner.waiting.len(),
            of_client: inner.shares.waiting(client),
            next_free: inner.next_free(),
        };
        admit(inner.condition(), room, self.limits, self.gone)?;
        let id = JobId(self.next_job.fetch_add(1, Ordering::Relaxed));
        let turn = inner.shares.add(client);
        inner.waiting.insert(turn, make(id));
        // Its own place at once; those behind it hear of theirs in a moment.
        inner.tell_places(turn, 1);
        self.changed(inner);
        self.arrived.notify_one();
        Ok(id)
    }

    /// Puts a job back that lost its worker: before all others. Gives the failure where it cannot wait.
    pub(crate) fn put_back(&self, job: Job) {
        let mut inner = self.lock();
        inner.running.remove(&job.id);
        let refused = match inner.condition() {
            Condition::Open => None,
            Condition::NoWorker(retry) => Some(no_worker(self.gone, retry)),
            Condition::ShuttingDown => Some(shutting_down()),
        };
        if let Some(failure) = refused {
            drop(inner);
            job.finish(Err(failure));
            return;
        }
        let turn = inner.shares.again(job.client);
        job.queued(0, Some(Duration::ZERO));
        inner.waiting.insert(turn, job);
        self.changed(inner);
        self.arrived.notify_one();
    }

    /// Waits for the next job; nothing once the queue is closed. Cancel safe. Whoever takes it says when it starts.
    pub(crate) async fn take(&self) -> Option<Job> {
        self.when_arrived(|inner| match inner.start_next() {
            None if inner.closed => Some(None),
            None => None,
            started => Some(started),
        })
        .await
        .inspect(|_| {
            self.moved.notify_one();
            // One arrival wakes one worker; arrivals that came at once are one to it.
            if !self.lock().waiting.is_empty() {
                self.arrived.notify_one();
            }
        })
    }

    /// Waits until there is a job, and leaves it there; `false` once the queue is closed. Cancel safe.
    pub(crate) async fn not_empty(&self) -> bool {
        self.when_arrived(|inner| match inner.waiting.is_empty() {
            true if inner.closed => Some(false),
            true => None,
            false => Some(true),
        })
        .await
    }

    /// Waits until no more jobs come. Cancel safe.
    pub(crate) async fn closed(&self) {
        self.when_arrived(|inner| inner.closed.then_some(())).await;
    }

    async fn when_arrived<T>(&self, mut attempt: impl FnMut(&mut Inner) -> Option<T>) -> T {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // From here on no wake-up is missed.
            arrived.as_mut().enable();
            if let Some(found) = attempt(&mut self.lock()) {
                return found;
            }
            arrived.await;
        }
    }

    /// A running job is over; `took` if it ended with a result.
    pub(crate) fn finished(&self, job: JobId, took: Option<Duration>) {
        let mut inner = self.lock();
        if let (Some(running), Some(took)) = (inner.running.remove(&job), took) {
            inner.history.record(running.kind, took);
        }
        self.changed(inner);
    }

    /// Worker number `worker` is there, or the next attempt to start it is in this long. While none is there
    /// no job is taken, and what waits ends.
    pub(crate) fn set_worker(&self, worker: usize, retry: Option<Duration>) {
        let mut inner = self.lock();
        if let Some(down) = inner.down.get_mut(worker) {
            *down = retry;
        }
        if let Condition::NoWorker(retry) = inner.condition() {
            self.end_all(inner, &no_worker(self.gone, retry));
        }
    }

    /// Takes no more jobs; what waits ends.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        self.end_all(inner, &shutting_down());
        self.arrived.notify_waiters();
        self.arrived.notify_one();
    }

    /// Whether no more jobs come.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Jobs that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// When the job that waits longest was accepted; nothing if none waits. Not the next one's: clients take turns.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.lock().waiting.values().map(|job| job.accepted).min()
    }

    /// Jobs that run.
    pub(crate) fn running(&self) -> usize {
        self.lock().running.len()
    }

    /// Takes a job that nobody wants out of the queue, if it waits.
    pub(super) fn forget(&self, job: JobId) -> Option<Job> {
        let mut inner = self.lock();
        let turn = *inner.waiting.iter().find(|(_, waiting)| waiting.id == job)?.0;
        let job = inner.waiting.remove(&turn)?;
        inner.shares.remove(job.client, None);
        self.changed(inner);
        Some(job)
    }

    /// Tells waiting clients their places whenever these changed, until `stop`.
    pub(crate) async fn tell_places(self: Arc<Self>, stop: CancellationToken) {
        let tell = async {
            loop {
                self.moved.notified().await;
                let next_round = Instant::now() + TELL_PAUSE;
                let mut next = Some(Turn::FIRST);
                while let Some(turn) = next {
                    let told;
                    (told, next) = self.lock().tell_places(turn, TELL_AT_ONCE);
                    sleep(TELL_PAUSE_EACH.saturating_mul(told)).await;
                }
                sleep_until(next_round).await;
            }
        };
        stop.run_until_cancelled(tell).await;
    }

    /// Ends what waits. Outside of the lock: the end of a job is told to the desk, which comes before the queue.
    fn end_all(&self, mut inner: MutexGuard<'_, Inner>, failure: &Failure) {
        let waiting = std::mem::take(&mut inner.waiting);
        for job in waiting.values() {
            inner.shares.remove(job.client, None);
        }
        self.changed(inner);
        for job in waiting.into_values() {
            job.finish(Err(failure.clone()));
        }
    }

    fn changed(&self, inner: MutexGuard<'_, Inner>) {
        drop(inner);
        self.moved.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while it holds the queue")
    }
}

impl Inner {
    fn condition(&self) -> Condition {
        if self.closed {
            return Condition::ShuttingDown;
        }
        let retries = self.down.iter().copied().collect::<Option<Vec<Duration>>>();
        retries
            .and_then(|retries| retries.into_iter().min())
            .map_or(Condition::Open, Condition::NoWorker)
    }

    fn start_next(&mut self) -> Option<Job> {
        let (turn, job) = self.waiting.pop_first()?;
        self.shares.remove(job.client, Some(turn));
        let running = Running { kind: job.task.kind(), since: Instant::now() };
        self.running.insert(job.id, running);
        Some(job)
    }

    /// Until when each worker is busy.
    fn free(&self) -> impl Iterator<Item = Option<Duration>> {
        let busy = self
            .running
            .values()
            .map(|running| left(self.history.expect(running.kind), running.since.elapsed()));
        let idle = self.down.len().saturating_sub(self.running.len());
        busy.chain(std::iter::repeat_n(Some(Duration::ZERO), idle))
    }

    /// Until the first waiting job starts, and leaves its place.
    fn next_free(&self) -> Option<Duration> {
        starts(self.free(), [None]).next().flatten()
    }

    /// Tells jobs that wait their places, at most `limit` and from that of `first` on. Gives how many it told, and
    /// whose turn comes after them.
    fn tell_places(&self, first: Turn, limit: usize) -> (u32, Option<Turn>) {
        let expected = self.waiting.values().map(|job| self.history.expect(job.task.kind()));
        let starts = starts(self.free(), expected);
        let mut rest = (self.running.len()..)
            .zip(&self.waiting)
            .zip(starts)
            .skip_while(|((_, (turn, _)), _)| **turn < first);
        let mut told = 0;
        for ((place, (_, job)), wait) in rest.by_ref().take(limit) {
            job.queued(place, wait);
            told += 1;
        }
        (told, rest.next().map(|((_, (turn, _)), _)| *turn))
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
