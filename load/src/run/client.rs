//! An honest client: asks, waits, checks, asks again.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use eyre::WrapErr;
use proof_server::types::{Joined, Proof, ProofMode, ProofStats, RequestId};
use tokio::time::{Instant, sleep};

use super::RAMP_UP;
use crate::{
    inputs::Subject,
    session::{Asked, Fault, Final, Session, Step, Trouble},
};

/// Pause before a client whose connection broke connects again.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// How long a request may wait for its answer: a thousand clients share four workers, and 50 ms a thousand times are
/// a quarter of a minute.
const PATIENCE: Duration = Duration::from_secs(600);

/// How many requests there are to make, and how far all clients are.
#[derive(Debug)]
pub(crate) struct Course {
    requests: usize,
    asked: AtomicUsize,
    ended: AtomicUsize,
}

impl Course {
    pub(crate) fn new(requests: usize) -> Self {
        Self { requests, asked: AtomicUsize::new(0), ended: AtomicUsize::new(0) }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    /// Requests that ended so far, well or badly.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    /// Takes one of the requests.
    fn take(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) < self.requests
    }

    /// Whether the ramp-up is over.
    fn is_steady(&self) -> bool {
        self.ended() as f64 >= self.requests as f64 * RAMP_UP
    }

    fn end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// What clients tell of their requests.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) asked: usize,
    /// Answers by code; `OK` for a proof.
    pub(crate) codes: BTreeMap<&'static str, usize>,
    /// Requests without an answer.
    pub(crate) lost: usize,
    /// Answers to what is not open: second ones.
    pub(crate) strays: usize,
    /// Proofs of something else than was asked for, and messages that could not come.
    pub(crate) wrong: usize,
    /// Requests that another one's job answered: none should be.
    pub(crate) joined: usize,
    /// What went wrong first.
    pub(crate) first_fault: Option<String>,
    /// Of answered requests that were sent after the ramp-up.
    pub(crate) times: Vec<Times>,
    /// Of those before: all clients come at once, and their requests wait for a core to be checked.
    pub(crate) ramp_up_times: Vec<Times>,
}

/// Where a request's time went, that no worker had it and it did not wait for one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// All that the server and the line added.
    pub(crate) overhead: Duration,
    /// That part of it until `Accepted`.
    pub(crate) accepted: Duration,
}

impl Told {
    pub(crate) fn add(&mut self, other: Self) {
        self.asked += other.asked;
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        self.lost += other.lost;
        self.strays += other.strays;
        self.wrong += other.wrong;
        self.joined += other.joined;
        self.first_fault = self.first_fault.take().or(other.first_fault);
        self.times.extend(other.times);
        self.ramp_up_times.extend(other.ramp_up_times);
    }

    fn fault(&mut self, fault: impl FnOnce() -> String) {
        self.first_fault.get_or_insert_with(fault);
    }
}

/// A client with its connection and a request of its own, which it makes again and again.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    subject: Subject,
    course: Arc<Course>,
    session: Option<Session>,
}

impl Client {
    pub(crate) async fn connect(
        address: SocketAddr,
        subject: Subject,
        course: Arc<Course>,
    ) -> eyre::Result<Self> {
        let session =
            Session::connect(address, PATIENCE).await.wrap_err("a client is not let in")?;
        Ok(Self { address, subject, course, session: Some(session) })
    }

    /// Makes requests until there are no more.
    pub(crate) async fn work(mut self) -> (Self, Told) {
        let mut told = Told::default();
        while self.course.take() {
            // Another mode each time: so the answer to the last request cannot pass for this one's.
            let mode = ProofMode::ALL[told.asked % ProofMode::ALL.len()];
            told.asked += 1;
            if let Err(trouble) = self.one(mode, &mut told).await {
                match trouble {
                    Trouble::Fault(Fault::Stray { .. }) => told.strays += 1,
                    Trouble::Fault(_) => told.wrong += 1,
                    Trouble::Broken(_) | Trouble::Refused(_) => {}
                }
                told.lost += 1;
                told.fault(|| trouble.to_string());
                self.session = None;
            }
            self.course.end();
        }
        (self, told)
    }

    /// Takes leave; gives how many answers came that nobody waited for.
    pub(crate) async fn leave(self) -> usize {
        match self.session {
            Some(mut session) => usize::from(session.fence().await.is_err()),
            None => 0,
        }
    }

    async fn one(&mut self, mode: ProofMode, told: &mut Told) -> Result<(), Trouble> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                sleep(RECONNECT_PAUSE).await;
                Session::connect(self.address, PATIENCE).await?
            }
        };
        let steady = self.course.is_steady();
        let id = session.ask(&self.subject, mode).await?;
        let (asked, end) = ended(&mut session, id).await?;
        let took = asked.sent.elapsed();
        self.session = Some(session);
        if asked.accepted.is_some_and(|(_, joined)| joined != Joined::No) {
            told.joined += 1;
        }
        match end {
            Final::Proof(proof, stats) => {
                *told.codes.entry("OK").or_default() += 1;
                self.take_in(&proof, told);
                let times = if steady { &mut told.times } else { &mut told.ramp_up_times };
                times.extend(asked.accepted.map(|(at, _)| spent(asked.sent, at, took, stats)));
            }
            Final::Failed(failure) => {
                *told.codes.entry(failure.code.name()).or_default() += 1;
                told.fault(|| failure.to_string());
            }
            Final::Verified(_) => unreachable!("a session takes no Verified for a Prove"),
        }
        Ok(())
    }

    fn take_in(&self, proof: &Proof, told: &mut Told) {
        let right = proof.program == self.subject.program()
            && proof.public_values == self.subject.public_values;
        if !right {
            told.wrong += 1;
            told.fault(|| format!("a proof of something else: {proof:?}"));
        }
    }
}

async fn ended(session: &mut Session, id: RequestId) -> Result<(Asked, Final), Trouble> {
    loop {
        if let Step::Ended(of, ended) = session.step().await?
            && of == id
        {
            return Ok(*ended);
        }
    }
}

/// What is left of a request's time without the waiting and the work, as the server counts them. Pure.
fn spent(sent: Instant, accepted: Instant, took: Duration, stats: ProofStats) -> Times {
    let elsewhere = Duration::from_micros(stats.queue_us + stats.prove_us);
    Times { overhead: took.saturating_sub(elsewhere), accepted: accepted - sent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overhead_is_what_neither_queue_nor_worker_had() {
        let sent = Instant::now();
        let stats = ProofStats { queue_us: 900_000, prove_us: 51_000, ..ProofStats::default() };
        let millis = Duration::from_millis;
        let times = spent(sent, sent + millis(2), millis(954), stats);
        assert_eq!((times.overhead, times.accepted), (millis(3), millis(2)));
    }

    #[test]
    fn there_are_as_many_requests_as_were_wanted() {
        let course = Course::new(3);
        assert_eq!((0..5).filter(|_| course.take()).count(), 3);
    }
}
