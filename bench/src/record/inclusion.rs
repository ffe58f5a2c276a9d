//! Accounts, in the state that the newest finality update holds final.

use lc_core::{
    alloy_primitives::B256,
    execution_header::ExecutionBlock,
    host::{NativeCrypto, eth_get_proof::EthGetProof},
    objects::file::read_finality_update,
    statement::AccountProof,
};
use light_client::{
    Store,
    ask::{AskError, InclusionAsk},
    store::Finalized,
};
use serde_json::json;

use super::{
    Account,
    error::RecordError,
    session::{Session, answer},
};

/// An account's proof with a hundred slots has less than 1 MB.
const MAX_PROOF: u64 = 8 << 20;

impl Session<'_> {
    /// The newest finality update, and the accounts in the state that it holds final.
    pub(super) fn inclusion(&self, stores: &[Store]) -> Result<(), RecordError> {
        let path = "/eth/v1/beacon/light_client/finality_update";
        let bytes = self.object(path)?;
        let spec = &self.network.spec;
        let update = read_finality_update(spec, &bytes).map_err(|fault| answer(path, fault))?;
        let seen = spec.period_at_slot(update.signature_slot);
        let store = stores.iter().find(|store| store.period == seen);
        let store = store.ok_or_else(|| self.finality_period(seen, stores))?;
        let folder = format!("period-{seen}");
        let finalized = Finalized::of(&update.finalized_header);
        let header = self
            .header(&finalized, &format!("{folder}/execution-header.json"))
            .map_err(|fault| answer("the final block's header", fault))?;
        let block = match &header {
            None => finalized.execution_number,
            Some(rlp) => {
                let block =
                    ExecutionBlock::with_hash::<NativeCrypto>(rlp, finalized.execution_hash);
                block
                    .map_err(|error| answer("the final block's header", AskError::from(error)))?
                    .number
            }
        };
        for account in &self.wanted.accounts {
            let what = format!("the proof of account {}", account.address);
            let (json, proof) = self.account(account, block)?;
            let asked = InclusionAsk::new(store, &update, vec![proof])
                .and_then(|asked| asked.with_execution_header(header.clone()))
                .map_err(|fault| answer(&what, fault))?;
            asked.input().check().map_err(|fault| answer(&what, fault))?;
            self.put(&format!("{folder}/{:#x}.json", account.address), &json)?;
            self.note(&format!("account {} at execution block {block}", account.address));
        }
        self.put(&format!("{folder}/finality-update.ssz"), &update.to_ssz(spec))
    }

    fn finality_period(&self, seen: u64, stores: &[Store]) -> RecordError {
        let (from, first) = (*self.wanted.periods.start(), stores[0].period);
        let last = stores.last().map_or(first, |store| store.period);
        let remedy = format!("{}..{}", from.min(seen.saturating_sub(1)), seen.saturating_sub(1));
        RecordError::FinalityPeriod { seen, first, last, remedy }
    }

    /// The node's answer for an account after block number `block`, and the proof in it.
    fn account(
        &self,
        account: &Account,
        block: u64,
    ) -> Result<(Vec<u8>, AccountProof), RecordError> {
        let what = format!("the proof of account {}", account.address);
        let block = format!("{block:#x}");
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
}
