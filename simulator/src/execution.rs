//! The execution layer's state: a few accounts in real tries.

use std::collections::{BTreeMap, BTreeSet};

use alloy_trie::{KECCAK_EMPTY, TrieAccount};
use lc_core::alloy_primitives::{Address, B256, U256, keccak256};

use crate::{seed::Seed, trie::Trie};

/// The addresses and slots that every simulated chain has something to say about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownAccounts {
    /// A contract with code and storage.
    pub token: Address,
    /// A slot of it that is set: 0, as a compiler would lay out a total supply.
    pub total_supply: B256,
    /// A slot of it that is set: the wallet's entry of the mapping at slot 1.
    pub balance_of_wallet: B256,
    /// A slot of it that is not: the absent account's entry of that mapping.
    pub balance_of_absent: B256,
    /// An account with nonce and balance, without code.
    pub wallet: Address,
    /// A contract with code, without storage.
    pub no_storage: Address,
    /// No account.
    pub absent: Address,
}

impl KnownAccounts {
    pub(crate) fn derive(seed: &Seed) -> Self {
        let [token, wallet, no_storage, absent] =
            ["token", "wallet", "no storage", "absent"].map(|label| seed.address(label, &[]));
        Self {
            token,
            total_supply: B256::ZERO,
            balance_of_wallet: mapping_slot(wallet),
            balance_of_absent: mapping_slot(absent),
            wallet,
            no_storage,
            absent,
        }
    }
}

/// Slot of `key` in a Solidity mapping at slot 1.
fn mapping_slot(key: Address) -> B256 {
    keccak256([key.into_word(), B256::with_last_byte(1)].concat())
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// Empty for an account that is no contract.
    pub code: Vec<u8>,
    /// Slots that are not zero.
    pub storage: BTreeMap<B256, U256>,
}

impl Account {
    /// Keccak-256 of the code.
    #[must_use]
    pub fn code_hash(&self) -> B256 {
        if self.code.is_empty() { KECCAK_EMPTY } else { keccak256(&self.code) }
    }
}

/// The execution state during one period: it changes when a period begins.
#[derive(Debug)]
pub struct ExecutionState {
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) state: Trie,
    pub(crate) storage: BTreeMap<Address, Trie>,
    root: B256,
}

impl ExecutionState {
    /// The state in `period`, in tries that look as deep as `depth` (0: as small as they are).
    pub(crate) fn derive(seed: &Seed, period: u64, depth: usize) -> Self {
        let known = KnownAccounts::derive(seed);
        let accounts = accounts(seed, &known, period);
        // The token's holders are fewer than all accounts: its trie is less deep.
        let slots = depth.saturating_sub(2);
        let storage = accounts.iter().map(|(address, account)| {
            let absent = [known.balance_of_absent].into_iter().collect();
            (*address, storage_trie(seed, *address, account, absent, slots))
        });
        let storage: BTreeMap<Address, Trie> = storage.collect();
        let leaves = accounts.iter().map(|(address, account)| {
            let storage_root = storage[address].root();
            (keccak256(address), alloy_rlp::encode(trie_account(account, storage_root)))
        });
        let absent = [keccak256(known.absent)].into_iter().collect();
        let state = Trie { leaves: leaves.collect(), absent, depth, seed: *seed, number: period };
        let root = state.root();
        Self { accounts, state, storage, root }
    }

    /// `state_root` of the execution headers in this period.
    #[must_use]
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// The account at `address`.
    #[must_use]
    pub fn account(&self, address: &Address) -> Option<&Account> {
        self.accounts.get(address)
    }

    /// Root of the storage of the account at `address`; of no storage if there is none.
    #[must_use]
    pub fn storage_root(&self, address: &Address) -> B256 {
        self.storage.get(address).map_or(alloy_trie::EMPTY_ROOT_HASH, Trie::root)
    }
}

fn trie_account(account: &Account, storage_root: B256) -> TrieAccount {
    TrieAccount {
        nonce: account.nonce,
        balance: account.balance,
        storage_root,
        code_hash: account.code_hash(),
    }
}

fn storage_trie(
    seed: &Seed,
    address: Address,
    account: &Account,
    absent: BTreeSet<B256>,
    depth: usize,
) -> Trie {
    let leaves = account
        .storage
        .iter()
        .map(|(key, value)| (keccak256(key), alloy_rlp::encode(value)))
        .collect();
    let number = u64::from_be_bytes(*address.first_chunk().expect("an address has 20 bytes"));
    Trie { leaves, absent: absent.iter().map(keccak256).collect(), depth, seed: *seed, number }
}

/// What there is in `period`: amounts grow with it.
fn accounts(seed: &Seed, known: &KnownAccounts, period: u64) -> BTreeMap<Address, Account> {
    const ETHER: u64 = 1_000_000_000_000_000_000;
    let number = U256::from(period + 1);
    let supply = U256::from(ETHER) * U256::from(1_000_000) + number;
    let mut storage: BTreeMap<B256, U256> = (0..30)
        .map(|holder| (mapping_slot(seed.address("holder", &[holder])), U256::from(holder + 1)))
        .collect();
    storage.insert(known.total_supply, supply);
    storage.insert(known.balance_of_wallet, U256::from(ETHER) * number);
    // Neither the shortest nor the longest of RLP's forms.
    storage.insert(B256::with_last_byte(2), U256::MAX);
    let code = |label| seed.bytes(label, &[]).to_vec();
    let token = Account { nonce: 1, balance: U256::ZERO, code: code("token code"), storage };
    let wallet =
        Account { nonce: period, balance: U256::from(ETHER) * number, ..Account::default() };
    let no_storage =
        Account { nonce: 1, balance: number, code: code("code"), ..Account::default() };
    let mut accounts: BTreeMap<Address, Account> = (0..40)
        .map(|other| {
            let balance = U256::from(other) * number;
            (
                seed.address("other", &[other]),
                Account { nonce: other, balance, ..Account::default() },
            )
        })
        .collect();
    accounts.insert(known.token, token);
    accounts.insert(known.wallet, wallet);
    accounts.insert(known.no_storage, no_storage);
    accounts
}
