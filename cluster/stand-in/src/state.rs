//! What it was told, and what it is to do.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sp1_sdk::{SP1Stdin, network::proto::base_types::RequestProofRequestBody};
use sp1_verifier::ProofFromNetwork;
use tonic::Status;

/// What a test makes of a request: the proof, from the program's key hash and its input.
pub type Made = dyn Fn(&[u8], &[u8]) -> ProofFromNetwork + Send + Sync;

/// How requests end.
pub enum Outcome {
    /// With this proof.
    Proof(Box<Made>),
    /// With these bytes where a proof should be.
    Bytes(Vec<u8>),
    /// No prover can make it.
    Unfulfillable,
    /// The program does not run there.
    Unexecutable,
    /// Its deadline is over.
    Expired,
    /// It is worked on, for ever.
    Never,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proof(_) => "Proof",
            Self::Bytes(_) => "Bytes",
            Self::Unfulfillable => "Unfulfillable",
            Self::Unexecutable => "Unexecutable",
            Self::Expired => "Expired",
            Self::Never => "Never",
        })
    }
}

/// What it is to do.
#[derive(Debug)]
pub struct Script {
    /// So many calls fail first, as those of a service that restarts.
    pub unavailable: u32,
    /// The bearer token that calls must have.
    pub token: Option<String>,
    /// Questions that are answered "requested" before it is "assigned".
    pub waits: u32,
    /// How requests end.
    pub outcome: Outcome,
}

/// What it was told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) unavailable: u32,
    pub(crate) programs: HashSet<Vec<u8>>,
    pub(crate) requests: Vec<(RequestProofRequestBody, Option<Vec<u8>>)>,
    pub(crate) asked: HashMap<Vec<u8>, u32>,
    pub(crate) made: HashMap<Vec<u8>, String>,
    pub(crate) artifacts: HashMap<String, Vec<u8>>,
    pub(crate) names: u32,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) script: Script,
    store: SocketAddr,
    told: Mutex<Told>,
}

impl State {
    pub(crate) fn new(script: Script, store: SocketAddr) -> Self {
        let told = Told {
            unavailable: script.unavailable,
            programs: HashSet::new(),
            requests: Vec::new(),
            asked: HashMap::new(),
            made: HashMap::new(),
            artifacts: HashMap::new(),
            names: 0,
        };
        Self { script, store, told: Mutex::new(told) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name for something to be put into the store.
    pub(crate) fn name(&self) -> String {
        let mut told = self.lock();
        told.names += 1;
        format!("http://{}/{}", self.store, told.names)
    }

    /// What every call meets first.
    pub(crate) fn admit(&self, authorization: Option<&str>) -> Result<(), Status> {
        let mut told = self.lock();
        if told.unavailable > 0 {
            told.unavailable -= 1;
            return Err(Status::unavailable("starting"));
        }
        let wanted = self.script.token.as_ref().map(|token| format!("Bearer {token}"));
        if wanted.as_deref() == authorization {
            return Ok(());
        }
        Err(Status::unauthenticated("who are you?"))
    }

    /// The program's input out of an uploaded one.
    pub(crate) fn input(&self, uri: &str) -> Option<Vec<u8>> {
        let stored = self.lock().artifacts.get(uri).cloned()?;
        let bytes = zstd::decode_all(stored.as_slice()).ok()?;
        let stdin: SP1Stdin = bincode::deserialize(&bytes).ok()?;
        stdin.buffer.first().cloned()
    }
}
