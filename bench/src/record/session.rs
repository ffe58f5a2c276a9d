//! The steps of a recording. Each answer is checked natively before it is kept, and none that is kept is asked for
//! again.

use std::{fs, io, path::PathBuf};

use lc_core::{
    alloy_primitives::U64,
    host::{MAX_UPDATES, NativeCrypto},
    objects::file::write_stream,
};
use serde_json::{Value, json};

use super::{
    Wanted,
    error::RecordError,
    http::{HttpFault, Node, OBJECT},
    network::{self, NodeNetwork},
};
use crate::recording::{self, Fault, Meta, PERIOD, Recording, RecordingError};

/// Largest answers, in bytes: the genesis and a block's root have some hundred.
pub(super) const MAX_SMALL: u64 = 64 << 10;
/// A configuration has 10 kB.
const MAX_SPEC: u64 = 1 << 20;
/// A light-client object has 27 kB as SSZ and 60 kB as JSON; the largest committee that a chain may have makes it some
/// MiB.
pub(super) const MAX_OBJECT: u64 = 8 << 20;
/// Where single updates are kept until all are there.
pub(super) const UPDATES: &str = "updates";

/// A recording that is being made.
pub(super) struct Session<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) beacon: Node,
    pub(super) execution: Option<Node>,
    pub(super) network: NodeNetwork,
    /// What came so far.
    pub(super) partial: PathBuf,
}

impl<'a> Session<'a> {
    /// Asks the nodes which chain they are of, and looks whether an interrupted recording is of the same.
    pub(super) fn begin(wanted: &'a Wanted) -> Result<Self, RecordError> {
        let count = wanted.periods.clone().count() as u64;
        if count > MAX_UPDATES as u64 {
            return Err(RecordError::TooMany(count));
        }
        if wanted.out.symlink_metadata().is_ok() {
            return Err(RecordingError::Exists(wanted.out.clone()).into());
        }
        let beacon = Node::new(&wanted.beacon, wanted.patience);
        let genesis = "/eth/v1/beacon/genesis";
        let root = network::genesis_validators_root(&get_json(&beacon, genesis, MAX_SMALL)?);
        let root = root.map_err(|fault| answer(genesis, fault))?;
        let spec = "/eth/v1/config/spec";
        let network = NodeNetwork::new(&get_json(&beacon, spec, MAX_SPEC)?, root);
        let network = network.map_err(|fault| answer(spec, fault))?;
        network.check_known()?;
        let execution = wanted.execution.as_ref().map(|url| Node::new(url, wanted.patience));
        let partial = recording::beside(&wanted.out, "partial");
        let session = Self { wanted, beacon, execution, network, partial };
        session.check_execution_chain()?;
        session.check_partial()?;
        Ok(session)
    }

    /// Records everything, and gives the finished recording.
    pub(super) fn record(&self) -> Result<Recording, RecordError> {
        self.forget_accounts()?;
        let store = self.bootstrap()?;
        let (stores, updates) = self.updates(store)?;
        if !self.wanted.accounts.is_empty() {
            self.inclusion(&stores)?;
        }
        let spec = &self.network.spec;
        let digest = |slot| self.network.fork_digest(slot).unwrap_or_default();
        self.put("updates.ssz", &write_stream(spec, &updates, digest))?;
        self.remove(UPDATES)?;
        recording::seal(&self.partial)?;
        // Whatever would be refused there is refused before it is there.
        Recording::load(&self.partial)?;
        recording::appear(&self.partial, &self.wanted.out)?;
        Ok(Recording::load(&self.wanted.out)?)
    }

    /// That both nodes are of one network, as far as the beacon node says which execution chain it follows.
    fn check_execution_chain(&self) -> Result<(), RecordError> {
        let (Some(_), Some(wanted)) = (&self.execution, self.network.chain_id) else {
            return Ok(());
        };
        let what = "eth_chainId";
        let said = self.call(what, &json!([]), MAX_SMALL)?;
        let said: Value = serde_json::from_slice(&said)
            .map_err(|error| answer(what, Fault::Json(error.to_string())))?;
        let said = said.get("result").unwrap_or(&said).clone();
        let seen = serde_json::from_value::<U64>(said)
            .map_err(|error| answer(what, Fault::Json(error.to_string())))?
            .to::<u64>();
        if seen == wanted {
            return Ok(());
        }
        let (seen, wanted) = (seen.to_string(), wanted.to_string());
        Err(RecordError::OtherNetwork { what: "the execution node's chain id", seen, wanted })
    }

