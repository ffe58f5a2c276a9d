//! What a client is told of its job. Pure: a state goes in, messages come out.
//!
//! A watcher may miss states that came and went. The story is whole all the same: Accepted, then
//! Started, come before any end.

use tokio::time::Instant;

use crate::{
    jobs::{JobState, Success},
    types::{Code, Joined, RequestId, RequestName, ServerMessage},
};

/// Tells one job's story to one request.
#[derive(Debug)]
pub(super) struct Narrator {
    id: RequestId,
    request: RequestName,
    joined: Joined,
    told: Told,
}

/// How far the story is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    Accepted,
    Started,
}

impl Narrator {
    pub(super) fn new(id: RequestId, request: RequestName, joined: Joined) -> Self {
        Self { id, request, joined, told: Told::Nothing }
    }

    /// What is new in `state`.
    pub(super) fn news(&mut self, state: &JobState, now: Instant) -> Vec<ServerMessage> {
        let id = self.id;
        let mut news = Vec::new();
        if self.told < Told::Accepted {
            let (request, joined) = (self.request, self.joined);
            news.push(ServerMessage::Accepted { id, request, joined });
            self.told = Told::Accepted;
        }
        if matches!(state, JobState::Queued { .. }) {
            // Also where it had started: its worker was lost, and it begins anew.
            self.told = Told::Accepted;
        }
        if self.told < Told::Started && has_started(state) {
            news.push(ServerMessage::Started { id });
            self.told = Told::Started;
        }
        match state {
            JobState::Queued { .. } | JobState::Running(Some(_)) => {
                news.push(self.again(state, now))
            }
            JobState::Running(None) => {}
            JobState::Done(outcome) => {
                news.push(match outcome.as_ref() {
                    Ok(success) => result(id, success),
                    Err(failure) => {
                        ServerMessage::Failed { id: Some(id), failure: failure.clone() }
                    }
                });
            }
        }
        news
    }

    /// A sign of life while `state` lasts.
    pub(super) fn again(&self, state: &JobState, now: Instant) -> ServerMessage {
        let id = self.id;
        match state {
            JobState::Queued { position, starts } => ServerMessage::Queued {
                id,
                position: u32::try_from(*position).unwrap_or(u32::MAX),
                eta_seconds: starts.map(|starts| {
                    u32::try_from(starts.saturating_duration_since(now).as_secs())
                        .unwrap_or(u32::MAX)
                }),
            },
            JobState::Running(Some(progress)) => {
                ServerMessage::Progress { id, progress: *progress }
            }
            JobState::Running(None) | JobState::Done(_) => ServerMessage::Started { id },
        }
    }
}

/// A job that ends well or badly has started, unless it was refused while it waited.
fn has_started(state: &JobState) -> bool {
    match state {
        JobState::Queued { .. } => false,
        JobState::Running(_) => true,
        JobState::Done(outcome) => match outcome.as_ref() {
            Ok(_) => true,
            Err(failure) => {
                !matches!(failure.code, Code::ShuttingDown | Code::Unavailable | Code::Busy)
            }
        },
    }
}

fn result(id: RequestId, success: &Success) -> ServerMessage {
    match success {
        Success::Proof { proof, stats } => {
            ServerMessage::Proof { id, proof: proof.clone(), stats: *stats }
        }
        Success::Verified { program, vkey, public_values } => ServerMessage::Verified {
            id,
            program: *program,
            vkey: *vkey,
            public_values: public_values.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::types::{Failure, Phase, Progress, VkeyHash};

    const ID: RequestId = RequestId(7);
    const PROGRESS: Progress = Progress { phase: Phase::Prove, done: 1, total: 4 };

    fn narrator() -> Narrator {
        Narrator::new(ID, RequestName([3; 32]), Joined::No)
    }

    fn tell(states: &[JobState]) -> Vec<ServerMessage> {
        let mut narrator = narrator();
        states.iter().flat_map(|state| narrator.news(state, Instant::now())).collect()
    }

    fn queued(position: usize) -> JobState {
        JobState::Queued { position, starts: None }
    }

    fn failed(code: Code) -> JobState {
        JobState::Done(Arc::new(Err(Failure::new(code, "why"))))
    }

    fn verified() -> JobState {
        let (program, vkey) = (lc_core::ProgramId::Inclusion, VkeyHash([1; 32]));
        JobState::Done(Arc::new(Ok(Success::Verified { program, vkey, public_values: vec![1] })))
    }

    fn kinds(messages: &[ServerMessage]) -> Vec<&'static str> {
        messages.iter().map(ServerMessage::name).collect()
    }

    #[test]
    fn the_whole_story_is_told_in_order() {
        let states = [
            queued(1),
            queued(0),
            JobState::Running(None),
            JobState::Running(Some(PROGRESS)),
            verified(),
        ];
        let told = kinds(&tell(&states));
        assert_eq!(told, ["Accepted", "Queued", "Queued", "Started", "Progress", "Verified"]);
    }

    #[test]
    fn states_that_were_missed_leave_no_hole_in_the_story() {
        assert_eq!(kinds(&tell(&[verified()])), ["Accepted", "Started", "Verified"]);
        assert_eq!(
            kinds(&tell(&[JobState::Running(Some(PROGRESS))])),
            ["Accepted", "Started", "Progress"]
        );
        assert_eq!(kinds(&tell(&[failed(Code::WorkerLost)])), ["Accepted", "Started", "Failed"]);
    }

    #[test]
    fn a_job_that_lost_its_worker_starts_again() {
        let states = [JobState::Running(Some(PROGRESS)), queued(0), JobState::Running(None)];
        let told = kinds(&tell(&states));
        assert_eq!(told, ["Accepted", "Started", "Progress", "Queued", "Started"]);
    }

    #[test]
    fn a_job_refused_while_it_waited_never_started() {
        for code in [Code::ShuttingDown, Code::Unavailable, Code::Busy] {
            assert_eq!(kinds(&tell(&[queued(0), failed(code)])), ["Accepted", "Queued", "Failed"]);
        }
    }

    #[test]
    fn a_sign_of_life_repeats_where_the_job_stands_with_the_time_left_now() {
        let narrator = narrator();
        let now = Instant::now();
        let starts = Some(now + Duration::from_secs(90));
        let state = JobState::Queued { position: 2, starts };
        let eta = |seconds| {
            let message = narrator.again(&state, now + Duration::from_secs(seconds));
            matches!(message, ServerMessage::Queued { position: 2, eta_seconds: Some(eta), .. } if eta == 90_u64.saturating_sub(seconds) as u32)
        };
        assert!(eta(0) && eta(30) && eta(500));
        assert!(matches!(
            narrator.again(&JobState::Running(None), now),
            ServerMessage::Started { .. }
        ));
        let progress = narrator.again(&JobState::Running(Some(PROGRESS)), now);
        assert!(matches!(progress, ServerMessage::Progress { progress: PROGRESS, .. }));
    }
}
