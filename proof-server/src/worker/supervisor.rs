//! Keeps one worker running and gives it one job at a time.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info, warn};

use super::{
    decide::{Loss, backoff},
    handle::{StartError, Worker, WorkerCommand},
    message::{FromWorker, ToWorker},
    verdict::{Verdict, judge},
};
use crate::{
    error_chain,
    jobs::{Condition, Job, Queue, Success, Task},
    types::{Code, EngineInfo, Failure, ProofStats, RunningJob, WorkerState},
};

/// When a lane has a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Always: its set-up takes longer than a request should wait.
    Always,
    /// From the first job until it was idle for this long.
    OnDemand { idle: Duration },
}

/// One lane's settings.
#[derive(Debug, Clone)]
pub(crate) struct LaneConfig {
    /// For the log.
    pub(crate) name: &'static str,
    pub(crate) worker: WorkerCommand,
    pub(crate) presence: Presence,
    pub(crate) job_timeout: Duration,
}

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
pub(crate) struct LaneView(Mutex<LaneReport>);

impl LaneView {
    pub(crate) fn report(&self) -> LaneReport {
        let mut report = self.lock().clone();
        if let Some(running) = &mut report.running {
            running.seconds = u32::try_from(report.since.elapsed().as_secs()).unwrap_or(u32::MAX);
        }
        report
    }

    fn lock(&self) -> MutexGuard<'_, LaneReport> {
        self.0.lock().expect("nothing panics while it holds a report")
    }
}

/// A worker, the queue in front of it, and what keeps both going.
#[derive(Debug)]
pub(crate) struct Lane {
    config: LaneConfig,
    queue: Arc<Queue>,
    view: Arc<LaneView>,
    /// What the first worker said it is; each later one must be the same.
    engine: Option<EngineInfo>,
    first: Option<Worker>,
    started: u32,
    /// Workers in a row that were lost before they finished a job.
    losses: u32,
}

/// How work with one worker ended.
enum End {
    /// The server goes down, or the worker is not needed now.
    Retired,
    Lost(Loss),
}

impl Lane {
    /// A lane; with [`Presence::Always`] its first worker is running and ready when this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`], from the first worker.
    pub(crate) async fn start(config: LaneConfig, queue: Arc<Queue>) -> Result<Self, StartError> {
        let (first, engine) = match config.presence {
            Presence::Always => {
                let (worker, engine) = Worker::start(&config.worker).await?;
                (Some(worker), engine)
            }
            Presence::OnDemand { .. } => (None, None),
        };
        let report = LaneReport {
            worker: if first.is_some() { WorkerState::Idle } else { WorkerState::Starting },
            restarts: 0,
            running: None,
            since: Instant::now(),
            successes: 0,
            failures: 0,
        };
        let view = Arc::new(LaneView(Mutex::new(report)));
        Ok(Self { config, queue, view, engine, first, started: 0, losses: 0 })
    }

    pub(crate) fn engine(&self) -> Option<&EngineInfo> {
        self.engine.as_ref()
    }

    pub(crate) fn view(&self) -> Arc<LaneView> {
        Arc::clone(&self.view)
    }

