//! The open requests of one connection.

use std::{collections::HashMap, sync::Arc, time::Duration};

use lc_core::{
    ProgramId,
    host::input::{Checked, InputError, ProgramInput},
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug, error, field, info, info_span};

use super::{Shared, narrate::Narrator, peer::Peer, routes::Route};
use crate::{
    check_name, error_chain,
    jobs::{JobHandle, JobState, Payload, Success, Task},
    metrics::{Metrics, Outcome, RequestGuard, Subject},
    types::{
        ClientMessage, Code, EngineInfo, Failure, Joined, ModeInfo, Proof, ProofMode, RequestId,
        RequestName, ServerMessage,
    },
};

/// Nobody takes answers any more.
struct Gone;

/// The requests, each a task of its own. Dropping this leaves their jobs to whoever asks for the same in time.
pub(super) struct Requests<'a> {
    shared: &'a Arc<Shared>,
    peer: Peer,
    outbox: mpsc::Sender<ServerMessage>,
    tasks: JoinSet<RequestId>,
    cancels: HashMap<RequestId, CancellationToken>,
    newest: Option<RequestId>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        peer: Peer,
        outbox: mpsc::Sender<ServerMessage>,
    ) -> Self {
        let (tasks, cancels) = (JoinSet::new(), HashMap::new());
        Self { shared, peer, outbox, tasks, cancels, newest: None }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits until a request ends; for ever if there is none. Cancel safe.
    pub(super) async fn one_ended(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(id)) => drop(self.cancels.remove(&id)),
            Some(Err(error)) => error!(%error, "a request's task failed"),
            None => std::future::pending().await,
        }
    }

    /// Waits until all have ended and told so.
    pub(super) async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Acts on one message.
    ///
    /// # Errors
    ///
    /// The failure that ends the connection, where the message breaks the protocol.
    pub(super) async fn handle(
        &mut self,
        message: ClientMessage,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        match message {
            ClientMessage::Hello(_) => {
                Err(Failure::new(Code::InvalidInput, "a second Hello: say it once, first"))
            }
            ClientMessage::Cancel { id } => {
                if let Some(cancel) = self.cancels.get(&id) {
                    cancel.cancel();
                }
                Ok(())
            }
            ClientMessage::Status { id } => {
                self.begin(id)?;
                self.tell(ServerMessage::Status { id, report: self.shared.status() }).await;
                Ok(())
            }
            ClientMessage::Prove { id, mode, input } => {
                self.begin(id)?;
                self.prove(id, mode, input, stop).await;
                Ok(())
            }
            ClientMessage::Verify { id, proof } => {
                self.begin(id)?;
                self.verify(id, proof).await;
                Ok(())
            }
        }
    }

    async fn prove(
        &mut self,
        id: RequestId,
        mode: ProofMode,
        input: ProgramInput,
        stop: &CancellationToken,
    ) {
        let program = input.program();
        let request = self.request(id, Subject::prove(program, mode));
        let supported = supported(&self.shared.hello.engine, program, mode);
        let route = match self.room().and(supported) {
            Ok(()) => self.shared.routes.of(program),
            Err(failure) => return self.refuse(id, failure, request).await,
        };
        let Some(route) = route.cloned() else {
            let failure = Failure::new(Code::Unsupported, format!("nothing proves {program} here"));
            return self.refuse(id, failure, request).await;
        };
        // Before the next frame is read: a flood of requests costs its sender time, not us memory.
        let permit = self.shared.checks.clone().acquire_owned();
        let Some(Ok(permit)) = stop.run_until_cancelled(permit).await else { return };
        let (shared, key) = (Arc::clone(self.shared), self.peer.key);
        self.spawn(request, move |cancel| async move {
            let open = open(&shared, key, mode, input, &route, permit);
            cancel.run_until_cancelled(open).await
        });
    }

    async fn verify(&mut self, id: RequestId, proof: Proof) {
        let request = self.request(id, Subject::verify(proof.program, proof.mode));
        if let Err(failure) = self.room() {
            return self.refuse(id, failure, request).await;
        }
        let (shared, key) = (Arc::clone(self.shared), self.peer.key);
        self.spawn(request, move |_| async move {
            let name = RequestName::of_verify(&proof);
            let task = Task::Verify { proof };
            let opened = shared.verifications.open(name, key, task, &shared.queues.verify);
            Some(opened.map(|job| (name, job)))
        });
    }

    fn request(&self, id: RequestId, subject: Subject) -> Request {
        let [task, program, mode] = subject.labels();
        let (request, client) = (field::Empty, self.peer.name.as_deref());
        Request {
            id,
            since: Instant::now(),
            span: info_span!("request", request, %id, task, program, mode, client),
            metrics: Arc::clone(&self.shared.metrics),
            guard: self.shared.metrics.requests.begin(subject),
        }
    }

    /// Answers at once, without a job.
    async fn refuse(&self, id: RequestId, failure: Failure, request: Request) {
        request.span.clone().in_scope(|| request.ended(&Err(&failure), Joined::No));
        self.tell(ServerMessage::Failed { id: Some(id), failure }).await;
    }

    /// Runs one request to its end, which is always told. `work` gives its job, or nothing where it is cancelled
    /// before there is one.
    fn spawn<F>(&mut self, request: Request, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Option<Result<(RequestName, JobHandle), Failure>>> + Send + 'static,
    {
        let (id, cancel) = (request.id, CancellationToken::new());
        self.cancels.insert(id, cancel.clone());
        let (outbox, config) = (self.outbox.clone(), &self.shared.config);
        let (keepalive, limit) = (config.keepalive, config.request_timeout);
        let (work, span) = (work(cancel.clone()), request.span.clone());
        let run = async move {
            let failure = match work.await {
                Some(Ok((name, job))) => {
                    Span::current().record("request", field::display(name));
                    let follower =
                        Follower { request, name, outbox: outbox.clone(), keepalive, limit };
                    match follower.follow(job, &cancel).await {
                        Ok(()) | Err(Ended::Gone) => return id,
                        Err(Ended::Failed(failure)) => failure,
                    }
                }
                Some(Err(failure)) => {
                    request.ended(&Err(&failure), Joined::No);
                    failure
                }
                None => {
                    let failure = cancelled();
                    request.ended(&Err(&failure), Joined::No);
                    failure
                }
            };
            let _ = outbox.send(ServerMessage::Failed { id: Some(id), failure }).await;
            id
        };
        self.tasks.spawn(run.instrument(span));
    }

    /// Ids go up, so that an answer can never be taken for that of an earlier request.
    fn begin(&mut self, id: RequestId) -> Result<(), Failure> {
        if self.newest.is_some_and(|newest| id <= newest) {
            let message = format!("request id {id} is not above the last one: count up");
            return Err(Failure::new(Code::InvalidInput, message));
        }
        self.newest = Some(id);
        Ok(())
    }

    fn room(&self) -> Result<(), Failure> {
        let limit = self.shared.config.max_requests;
        if self.tasks.len() < limit {
            return Ok(());
        }
        let message = format!("{limit} requests are open on this connection: wait for one to end");
        Err(Failure::new(Code::Busy, message))
    }

    async fn tell(&self, message: ServerMessage) {
        // If nobody writes any more, the connection is about to end.
        let _ = self.outbox.send(message).await;
    }
}

