//! The server: sockets in front, queues with worker processes behind.
//!
//! Every task lives in a `JoinSet` and ends on one `CancellationToken`. The server keeps no state that a
//! restart must keep.

mod acceptor;
mod connection;
mod counted;
mod gpus;
mod narrate;
mod peer;
mod queues;
mod relay;
mod requests;
mod routes;
mod start;

use std::{io, net::SocketAddr, num::NonZero, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::{
    gpus::Gpus,
    queues::{Queues, VERIFY_QUEUE},
    relay::{Relay, RelayView},
    routes::Routes,
    start::{
        NOTHING_KEPT, bind, desk_limits, load_tls, offered, prove_lane, start_workers, verify_lane,
        worker,
    },
};
use crate::{
    config::Config,
    error_chain,
    http::{self, Need, Readiness},
    jobs::Desk,
    metrics::{BuildLabels, Metrics, Reload, Work},
    tls::{ServerTls, TlsError, TlsEvent},
    types::{PROTOCOL_VERSION, ProgramId, ServerHello, StatusReport},
    worker::{Health, Instruments, Lane, LaneView},
};

/// How long connections get to take their last message when the server goes down. Proofs are not waited
/// for, so this is one round trip and some patience for slow lines.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: choose another {flag} address or port")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Where it was given.
        flag: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("no TLS")]
    Tls(#[source] TlsError),
    /// There is no GPU to prove on.
    #[cfg(feature = "cuda")]
    #[error(transparent)]
    Gpu(#[from] crate::gpu::GpuError),
    /// The first worker does not get ready.
    #[error("the first worker does not start")]
    Worker(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A service of the server ended although nobody asked it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the server ended by itself: its log above says which; start the server again")]
pub struct EndedEarly;

/// How often gauges are brought up to date: well below any scrape interval.
const GAUGE_PERIOD: Duration = Duration::from_millis(500);

/// How a server ends: first it drains, then it stops. Stopping is draining too.
#[derive(Debug, Clone)]
struct Shutdown {
    /// No new connections and jobs; what runs goes on.
    drain: CancellationToken,
    /// Everything ends.
    stop: CancellationToken,
}

/// A server with its socket bound and its workers ready.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    operators: Option<(TcpListener, SocketAddr)>,
    shared: Arc<Shared>,
    lanes: Vec<Lane>,
    relay: Option<Relay>,
}

/// What every connection needs.
#[derive(Debug)]
struct Shared {
    config: Config,
    hello: ServerHello,
    tls: Option<Arc<ServerTls>>,
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
    desk: Arc<Desk>,
    /// Verifications have a desk of their own, that keeps nothing and waits for nobody.
    verifications: Arc<Desk>,
    routes: Routes,
    queues: Queues,
    /// The workers that prove.
    views: Vec<Arc<LaneView>>,
    relay: Option<Arc<RelayView>>,
    /// What the provers prove on.
    gpus: Gpus,
    /// Native checks at once: they are pure computation, so one a core.
    checks: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    since: Instant,
}

impl Server {
    /// Binds the sockets, then starts the workers and waits until they are ready.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let (config, gpus) = Gpus::of(config)?;
        let (listener, address) = bind(config.listen, "--listen").await?;
        let operators = match config.metrics {
            Some(address) => Some(bind(address, "--metrics").await?),
            None => None,
        };
        let tls = config.tls.clone().map(load_tls).transpose()?;
        let commands = (0..config.workers).map(|index| worker(&config, "prove", index)).collect();
        let workers = start_workers(commands).await?;
        let engine = offered(&config, workers.first().map(|(_, engine)| engine))?;
        info!(%address, engine = %engine.engine, sp1 = engine.sp1_version, workers = config.workers, role = config.role.name(), tls = tls.is_some(), "ready");

        let metrics = Arc::new(Metrics::new(&BuildLabels {
            version: env!("CARGO_PKG_VERSION"),
            engine: &engine,
            role: config.role.name(),
            workers: config.workers,
        }));
        gpus.name(&metrics);
        let readiness = Arc::new(Readiness::starting());
        let queues = Queues::new(&config);
        let health = Arc::new(Health::of_provers(config.workers, Arc::clone(&readiness)));
        let places = metrics.workers.places(Work::Prove);
        let mut lanes = Vec::new();
        for ((index, first), place) in workers.into_iter().enumerate().zip(places) {
            let (health, place) = (Arc::clone(&health), Arc::new(place));
            let instruments = Instruments { metrics: Arc::clone(&metrics), place, health };
            let config = prove_lane(&config, index);
            lanes.push(Lane::new(config, Arc::clone(&queues.prove), Some(first), instruments));
        }
        let views = lanes.iter().map(Lane::view).collect();
        for place in metrics.workers.places(Work::Verify) {
            let (health, place) = (Arc::new(Health::of_no_consequence(1)), Arc::new(place));
            let instruments = Instruments { metrics: Arc::clone(&metrics), place, health };
            let verify = Arc::clone(&queues.verify);
            lanes.push(Lane::new(verify_lane(&config), verify, None, instruments));
        }
        let relay = match &config.secondary {
            Some(secondary) => {
                let queue = Arc::clone(&queues.relayed);
                Some(Relay::new(secondary, queue, &engine, Arc::clone(&metrics)))
            }
            None => None,
        };
        let mut routes = Routes::default();
        for info in &engine.programs {
            info!(program = %info.program, elf_sha256 = %info.elf_sha256, vkey = %info.vkey, "proves");
            let remote = relay.is_some() && info.program == ProgramId::Inclusion;
            routes.add(info.program, if remote { &queues.relayed } else { &queues.prove }, remote);
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
            tls,
            metrics,
            readiness,
            desk: Arc::new(Desk::new(desk_limits(&config))),
            verifications: Arc::new(Desk::new(NOTHING_KEPT)),
            routes,
            queues,
            views,
            relay: relay.as_ref().map(Relay::view),
            gpus,
            checks: Arc::new(Semaphore::new(cores)),
            connections: Arc::new(Semaphore::new(config.max_connections)),
            since: Instant::now(),
            config,
        });
        Ok(Self { listener, address, operators, shared, lanes, relay })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators read metrics and health, if anywhere.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.operators.as_ref().map(|(_, address)| *address)
    }

    /// Serves until `drain`: then it takes no more jobs, tells those that wait SHUTTING_DOWN, and ends once those
    /// that run are over or the drain time is; or until `stop`, which ends every job and kills every worker.
    ///
    /// # Errors
    ///
    /// [`EndedEarly`] if a part of the server ended before that.
    pub async fn run(
        self,
        drain: CancellationToken,
        stop: CancellationToken,
    ) -> Result<(), EndedEarly> {
        let (shared, shutdown) = (self.shared, Shutdown { drain, stop });
        let mut lanes = JoinSet::new();
        for lane in self.lanes {
            lanes.spawn(lane.run(shutdown.stop.clone()));
        }
        if let Some(relay) = self.relay {
            lanes.spawn(relay.run(shutdown.stop.clone()));
        }
        shared.readiness.set(Need::Start, None);
        let mut services = shared.services(&shutdown.stop);
        let last = CancellationToken::new();
        if let Some((listener, address)) = self.operators {
            info!(%address, "metrics and health");
            let (metrics, readiness) = (Arc::clone(&shared.metrics), Arc::clone(&shared.readiness));
            services.spawn(http::serve(listener, metrics, readiness, last.clone()));
        }
        let mut acceptor = JoinSet::new();
        acceptor.spawn(acceptor::run(self.listener, Arc::clone(&shared), shutdown.clone()));
        let early = tokio::select! {
            biased;
            () = shutdown.stop.cancelled() => None,
            () = shutdown.drain.cancelled() => None,
            ended = acceptor.join_next() => ended,
            ended = services.join_next() => ended,
            ended = lanes.join_next() => ended,
        };
        if let Some(ended) = &early {
            error!(?ended, "a service ended early, shutting down");
            shutdown.stop.cancel();
        }
        shutdown.drain.cancel();
        shared.readiness.set(Need::Stay, Some("the server is going down".to_owned()));
        // At once: what waits can go elsewhere.
        shared.queues.close();
        if !shutdown.stop.is_cancelled() {
            let limit = shared.config.drain_timeout;
            info!(running = shared.queues.running(), seconds = limit.as_secs(), "draining");
            let drained = async {
                while lanes.join_next().await.is_some() {}
                // Who waited has the answer on the way: the acceptor ends with the last connection.
                let _ = timeout(shared.config.frame_timeout, acceptor.join_next()).await;
            };
            match shutdown.stop.run_until_cancelled(timeout(limit, drained)).await {
                Some(Ok(())) => {}
                Some(Err(_)) => warn!("running jobs took longer than --drain-timeout: they end"),
                None => warn!("told to stop before running jobs were over: they end"),
            }
        }
        shutdown.stop.cancel();
        let rest = async {
            while lanes.join_next().await.is_some() {}
            while acceptor.join_next().await.is_some() {}
            last.cancel();
            while services.join_next().await.is_some() {}
        };
        // Above what each service allows itself, so that this only cuts what hangs.
        if timeout(SHUTDOWN_GRACE * 3, rest).await.is_err() {
            warn!("shutdown cut short");
        }
        if early.is_some() { Err(EndedEarly) } else { Ok(()) }
    }
}

