//! Requests for proofs, and what comes back.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bincode::Options;
use lc_stark::{
    VerifyingKey,
    elsewhere::{Kind, Made},
};
use sp1_sdk::{
    Elf, NetworkProver, ProveRequest, Prover, ProverClient, SP1ProofMode, SP1ProvingKey, SP1Stdin,
    SP1VerifyingKey,
    network::{B256, FulfillmentStrategy, NetworkClient, proto::types::FulfillmentStatus},
};
use tokio::{runtime::Runtime, time::sleep};
use tracing::{debug, info, warn};

use crate::{
    access::{Access, AccessError, Identity},
    error::ClusterError,
};

/// Between two questions whether a proof is there.
const POLL: Duration = Duration::from_secs(1);

/// How long a request may be found unreachable in a row before it is given up. The SDK tries again meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the cluster may take to answer that a request is cancelled.
const PARTING: Duration = Duration::from_secs(5);

const fn mode(kind: Kind) -> SP1ProofMode {
    match kind {
        Kind::Core => SP1ProofMode::Core,
        Kind::Compressed => SP1ProofMode::Compressed,
        Kind::Groth16 => SP1ProofMode::Groth16,
        Kind::Plonk => SP1ProofMode::Plonk,
    }
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The cluster has it.
    Requested,
    /// A prover works on it.
    Assigned,
}

/// A program that the cluster knows.
pub struct Program(SP1ProvingKey);

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

/// What to prove.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// What kind of proof.
    pub kind: Kind,
    /// The program's only input.
    pub input: &'a [u8],
    /// Instructions that the program runs on it: the cluster is allowed no more.
    pub cycles: u64,
    /// How long it may take.
    pub limit: Duration,
}

/// The request that the cluster works on, for whoever must give it up from another thread.
#[derive(Clone)]
pub struct Open {
    client: NetworkClient,
    request: Arc<Mutex<Option<B256>>>,
}

impl Open {
    fn set(&self, request: Option<B256>) {
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = request;
    }

    /// Tells the cluster that nobody wants the proof any more, if it works on one. Some seconds at most. SP1's
    /// clusters and its reserved capacity know no cancelling: there the request runs to its deadline.
    pub fn cancel(&self) {
        let request = self.request.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(request) = request else { return };
        let client = self.client.clone();
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        // Inside, because a timer belongs to the runtime in which it is made.
        let told = runtime.block_on(async {
            tokio::time::timeout(PARTING, client.cancel_request(request)).await
        });
        match told {
            Ok(Ok(answer)) => info!(%request, ?answer, "gave the request up"),
            Ok(Err(error)) => warn!(%request, %error, "the cluster was not told"),
            Err(_) => warn!(%request, "the cluster did not answer in time"),
        }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("request", &self.request).finish_non_exhaustive()
    }
}

/// A cluster. Blocking; brings its own runtime, so call it outside of any other.
pub struct Cluster {
    runtime: Runtime,
    prover: NetworkProver,
    strategy: FulfillmentStrategy,
    open: Open,
}

impl Cluster {
    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    ///
    /// # Panics
    ///
    /// Where no threads can be started.
    pub fn new(access: &Access) -> Result<Self, AccessError> {
        // Two are compiled in, by what the SDK depends on: somebody has to choose.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (signer, bearer, identity) = (access.signer()?, access.bearer()?, access.identity()?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a process has room for two threads");
        let mode = access.endpoint.mode();
        let url = access
            .endpoint
            .url()
            .map_or_else(|| sp1_sdk::network::get_default_rpc_url_for_mode(mode), str::to_owned);
        let mut client = NetworkClient::builder(signer.clone(), &url, mode);
        let mut prover = ProverClient::builder().network_for(mode).signer(signer).rpc_url(&url);
        if access.endpoint.mode() == sp1_sdk::network::NetworkMode::Reserved {
            prover = prover.hosted();
        }
        if let Some(bearer) = bearer {
            client = client.bearer_token(bearer.clone());
            prover = prover.bearer_token(bearer);
        }
        if let Some(Identity { certificate, key }) = identity {
            client = client.client_identity(certificate, key);
            prover = prover.client_identity(certificate, key);
        }
        let prover = runtime.block_on(prover.build());
        let strategy = prover.default_fulfillment_strategy();
        let open = Open { client: client.build(), request: Arc::default() };
        Ok(Self { runtime, prover, strategy, open })
    }

