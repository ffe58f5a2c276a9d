//! `proof-server worker`: what `serve` starts.

use clap::{Args, ValueEnum};
use proof_server::{
    config::{EngineChoice, LogArgs, parse_duration},
    engine::{
        EngineError,
        mock::{MockEngine, MockFault, MockVerifier},
    },
    types::FrameLimits,
    worker::process::{self, Work},
};

use super::{Exit, Fault};

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Task {
    Prove,
    Verify,
}

#[derive(Debug, Args)]
pub(super) struct WorkerArgs {
    #[arg(long)]
    task: Task,
    #[arg(long)]
    engine: EngineChoice,
    #[arg(long, default_value = "0s", value_parser = parse_duration)]
    mock_delay: std::time::Duration,
    #[arg(long, default_value = "none")]
    mock_fault: MockFault,
    #[arg(long)]
    mock_gate: Option<std::path::PathBuf>,
    /// Bytes to plan for
    #[arg(long)]
    memory: Option<u64>,
    #[arg(long)]
    circuits: Option<std::path::PathBuf>,
    #[arg(long)]
    recorded_snarks: Option<std::path::PathBuf>,
    /// The GPU to prove on
    #[arg(long, default_value_t = 0)]
    device: u32,
    #[arg(long)]
    gpu_server: Option<std::path::PathBuf>,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Where the cluster is. `serve` has checked that what must be there is.
#[cfg(feature = "cluster")]
#[derive(Debug, Args)]
struct ClusterArgs {
    #[arg(long)]
    cluster_endpoint: Option<String>,
    #[arg(long)]
    cluster_key: Option<std::path::PathBuf>,
    #[arg(long)]
    cluster_token: Option<std::path::PathBuf>,
    #[arg(long)]
    cluster_tls_cert: Option<std::path::PathBuf>,
    #[arg(long)]
    cluster_tls_key: Option<std::path::PathBuf>,
    #[arg(long, default_value = "1h", value_parser = parse_duration)]
    job_timeout: std::time::Duration,
}

#[cfg(feature = "cluster")]
impl ClusterArgs {
    fn options(&self) -> Result<proof_server::engine::cluster::ClusterOptions, EngineError> {
        let missing = || failed("set up", std::io::Error::other("`serve` gives endpoint and key"));
        let endpoint = self.cluster_endpoint.as_deref().ok_or_else(missing)?;
        let endpoint = endpoint
            .parse()
            .map_err(|fault| failed("set up", std::io::Error::other::<String>(fault)))?;
        Ok(proof_server::engine::cluster::ClusterOptions {
            endpoint,
            key: self.cluster_key.clone().ok_or_else(missing)?,
            token: self.cluster_token.clone(),
            identity: self.cluster_tls_cert.clone().zip(self.cluster_tls_key.clone()),
            // The cluster gives up before the server does.
            limit: self.job_timeout.mul_f64(0.95),
        })
    }
}

pub(super) fn run(args: &WorkerArgs, log: &LogArgs) -> Result<(), Fault> {
    // The other end is the program that started this one: it applied the caps already.
    let limits = FrameLimits { request: u32::MAX, proof: u32::MAX };
    process::run(limits, || start(args, log)).map_err(|error| Fault::of(Exit::Software, &error))
}

fn start(
    args: &WorkerArgs,
    #[cfg_attr(not(feature = "cpu"), expect(unused_variables))] log: &LogArgs,
) -> Result<Work, EngineError> {
    Ok(match (args.task, args.engine) {
        (Task::Prove, EngineChoice::Mock) => {
            let engine =
                MockEngine::start(args.mock_delay, args.mock_fault, args.mock_gate.as_deref())?;
            Work::Prove(Box::new(engine))
        }
        (Task::Verify, EngineChoice::Mock) => Work::Verify(Box::new(MockVerifier)),
        #[cfg(feature = "cpu")]
        (Task::Prove, EngineChoice::Cpu) => {
            let engine = proof_server::engine::cpu::CpuEngine::start(&options(args, log));
            Work::Prove(Box::new(engine.map_err(|error| failed("set up", error))?))
        }
        #[cfg(feature = "cuda")]
        (Task::Prove, EngineChoice::Cuda) => {
            let engine = proof_server::engine::cuda::CudaEngine::start(
                &proof_server::engine::cuda::CudaOptions {
                    device: args.device,
                    gpu_server: args.gpu_server.clone(),
                    circuits: args.circuits.clone().unwrap_or_default(),
                },
            );
            Work::Prove(Box::new(engine.map_err(|error| failed("set up", error))?))
        }
        #[cfg(feature = "cluster")]
        (Task::Prove, EngineChoice::Cluster) => {
            let engine = args.cluster.options().and_then(|options| {
                proof_server::engine::cluster::ClusterEngine::start(&options)
                    .map_err(|error| failed("set up", error))
            });
            Work::Prove(Box::new(engine?))
        }
        #[cfg(feature = "cpu")]
        (Task::Verify, _) => {
            let verifier = proof_server::verify::ProofVerifier::new();
            let development = options(args, log).development_circuits();
            let verifier = verifier
                .map_err(|error| failed("set up", error))?
                .with_development_circuits(development);
            Work::Verify(Box::new(verifier))
        }
    })
}

#[cfg(feature = "cpu")]
fn options(args: &WorkerArgs, log: &LogArgs) -> proof_server::engine::cpu::CpuOptions {
    proof_server::engine::cpu::CpuOptions {
        memory: args.memory,
        circuits: args.circuits.clone().unwrap_or_default(),
        recorded_snarks: args.recorded_snarks.clone(),
        log: log.flags(),
    }
}

#[cfg(feature = "cpu")]
fn failed(
    doing: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> EngineError {
    EngineError::Failed { doing, source: Box::new(source) }
}