impl Shared {
    /// What runs beside the sockets, until `stop`.
    fn services(self: &Arc<Self>, stop: &CancellationToken) -> JoinSet<()> {
        let mut services = JoinSet::new();
        for queue in self.queues.all() {
            services.spawn(Arc::clone(queue).tell_places(stop.clone()));
        }
        for desk in [&self.desk, &self.verifications] {
            services.spawn(Arc::clone(desk).tidy(stop.clone()));
        }
        services.spawn(Arc::clone(self).gauge(stop.clone()));
        if let Some(tls) = &self.tls {
            let (metrics, tls) = (Arc::clone(&self.metrics), Arc::clone(tls));
            metrics.network.set_tls_expiry(tls.not_after());
            services.spawn(tls.watch(stop.clone(), move |event| note_tls(&metrics, &event)));
        }
        services
    }

    /// Brings up to date what is read and not told.
    async fn gauge(self: Arc<Self>, stop: CancellationToken) {
        let jobs = &self.metrics.jobs;
        jobs.set_limit(Work::Prove, self.config.queue);
        jobs.set_limit(Work::Verify, VERIFY_QUEUE);
        let gauge = async {
            loop {
                jobs.set_waiting(Work::Prove, self.queues.waiting());
                jobs.set_waiting(Work::Verify, self.queues.verify.waiting());
                let now = Instant::now();
                jobs.set_oldest(Work::Prove, self.queues.oldest(now));
                jobs.set_oldest(Work::Verify, self.queues.verify.oldest().map(|since| now - since));
                let (results, bytes) = self.desk.kept();
                jobs.set_kept(results, bytes);
                self.gpus.read(&self.metrics);
                sleep(GAUGE_PERIOD).await;
            }
        };
        stop.run_until_cancelled(gauge).await;
    }

