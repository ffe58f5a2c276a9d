//! The open requests of one connection.

use std::collections::HashMap;

use lc_core::{
    ProgramId,
    host::input::{Checked, InputError, ProgramInput},
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info_span};

use super::{Shared, narrate::Narrator};
use crate::{
    check_name, error_chain,
    jobs::{JobHandle, Task},
    types::{ClientMessage, Code, EngineInfo, Failure, Proof, ProofMode, RequestId, ServerMessage},
};

/// Nobody takes answers any more.
struct Gone;

/// The requests, each a task of its own. Dropping this ends them, and with them their jobs.
pub(super) struct Requests<'a> {
    shared: &'a Shared,
    outbox: mpsc::Sender<ServerMessage>,
    tasks: JoinSet<RequestId>,
    cancels: HashMap<RequestId, CancellationToken>,
    newest: Option<RequestId>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(shared: &'a Shared, outbox: mpsc::Sender<ServerMessage>) -> Self {
        Self { shared, outbox, tasks: JoinSet::new(), cancels: HashMap::new(), newest: None }
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
                if let Err(failure) = self
                    .room()
                    .and_then(|()| supported(&self.shared.hello.engine, input.program(), mode))
                {
                    self.tell(ServerMessage::Failed { id: Some(id), failure }).await;
                    return Ok(());
                }
                // Before the next frame is read: a flood of requests costs its sender time, not us memory.
                let permit = self.shared.checks.clone().acquire_owned();
                let Some(Ok(permit)) = stop.run_until_cancelled(permit).await else {
                    return Ok(());
                };
                let (queue, keepalive) = (self.shared.prove.clone(), self.shared.config.keepalive);
                let span = info_span!("request", %id, program = %input.program(), %mode);
                self.spawn(id, span, |outbox| async move {
                    let task = check(input, mode, permit).await?;
                    follow(id, queue.submit(task)?, &outbox, keepalive).await
                });
                Ok(())
            }
            ClientMessage::Verify { id, proof } => {
                self.begin(id)?;
                self.verify(id, proof).await;
                Ok(())
            }
        }
    }

    async fn verify(&mut self, id: RequestId, proof: Proof) {
        if let Err(failure) = self.room() {
            return self.tell(ServerMessage::Failed { id: Some(id), failure }).await;
        }
        let (queue, keepalive) = (self.shared.verify.clone(), self.shared.config.keepalive);
        let span =
            info_span!("request", %id, program = %proof.program, mode = %proof.mode, verify = true);
        self.spawn(id, span, |outbox| async move {
            follow(id, queue.submit(Task::Verify { proof })?, &outbox, keepalive).await
        });
    }

    /// Runs one request to its end, which is always told.
    fn spawn<F>(
        &mut self,
        id: RequestId,
        span: tracing::Span,
        work: impl FnOnce(mpsc::Sender<ServerMessage>) -> F,
    ) where
        F: Future<Output = Result<(), Ended>> + Send + 'static,
    {
        let cancel = CancellationToken::new();
        self.cancels.insert(id, cancel.clone());
        let outbox = self.outbox.clone();
        let work = work(outbox.clone());
        let request = async move {
            let failure = match cancel.run_until_cancelled(work).await {
                Some(Ok(()) | Err(Ended::Gone)) => return id,
                Some(Err(Ended::Failed(failure))) => failure,
                None => Failure::new(Code::Cancelled, "cancelled as asked"),
            };
            debug!(code = %failure.code, reason = failure.message, "refused");
            let _ = outbox.send(ServerMessage::Failed { id: Some(id), failure }).await;
            id
        };
        self.tasks.spawn(request.instrument(span));
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

/// Whether the engine proves such a thing. Pure.
fn supported(engine: &EngineInfo, program: ProgramId, mode: ProofMode) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::new(Code::Unsupported, message));
    if engine.program(program).is_none() {
        return refuse(format!(
            "this server does not prove {program}: its Hello lists what it does"
        ));
    }
    if !engine.modes.contains(&mode) {
        let modes: Vec<&str> = engine.modes.iter().map(|mode| mode.name()).collect();
        return refuse(format!(
            "this server does not make {mode} proofs: ask for {}",
            modes.join(" or ")
        ));
    }
    Ok(())
}

/// Why a request ended early.
enum Ended {
    /// The client must be told.
    Failed(Failure),
    /// There is no client.
    Gone,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Checks an input natively. The permit lives as long as the computation, also when nobody waits.
async fn check(
    input: ProgramInput,
    mode: ProofMode,
    permit: OwnedSemaphorePermit,
) -> Result<Task, Failure> {
    let checked = tokio::task::spawn_blocking(move || {
        let checked = input.check();
        drop((permit, input));
        checked
    });
    match checked.await {
        Ok(Ok(Checked { program, witness, public_values })) => {
            Ok(Task::Prove { program, mode, witness, public_values })
        }
        Ok(Err(error)) => Err(invalid(&error)),
        Err(error) => {
            error!(%error, "the native check failed");
            Err(Failure::new(Code::Internal, "the check of the input broke off: report this input"))
        }
    }
}

/// A refused input, with the check that it failed.
fn invalid(error: &InputError) -> Failure {
    let check = check_name(error);
    Failure { check, ..Failure::new(Code::InvalidInput, error_chain(error)) }
}

/// Tells a job's story to its end.
async fn follow(
    id: RequestId,
    mut job: JobHandle,
    outbox: &mpsc::Sender<ServerMessage>,
    keepalive: std::time::Duration,
) -> Result<(), Ended> {
    debug!(job = %job.id, "accepted");
    let mut narrator = Narrator::new(id, job.id);
    loop {
        let state = job.state.borrow_and_update().clone();
        for message in narrator.news(&state, Instant::now()) {
            outbox.send(message).await.map_err(|_| Gone)?;
        }
        if narrator.is_over() {
            return Ok(());
        }
        tokio::select! {
            changed = job.state.changed() => changed.map_err(|_| {
                Failure::new(Code::Internal, "the job was lost: send the request again")
            })?,
            () = sleep(keepalive) => {
                let sign_of_life = narrator.again(&state, Instant::now());
                outbox.send(sign_of_life).await.map_err(|_| Gone)?;
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
            modes: vec![ProofMode::Core, ProofMode::Compressed],
            ..crate::engine::mock::MockEngine::info()
        };
        supported(&engine, ProgramId::Inclusion, ProofMode::Compressed).unwrap();
        let failure = supported(&engine, ProgramId::Inclusion, ProofMode::Groth16).unwrap_err();
        assert_eq!(failure.code, Code::Unsupported);
        assert_eq!(
            failure.message,
            "this server does not make groth16 proofs: ask for core or compressed"
        );

        let engine = EngineInfo { programs: engine.programs[..1].to_vec(), ..engine };
        supported(&engine, ProgramId::CommitteeChange, ProofMode::Core).unwrap();
        let failure = supported(&engine, ProgramId::Inclusion, ProofMode::Core).unwrap_err();
        assert_eq!(failure.code, Code::Unsupported);
        assert!(failure.message.starts_with("this server does not prove inclusion"), "{failure}");
    }
}
