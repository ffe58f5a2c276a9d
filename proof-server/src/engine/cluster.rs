//! The engine that has proofs made by SP1's distributed prover.

use std::{io, path::PathBuf, time::Duration};

use lc_cluster::{
    Access, AccessError, Cluster, ClusterError, Endpoint, Identity, Order, Program, Stage,
};
use lc_core::ProgramId;
use tracing::info;

use super::{
    Engine, EngineError, Proven,
    outside::{Outside, SetUpError},
};
use crate::{
    artifacts::Artifacts,
    types::{CircuitHash, EngineInfo, EngineKind, ModeInfo, Phase, Progress, ProofMode},
    verify::ProofVerifier,
    worker::process::on_abandoned,
};

/// How an engine is to be set up.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Where requests go.
    pub endpoint: Endpoint,
    /// The file with the key that signs them.
    pub key: PathBuf,
    /// The file with the token, where the endpoint wants one.
    pub token: Option<PathBuf>,
    /// Files with certificate chain and key, PEM, where the endpoint wants them.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// How long one proof may take.
    pub limit: Duration,
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The programs cannot be set up.
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    /// A file cannot be read.
    #[error("cannot read {path}: look at its name and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The credentials cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The cluster does not take the programs.
    #[error("the programs cannot be registered")]
    Register(#[from] ClusterError),
}

/// Has this release's programs proven by a cluster.
#[derive(Debug)]
pub struct ClusterEngine {
    cluster: Cluster,
    programs: Outside<Program>,
    limit: Duration,
}

impl ClusterEngine {
    /// Connects, and makes both programs known to the cluster. Blocking.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub fn start(options: &ClusterOptions) -> Result<Self, StartError> {
        let cluster = Cluster::new(&access(options)?)?;
        let artifacts = Artifacts::embedded().map_err(SetUpError::from)?;
        let verifier = ProofVerifier::new().map_err(SetUpError::from)?;
        let programs = Outside::new(EngineKind::Cluster, modes(), verifier, &mut |elf,
                                                                                  program|
         -> Result<
            _,
            StartError,
        > {
            Ok((cluster.register(elf, artifacts.verifying_key(program))?, None))
        })?;
        info!(endpoint = %options.endpoint, "the cluster knows the programs");
        let open = cluster.open();
        on_abandoned(move || open.cancel());
        Ok(Self { cluster, programs, limit: options.limit })
    }
}

/// A cluster proves with SP1's official circuits, or its SNARKs do not verify here.
fn modes() -> Vec<ModeInfo> {
    [
        (ProofMode::Core, None),
        (ProofMode::Compressed, None),
        (ProofMode::Groth16, Some(CircuitHash::GROTH16)),
        (ProofMode::Plonk, Some(CircuitHash::PLONK)),
    ]
    .map(|(mode, circuit)| ModeInfo::offered(mode, circuit))
    .into()
}

fn access(options: &ClusterOptions) -> Result<Access, StartError> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|source| StartError::File { path: path.clone(), source })
    };
    let text = |path: &PathBuf| {
        String::from_utf8(read(path)?).map_err(|error| StartError::File {
            path: path.clone(),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        })
    };
    let identity = match &options.identity {
        Some((certificate, key)) => {
            Some(Identity { certificate: read(certificate)?, key: read(key)? })
        }
        None => None,
    };
    Ok(Access {
        endpoint: options.endpoint.clone(),
        key: text(&options.key)?,
        token: options.token.as_ref().map(text).transpose()?,
        identity,
    })
}

impl Engine for ClusterEngine {
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
        let (cluster, limit) = (&self.cluster, self.limit);
        self.programs.prove(program, mode, witness, progress, |job, progress| {
            let (kind, input, cycles) = (job.kind, job.input, job.run.cycles);
            let order = Order { kind, input, cycles, limit };
            let mut report = |stage| {
                let done = u32::from(stage == Stage::Assigned);
                progress(Progress { phase: Phase::Prove, done, total: 2 });
            };
            cluster.prove(job.key, order, &mut report).map_err(|error| EngineError::Cluster {
                worth_another_try: error.is_passing(),
                source: Box::new(error),
            })
        })
    }
}
