//! The server: sockets in front, two lanes behind, each a queue with a worker process.
//!
//! Every task lives in a `JoinSet` and ends on one `CancellationToken`. The server keeps no state that a
//! restart must keep.

mod acceptor;
mod connection;
mod narrate;
mod requests;

use std::{
    io,
    net::SocketAddr,
    num::NonZero,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    config::Config,
    jobs::{Condition, Queue},
    types::{FrameLimits, PROTOCOL_VERSION, ServerHello, StatusReport},
    worker::{Lane, LaneConfig, LaneView, Presence, WorkerCommand},
};

/// How long connections get to take their last message when the server goes down. Proofs are not waited
/// for, so this is one round trip and some patience for slow lines.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Verifications that may wait. Each takes half a second, and each holds a proof of some 12 MB.
const VERIFY_QUEUE: usize = 8;

/// How long the verifying worker outlives its last job: it takes a second to start, and some 100 MB.
const VERIFY_IDLE: Duration = Duration::from_secs(60);

/// How long one verification may take; measured: half a second for 12 MB.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(120);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: choose another --listen address or port")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The first worker does not get ready.
    #[error("the first worker does not start")]
    Worker(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A service of the server ended although nobody asked it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the server ended by itself: its log above says which; start the server again")]
pub struct EndedEarly;

/// A server with its socket bound and its worker ready.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    prove: Lane,
    verify: Lane,
}

/// What every connection needs.
#[derive(Debug)]
struct Shared {
    config: Config,
    hello: ServerHello,
    prove: Arc<Queue>,
    verify: Arc<Queue>,
    view: Arc<LaneView>,
    /// Native checks at once: they are pure computation, so one a core.
    checks: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    since: Instant,
}

impl Server {
    /// Binds the socket, then starts the worker and waits until it is ready.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let bind = |source| StartError::Bind { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let next_job = Arc::new(AtomicU64::new(1));
        let prove_queue = Arc::new(Queue::new(config.queue, Arc::clone(&next_job)));
        let verify_queue = Arc::new(Queue::new(VERIFY_QUEUE, next_job));
        let (prove, verify) = (prove_lane(&config), verify_lane(&config));
        let start = |error| StartError::Worker(Box::new(error));
        let prove = Lane::start(prove, Arc::clone(&prove_queue)).await.map_err(start)?;
        let verify = Lane::start(verify, Arc::clone(&verify_queue)).await.map_err(start)?;
        let engine = prove.engine().cloned().ok_or_else(|| {
            StartError::Worker("the worker did not say which engine it has".into())
        })?;
        info!(%address, engine = %engine.engine, sp1 = engine.sp1_version, "ready");
        for info in &engine.programs {
            info!(program = %info.program, elf_sha256 = %info.elf_sha256, vkey = %info.vkey, "proves");
        }
        let hello = ServerHello {
            protocol: PROTOCOL_VERSION,
            server: concat!("proof-server ", env!("CARGO_PKG_VERSION")).to_owned(),
            engine,
            limits: config.limits(),
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let shared = Arc::new(Shared {
            hello,
            prove: prove_queue,
            verify: verify_queue,
            view: prove.view(),
            checks: Arc::new(Semaphore::new(cores)),
            connections: Arc::new(Semaphore::new(config.max_connections)),
            since: Instant::now(),
            config,
        });
        Ok(Self { listener, address, shared, prove, verify })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then every job ends with SHUTTING_DOWN and every worker is killed.
    ///
    /// # Errors
    ///
    /// [`EndedEarly`] if a part of the server ended before that.
    pub async fn run(self, stop: CancellationToken) -> Result<(), EndedEarly> {
        let shared = self.shared;
        let mut services = JoinSet::new();
        services.spawn(self.prove.run(stop.clone()));
        services.spawn(self.verify.run(stop.clone()));
        services.spawn(acceptor::run(self.listener, Arc::clone(&shared), stop.clone()));
        let early = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            ended = services.join_next() => ended,
        };
        if let Some(ended) = &early {
            error!(?ended, "a service ended early, shutting down");
        }
        stop.cancel();
        // At once: killing a worker of many gigabytes takes a moment, and who waits need not.
        for queue in [&shared.prove, &shared.verify] {
            queue.set_condition(Condition::ShuttingDown);
        }
        let rest = async { while services.join_next().await.is_some() {} };
        // Above what each service allows itself, so that this only cuts what hangs.
        if timeout(SHUTDOWN_GRACE * 3, rest).await.is_err() {
            warn!("shutdown cut short");
        }
        if early.is_some() { Err(EndedEarly) } else { Ok(()) }
    }
}

impl Shared {
    fn status(&self) -> StatusReport {
        let lane = self.view.report();
        let open = self.config.max_connections.saturating_sub(self.connections.available_permits());
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        StatusReport {
            uptime_seconds: self.since.elapsed().as_secs(),
            connections: number(open),
            worker: lane.worker,
            worker_restarts: lane.restarts,
            queued: number(self.prove.waiting()),
            running: lane.running,
            proofs: lane.successes,
            failures: lane.failures,
        }
    }
}

fn prove_lane(config: &Config) -> LaneConfig {
    LaneConfig {
        name: "prove",
        worker: worker(config, "prove"),
        presence: Presence::Always,
        job_timeout: config.job_timeout,
    }
}

/// Verification has a process of its own: a stranger's proof goes through megabytes of decoding in
/// libraries that trust their input, and must not wait behind a proof that takes minutes.
fn verify_lane(config: &Config) -> LaneConfig {
    LaneConfig {
        name: "verify",
        worker: worker(config, "verify"),
        presence: Presence::OnDemand { idle: VERIFY_IDLE },
        job_timeout: config.job_timeout.min(VERIFY_TIMEOUT),
    }
}

fn worker(config: &Config, task: &str) -> WorkerCommand {
    let own = ["worker", "--task", task, "--engine", config.engine.name()].map(str::to_owned);
    WorkerCommand {
        args: own.into_iter().chain(config.log.flags()).chain(config.engine_args.clone()).collect(),
        // The worker is this very program: the caps are for strangers, and the connection applies them.
        limits: FrameLimits { request: u32::MAX, proof: u32::MAX },
        start_timeout: config.worker_start_timeout,
        silence: config.worker_silence,
    }
}
