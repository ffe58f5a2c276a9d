//! Whether a worker's answer is an answer to its job. Pure.
//!
//! The worker runs code that is larger than all of this project. What it hands back goes out under the
//! server's name, so it must be the proof that was asked for and say what the native check found.

use super::message::FromWorker;
use crate::{
    jobs::{Success, Task},
    types::{Code, EngineInfo, Failure, Proof},
};

/// What to make of an answer.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The client gets this, the worker goes on.
    Keep(Result<Success, Failure>),
    /// The client gets this, the worker must go.
    Replace(Failure),
}

pub(super) fn judge(task: &Task, engine: Option<&EngineInfo>, answer: FromWorker) -> Verdict {
    match (task, answer) {
        (_, FromWorker::Failed { failure, detail, faulty, gpu: _ }) => {
            if !detail.is_empty() {
                tracing::error!(%detail, "the worker failed");
            }
            if faulty { Verdict::Replace(failure) } else { Verdict::Keep(Err(failure)) }
        }
        (Task::Prove { .. }, FromWorker::Proved { proof, stats, .. }) => {
            match mismatch(task, engine, &proof) {
                None => Verdict::Keep(Ok(Success::Proof { proof, stats })),
                Some(what) => distrust(what),
            }
        }
        (Task::Verify { proof }, FromWorker::Verified { program, vkey, public_values }) => {
            if program == proof.program
                && vkey == proof.vkey
                && public_values == proof.public_values
            {
                Verdict::Keep(Ok(Success::Verified { program, vkey, public_values }))
            } else {
                distrust("another proof")
            }
        }
        (_, other) => distrust(other.name()),
    }
}

/// The first thing in which a proof is not the one that was asked for.
pub(crate) fn mismatch(
    task: &Task,
    engine: Option<&EngineInfo>,
    proof: &Proof,
) -> Option<&'static str> {
    let Task::Prove { program, mode, public_values, .. } = task else { return Some("a proof") };
    let Some(info) = engine else { return Some("a proof without an engine") };
    let checks = [
        (proof.program == *program, "another program"),
        (proof.mode == *mode, "another mode"),
        (proof.engine == info.engine, "another engine"),
        (info.program(*program).is_some_and(|ours| ours.vkey == proof.vkey), "another key"),
        (info.mode(*mode).is_none_or(|ours| ours.circuit == proof.circuit), "another circuit"),
        (proof.public_values == *public_values, "other public values than the native check found"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
}

fn distrust(what: &str) -> Verdict {
    tracing::error!(what, "the worker's answer is not what was asked for");
    let message =
        format!("the worker answered with {what}: report this, the server's log has the job");
    Verdict::Replace(Failure::new(Code::Internal, message))
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
