//! The steps of a recording. Each answer is checked natively before it is kept, and none that is kept is asked for
//! again.

use std::{fs, path::PathBuf};

use lc_core::{
    alloy_primitives::{B256, Bytes, U64, hex},
    host::{
        MAX_UPDATES, NativeCrypto, block_header::read_block_header, eth_get_proof::EthGetProof,
    },
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientUpdate,
        file::{read_bootstrap, read_finality_update, read_updates, write_stream},
    },
    statement::AccountProof,
};
use light_client::{
    Store,
    ask::{AskError, CommitteeChangeAsk, InclusionAsk},
    decide::advance,
    statement::Statement,
    store::Finalized,
};
use serde_json::{Value, json};

use super::{
    Account, Wanted,
    error::RecordError,
    http::{HttpFault, Node, OBJECT},
    network::{self, NodeNetwork},
};
use crate::recording::{self, Fault, Meta, Recording, RecordingError};

/// Largest answers, in bytes: the genesis and a block's root have some hundred.
const MAX_SMALL: u64 = 64 << 10;
/// A configuration has 10 kB.
const MAX_SPEC: u64 = 1 << 20;
/// A light-client object has 27 kB as SSZ and 60 kB as JSON; the largest committee that a chain may have makes it some MiB.
const MAX_OBJECT: u64 = 8 << 20;
/// An account's proof with a hundred slots has less than 1 MB.
const MAX_PROOF: u64 = 8 << 20;

/// Epochs at a period's start whose first block may be started from. A slot may be empty; so many in a row are not.
const BOOTSTRAP_EPOCHS: u64 = 8;

/// Where single updates are kept until all are there.
const UPDATES: &str = "updates";

