//! The statement that accounts and storage slots are in finalized execution state, or proven absent.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::{Account, Execution, Inclusion, Slot};
use crate::{
    chain_spec::ChainSpec,
    crypto::Crypto,
    root::Root,
    sync_protocol::{CheckError, SignedFinality, fork_at_slot},
    trie::{decode_account, decode_slot_value, verify_proof},
};

/// What the inclusion program is given. `B` holds bytes that are hashed: a guest reads them where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionWitness<B = Bytes> {
    /// The chain's constants; committed as their hash.
    pub chain: ChainSpec,
    /// Period of the committee that signed; committed.
    pub signer_period: u64,
    /// `hash_tree_root` of that committee; committed.
    pub signer_committee: Root,
    /// What it signed and saw finalized.
    pub finality: SignedFinality,
    /// What is said of the execution block under the finalized block.
    pub execution: Execution<B>,
    /// What is looked up in the finalized state.
    pub accounts: Vec<AccountProof<B>>,
}

/// An account and some of its storage, with the trie nodes that `eth_getProof` gives for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountProof<B = Bytes> {
    /// The account's address.
    pub address: Address,
    /// RLP of the state trie's nodes from the root on: `accountProof`.
    pub nodes: Vec<B>,
    /// The slots, in the order of the answer.
    pub storage: Vec<StorageProof<B>>,
}

/// A storage slot with its trie nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageProof<B = Bytes> {
    /// The slot's key, before hashing.
    pub key: B256,
    /// RLP of the storage trie's nodes from the root on: `storageProof[].proof`. Empty where the account
    /// does not exist.
    pub nodes: Vec<B>,
}

impl<B: AsRef<[u8]>> InclusionWitness<B> {
    /// Checks finality and every trie proof, and gives what may be said.
    ///
    /// # Errors
    /// Names the first check that fails.
    pub fn verify<C: Crypto>(&self) -> Result<Inclusion, CheckError> {
        self.chain.validate()?;
        if self.accounts.is_empty() {
            return Err(CheckError::NoAccounts);
        }
        let finalized = &self.finality.finalized;
        let period = self.signer_period;
        let verified = self.finality.verify::<C>(&self.chain, period, &self.signer_committee)?;
        let fork = fork_at_slot(&self.chain, finalized.slot)?;
        if !fork.has_execution() {
            return Err(CheckError::NoExecution { slot: finalized.slot });
        }
        let execution = self.execution.verify::<C>(fork, &finalized.body_root)?;
        let accounts = self
            .accounts
            .iter()
            .enumerate()
            .map(|(number, proof)| proof.verify::<C>(number, execution.state_root))
            .collect::<Result<_, _>>()?;
        Ok(Inclusion {
            chain: self.chain.hash_tree_root::<C>(),
            signerPeriod: period,
            signerCommittee: self.signer_committee.into(),
            participation: verified.participation,
            attestedSlot: self.finality.attested.slot,
            finalizedSlot: finalized.slot,
            finalizedRoot: verified.finalized_root.into(),
            executionNumber: execution.number,
            executionHash: execution.hash,
            executionStateRoot: execution.state_root,
            accounts,
        })
    }
}

impl<B: AsRef<[u8]>> AccountProof<B> {
    /// Looks the account and its slots up in the state with root `state_root`. `number` is the proof's
    /// position in the request, for errors.
    ///
    /// # Errors
    /// One of those that [`CheckError::is_about_accounts`].
    pub fn verify<C: Crypto>(
        &self,
        number: usize,
        state_root: B256,
    ) -> Result<Account, CheckError> {
        let path = C::keccak256(self.address.as_slice());
        let found = verify_proof::<C>(state_root, &path, &self.nodes)
            .map_err(|source| CheckError::Account { account: number, source })?;
        let Some(rlp) = found else { return self.absent(number) };
        let account = decode_account(rlp)
            .map_err(|source| CheckError::AccountValue { account: number, source })?;
        let slots = self
            .storage
            .iter()
            .enumerate()
            .map(|(slot, proof)| proof.verify::<C>(number, slot, account.storage_root));
        Ok(Account {
            account: self.address,
            exists: true,
            nonce: account.nonce,
            balance: account.balance,
            storageRoot: account.storage_root,
            codeHash: account.code_hash,
            slots: slots.collect::<Result<_, _>>()?,
        })
    }

    /// The account was proven absent, and with it every slot: there is no storage trie to look in.
    fn absent(&self, number: usize) -> Result<Account, CheckError> {
        if let Some(slot) = self.storage.iter().position(|slot| !slot.nodes.is_empty()) {
            return Err(CheckError::StorageOfAbsent { account: number, slot });
        }
        let zero = |slot: &StorageProof<B>| Slot { key: slot.key, value: U256::ZERO };
        Ok(Account {
            account: self.address,
            exists: false,
            nonce: 0,
            balance: U256::ZERO,
            storageRoot: B256::ZERO,
            codeHash: B256::ZERO,
            slots: self.storage.iter().map(zero).collect(),
        })
    }
}

impl<B: AsRef<[u8]>> StorageProof<B> {
    fn verify<C: Crypto>(
        &self,
        account: usize,
        slot: usize,
        storage_root: B256,
    ) -> Result<Slot, CheckError> {
        let path = C::keccak256(self.key.as_slice());
        let found = verify_proof::<C>(storage_root, &path, &self.nodes)
            .map_err(|source| CheckError::Slot { account, slot, source })?;
        let value = match found {
            Some(rlp) => decode_slot_value(rlp).map_err(|source| CheckError::SlotValue {
                account,
                slot,
                source,
            })?,
            None => U256::ZERO,
        };
        Ok(Slot { key: self.key, value })
    }
}
