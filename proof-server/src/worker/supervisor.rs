//! Keeps one worker running and gives it one job at a time. Several lanes share one queue.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info_span, warn};

use super::{
    decide::{Loss, backoff},
    handle::{Worker, WorkerCommand},
    health::Health,
    message::{FromWorker, ToWorker},
    verdict::{Verdict, judge},
    view::{LaneReport, LaneView},
};
use crate::{
    error_chain,
    jobs::{Job, Payload, Queue, Success, Task, shutting_down},
    metrics::{Metrics, Outcome as Ended, Stage, Subject, WorkerPlace},
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
    /// Which of the workers behind its queue this is.
    pub(crate) index: usize,
    pub(crate) worker: WorkerCommand,
    pub(crate) presence: Presence,
    pub(crate) job_timeout: Duration,
}

/// Workers lost over one job before it ends with WORKER_LOST: the machine may have been at fault once.
const MAX_LOSSES: u32 = 2;

/// Losses in a row after which a lane counts as failing: the job that is tried twice costs two.
const FAILING_LOSSES: u32 = 3;

/// How long an idle worker must live until the deaths before it no longer count: its lane is ready again, and
/// requests come to it again.
const STABLE_TIME: Duration = Duration::from_secs(30);

/// Where a lane says how it is.
#[derive(Debug, Clone)]
pub(crate) struct Instruments {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) place: Arc<WorkerPlace>,
    pub(crate) health: Arc<Health>,
}

/// A worker, the queue in front of it, and what keeps both going.
#[derive(Debug)]
pub(crate) struct Lane {
    config: LaneConfig,
    queue: Arc<Queue>,
    view: Arc<LaneView>,
    instruments: Instruments,
    /// What the first worker said it is; each later one must be the same.
    engine: Option<EngineInfo>,
    first: Option<Worker>,
    started: u32,
    /// Workers in a row that were lost before they finished a job.
    losses: u32,
}

/// How work with one worker ended.
enum End {
    /// No more jobs come.
    Closed,
    /// The worker is not needed now.
    Retired,
    Lost(Loss),
}

impl Lane {
    /// A lane. `first` is its first worker, with what that says it is; later ones must say the same.
    pub(crate) fn new(
        config: LaneConfig,
        queue: Arc<Queue>,
        first: Option<(Worker, EngineInfo)>,
        instruments: Instruments,
    ) -> Self {
        instruments.place.set_memory_limit(config.worker.memory_limit);
        let (first, engine) = first.unzip();
        let mut first = first;
        if let Some(worker) = &mut first {
            worker.report_to(&instruments.place);
        }
        let report = LaneReport {
            worker: if first.is_some() { WorkerState::Idle } else { WorkerState::Starting },
            restarts: 0,
            running: None,
            since: Instant::now(),
            successes: 0,
            failures: 0,
        };
        let view = Arc::new(LaneView(Mutex::new(report)));
        Self { config, queue, view, instruments, engine, first, started: 0, losses: 0 }
    }

    pub(crate) fn view(&self) -> Arc<LaneView> {
        Arc::clone(&self.view)
    }