/// A recording that is being made.
pub(super) struct Session<'a> {
    wanted: &'a Wanted,
    beacon: Node,
    execution: Option<Node>,
    network: NodeNetwork,
    /// What came so far.
    partial: PathBuf,
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
        let store = self.bootstrap()?;
        let (stores, updates) = self.updates(store)?;
        if !self.wanted.accounts.is_empty() {
            self.inclusion(&stores)?;
        }
        let spec = &self.network.spec;
        let digest = |slot| self.network.fork_digest(slot).unwrap_or_default();
        self.put("updates.ssz", &write_stream(spec, &updates, digest))?;
        fs::remove_dir_all(self.partial.join(UPDATES))
            .map_err(|source| RecordingError::Write { path: self.partial.join(UPDATES), source })?;
        recording::finish(&self.partial, &self.wanted.out)?;
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

    /// The block from which a light client starts, and what it then trusts.
    fn bootstrap(&self) -> Result<Store, RecordError> {
        let (file, spec) = ("bootstrap.ssz", &self.network.spec);
        let bootstrap = match self.kept(file)? {
            Some(kept) => read_bootstrap(spec, &kept).map_err(|fault| self.resumed(file, fault))?,
            None => self.fetch_bootstrap()?,
        };
        let root = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
        let first = *self.wanted.periods.start();
        let store = Store::bootstrap("recorded", spec.clone(), root, &bootstrap)
            .map_err(|fault| answer("the bootstrap", fault))?;
        if store.period != first {
            let fault = format!("it is of period {}, the first is to be {first}", store.period);
            return Err(self.resumed(file, fault));
        }
        let meta = Meta {
            genesis_validators_root: spec.genesis_validators_root,
            chain: spec.hash_tree_root::<NativeCrypto>(),
            trusted_block_root: root,
        };
        self.put("meta.json", &meta.to_json())?;
        self.put("config.yaml", self.network.config_yaml.as_bytes())?;
        self.put(file, &bootstrap.to_ssz(spec))?;
        Ok(store)
    }

    fn fetch_bootstrap(&self) -> Result<LightClientBootstrap, RecordError> {
        let (spec, period) = (&self.network.spec, *self.wanted.periods.start());
        for epoch in 0..BOOTSTRAP_EPOCHS.min(spec.epochs_per_sync_committee_period) {
            let slot = period
                .checked_mul(spec.slots_per_period())
                .and_then(|first| first.checked_add(epoch * spec.slots_per_epoch))
                .ok_or(RecordError::NoBootstrap(period))?;
            let path = format!("/eth/v1/beacon/blocks/{slot}/root");
            let Some(root) = found(self.beacon.get_json(&path, MAX_SMALL))
                .map_err(|fault| of(&self.beacon, &path, fault))?
            else {
                continue;
            };
            let root = network::block_root(&root).map_err(|fault| answer(&path, fault))?;
            let path = format!("/eth/v1/beacon/light_client/bootstrap/{root}");
            let bytes = found(self.beacon.get(&path, OBJECT, MAX_OBJECT));
            let Some(bytes) = bytes.map_err(|fault| of(&self.beacon, &path, fault))? else {
                continue;
            };
            let bootstrap = read_bootstrap(spec, &bytes).map_err(|fault| answer(&path, fault))?;
            // Whatever else it is of is refused here.
            Store::bootstrap("recorded", spec.clone(), root, &bootstrap)
                .map_err(|fault| answer(&path, fault))?;
            self.note(&format!("bootstrap at slot {}", bootstrap.header.beacon.slot));
            return Ok(bootstrap);
        }
        Err(RecordError::NoBootstrap(period))
    }

    /// The updates of all periods, and the stores that they lead to.
    fn updates(&self, first: Store) -> Result<(Vec<Store>, Vec<LightClientUpdate>), RecordError> {
        let spec = &self.network.spec;
        let (mut stores, mut updates) = (vec![first], Vec::new());
        let mut from = 0;
        for period in self.wanted.periods.clone() {
            let file = format!("{UPDATES}/{period}.ssz");
            let (update, is_new) = match self.kept(&file)? {
                Some(kept) => {
                    let read =
                        read_updates(spec, &kept).map_err(|fault| self.resumed(&file, fault))?;
                    let update = read.into_iter().next().expect("at least one was read");
                    (update, false)
                }
                None => (self.fetch_update(period)?, true),
            };
            updates.push(update);
            let store = stores.last().expect("the first is there");
            match self.change(store, &updates[from..], period) {
                Ok(next) => {
                    stores.push(next);
                    from = updates.len();
                }
                // Its committee is final with the next update: then it is checked.
                Err(Fault::Ask(AskError::NotFinal { .. }))
                    if period < *self.wanted.periods.end() => {}
                Err(fault) if is_new => {
                    return Err(answer(&format!("the update of period {period}"), fault));
                }
                Err(fault) => return Err(self.resumed(&file, proof_server::error_chain(&fault))),
            }
            let update = updates.last().expect("one was put");
            self.put(&file, &update.to_ssz(spec))?;
            if is_new {
                self.note(&format!(
                    "update of period {period}, up to {}",
                    self.wanted.periods.end()
                ));
            }
        }
        Ok((stores, updates))
    }

    fn fetch_update(&self, period: u64) -> Result<LightClientUpdate, RecordError> {
        let path = format!("/eth/v1/beacon/light_client/updates?start_period={period}&count=1");
        let bytes = self
            .beacon
            .get(&path, OBJECT, MAX_OBJECT)
            .map_err(|fault| of(&self.beacon, &path, fault))?;
        let spec = &self.network.spec;
        let update = read_updates(spec, &bytes).map_err(|fault| answer(&path, fault))?.remove(0);
        let slot = update.attested_header.beacon.slot;
        let seen = spec.period_at_slot(slot);
        if seen != period {
            return Err(RecordError::OtherPeriod { asked: period, seen });
        }
        // The stream's chunks begin with their length, and then the digest; one object alone has none.
        let is_object = bytes == update.to_ssz(spec)
            || bytes.trim_ascii_start().first().is_some_and(|byte| b"[{".contains(byte));
        if let (false, Some(wanted)) = (is_object, self.network.fork_digest(slot))
            && let Some(seen) = bytes.get(8..12).filter(|seen| **seen != wanted)
        {
            let (seen, wanted) = (hex::encode_prefixed(seen), hex::encode_prefixed(wanted));
            return Err(RecordError::ForkDigest { period, seen, wanted });
        }
        Ok(update)
    }

    /// The store after these updates, of which the last is of `period`. Checked as a proof server does.
    fn change(
        &self,
        store: &Store,
        updates: &[LightClientUpdate],
        period: u64,
    ) -> Result<Store, Fault> {
        let asked = CommitteeChangeAsk::new(store, updates, None)?;
        let header = self.header(&asked.finalized, &format!("execution-headers/{period}.json"))?;
        let asked = asked.with_execution_header(header)?;
        let checked = asked.input().check()?;
        match Statement::decode(checked.program, &checked.public_values) {
            Ok(Statement::CommitteeChange(change)) => Ok(advance(store, &change, &asked)?),
            _ => Err(Fault::Json("its statement does not decode".to_owned())),
        }
    }

    /// From Gloas on: the header of the final execution block, which the light-client object names by its hash alone.
    fn header(&self, finalized: &Finalized, file: &str) -> Result<Option<Bytes>, Fault> {
        if finalized.knows_state() {
            return Ok(None);
        }
        let unread = |error: RecordError| Fault::Json(proof_server::error_chain(&error));
        let json = match self.kept(file).map_err(unread)? {
            Some(kept) => kept,
            None => {
                let params = json!([finalized.execution_hash, false]);
                self.call("eth_getBlockByHash", &params, MAX_OBJECT).map_err(unread)?
            }
        };
        let header = read_block_header(&json)?;
        self.put(file, &json).map_err(unread)?;
        Ok(Some(header))
    }

    /// The newest finality update, and the accounts in the state that it holds final.
    fn inclusion(&self, stores: &[Store]) -> Result<(), RecordError> {
        let path = "/eth/v1/beacon/light_client/finality_update";
        let bytes = self
            .beacon
            .get(path, OBJECT, MAX_OBJECT)
            .map_err(|fault| of(&self.beacon, path, fault))?;
        let spec = &self.network.spec;
        let update = read_finality_update(spec, &bytes).map_err(|fault| answer(path, fault))?;
        let seen = spec.period_at_slot(update.signature_slot);
        let store = stores.iter().find(|store| store.period == seen);
        let store = store.ok_or_else(|| self.finality_period(seen, stores))?;
        let folder = format!("period-{seen}");
        let header = format!("{folder}/execution-header.json");
        // What an interrupted attempt kept is of an older finality update: of no use, and no node has its state for long.
        match fs::remove_dir_all(self.partial.join(&folder)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                let path = self.partial.join(&folder);
                return Err(RecordingError::Write { path, source }.into());
            }
            _ => {}
        }
        let header = self
            .header(&Finalized::of(&update.finalized_header), &header)
            .map_err(|fault| answer("the final block's header", fault))?;
        for account in &self.wanted.accounts {
            let what = format!("the proof of account {}", account.address);
            let (json, proof) = self.account(account, store, &update, header.as_ref())?;
            let asked = InclusionAsk::new(store, &update, vec![proof])
                .and_then(|asked| asked.with_execution_header(header.clone()))
                .map_err(|fault| answer(&what, fault))?;
            asked.input().check().map_err(|fault| answer(&what, fault))?;
            self.put(&format!("{folder}/{:#x}.json", account.address), &json)?;
            self.note(&format!(
                "account {} at execution block {}",
                account.address, asked.finalized.execution_number
            ));
        }
        self.put(&format!("{folder}/finality-update.ssz"), &update.to_ssz(spec))
    }

    fn finality_period(&self, seen: u64, stores: &[Store]) -> RecordError {
        let (from, first) = (*self.wanted.periods.start(), stores[0].period);
        let last = stores.last().map_or(first, |store| store.period);
        let remedy = format!("{}..{}", from.min(seen.saturating_sub(1)), seen.saturating_sub(1));
        RecordError::FinalityPeriod { seen, first, last, remedy }
    }

    /// The node's answer for an account at the update's final block, and the proof in it.
    fn account(
        &self,
        account: &Account,
        store: &Store,
        update: &LightClientFinalityUpdate,
        header: Option<&Bytes>,
    ) -> Result<(Vec<u8>, AccountProof), RecordError> {
        let what = format!("the proof of account {}", account.address);
        let nothing =
            AccountProof { address: account.address, nodes: Vec::new(), storage: Vec::new() };
        let block = InclusionAsk::new(store, update, vec![nothing])
            .and_then(|asked| asked.with_execution_header(header.cloned()))
            .map_err(|fault| answer(&what, fault))?;
        let block = format!("{:#x}", block.finalized.execution_number);
        let params = json!([account.address, account.slots, block]);
        let json = self.call("eth_getProof", &params, MAX_PROOF)?;
        let read = EthGetProof::from_json(&json).map_err(|fault| answer(&what, fault))?;
        let (asked, seen) = (account.address, read.address);
        if seen != asked {
            return Err(RecordError::OtherAccount { asked, seen });
        }
        let keys: Vec<B256> = read.storage.iter().map(|slot| slot.key).collect();
        if keys != account.slots {
            let (seen, asked) = (keys.len(), account.slots.len());
            return Err(RecordError::OtherSlots { account: account.address, seen, asked });
        }
        Ok((json, read.account_proof()))
    }

    /// The execution node's answer to a JSON-RPC call.
    fn call(&self, method: &str, params: &Value, cap: u64) -> Result<Vec<u8>, RecordError> {
        let node = self.execution.as_ref().ok_or(RecordError::NoExecution)?;
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        node.post_json(&body.to_string(), cap).map_err(|fault| of(node, method, fault))
    }

    /// What an interrupted recording has of this file.
    fn kept(&self, file: &str) -> Result<Option<Vec<u8>>, RecordError> {
        Ok(recording::read_if_there(&self.partial.join(file))?)
    }

    fn put(&self, file: &str, bytes: &[u8]) -> Result<(), RecordError> {
        Ok(recording::put(&self.partial, file, bytes)?)
    }

    fn resumed(&self, file: &str, fault: impl ToString) -> RecordError {
        let file = self.partial.join(file).display().to_string();
        RecordError::Resumed { file, fault: fault.to_string() }
    }

    fn note(&self, text: &str) {
        if self.wanted.tells {
            eprintln!("recorded: {text}");
        }
    }
}

fn get_json(node: &Node, path: &str, cap: u64) -> Result<Vec<u8>, RecordError> {
    node.get_json(path, cap).map_err(|fault| of(node, path, fault))
}

/// Nothing where the node has no such thing.
fn found(answer: Result<Vec<u8>, HttpFault>) -> Result<Option<Vec<u8>>, HttpFault> {
    match answer {
        Err(HttpFault::Missing(_)) => Ok(None),
        answer => answer.map(Some),
    }
}

fn of(node: &Node, what: &str, fault: HttpFault) -> RecordError {
    RecordError::Node { node: node.shown(), what: what.to_owned(), source: Box::new(fault) }
}

fn answer(what: &str, fault: impl Into<Fault>) -> RecordError {
    RecordError::Answer { what: what.to_owned(), fault: Box::new(fault.into()) }
}