fn overdue(limit: Duration) -> Failure {
    let message = format!(
        "the request took longer than the {} s that this server allows, with its time in the queue: try again later",
        limit.as_secs()
    );
    Failure::new(Code::Timeout, message)
}

fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "cancelled as asked")
}

/// Whether the engine proves such a thing. Pure.
fn supported(engine: &EngineInfo, program: ProgramId, mode: ProofMode) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::new(Code::Unsupported, message));
    if engine.program(program).is_none() {
        return refuse(format!(
            "this server does not prove {program}: its Hello lists what it does"
        ));
    }
    match engine.mode(mode) {
        Some(ModeInfo { unsupported: None, .. }) => Ok(()),
        Some(ModeInfo { unsupported: Some(why), .. }) => {
            refuse(format!("this server does not make {mode} proofs: {why}"))
        }
        None => {
            let modes: Vec<&str> = engine.offered().map(|info| info.mode.name()).collect();
            refuse(format!(
                "this server does not make {mode} proofs: ask for {}",
                modes.join(" or ")
            ))
        }
    }
}

/// The job for a request: one that is there, or a new one if the input passes the native check. The permit
/// lives as long as that computation, also when nobody waits for it any more.
async fn open(
    shared: &Arc<Shared>,
    key: crate::jobs::ClientKey,
    mode: ProofMode,
    input: ProgramInput,
    route: &Route,
    permit: OwnedSemaphorePermit,
) -> Result<(RequestName, JobHandle), Failure> {
    let vkey = shared.hello.engine.program(input.program()).map(|info| info.vkey);
    let (input, remote) = (Arc::new(input), route.remote);
    let mut permit = Some(permit);
    loop {
        let (desk, input, permit) = (Arc::clone(&shared.desk), Arc::clone(&input), permit.take());
        let metrics = Arc::clone(&shared.metrics);
        let work = tokio::task::spawn_blocking(move || {
            let name = RequestName::of_prove(vkey, mode, &input);
            // Known, and not yet joined: if the client goes meanwhile, nothing was taken for it.
            let task = (!desk.knows(name)).then(|| {
                let began = Instant::now();
                let subject = Subject::prove(input.program(), mode);
                let checked = check(input, mode, remote);
                metrics.jobs.checked(subject, began.elapsed());
                checked
            });
            drop(permit);
            (name, task)
        });
        let (name, task) = work.await.map_err(|error| {
            error!(%error, "the native check failed");
            Failure::new(Code::Internal, "the check of the input broke off: report this input")
        })?;
        let job = match task {
            Some(task) => Some(shared.desk.open(name, key, task?, &route.queue)?),
            None => shared.desk.find(name),
        };
        // Nothing: it ended in this very moment, and left no result.
        if let Some(job) = job {
            return Ok((name, job));
        }
    }
}

