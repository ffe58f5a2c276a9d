//! The committees: where a light client starts, and the updates that lead on.

use lc_core::{
    alloy_primitives::{Bytes, hex},
    host::{NativeCrypto, block_header::read_block_header},
    objects::{
        LightClientBootstrap, LightClientUpdate,
        file::{read_bootstrap, read_updates},
    },
};
use light_client::{
    Store,
    ask::{AskError, CommitteeChangeAsk},
    decide::advance,
    statement::Statement,
    store::Finalized,
};
use serde_json::json;

use super::{
    error::RecordError,
    http::OBJECT,
    network,
    session::{MAX_OBJECT, MAX_SMALL, Session, UPDATES, answer, found, of},
};
use crate::recording::{Fault, Meta};

/// Epochs at a period's start whose first block may be started from. A slot may be empty; so many in a row are not.
const BOOTSTRAP_EPOCHS: u64 = 8;

impl Session<'_> {
    /// The block from which a light client starts, and what it then trusts.
    pub(super) fn bootstrap(&self) -> Result<Store, RecordError> {
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
    pub(super) fn updates(
        &self,
        first: Store,
    ) -> Result<(Vec<Store>, Vec<LightClientUpdate>), RecordError> {
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
        let bytes = self.object(&path)?;
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
    pub(super) fn header(&self, finalized: &Finalized, file: &str) -> Result<Option<Bytes>, Fault> {
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
}