    /// Works until `stop`, then ends the worker and every job.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let span = tracing::info_span!("lane", name = self.config.name);
        async {
            while let Some(worker) = stop.run_until_cancelled(self.ready_worker()).await {
                self.set_state(WorkerState::Idle);
                if let End::Lost(loss) = self.work(worker, &stop).await {
                    self.note_loss(&loss);
                }
                self.set_state(WorkerState::Starting);
            }
            self.queue.set_condition(Condition::ShuttingDown);
            self.set_state(WorkerState::Stopped);
            if let Some(unused) = self.first.take() {
                unused.kill().await;
            }
        }
        .instrument(span)
        .await;
    }

    /// A worker that is ready, however long that takes.
    async fn ready_worker(&mut self) -> Worker {
        if let Presence::OnDemand { .. } = self.config.presence {
            self.queue.not_empty().await;
        }
        loop {
            sleep(backoff(self.losses)).await;
            if let Some(worker) = self.next_worker().await {
                self.queue.set_condition(Condition::Open);
                self.started += 1;
                self.view.lock().restarts = self.started - 1;
                return worker;
            }
            self.losses += 1;
            self.queue.set_condition(Condition::NoWorker(backoff(self.losses)));
        }
    }

    /// One attempt to get a worker that does what the first one did.
    async fn next_worker(&mut self) -> Option<Worker> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        match Worker::start(&self.config.worker).await {
            Ok((worker, engine)) if engine == self.engine => Some(worker),
            Ok((_, engine)) => {
                error!(was = ?self.engine, is = ?engine, "the new worker proves something else: restart the server");
                None
            }
            Err(error) => {
                error!(error = %error_chain(&error), "no worker");
                None
            }
        }
    }

    /// Gives jobs to `worker` until one of the two ends.
    async fn work(&mut self, mut worker: Worker, stop: &CancellationToken) -> End {
        let idle = match self.config.presence {
            Presence::Always => Duration::MAX,
            Presence::OnDemand { idle } => idle,
        };
        loop {
            let job = tokio::select! {
                biased;
                () = stop.cancelled() => { worker.kill().await; return End::Retired }
                loss = lost_while_idle(&mut worker) => { worker.kill().await; return End::Lost(loss) }
                job = self.queue.take() => job,
                () = sleep(idle) => { worker.kill().await; return End::Retired }
            };
            if job.unwanted.is_cancelled() {
                self.queue.finished(None);
                continue;
            }
            let span = job.span.clone();
            if let Err(loss) = self.run_job(&mut worker, job, stop).instrument(span).await {
                worker.kill().await;
                self.queue.finished(None);
                return if stop.is_cancelled() { End::Retired } else { End::Lost(loss) };
            }
        }
    }

    /// Runs one job to its end. An error means that the worker must not be used again; the caller kills
    /// it before the queue moves on, so two provers never share the memory.
    async fn run_job(
        &mut self,
        worker: &mut Worker,
        job: Job,
        stop: &CancellationToken,
    ) -> Result<(), Loss> {
        let started = Instant::now();
        self.note_start(&job, started);
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => {
                Outcome::dismiss(Code::ShuttingDown, "the server is going down: try another one")
            }
            () = job.unwanted.cancelled() => Outcome::dismiss(Code::Cancelled, "the client gave it up"),
            answer = converse(worker, &job, &self.view) => match answer {
                Ok(answer) => Outcome::of(judge(&job.task, self.engine.as_ref(), answer)),
                Err(loss) => Outcome::Lost(loss),
            },
            () = sleep(self.config.job_timeout) => Outcome::timeout(self.config.job_timeout),
        };
        let (result, fate) = outcome.split(worker.resident_bytes());
        self.note_end(job, started, result, fate.is_ok());
        fate
    }

    fn note_start(&self, job: &Job, started: Instant) {
        let (program, mode) = job.task.kind();
        debug!(job = %job.id, queued_ms = millis(started - job.accepted), "started");
        let mut report = self.view.lock();
        report.worker = WorkerState::Busy;
        report.since = started;
        report.running =
            Some(RunningJob { job: job.id, program, mode, seconds: 0, progress: None });
    }

    fn note_end(
        &mut self,
        job: Job,
        started: Instant,
        mut result: Result<Success, Failure>,
        keep: bool,
    ) {
        let took = started.elapsed();
        let outcome = result.as_ref().map_or_else(|failure| failure.code.name(), |_| "OK");
        info!(job = %job.id, outcome, took_ms = millis(took), "ended");
        if let Ok(Success::Proof { stats, .. }) = &mut result {
            *stats = ProofStats {
                queue_ms: millis(started - job.accepted),
                prove_ms: millis(took),
                ..*stats
            };
        }
        let mut report = self.view.lock();
        report.running = None;
        report.worker = if keep { WorkerState::Idle } else { WorkerState::Starting };
        *(if result.is_ok() { &mut report.successes } else { &mut report.failures }) += 1;
        drop(report);
        if keep {
            self.losses = 0;
            self.queue.finished(result.is_ok().then_some(took));
        }
        job.finish(result);
    }

    fn note_loss(&mut self, loss: &Loss) {
        // A worker that had to go because of its job is no worse for it: the next may start at once.
        if *loss == Loss::Dismissed {
            self.losses = 0;
            return;
        }
        self.losses += 1;
        warn!(reason = loss.reason(), ?loss, "worker lost, starting another");
    }

    fn set_state(&self, state: WorkerState) {
        self.view.lock().worker = state;
    }
}

/// How a job ended.
enum Outcome {
    Answered(Result<Success, Failure>),
    /// Ended from here: the worker is killed.
    Ended(Failure),
    Lost(Loss),
}

impl Outcome {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Keep(result) => Self::Answered(result),
            Verdict::Replace(failure) => Self::Ended(failure),
        }
    }

    fn dismiss(code: Code, message: &str) -> Self {
        Self::Ended(Failure::new(code, message))
    }

    fn timeout(limit: Duration) -> Self {
        let message = format!(
            "the job ran for the {} s that this server allows: ask for less at once",
            limit.as_secs()
        );
        Self::Ended(Failure::new(Code::Timeout, message))
    }

    /// What the client gets, and whether the worker goes on.
    fn split(self, resident_bytes: u64) -> (Result<Success, Failure>, Result<(), Loss>) {
        match self {
            Self::Answered(result) => (result, Ok(())),
            Self::Ended(failure) => (Err(failure), Err(Loss::Dismissed)),
            Self::Lost(loss) => {
                let said = loss.describe(resident_bytes);
                let message = format!("{said}; another is being started, send the request again");
                (Err(Failure::new(Code::WorkerLost, message)), Err(loss))
            }
        }
    }
}

/// Gives the worker its job and waits for the answer.
async fn converse(worker: &mut Worker, job: &Job, view: &LaneView) -> Result<FromWorker, Loss> {
    let order = match &job.task {
        Task::Prove { program, mode, witness, .. } => {
            ToWorker::Prove { program: *program, mode: *mode, witness: witness.clone() }
        }
        Task::Verify { proof } => ToWorker::Verify { proof: proof.clone() },
    };
    worker.send(&order).await?;
    drop(order);
    loop {
        match worker.next().await? {
            FromWorker::Progress(progress) => {
                job.progress(progress);
                if let Some(running) = &mut view.lock().running {
                    running.progress = Some(progress);
                }
            }
            answer => return Ok(answer),
        }
    }
}

async fn lost_while_idle(worker: &mut Worker) -> Loss {
    match worker.next().await {
        Ok(message) => Loss::Garbled(format!("{} without a job", message.name())),
        Err(loss) => loss,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
