//! What runs inside a worker process: one engine, one job at a time.
//!
//! The server may be gone at any moment, also by `kill -9`, and a prover that works on for nobody holds
//! gigabytes for minutes. So a thread of its own reads the socket: when it closes, the process kills its
//! whole group at once, in the middle of a proof. (`PR_SET_PDEATHSIG` would not do: it fires when the
//! *thread* that started the worker ends, and tokio ends idle threads.)

use std::{
    fs, io,
    os::{fd::AsFd, unix::net::UnixStream},
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group};
use tracing::{debug, info};

use super::{
    memory,
    message::{FromWorker, ToWorker},
    spans,
};
use crate::{
    engine::{Engine, EngineError, Proven, Verifier, VerifyError},
    error_chain,
    types::{
        Code, Failure, FrameError, FrameLimits, FrameReader, Progress, ProofStats, write_message,
    },
};

/// How often a worker says that it is alive: far below the 30 s after which silence counts as death, and
/// often enough to see most of a proof's memory peak.
const PULSE: Duration = Duration::from_secs(1);

/// `oom_score_adj` of a worker: the kernel's maximum. Where memory runs out, the prover goes and the
/// server stays to say so.
const OOM_SCORE_ADJ: &str = "1000";

/// What a worker does.
pub enum Work {
    /// Make proofs.
    Prove(Box<dyn Engine>),
    /// Check proofs.
    Verify(Box<dyn Verifier>),
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Prove(_) => "Prove",
            Self::Verify(_) => "Verify",
        })
    }
}

