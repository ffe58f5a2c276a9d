//! One client: a thread that takes requests in turn, asks the servers and says what came of each.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};

use proof_server::{
    client::{Canceller, Client, ClientError, ClientOptions, Event},
    types::{Joined, Proof, ProofMode, ProofStats, RequestName},
};

use super::{
    hosts::{Hosts, Trouble},
    plan::{Course, Turn},
    stop::Stop,
};
use crate::recording::Request;

/// What all clients of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) servers: Vec<String>,
    pub(super) options: ClientOptions,
    pub(super) mode: ProofMode,
    /// Whether a connection is for one request.
    pub(super) balanced: bool,
    pub(super) seed: u64,
    pub(super) requests: Vec<Request>,
    /// Attempts after the first.
    pub(super) retries: u32,
    pub(super) began: Instant,
    pub(super) course: Mutex<Course>,
    /// Requests that were begun.
    pub(super) begun: AtomicUsize,
    pub(super) stop: Stop,
    /// By client: how to give up the request that it waits for.
    pub(super) cancellers: Vec<Mutex<Option<Canceller>>>,
}

/// What became of one request, with all its attempts.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) turn: Turn,
    pub(super) client: usize,
    /// The server of the last attempt.
    pub(super) server: usize,
    /// When it really began.
    pub(super) start: Duration,
    pub(super) end: Duration,
    /// The attempts before the last: where, and why they brought nothing.
    pub(super) failed: Vec<(usize, Trouble)>,
    pub(super) answer: Result<Answer, Trouble>,
}

/// A proof, and what the server says of it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) proof: Proof,
    pub(super) stats: ProofStats,
    pub(super) joined: Joined,
}

impl Shared {
    /// Time since the run began.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn course(&self) -> MutexGuard<'_, Course> {
        // Nothing that holds it can leave it half-changed.
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up what the clients wait for. To be repeated: a request that is just being sent misses it.
    pub(super) fn cancel_all(&self) {
        for canceller in &self.cancellers {
            let mut canceller = canceller.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(canceller) = canceller.as_mut() {
                // A connection that does not take it is broken, and its client notices by itself.
                let _ = canceller.cancel();
            }
        }
    }

    /// How to connect for one turn. Behind a balancer each turn is a job of its own: recorded requests repeat, users'
    /// do not, and a balancer that saw one name would send all of them to one host.
    fn options(&self, turn: Turn) -> ClientOptions {
        let job = self.balanced.then(|| {
            let mut name = [0; 32];
            name[..4].copy_from_slice(&(self.seed as u32).to_be_bytes());
            name[4..8].copy_from_slice(&(turn.number as u32).to_be_bytes());
            RequestName(name)
        });
        ClientOptions { job, ..self.options.clone() }
    }

    /// Which of the recorded requests is made in this turn: all of them, over and over.
    pub(super) fn request(&self, turn: Turn) -> &Request {
        &self.requests[turn.number % self.requests.len()]
    }
}

/// A client's own.
#[derive(Debug)]
pub(super) struct Worker {
    number: usize,
    shared: Arc<Shared>,
    hosts: Hosts,
    connections: Vec<Option<Client>>,
}

/// Neither proof nor failure: the run was stopped meanwhile.
#[derive(Debug)]
struct Stopped;

impl Worker {
    pub(super) fn new(number: usize, shared: Arc<Shared>) -> Self {
        let count = shared.servers.len();
        let connections = std::iter::repeat_with(|| None).take(count).collect();
        Self { number, hosts: Hosts::new(number, count), connections, shared }
    }

    /// Makes requests until there are no more, nobody takes the rows, or the run is stopped.
    pub(super) fn work(mut self, rows: &SyncSender<Row>) {
        let shared = Arc::clone(&self.shared);
        loop {
            // Not in one expression with the wait: others take their turns meanwhile.
            let turn = shared.course().take(shared.now());
            let Some(turn) = turn else { return };
            if !shared.stop.sleep_until(shared.began + turn.intended) {
                return;
            }
            shared.begun.fetch_add(1, Ordering::Relaxed);
            let Ok(row) = self.one(turn) else { return };
            if rows.send(row).is_err() {
                return;
            }
        }
    }

    fn one(&mut self, turn: Turn) -> Result<Row, Stopped> {
        let shared = Arc::clone(&self.shared);
        let (client, start) = (self.number, shared.now());
        let mut failed = Vec::new();
        loop {
            let choice = self.hosts.choose(shared.now());
            if !shared.stop.sleep_until(Instant::now() + choice.wait) {
                return Err(Stopped);
            }
            let server = choice.host;
            let answer = self.ask(server, turn);
            let end = shared.now();
            if shared.stop.is_set() && answer.is_err() {
                return Err(Stopped);
            }
            match &answer {
                Ok(_) => self.hosts.succeeded(server),
                Err(trouble) => {
                    self.hosts.failed(server, end, trouble);
                    if !trouble.keeps_connection {
                        self.connections[server] = None;
                    }
                }
            }
            if let Some(connection) = self.connections[server].take_if(|_| shared.balanced) {
                connection.close();
            }
            match answer {
                Err(trouble) if trouble.is_passing && failed.len() < shared.retries as usize => {
                    failed.push((server, trouble));
                }
                answer => return Ok(Row { turn, client, server, start, end, failed, answer }),
            }
        }
    }

    /// One attempt.
    fn ask(&mut self, server: usize, turn: Turn) -> Result<Answer, Trouble> {
        let shared = &self.shared;
        let request = shared.request(turn);
        let (mode, wanted) = (shared.mode, request.program());
        let answer = |connection: &mut Client| {
            let mut joined = Joined::No;
            let note = |event| {
                if let Event::Accepted { joined: how, .. } = event {
                    joined = how;
                }
            };
            let (proof, stats) = connection.prove(mode, request.input.clone(), note)?;
            Ok::<_, ClientError>(Answer { proof, stats, joined })
        };
        let place = &mut self.connections[server];
        let connected = match place.take() {
            Some(connection) => Ok(connection),
            None => Client::connect(&shared.servers[server], &shared.options(turn)),
        };
        let connection = place.insert(connected.map_err(|error| Trouble::of(&error))?);
        let slot = &shared.cancellers[self.number];
        let put = |canceller| *slot.lock().unwrap_or_else(PoisonError::into_inner) = canceller;
        put(Some(connection.canceller().map_err(|error| Trouble::of(&error))?));
        let answer = answer(connection);
        put(None);
        let answer = answer.map_err(|error| Trouble::of(&error))?;
        let proof = &answer.proof;
        if (proof.program, proof.mode) != (wanted, mode) {
            let (seen, seen_mode) = (proof.program, proof.mode);
            return Err(Trouble::wrong(format!(
                "a {seen_mode} proof of {seen} came where a {mode} proof of {wanted} was asked for"
            )));
        }
        if proof.public_values != request.public_values {
            return Err(Trouble::wrong(
                "the proof's public values are not what the native check gives".to_owned(),
            ));
        }
        Ok(answer)
    }
}