    /// Works until the queue is closed and the running job is over, or until `stop`, which ends worker and job.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let span = tracing::info_span!("lane", name = self.config.name, worker = self.config.index);
        async {
            while let Some(Some(worker)) = stop.run_until_cancelled(self.ready_worker()).await {
                self.set_state(WorkerState::Idle);
                match self.work(worker, &stop).await {
                    End::Closed => break,
                    End::Retired => {}
                    End::Lost(loss) => self.note_loss(&loss),
                }
                self.set_state(WorkerState::Starting);
            }
            self.set_state(WorkerState::Stopped);
            if let Some(unused) = self.first.take() {
                unused.kill().await;
            }
        }
        .instrument(span)
        .await;
    }

    /// A worker that is ready, however long that takes; nothing where none is needed any more.
    async fn ready_worker(&mut self) -> Option<Worker> {
        if let Presence::OnDemand { .. } = self.config.presence
            && !self.queue.not_empty().await
        {
            return None;
        }
        loop {
            tokio::select! {
                biased;
                () = self.queue.closed() => return None,
                () = sleep(backoff(self.losses)) => {}
            }
            match self.next_worker().await {
                Ok(worker) => {
                    self.queue.set_worker(self.config.index, None);
                    self.started += 1;
                    self.view.lock().restarts = self.started - 1;
                    if self.losses < FAILING_LOSSES {
                        self.instruments.health.set(self.config.index, None);
                    }
                    return Some(worker);
                }
                Err(why) => {
                    error!(error = why, "no worker");
                    self.losses += 1;
                    self.instruments.health.set(self.config.index, Some(why));
                    self.queue.set_worker(self.config.index, Some(backoff(self.losses)));
                }
            }
        }
    }

    /// One attempt to get a worker that does what the first one did.
    async fn next_worker(&mut self) -> Result<Worker, String> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let began = Instant::now();
        match Worker::start(&self.config.worker).await {
            Ok((mut worker, engine)) if is_same(engine.as_ref(), self.engine.as_ref()) => {
                self.instruments.place.started(began.elapsed());
                worker.report_to(&self.instruments.place);
                Ok(worker)
            }
            Ok((_, engine)) => {
                error!(was = ?self.engine, is = ?engine, "the new worker proves something else");
                Err("the new worker proves something else: restart the server".to_owned())
            }
            Err(error) => Err(error_chain(&error)),
        }
    }

    /// Gives jobs to `worker` until one of the two ends.
    async fn work(&mut self, mut worker: Worker, stop: &CancellationToken) -> End {
        let idle = match self.config.presence {
            Presence::Always => Duration::MAX,
            Presence::OnDemand { idle } => idle,
        };
        let ready = Instant::now();
        loop {
            let job = tokio::select! {
                biased;
                () = stop.cancelled() => { worker.kill().await; return End::Closed }
                () = sleep_until(ready + STABLE_TIME), if self.losses > 0 => {
                    self.forgive();
                    continue;
                }
                loss = lost_while_idle(&mut worker) => {
                    worker.kill().await;
                    self.instruments.place.replaced(loss.kind());
                    return End::Lost(loss);
                }
                job = self.queue.take() => job,
                () = sleep(idle) => { worker.kill().await; return End::Retired }
            };
            let Some(job) = job else {
                worker.kill().await;
                return End::Closed;
            };
            let id = job.id;
            if job.unwanted.is_cancelled() {
                self.queue.finished(id, None);
                job.finish(Err(Failure::new(Code::Cancelled, GIVEN_UP)));
                continue;
            }
            let span = info_span!(parent: &job.span, "job", job = id.0, worker = self.config.index);
            match self.run_job(&mut worker, job, stop).instrument(span).await {
                After::NextJob => {}
                // Killed before the queue moves on: two provers never share the memory.
                After::NextWorker(loss, again) => {
                    worker.kill().await;
                    self.instruments.place.replaced(loss.kind());
                    match again {
                        Some(job) => self.queue.put_back(*job),
                        None => self.queue.finished(id, None),
                    }
                    return if stop.is_cancelled() { End::Closed } else { End::Lost(loss) };
                }
            }
        }
    }

    /// Runs one job to its end, or to that of its worker.
    async fn run_job(&mut self, worker: &mut Worker, job: Job, stop: &CancellationToken) -> After {
        let started = Instant::now();
        self.note_start(&job, started);
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => Outcome::Ended(shutting_down(), Loss::Drained),
            () = job.unwanted.cancelled() => {
                Outcome::Ended(Failure::new(Code::Cancelled, GIVEN_UP), Loss::Cancelled)
            }
            answer = self.converse(worker, &job) => match answer {
                Ok(answer) => Outcome::of(judge(&job.task, self.engine.as_ref(), answer)),
                Err(loss) => Outcome::Lost(loss),
            },
            () = sleep(self.config.job_timeout) => Outcome::timeout(self.config.job_timeout),
        };
        match outcome {
            Outcome::Answered(result) => {
                self.forgive();
                self.queue.finished(job.id, result.is_ok().then(|| started.elapsed()));
                self.note_end(job, started, result);
                After::NextJob
            }
            Outcome::Ended(failure, loss) => {
                self.note_end(job, started, Err(failure));
                After::NextWorker(loss, None)
            }
            Outcome::Faulty(failure) => self.again_or_end(job, started, Loss::Faulty, failure),
            Outcome::Lost(loss) => {
                let failure = loss.failure(worker.resident_bytes());
                self.again_or_end(job, started, loss, failure)
            }
        }
    }

    /// A job whose worker was lost is tried once more where the machine may have been at fault.
    fn again_or_end(&self, mut job: Job, started: Instant, loss: Loss, failure: Failure) -> After {
        job.losses += 1;
        if !loss.may_be_the_machines() || job.losses >= MAX_LOSSES {
            self.note_end(job, started, Err(failure));
            return After::NextWorker(loss, None);
        }
        warn!(request = %job.name, reason = failure.message, "its worker was lost: once more");
        self.instruments.metrics.jobs.retried(subject(&job.task));
        self.note_no_job();
        After::NextWorker(loss, Some(Box::new(job)))
    }

    fn note_start(&self, job: &Job, started: Instant) {
        job.started();
        let (program, mode) = job.task.kind();
        debug!(request = %job.name, job = job.id.0, queued_ms = millis(started - job.accepted), "started");
        self.instruments.metrics.jobs.waited(subject(&job.task), started - job.accepted);
        self.set_state(WorkerState::Busy);
        let mut report = self.view.lock();
        report.since = started;
        report.running =
            Some(RunningJob { request: job.name, program, mode, seconds: 0, progress: None });
    }

    fn note_no_job(&self) {
        self.view.lock().running = None;
        self.set_state(WorkerState::Starting);
    }

    fn note_end(&self, job: Job, started: Instant, mut result: Result<Success, Failure>) {
        let took = started.elapsed();
        let outcome = result.as_ref().map_or_else(|failure| failure.code.name(), |_| "OK");
        debug!(request = %job.name, job = job.id.0, outcome, took_ms = millis(took), "ended");
        if let Ok(Success::Proof { stats, .. }) = &mut result {
            *stats = ProofStats {
                queue_us: micros(started - job.accepted),
                prove_us: micros(took),
                ..*stats
            };
        }
        let jobs = &self.instruments.metrics.jobs;
        jobs.ended(subject(&job.task), Ended::of(&result), took);
        if let Ok(Success::Proof { stats, .. }) = &result {
            jobs.peak(subject(&job.task), stats.peak_worker_bytes);
        }
        self.set_state(WorkerState::Idle);
        let mut report = self.view.lock();
        report.running = None;
        *(if result.is_ok() { &mut report.successes } else { &mut report.failures }) += 1;
        drop(report);
        job.finish(result);
    }

    fn note_loss(&mut self, loss: &Loss) {
        // A worker that had to go because of its job is no worse for it: the next may start at once.
        if loss.is_intended() {
            self.losses = 0;
            return;
        }
        self.losses += 1;
        warn!(reason = loss.reason(), ?loss, "worker lost, starting another");
        if self.losses >= FAILING_LOSSES {
            let why =
                format!("{} workers in a row died, the last: {}", self.losses, loss.describe(0));
            self.instruments.health.set(self.config.index, Some(why));
        }
    }

    /// The worker does well: what was lost before it no longer counts.
    fn forgive(&mut self) {
        self.losses = 0;
        self.instruments.health.set(self.config.index, None);
    }

    fn set_state(&self, state: WorkerState) {
        self.view.lock().worker = state;
        self.instruments.place.set_state(state);
    }

    /// Gives the worker its job and waits for the answer.
    async fn converse(&self, worker: &mut Worker, job: &Job) -> Result<FromWorker, Loss> {
        let order = match &job.task {
            Task::Prove { program, mode, payload: Payload::Witness(witness), .. } => {
                ToWorker::Prove { program: *program, mode: *mode, witness: witness.clone() }
            }
            Task::Prove { payload: Payload::Input(_), .. } => {
                return Err(Loss::Garbled("a job for another server".to_owned()));
            }
            Task::Verify { proof } => ToWorker::Verify { proof: proof.clone() },
        };
        worker.send(&order).await?;
        drop(order);
        let mut stages = self.instruments.metrics.jobs.stages(subject(&job.task));
        loop {
            match worker.next().await? {
                FromWorker::Progress(progress) => {
                    stages.enter(Stage::Phase(progress.phase));
                    self.instruments.place.progressed();
                    job.progress(progress);
                    if let Some(running) = &mut self.view.lock().running {
                        running.progress = Some(progress);
                    }
                }
                answer => {
                    stages.finish();
                    if let FromWorker::Failed { gpu: Some((device, fault)), .. } = &answer {
                        self.instruments.metrics.gpus.failed(*device, *fault);
                    }
                    if let FromWorker::Proved { spans, .. } = &answer {
                        for (span, took) in spans {
                            self.instruments.metrics.jobs.inside(subject(&job.task), *span, *took);
                        }
                    }
                    return Ok(answer);
                }
            }
        }
    }
}

