//! `eth_getProof` answers as execution nodes print them (EIP-1186; geth's order of fields and quantities).

use alloy_trie::{EMPTY_ROOT_HASH, KECCAK_EMPTY};
use lc_core::alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde::Serialize;

use crate::execution::{Account, ExecutionState};

/// The trie's made-up part was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is in the part of the trie that is not simulated: ask for a known account and slot, or set the trie depth to 0"
)]
pub struct NotSimulated(B256);

#[derive(Debug, Serialize)]
struct Answer {
    jsonrpc: &'static str,
    id: u64,
    result: AccountResult,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountResult {
    address: Address,
    account_proof: Vec<Bytes>,
    balance: String,
    code_hash: B256,
    nonce: String,
    storage_hash: B256,
    storage_proof: Vec<SlotResult>,
}

#[derive(Debug, Serialize)]
struct SlotResult {
    key: String,
    value: String,
    proof: Vec<Bytes>,
}

impl ExecutionState {
    /// The JSON-RPC answer to `eth_getProof(address, slots, ..)` for a block of this state's period.
    ///
    /// # Errors
    /// [`NotSimulated`] for an account or slot that the trie can prove neither present nor absent.
    pub fn eth_get_proof(&self, address: Address, slots: &[B256]) -> Result<String, NotSimulated> {
        let path = keccak256(address);
        let nodes = self.state.prove(&path).ok_or(NotSimulated(path))?;
        let none = Account::default();
        let account = self.accounts.get(&address);
        let (storage_hash, code_hash) = match account {
            Some(account) => (self.storage_root(&address), account.code_hash()),
            None => (EMPTY_ROOT_HASH, KECCAK_EMPTY),
        };
        let account = account.unwrap_or(&none);
        let slot = |key: &B256| self.slot_result(address, account, *key);
        let result = AccountResult {
            address,
            account_proof: nodes,
            balance: format!("{:#x}", account.balance),
            code_hash,
            nonce: format!("{:#x}", account.nonce),
            storage_hash,
            storage_proof: slots.iter().map(slot).collect::<Result<_, _>>()?,
        };
        let answer = Answer { jsonrpc: "2.0", id: 1, result };
        Ok(serde_json::to_string(&answer).expect("strings and arrays always serialize"))
    }

    fn slot_result(
        &self,
        address: Address,
        account: &Account,
        key: B256,
    ) -> Result<SlotResult, NotSimulated> {
        let path = keccak256(key);
        let proof = match self.storage.get(&address) {
            Some(trie) => trie.prove(&path).ok_or(NotSimulated(path))?,
            None => Vec::new(),
        };
        let value = account.storage.get(&key).copied().unwrap_or(U256::ZERO);
        Ok(SlotResult { key: slot_key(key), value: format!("{value:#x}"), proof })
    }
}

/// Nodes repeat the key as it was asked for, and people ask for low slots by quantity.
fn slot_key(key: B256) -> String {
    match u64::try_from(U256::from_be_bytes(key.0)) {
        Ok(low) => format!("{low:#x}"),
        Err(_) => key.to_string(),
    }
}