    /// The request that is open, for another thread.
    #[must_use]
    pub fn open(&self) -> Open {
        self.open.clone()
    }

    /// Makes a program known to the cluster, if it is not yet.
    ///
    /// # Errors
    ///
    /// [`ClusterError`].
    pub fn register(
        &self,
        elf: &'static [u8],
        key: &VerifyingKey,
    ) -> Result<Program, ClusterError> {
        let key: SP1VerifyingKey = bincode::DefaultOptions::new()
            .with_fixint_encoding()
            .deserialize(&key.to_bytes())
            .expect("both are the same type's bytes");
        self.runtime
            .block_on(self.prover.register_program(&key, elf))
            .map_err(|error| ClusterError::of(&error, PATIENCE))?;
        Ok(Program(SP1ProvingKey::new(key, Elf::Static(elf))))
    }

    /// Has one proof made.
    ///
    /// # Errors
    ///
    /// [`ClusterError`]; [`ClusterError::Late`] once the order's limit is over.
    pub fn prove(
        &self,
        program: &Program,
        order: Order<'_>,
        report: &mut dyn FnMut(Stage),
    ) -> Result<Made, ClusterError> {
        let proof = self.runtime.block_on(self.wait(program, order, report));
        // What failed for good is nobody's to cancel; what is late is.
        if let Err(ClusterError::Late(_) | ClusterError::Unreachable(_)) = &proof {
            self.open.cancel();
        }
        self.open.set(None);
        proof
    }

    async fn wait(
        &self,
        program: &Program,
        order: Order<'_>,
        report: &mut dyn FnMut(Stage),
    ) -> Result<Made, ClusterError> {
        let begun = Instant::now();
        let failed = |error: anyhow::Error| ClusterError::of(&error, order.limit);
        let mut stdin = SP1Stdin::new();
        stdin.write_slice(order.input);
        let request = self
            .prover
            .prove(&program.0, stdin)
            .mode(mode(order.kind))
            .strategy(self.strategy)
            // It ran here already.
            .skip_simulation(true)
            .cycle_limit(order.cycles)
            .timeout(order.limit)
            .request();
        let request = tokio::time::timeout(order.limit, request)
            .await
            .map_err(|_| ClusterError::Late(order.limit))?
            .map_err(failed)?;
        self.open.set(Some(request));
        info!(%request, kind = ?order.kind, cycles = order.cycles, "requested");
        report(Stage::Requested);
        let mut assigned = false;
        loop {
            let left = order.limit.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(ClusterError::Late(order.limit));
            }
            let asked = self.prover.process_proof_status(request, Some(left.min(PATIENCE)));
            let answer = tokio::time::timeout(left, asked)
                .await
                .map_err(|_| ClusterError::Late(order.limit))?;
            match answer.map_err(failed)? {
                (Some(proof), _) => {
                    debug!(%request, seconds = begun.elapsed().as_secs_f64(), "there it is");
                    return Made::of(order.kind, &proof.proof, proof.public_values.to_vec())
                        .map_err(|unasked| ClusterError::Answer(unasked.to_string()));
                }
                (None, FulfillmentStatus::Assigned) if !assigned => {
                    assigned = true;
                    report(Stage::Assigned);
                }
                (None, _) => {}
            }
            sleep(POLL.min(left)).await;
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("open", &self.open).finish_non_exhaustive()
    }
}