    /// Nothing that was kept is of another chain.
    fn check_partial(&self) -> Result<(), RecordError> {
        let Some(kept) = self.kept("meta.json")? else { return Ok(()) };
        let meta = Meta::parse(&kept).map_err(|fault| self.resumed("meta.json", fault))?;
        let spec = &self.network.spec;
        let (seen, wanted) = (meta.genesis_validators_root, spec.genesis_validators_root);
        if (seen, meta.chain) == (wanted, spec.hash_tree_root::<NativeCrypto>()) {
            return Ok(());
        }
        let partial = self.partial.display().to_string();
        Err(RecordError::OtherRecording { partial, seen, wanted })
    }

    /// Removes what an interrupted recording has of accounts: it is of an older finality update, whose state no node has
    /// for long.
    fn forget_accounts(&self) -> Result<(), RecordError> {
        let fault = |source| RecordingError::Read { path: self.partial.clone(), source };
        let entries = match fs::read_dir(&self.partial) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(fault)?,
        };
        for entry in entries {
            let name = entry.map_err(fault)?.file_name();
            if let Some(name) = name.to_str().filter(|name| name.starts_with(PERIOD)) {
                self.remove(name)?;
            }
        }
        Ok(())
    }

    /// Removes a folder of what came so far.
    fn remove(&self, folder: &str) -> Result<(), RecordError> {
        let path = self.partial.join(folder);
        Ok(fs::remove_dir_all(&path).map_err(|source| RecordingError::Write { path, source })?)
    }

    /// The light-client object at `path` of the beacon node, as SSZ or JSON.
    pub(super) fn object(&self, path: &str) -> Result<Vec<u8>, RecordError> {
        let bytes = self.beacon.get(path, OBJECT, MAX_OBJECT);
        bytes.map_err(|fault| of(&self.beacon, path, fault))
    }

    /// The execution node's answer to a JSON-RPC call.
    pub(super) fn call(
        &self,
        method: &str,
        params: &Value,
        cap: u64,
    ) -> Result<Vec<u8>, RecordError> {
        let node = self.execution.as_ref().ok_or(RecordError::NoExecution)?;
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        node.post_json(&body.to_string(), cap).map_err(|fault| of(node, method, fault))
    }

    /// What an interrupted recording has of this file.
    pub(super) fn kept(&self, file: &str) -> Result<Option<Vec<u8>>, RecordError> {
        Ok(recording::read_if_there(&self.partial.join(file))?)
    }

    pub(super) fn put(&self, file: &str, bytes: &[u8]) -> Result<(), RecordError> {
        Ok(recording::put(&self.partial, file, bytes)?)
    }

    pub(super) fn resumed(&self, file: &str, fault: impl ToString) -> RecordError {
        let file = self.partial.join(file).display().to_string();
        RecordError::Resumed { file, fault: fault.to_string() }
    }

    pub(super) fn note(&self, text: &str) {
        if self.wanted.tells {
            eprintln!("recorded: {text}");
        }
    }
}

pub(super) fn get_json(node: &Node, path: &str, cap: u64) -> Result<Vec<u8>, RecordError> {
    node.get_json(path, cap).map_err(|fault| of(node, path, fault))
}

/// Nothing where the node has no such thing.
pub(super) fn found(answer: Result<Vec<u8>, HttpFault>) -> Result<Option<Vec<u8>>, HttpFault> {
    match answer {
        Err(HttpFault::Missing(_)) => Ok(None),
        answer => answer.map(Some),
    }
}

pub(super) fn of(node: &Node, what: &str, fault: HttpFault) -> RecordError {
    RecordError::Node { node: node.shown(), what: what.to_owned(), source: Box::new(fault) }
}

pub(super) fn answer(what: &str, fault: impl Into<Fault>) -> RecordError {
    RecordError::Answer { what: what.to_owned(), fault: Box::new(fault.into()) }
}
