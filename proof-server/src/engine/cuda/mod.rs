//! The engine that proves on a GPU, by SP1's GPU server: a child of the worker, started and ended with it.

mod circuits;

use std::path::PathBuf;

use lc_core::ProgramId;
use lc_cuda::{GpuError, GpuServer, KeyId, Launch};
use tempfile::TempDir;
use tracing::info;

use super::{
    Engine, EngineError, GpuFault, Proven,
    outside::{Job, Outside, SetUpError},
};
use crate::{
    circuits::{Circuits, Official},
    gpu::{self, Gpus},
    types::{EngineInfo, EngineKind, Progress, ProofMode, VkeyHash},
    verify::ProofVerifier,
};

/// How an engine is to be set up.
#[derive(Debug, Clone)]
pub struct CudaOptions {
    /// The GPU, as `nvidia-smi` counts.
    pub device: u32,
    /// SP1's GPU server, where it is not in a usual place.
    pub gpu_server: Option<PathBuf>,
    /// Where the circuits of SNARKs are.
    pub circuits: PathBuf,
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The programs cannot be set up.
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    /// There is no such GPU, or it is too small.
    #[error(transparent)]
    Gpu(#[from] gpu::GpuError),
    /// SP1's server does not start.
    #[error(transparent)]
    Start(#[from] lc_cuda::StartError),
    /// SP1's server does not take the programs.
    #[error("the GPU server cannot be set up")]
    Server(#[from] GpuError),
    /// The circuits cannot be shown to SP1's server.
    #[error("no temporary folder for links to the circuits: look at the disk")]
    Links(#[source] std::io::Error),
}

/// Proves this release's programs on one GPU.
#[derive(Debug)]
pub struct CudaEngine {
    server: GpuServer,
    programs: Outside<KeyId>,
    // SP1's server reads circuits through it.
    _links: TempDir,
}

impl CudaEngine {
    /// Starts SP1's GPU server and sets both programs up: half a minute. Blocking.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub fn start(options: &CudaOptions) -> Result<Self, StartError> {
        let device = options.device;
        let gpu = Gpus::open()?.check(device)?;
        info!(device, name = gpu.name, bytes = gpu.memory_bytes, "proves on");
        let circuits = Circuits::open(&options.circuits, &Official::SP1);
        let (modes, development) = circuits::modes(&circuits);
        let links = circuits::links(&circuits).map_err(StartError::Links)?;
        let mut server = GpuServer::start(&Launch {
            program: options.gpu_server.clone().unwrap_or_else(gpu::usual_server),
            device,
            environment: circuits::environment(links.path()),
        })?;
        let verifier = ProofVerifier::new().map_err(SetUpError::from)?;
        let programs = Outside::new(
            EngineKind::Cuda,
            modes,
            verifier.with_development_circuits(development),
            &mut |elf, _| -> Result<_, StartError> {
                let (key, verifying) = server.set_up(elf)?;
                Ok((key, Some(VkeyHash(verifying.hash()))))
            },
        )?;
        Ok(Self { server, programs, _links: links })
    }
}

impl Engine for CudaEngine {
    fn describe(&self) -> EngineInfo {
        self.programs.describe()
    }

    fn prove(
        &mut self,
        program: ProgramId,
        mode: ProofMode,
        witness: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Proven, EngineError> {
        let device = self.server.device();
        let server = &mut self.server;
        self.programs.prove(program, mode, witness, progress, |job: Job<'_, KeyId>, _| {
            server.prove(job.kind, *job.key, job.input).map_err(|error| EngineError::Gpu {
                device,
                fault: GpuFault::of(error.fault()),
                doing: "prove",
                source: Box::new(error),
            })
        })
    }
}