/// Why a worker could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// There is no server at the other end.
    #[error(
        "standard input is not a server's socket: `proof-server serve` starts workers, nobody else needs to"
    )]
    NoServer(#[source] io::Error),
    /// The engine's set-up failed.
    #[error("the engine does not start")]
    Engine(#[source] EngineError),
    /// The server does not take what the worker sends.
    #[error("the conversation with the server broke off")]
    Conversation(#[source] FrameError),
}

/// Talks to the server on standard input until it goes. `limits` bound the frames; `start` sets the
/// engine up, after the process has made itself the first that the kernel kills.
///
/// # Errors
///
/// [`WorkerError`]. When the server closes the socket this does not return: the process ends.
pub fn run(
    limits: FrameLimits,
    start: impl FnOnce() -> Result<Work, EngineError>,
) -> Result<(), WorkerError> {
    let socket = connect().map_err(WorkerError::NoServer)?;
    let reader = socket.try_clone().map_err(WorkerError::NoServer)?;
    if let Err(error) = fs::write("/proc/self/oom_score_adj", OOM_SCORE_ADJ) {
        debug!(%error, "cannot make this process the first that the kernel kills");
    }
    let (jobs, queue) = sync_channel(1);
    thread::spawn(move || read_jobs(FrameReader::new(reader, limits), &jobs));
    let server = Server { socket: Arc::new(Mutex::new(socket)), limits, peak: Arc::default() };
    let pulse = server.clone();
    thread::spawn(move || pulse.beat());
    let work = start().map_err(WorkerError::Engine)?;
    serve(&server, work, &queue)
}

/// The server's socket is standard input. A file or terminal there fails at the first call on it.
fn connect() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.local_addr()?;
    Ok(socket)
}

fn read_jobs(mut reader: FrameReader<UnixStream, ToWorker>, jobs: &SyncSender<ToWorker>) {
    while let Ok(Some(job)) = reader.next_message() {
        if jobs.send(job).is_err() {
            break;
        }
    }
    end_group();
}

/// What an engine does when nobody wants its proof any more.
static LAST_WORDS: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Has `last_words` said when the server closes the socket: some seconds, then the process is killed. For engines
/// whose prover does not end with this process.
pub fn on_abandoned(last_words: impl FnOnce() + Send + 'static) {
    let mut place = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    *place = Some(Box::new(last_words));
}

/// Ends this process with its children. Alone in its group only when a server started it.
fn end_group() -> ! {
    let last_words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(last_words) = last_words {
        last_words();
    }
    if getpgrp() == getpid() {
        let _ = kill_current_process_group(Signal::KILL);
    }
    process::exit(0)
}

fn serve(server: &Server, mut work: Work, jobs: &Receiver<ToWorker>) -> Result<(), WorkerError> {
    let engine = match &work {
        Work::Prove(engine) => Some(engine.describe()),
        Work::Verify(_) => None,
    };
    server.send(&FromWorker::Ready(engine))?;
    while let Ok(job) = jobs.recv() {
        server.begin_measurement();
        spans::take();
        let answer = match (&mut work, job) {
            (Work::Prove(engine), ToWorker::Prove { program, mode, witness }) => {
                let mut progress = |progress: Progress| {
                    // Should the server be gone, the reading thread ends the process.
                    let _ = server.send(&FromWorker::Progress(progress));
                };
                match engine.prove(program, mode, &witness, &mut progress) {
                    Ok(proven) => server.proved(proven),
                    Err(error) => refused(&error),
                }
            }
            (Work::Verify(verifier), ToWorker::Verify { proof }) => match verifier.verify(&proof) {
                Ok(values) => FromWorker::Verified {
                    program: proof.program,
                    vkey: proof.vkey,
                    public_values: values.0,
                },
                Err(error) => not_verified(&error),
            },
            (work, _) => FromWorker::Failed {
                failure: Failure::new(
                    Code::Internal,
                    "the worker got another kind of job than its own",
                ),
                detail: format!("{work:?}"),
                faulty: true,
                gpu: None,
            },
        };
        server.send(&answer)?;
    }
    Ok(())
}

/// Clients get one line; what the prover's libraries said goes to the log.
fn refused(error: &EngineError) -> FromWorker {
    let (code, faulty) = match error {
        EngineError::Unsupported { .. } => (Code::Unsupported, false),
        EngineError::Rejected { .. } => (Code::Internal, false),
        EngineError::Gpu { .. } => (Code::WorkerLost, true),
        EngineError::Cluster { worth_another_try: true, .. } => (Code::Unavailable, false),
        EngineError::Cluster { .. } => (Code::Internal, false),
        EngineError::Failed { .. } => (Code::Internal, true),
    };
    let detail = if code == Code::Unsupported { String::new() } else { error_chain(error) };
    let gpu = match error {
        EngineError::Gpu { device, fault, .. } => Some((*device, *fault)),
        _ => None,
    };
    // What a cluster said is about this request, and no secret of this server.
    let message = match error {
        EngineError::Cluster { .. } => error_chain(error),
        error => error.to_string(),
    };
    FromWorker::Failed { failure: Failure::new(code, message), detail, faulty, gpu }
}

fn not_verified(error: &VerifyError) -> FromWorker {
    FromWorker::Failed {
        failure: Failure::new(Code::InvalidInput, error.to_string()),
        detail: String::new(),
        faulty: false,
        gpu: None,
    }
}

/// The server's end of the socket, and what it is told about memory.
#[derive(Clone)]
struct Server {
    socket: Arc<Mutex<UnixStream>>,
    limits: FrameLimits,
    peak: Arc<AtomicU64>,
}

impl Server {
    fn send(&self, message: &FromWorker) -> Result<(), WorkerError> {
        let mut socket = self.socket.lock().expect("nothing panics while it writes");
        write_message(&mut *socket, message, &self.limits).map_err(WorkerError::Conversation)
    }

    /// Says once a second that the process is alive, on a thread of its own: no load can starve it.
    fn beat(&self) {
        loop {
            let resident_bytes = self.measure();
            if self.send(&FromWorker::Alive { resident_bytes }).is_err() {
                end_group();
            }
            thread::sleep(PULSE);
        }
    }

    fn measure(&self) -> u64 {
        let resident = memory::of_group(getpgrp().as_raw_nonzero().get().cast_unsigned());
        self.peak.fetch_max(resident, Ordering::Relaxed);
        resident
    }

    fn begin_measurement(&self) {
        memory::reset_peak();
        self.peak.store(0, Ordering::Relaxed);
    }

    fn proved(&self, Proven { proof, cycles, shards }: Proven) -> FromWorker {
        // The pulse has seen the children. To look at all processes again for each proof would cost a millisecond.
        let peak_worker_bytes = self.peak.load(Ordering::Relaxed).max(memory::own_peak());
        info!(cycles, shards, peak_worker_bytes, proof_bytes = proof.bytes.len(), "proved");
        let stats = ProofStats { queue_us: 0, prove_us: 0, peak_worker_bytes, cycles, shards };
        FromWorker::Proved { proof, stats, spans: spans::take() }
    }
}
