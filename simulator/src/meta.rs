//! What a recording's proofs must say, taken from the chain that made it and not from the files.

use lc_core::{
    alloy_primitives::{Address, B256},
    host::NativeCrypto,
    objects::{LightClientHeader, LightClientUpdate},
};
use serde::Serialize;

use crate::{chain::Chain, execution::ExecutionState};

/// `meta.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta {
    /// The number that remakes the recording.
    pub(crate) seed: u64,
    pub(crate) preset: &'static str,
    pub(crate) genesis_validators_root: B256,
    /// `hash_tree_root(ChainSpec)`: the word `chain` of every statement.
    pub(crate) chain: B256,
    /// Root of the bootstrap's block.
    pub(crate) trusted_block_root: B256,
    pub(crate) committee_changes: Vec<CommitteeChange>,
    pub(crate) inclusions: Vec<Inclusion>,
}

/// The statement over some of the updates. Field names are Solidity's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommitteeChange {
    /// The file that holds the updates.
    pub(crate) file: String,
    signer_period: u64,
    signer_committee: B256,
    new_period: u64,
    new_committee: B256,
    min_participation: u64,
    #[serde(flatten)]
    finalized: Finalized,
}

/// The statement over one finality update and the account proofs beside it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inclusion {
    /// The folder that holds them.
    pub(crate) folder: String,
    signer_period: u64,
    signer_committee: B256,
    participation: u64,
    attested_slot: u64,
    #[serde(flatten)]
    finalized: Finalized,
    pub(crate) accounts: Vec<AccountClaim>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finalized {
    finalized_slot: u64,
    finalized_root: B256,
    execution_number: u64,
    execution_hash: B256,
    execution_state_root: B256,
}

/// An account as the statement has it. Integers of 256 bits are decimal strings.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountClaim {
    /// The file with its proof.
    file: &'static str,
    address: Address,
    exists: bool,
    nonce: u64,
    balance: String,
    storage_root: B256,
    code_hash: B256,
    slots: Vec<SlotClaim>,
}

#[derive(Debug, Serialize)]
struct SlotClaim {
    key: B256,
    value: String,
}

impl CommitteeChange {
    /// What `updates`, one a period from `first_period` on, prove.
    pub(crate) fn of(
        chain: &Chain,
        file: &str,
        first_period: u64,
        updates: &[LightClientUpdate],
    ) -> Self {
        let new_period = first_period + updates.len() as u64;
        let participants = updates.iter().map(|update| update.sync_aggregate.participants());
        let last = &updates[updates.len() - 1];
        Self {
            file: file.to_owned(),
            signer_period: first_period,
            signer_committee: chain.committee(first_period).root(),
            new_period,
            new_committee: chain.committee(new_period).root(),
            min_participation: participants.min().unwrap_or(0),
            finalized: Finalized::of(&last.finalized_header),
        }
    }
}

impl Inclusion {
    /// What a finality update of `period` with `participation` signers proves; accounts are added later.
    pub(crate) fn of(
        chain: &Chain,
        folder: &str,
        period: u64,
        attested_slot: u64,
        participation: u64,
    ) -> Self {
        let finalized = chain.finalized_slot(attested_slot).expect("recordings begin late enough");
        Self {
            folder: folder.to_owned(),
            signer_period: period,
            signer_committee: chain.committee(period).root(),
            participation,
            attested_slot,
            finalized: Finalized::of(&chain.header(finalized)),
            accounts: Vec::new(),
        }
    }
}

impl Finalized {
    fn of(header: &LightClientHeader) -> Self {
        Self {
            finalized_slot: header.beacon.slot,
            finalized_root: header.beacon.hash_tree_root::<NativeCrypto>(),
            execution_number: header.execution.block_number,
            execution_hash: header.execution.block_hash,
            execution_state_root: header.execution.state_root,
        }
    }
}

impl AccountClaim {
    /// What `state` holds. An absent account's fields are zero, as in the statement.
    pub(crate) fn of(
        state: &ExecutionState,
        file: &'static str,
        address: Address,
        slots: &[B256],
    ) -> Self {
        let account = state.account(&address);
        let slot = |key: &B256| {
            let value = account.and_then(|account| account.storage.get(key).copied());
            SlotClaim { key: *key, value: value.unwrap_or_default().to_string() }
        };
        Self {
            file,
            address,
            exists: account.is_some(),
            nonce: account.map_or(0, |account| account.nonce),
            balance: account.map(|account| account.balance).unwrap_or_default().to_string(),
            storage_root: account.map(|_| state.storage_root(&address)).unwrap_or_default(),
            code_hash: account.map(|account| account.code_hash()).unwrap_or_default(),
            slots: slots.iter().map(slot).collect(),
        }
    }
}