/// Checks an input natively.
fn check(input: Arc<ProgramInput>, mode: ProofMode, remote: bool) -> Result<Task, Failure> {
    let Checked { program, witness, public_values } =
        input.check().map_err(|error| invalid(&error))?;
    let payload = if remote { Payload::Input(input) } else { Payload::Witness(witness) };
    Ok(Task::Prove { program, mode, payload, public_values })
}

/// A refused input, with the check that it failed.
fn invalid(error: &InputError) -> Failure {
    let check = check_name(error);
    Failure { check, ..Failure::new(Code::InvalidInput, error_chain(error)) }
}

/// One request, for its log line and its metrics.
struct Request {
    id: RequestId,
    since: Instant,
    span: Span,
    metrics: Arc<Metrics>,
    guard: RequestGuard,
}

impl Request {
    /// One line a request: who, what, how it ended, and where its time went.
    fn ended(self, outcome: &Result<&Success, &Failure>, joined: Joined) {
        self.guard.end(match outcome {
            Ok(_) => Outcome::Ok,
            Err(failure) => Outcome::Failed(failure.code),
        });
        let total_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        match outcome {
            Ok(Success::Proof { proof, stats }) => info!(
                outcome = "OK",
                ?joined,
                total_ms,
                queue_ms = stats.queue_us / 1000,
                prove_ms = stats.prove_us / 1000,
                peak_worker_bytes = stats.peak_worker_bytes,
                proof_bytes = proof.bytes.len(),
                "answered"
            ),
            Ok(Success::Verified { .. }) => info!(outcome = "OK", ?joined, total_ms, "answered"),
            Err(failure) => info!(
                outcome = failure.code.name(),
                reason = failure.message,
                ?joined,
                total_ms,
                "answered"
            ),
        }
    }
}

