//! Nobody pays twice: requests by their names.
//!
//! A request that is here already joins the job that works on it, or gets the result that was kept. A job whose
//! last follower lost its connection goes on for a while, so that a client that connects again finds it further
//! on; then, or at once where the last follower gave it up, it ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{Job, JobId, JobState, Outcome, Queue, Task, kept::Kept, shares::ClientKey};
use crate::types::{Code, Failure, Joined, RequestName};

/// Least time between two looks for what is over its time: results may be thousands, and none is late by more.
const TIDY_PAUSE: Duration = Duration::from_secs(1);

/// How long and how much to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeskLimits {
    /// How long a job goes on without a follower.
    pub(crate) grace: Duration,
    /// How long a result is kept.
    pub(crate) keep_time: Duration,
    /// Bytes of all results together.
    pub(crate) keep_bytes: usize,
}

/// Every request that is open or was lately.
#[derive(Debug)]
pub(crate) struct Desk {
    grace: Duration,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    open: HashMap<RequestName, Open>,
    kept: Kept,
}

/// A job under way.
#[derive(Debug)]
struct Open {
    job: JobId,
    state: watch::Receiver<JobState>,
    unwanted: CancellationToken,
    queue: Weak<Queue>,
    followers: usize,
    /// When it ends if nobody comes.
    ends: Option<Instant>,
}

/// Somebody's interest in a job. Dropping it is a broken connection; see [`JobHandle::give_up`].
#[derive(Debug)]
pub(crate) struct JobHandle {
    pub(crate) joined: Joined,
    pub(crate) state: watch::Receiver<JobState>,
    /// Names the job at the desk; nothing for a result that was kept.
    interest: Option<Interest>,
}

#[derive(Debug)]
struct Interest {
    name: RequestName,
    job: JobId,
    desk: Weak<Desk>,
    patient: bool,
}

impl JobHandle {
    /// Nobody comes back for it: if this is the last follower, the job ends now.
    pub(crate) fn give_up(mut self) {
        if let Some(interest) = &mut self.interest {
            interest.patient = false;
        }
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.upgrade() {
            desk.left(self.name, self.job, self.patient);
        }
    }
}

impl Desk {
    pub(crate) fn new(limits: DeskLimits) -> Self {
        let kept = Kept::new(limits.keep_bytes, limits.keep_time);
        Self {
            grace: limits.grace,
            inner: Mutex::new(Inner { open: HashMap::new(), kept }),
            changed: Notify::new(),
        }
    }

    /// Whether a request is here already, or its result.
    pub(crate) fn knows(&self, name: RequestName) -> bool {
        let inner = self.lock();
        inner.open.contains_key(&name) || inner.kept.get(name, Instant::now()).is_some()
    }

    /// The job or result of a request that is here already.
    pub(crate) fn find(self: &Arc<Self>, name: RequestName) -> Option<JobHandle> {
        self.lock().find(self, name)
    }

    /// A job for a request, in `queue`: a new one, unless one came up since [`Desk::find`].
    ///
    /// # Errors
    ///
    /// Why the queue takes no job.
    pub(crate) fn open(
        self: &Arc<Self>,
        name: RequestName,
        client: ClientKey,
        task: Task,
        queue: &Arc<Queue>,
    ) -> Result<JobHandle, Failure> {
        let mut inner = self.lock();
        if let Some(found) = inner.find(self, name) {
            return Ok(found);
        }
        let (state, follower) = watch::channel(JobState::Queued { position: 0, starts: None });
        let unwanted = CancellationToken::new();
        let job = queue.submit(client, |id| Job {
            id,
            name,
            client,
            task,
            accepted: Instant::now(),
            losses: 0,
            unwanted: unwanted.clone(),
            span: tracing::Span::current(),
            state,
            desk: Arc::downgrade(self),
        })?;
        let open = Open {
            job,
            state: follower.clone(),
            unwanted,
            queue: Arc::downgrade(queue),
            followers: 1,
            ends: None,
        };
        inner.open.insert(name, open);
        Ok(self.handle(name, job, follower, Joined::No))
    }

    /// Ends jobs that nobody came back for, and drops results that are over their time, until `stop`.
    pub(crate) async fn tidy(self: Arc<Self>, stop: CancellationToken) {
        let work = async {
            loop {
                let next = self.tidy_once(Instant::now());
                let pause = Instant::now() + TIDY_PAUSE;
                match next {
                    Some(next) => tokio::select! {
                        () = sleep_until(next) => {}
                        () = self.changed.notified() => {}
                    },
                    None => self.changed.notified().await,
                }
                sleep_until(pause.min(next.unwrap_or(pause))).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Results kept, and their bytes.
    pub(crate) fn kept(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.kept.len(), inner.kept.bytes())
    }

    /// A job is over.
    pub(super) fn ended(&self, name: RequestName, job: JobId, outcome: &Outcome) {
        let mut inner = self.lock();
        // A job that was given up is not at the desk any more, and another may be under its name.
        if inner.open.get(&name).is_some_and(|open| open.job == job) {
            inner.open.remove(&name);
            inner.kept.put(name, outcome, Instant::now());
            self.changed.notify_one();
        }
    }

    /// A follower of a job went.
    fn left(&self, name: RequestName, job: JobId, patient: bool) {
        let mut inner = self.lock();
        let Some(open) = inner.open.get_mut(&name).filter(|open| open.job == job) else { return };
        open.followers -= 1;
        if open.followers > 0 {
            return;
        }
        if patient && !self.grace.is_zero() {
            open.ends = Some(Instant::now() + self.grace);
            self.changed.notify_one();
            return;
        }
        let given_up = inner.open.remove(&name);
        drop(inner);
        given_up.into_iter().for_each(Open::end);
    }

    fn tidy_once(&self, now: Instant) -> Option<Instant> {
        let mut inner = self.lock();
        let over = |open: &Open| open.ends.is_some_and(|ends| ends <= now);
        let ended: Vec<Open> =
            inner.open.extract_if(|_, open| over(open)).map(|(_, open)| open).collect();
        let kept = inner.kept.expire(now);
        let waiting = inner.open.values().filter_map(|open| open.ends).min();
        drop(inner);
        ended.into_iter().for_each(Open::end);
        [kept, waiting].into_iter().flatten().min()
    }

    fn handle(
        self: &Arc<Self>,
        name: RequestName,
        job: JobId,
        state: watch::Receiver<JobState>,
        joined: Joined,
    ) -> JobHandle {
        let interest = Interest { name, job, desk: Arc::downgrade(self), patient: true };
        JobHandle { joined, state, interest: Some(interest) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while it holds the desk")
    }
}

impl Inner {
    fn find(&mut self, desk: &Arc<Desk>, name: RequestName) -> Option<JobHandle> {
        if let Some(open) = self.open.get_mut(&name) {
            open.followers += 1;
            open.ends = None;
            return Some(desk.handle(name, open.job, open.state.clone(), Joined::Open));
        }
        let outcome = self.kept.get(name, Instant::now())?;
        let state = watch::channel(JobState::Done(outcome)).1;
        Some(JobHandle { joined: Joined::Kept, state, interest: None })
    }
}

impl Open {
    /// Ends a job that is off the desk: a running one through its worker, a waiting one here.
    fn end(self) {
        self.unwanted.cancel();
        let Some(job) = self.queue.upgrade().and_then(|queue| queue.forget(self.job)) else {
            return;
        };
        job.finish(Err(Failure::new(Code::Cancelled, "nobody waits for it any more")));
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