    fn status(&self) -> StatusReport {
        let lanes: Vec<_> = self.views.iter().map(|view| view.report()).collect();
        let open = self.config.max_connections.saturating_sub(self.connections.available_permits());
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        StatusReport {
            uptime_seconds: self.since.elapsed().as_secs(),
            connections: number(open),
            workers: self.views.iter().map(|view| view.worker()).collect(),
            worker_restarts: lanes.iter().map(|lane| lane.restarts).sum(),
            queued: number(self.queues.waiting()),
            secondary: self.relay.as_ref().map(|relay| relay.is_up()),
            kept: number(self.desk.kept().0),
            proofs: lanes.iter().map(|lane| lane.successes).sum(),
            failures: lanes.iter().map(|lane| lane.failures).sum(),
        }
    }
}

fn note_tls(metrics: &Metrics, event: &TlsEvent) {
    match event {
        TlsEvent::Reloaded { not_after, warnings } => {
            metrics.network.tls_reloaded(Reload::Ok);
            metrics.network.set_tls_expiry(*not_after);
            info!("new connections get the new certificate");
            for warning in warnings {
                warn!("{warning}");
            }
        }
        TlsEvent::Failed(error) => {
            metrics.network.tls_reloaded(Reload::Failed);
            error!(error = error_chain(error), "the old certificate stays in use");
        }
        TlsEvent::Recovered => info!("the certificate's files are those in use again"),
    }
}