/// Why a story ends early.
enum Ended {
    /// The client must be told.
    Failed(Failure),
    /// There is no client.
    Gone,
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Tells a job's story to one request.
struct Follower {
    request: Request,
    name: RequestName,
    outbox: mpsc::Sender<ServerMessage>,
    keepalive: Duration,
    /// From the request's arrival to its last answer.
    limit: Duration,
}

impl Follower {
    /// Tells it to its end, or until the request is cancelled.
    async fn follow(self, mut job: JobHandle, cancel: &CancellationToken) -> Result<(), Ended> {
        let joined = job.joined;
        self.request.metrics.requests.joined(joined);
        debug!(?joined, "accepted");
        let told = tokio::select! {
            biased;
            () = cancel.cancelled() => {
                job.give_up();
                Err(Ended::Failed(cancelled()))
            }
            () = sleep_until(self.request.since + self.limit) => {
                job.give_up();
                Err(Ended::Failed(overdue(self.limit)))
            }
            told = self.tell(&mut job) => told,
        };
        match &told {
            Ok(outcome) => self.request.ended(&outcome.as_ref().as_ref(), joined),
            Err(Ended::Failed(failure)) => self.request.ended(&Err(failure), joined),
            Err(Ended::Gone) => {
                let failure = Failure::new(Code::Cancelled, "the connection broke");
                self.request.ended(&Err(&failure), joined);
            }
        }
        told.map(drop)
    }

    async fn tell(&self, job: &mut JobHandle) -> Result<crate::jobs::Outcome, Ended> {
        let mut narrator = Narrator::new(self.request.id, self.name, job.joined);
        loop {
            let state = job.state.borrow_and_update().clone();
            for message in narrator.news(&state, Instant::now()) {
                self.outbox.send(message).await.map_err(|_| Gone)?;
            }
            if let JobState::Done(outcome) = state {
                return Ok(outcome);
            }
            tokio::select! {
                changed = job.state.changed() => changed.map_err(|_| Ended::Failed(
                    Failure::new(Code::Internal, "the job was lost: send the request again"),
                ))?,
                () = sleep(self.keepalive) => {
                    let sign_of_life = narrator.again(&state, Instant::now());
                    self.outbox.send(sign_of_life).await.map_err(|_| Gone)?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lc_core::sync_protocol::CheckError;

    use super::*;

    #[test]
    fn a_failed_check_is_named_for_programs_and_explained_for_people() {
        let source = CheckError::Participation { signed: 341, size: 512 };
        let failure = invalid(&InputError::Check { what: "update number 0".to_owned(), source });
        assert_eq!(failure.code, Code::InvalidInput);
        assert_eq!(failure.check.as_deref(), Some("Participation"));
        assert!(
            failure.message.starts_with("the update number 0 fails a check: 341 of 512"),
            "{failure}"
        );
    }

    #[test]
    fn an_input_that_does_not_decode_has_no_check_to_name() {
        let failure = invalid(&InputError::TooManyUpdates(500));
        assert_eq!((failure.code, failure.check), (Code::InvalidInput, None));
    }

    #[test]
    fn what_the_engine_does_not_make_is_unsupported_and_says_what_it_makes() {
        let engine = EngineInfo {
            modes: vec![
                ModeInfo::offered(ProofMode::Core, None),
                ModeInfo::offered(ProofMode::Compressed, None),
                ModeInfo::unsupported(ProofMode::Plonk, "get a larger machine".to_owned()),
            ],
            ..crate::engine::mock::MockEngine::info()
        };
        supported(&engine, ProgramId::Inclusion, ProofMode::Compressed).unwrap();
        let failure = supported(&engine, ProgramId::Inclusion, ProofMode::Groth16).unwrap_err();
        assert_eq!(failure.code, Code::Unsupported);
        assert_eq!(
            failure.message,
            "this server does not make groth16 proofs: ask for core or compressed"
        );
        let failure = supported(&engine, ProgramId::Inclusion, ProofMode::Plonk).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "UNSUPPORTED: this server does not make plonk proofs: get a larger machine"
        );

        let engine = EngineInfo { programs: engine.programs[..1].to_vec(), ..engine };
        supported(&engine, ProgramId::CommitteeChange, ProofMode::Core).unwrap();
        let failure = supported(&engine, ProgramId::Inclusion, ProofMode::Core).unwrap_err();
        assert_eq!(failure.code, Code::Unsupported);
        assert!(failure.message.starts_with("this server does not prove inclusion"), "{failure}");
    }
}
