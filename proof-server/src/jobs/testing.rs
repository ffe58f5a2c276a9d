//! Jobs for tests.

use std::sync::Arc;

use lc_core::ProgramId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{ClientKey, Job, JobId, JobState, Outcome, Payload, Success, Task};
use crate::types::{EngineKind, Failure, Proof, ProofMode, ProofStats, RequestName, VkeyHash};

pub(crate) fn name(number: u8) -> RequestName {
    RequestName([number; 32])
}

pub(crate) fn client(number: u8) -> ClientKey {
    ClientKey::Certificate([number; 32])
}

pub(crate) fn task() -> Task {
    Task::Prove {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        payload: Payload::Witness(Vec::new()),
        public_values: Vec::new(),
    }
}

/// A proof whose bytes are this many.
pub(crate) fn proof_of_bytes(bytes: usize) -> Outcome {
    let proof = Proof {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        engine: EngineKind::Mock,
        circuit: None,
        vkey: VkeyHash([0; 32]),
        sp1_version: String::new(),
        public_values: Vec::new(),
        bytes: vec![0; bytes],
    };
    Arc::new(Ok(Success::Proof { proof, stats: ProofStats::default() }))
}

pub(crate) fn success() -> Success {
    let public_values = vec![1];
    Success::Verified { program: ProgramId::Inclusion, vkey: VkeyHash([1; 32]), public_values }
}

/// A job that no desk knows.
pub(crate) fn job(id: JobId, client: ClientKey) -> (Job, watch::Receiver<JobState>) {
    let (state, follower) = watch::channel(JobState::Queued { position: 0, starts: None });
    let job = Job {
        id,
        name: name(0),
        client,
        task: task(),
        accepted: tokio::time::Instant::now(),
        losses: 0,
        unwanted: CancellationToken::new(),
        span: tracing::Span::none(),
        state,
        desk: std::sync::Weak::new(),
    };
    (job, follower)
}

pub(crate) fn place(state: &watch::Receiver<JobState>) -> Option<usize> {
    match *state.borrow() {
        JobState::Queued { position, .. } => Some(position),
        _ => None,
    }
}

pub(crate) fn failure(state: &watch::Receiver<JobState>) -> Failure {
    match &*state.borrow() {
        JobState::Done(outcome) => outcome.as_ref().as_ref().unwrap_err().clone(),
        other => panic!("not done: {other:?}"),
    }
}
