//! What a server needs before it can serve: sockets, certificates and workers.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinSet};
use tracing::warn;

use super::StartError;
use crate::{
    config::{Config, Devices, Role},
    jobs::DeskLimits,
    tls::{ServerTls, TlsFiles},
    types::{EngineInfo, FrameLimits, ProgramId},
    worker::{LaneConfig, Presence, Worker, WorkerCommand},
};

/// How long the verifying worker outlives its last job: it takes a second to start, and some 100 MB.
const VERIFY_IDLE: Duration = Duration::from_secs(60);

/// How long one verification may take; measured: half a second for 12 MB.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(120);

/// For jobs that nobody asks for twice.
pub(super) const NOTHING_KEPT: DeskLimits =
    DeskLimits { grace: Duration::ZERO, keep_time: Duration::ZERO, keep_bytes: 0 };

pub(super) async fn bind(
    address: SocketAddr,
    flag: &'static str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { address, flag, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

pub(super) fn load_tls(files: TlsFiles) -> Result<Arc<ServerTls>, StartError> {
    let tls = ServerTls::load(files).map_err(StartError::Tls)?;
    for warning in tls.warnings(crate::date()) {
        warn!("{warning}");
    }
    Ok(Arc::new(tls))
}

/// Starts all workers at once: each takes seconds, and a machine may have many.
pub(super) async fn start_workers(
    commands: Vec<WorkerCommand>,
) -> Result<Vec<(Worker, EngineInfo)>, StartError> {
    let mut starting = JoinSet::new();
    for (index, command) in commands.into_iter().enumerate() {
        starting.spawn(async move { Worker::start(&command).await.map(|worker| (index, worker)) });
    }
    let mut workers = Vec::new();
    while let Some(started) = starting.join_next().await {
        let (index, (worker, engine)) = started
            .map_err(|error| StartError::Worker(Box::new(error)))?
            .map_err(|error| StartError::Worker(Box::new(error)))?;
        let engine = engine.ok_or_else(|| {
            StartError::Worker("the worker did not say which engine it has".into())
        })?;
        workers.push((index, (worker, engine)));
    }
    // Each in its lane: on a GPU machine they are not alike.
    workers.sort_by_key(|(index, _)| *index);
    Ok(workers.into_iter().map(|(_, worker)| worker).collect())
}

/// What this server offers of what its workers can do.
pub(super) fn offered(
    config: &Config,
    engine: Option<&EngineInfo>,
) -> Result<EngineInfo, StartError> {
    let mut engine =
        engine.cloned().ok_or_else(|| StartError::Worker("there is no worker".into()))?;
    if config.role == Role::Secondary {
        engine.programs.retain(|info| info.program == ProgramId::Inclusion);
    }
    Ok(engine)
}

pub(super) fn desk_limits(config: &Config) -> DeskLimits {
    DeskLimits {
        grace: config.grace,
        keep_time: config.keep_time,
        keep_bytes: usize::try_from(config.keep_bytes).unwrap_or(usize::MAX),
    }
}

pub(super) fn prove_lane(config: &Config, index: usize) -> LaneConfig {
    LaneConfig {
        name: "prove",
        index,
        worker: worker(config, "prove", index),
        presence: Presence::Always,
        job_timeout: config.job_timeout,
    }
}

/// Verification has a process of its own: a stranger's proof goes through megabytes of decoding in
/// libraries that trust their input, and must not wait behind a proof that takes minutes.
pub(super) fn verify_lane(config: &Config) -> LaneConfig {
    LaneConfig {
        name: "verify",
        index: 0,
        worker: worker(config, "verify", 0),
        presence: Presence::OnDemand { idle: VERIFY_IDLE },
        job_timeout: config.job_timeout.min(VERIFY_TIMEOUT),
    }
}

/// How to start a worker. `index` is its lane.
pub(super) fn worker(config: &Config, task: &str, index: usize) -> WorkerCommand {
    let own = ["worker", "--task", task, "--engine", config.engine.name()].map(str::to_owned);
    let memory = memory(config).map(|bytes| ["--memory".to_owned(), bytes.to_string()]);
    WorkerCommand {
        args: own
            .into_iter()
            .chain(memory.into_iter().flatten())
            .chain(device(config, index))
            .chain(config.log.flags())
            .chain(config.engine_args.clone())
            .collect(),
        // The worker is this very program: the caps are for strangers, and the connection applies them.
        limits: FrameLimits { request: u32::MAX, proof: u32::MAX },
        start_timeout: config.worker_start_timeout,
        silence: config.worker_silence,
        memory_limit: config.worker_memory,
        parting: config.engine.parting(),
    }
}

/// The GPU of a lane.
fn device(config: &Config, index: usize) -> impl Iterator<Item = String> {
    let listed = match &config.devices {
        Some(Devices::Listed(listed)) => listed.as_slice(),
        Some(Devices::All) | None => &[],
    };
    let device = listed.get(index).map(u32::to_string);
    device.into_iter().flat_map(|device| ["--device".to_owned(), device])
}

/// What a prover should plan for: its limit, and its part of the machine where there are several.
fn memory(config: &Config) -> Option<u64> {
    #[cfg(feature = "cpu")]
    let share = (config.workers > 1).then(|| crate::engine::cpu::memory_share(config.workers));
    #[cfg(not(feature = "cpu"))]
    let share = None;
    [share, config.worker_memory].into_iter().flatten().min()
}
