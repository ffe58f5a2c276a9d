//! A server that speaks the messages of SP1's distributed prover, for tests.
//!
//! The messages are those of the SDK's own generated code. It keeps what it was told, fails as its
//! script says, and hands out proofs that the test brings: it proves nothing itself.

mod artifacts;
mod grpc;
mod state;

use std::{net::SocketAddr, sync::Arc};

use sp1_sdk::network::proto::base_types::RequestProofRequestBody;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

/// What a proof is made of.
pub use sp1_sdk::SP1PublicValues;
pub use sp1_verifier::{ProofFromNetwork, SP1Proof};
use state::State;
pub use state::{Made, Outcome, Script};

/// A running stand-in; it ends when this is dropped.
#[derive(Debug)]
pub struct StandIn {
    _runtime: Runtime,
    address: SocketAddr,
    state: Arc<State>,
}

impl StandIn {
    /// Starts one on loopback.
    ///
    /// # Panics
    ///
    /// Where there are no sockets or threads.
    #[must_use]
    pub fn start(script: Script) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("there is room for two threads");
        let (address, state) = runtime.block_on(async {
            let [grpc, files] = [listen().await, listen().await];
            let address = grpc.local_addr().expect("a listener has an address");
            let store = files.local_addr().expect("a listener has an address");
            let state = Arc::new(State::new(script, store));
            tokio::spawn(grpc::serve(grpc, Arc::clone(&state)));
            tokio::spawn(artifacts::serve(files, Arc::clone(&state)));
            (address, state)
        });
        Self { _runtime: runtime, address, state }
    }

    /// Its endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Programs that were registered.
    #[must_use]
    pub fn programs(&self) -> usize {
        self.state.lock().programs.len()
    }

    /// The requests for proofs that it took.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestProofRequestBody> {
        self.state.lock().requests.iter().map(|(body, _)| body.clone()).collect()
    }

    /// What the last request's program was to read.
    #[must_use]
    pub fn last_input(&self) -> Option<Vec<u8>> {
        self.state.lock().requests.last().and_then(|(_, input)| input.clone())
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports")
}