/// What metrics know a job by.
fn subject(task: &Task) -> Subject {
    let (program, mode) = task.kind();
    match task {
        Task::Prove { .. } => Subject::prove(program, mode),
        Task::Verify { .. } => Subject::verify(program, mode),
    }
}

/// What a client is told whose job nobody waits for.
const GIVEN_UP: &str = "the client gave it up";

/// How a job ended.
enum Outcome {
    Answered(Result<Success, Failure>),
    /// Ended from here: the worker is killed.
    Ended(Failure, Loss),
    /// The worker is there and not to be trusted with another job.
    Faulty(Failure),
    Lost(Loss),
}

/// What comes after a job.
enum After {
    NextJob,
    /// The worker must go; the job, if there is one, is put back for the next.
    NextWorker(Loss, Option<Box<Job>>),
}

impl Outcome {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Keep(result) => Self::Answered(result),
            Verdict::Replace(failure) => Self::Faulty(failure),
        }
    }

    fn timeout(limit: Duration) -> Self {
        let message = format!(
            "the job ran for the {} s that this server allows: ask for less at once",
            limit.as_secs()
        );
        Self::Ended(Failure::new(Code::Timeout, message), Loss::TimedOut)
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

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Whether a worker proves what the first one did. Not which modes: a circuit can be installed or broken while the
/// server runs, and core proofs go on; the worker itself refuses what it cannot make.
fn is_same(worker: Option<&EngineInfo>, first: Option<&EngineInfo>) -> bool {
    match (worker, first) {
        (Some(worker), Some(first)) => worker.is_same_prover(first),
        (None, None) => true,
        _ => false,
    }
}
