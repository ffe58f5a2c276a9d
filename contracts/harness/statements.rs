//! What the programs commit on a simulated chain.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolValue;
use lc_core::{
    host::{NativeCrypto, ProgramInput},
    objects::LightClientUpdate,
    statement::{CommitteeChange, Inclusion},
};
use simulator::{Chain, KnownAccounts, Preset};

/// Statements about one chain, each checked by the rules that the programs prove.
#[derive(Debug)]
pub struct Statements(Chain);

impl Statements {
    /// About a chain with small committees and short periods.
    ///
    /// # Panics
    /// Never: the settings make a chain.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let chain = Chain::builder().preset(Preset::Minimal).trie_depth(0).seed(seed).build();
        Self(chain.expect("the settings make a chain"))
    }

    /// About a chain with mainnet's sizes.
    ///
    /// # Panics
    /// Never: the settings make a chain.
    #[must_use]
    pub fn of_mainnet_size() -> Self {
        Self(Chain::builder().build().expect("the default settings make a chain"))
    }

    /// The chain.
    #[must_use]
    pub const fn simulated(&self) -> &Chain {
        &self.0
    }

    /// Its word.
    #[must_use]
    pub fn chain(&self) -> B256 {
        self.0.spec().hash_tree_root::<NativeCrypto>()
    }

    /// The period that it starts in.
    #[must_use]
    pub const fn first_period(&self) -> u64 {
        self.0.first_period()
    }

    /// Slots in a period.
    #[must_use]
    pub const fn slots_per_period(&self) -> u64 {
        self.0.spec().slots_per_period()
    }

    /// `hash_tree_root` of a period's committee.
    #[must_use]
    pub fn committee(&self, period: u64) -> B256 {
        self.0.committee(period).public().hash_tree_root::<NativeCrypto>()
    }

    /// Accounts that the chain's state is known of.
    #[must_use]
    pub fn accounts(&self) -> KnownAccounts {
        self.0.accounts()
    }

    /// What is proven of the committees of `periods` and those after each, all members signing.
    ///
    /// # Panics
    /// If there is no period.
    #[must_use]
    pub fn committee_change(&self, periods: std::ops::Range<u64>) -> CommitteeChange {
        let start = periods.start;
        let updates: Vec<_> = periods.map(|period| self.0.update(period).build()).collect();
        self.vouched(start, &updates)
    }

    /// What is proven by these updates, the first of which the committee of `start` signed.
    ///
    /// # Panics
    /// If they are not valid.
    #[must_use]
    pub fn vouched(&self, start: u64, updates: &[LightClientUpdate]) -> CommitteeChange {
        let input = self.0.committee_change_input(start, updates);
        committed(ProgramInput::CommitteeChange(input))
    }

    /// What is proven of accounts, each with slots, in the state that the committee of `period` saw finalized.
    ///
    /// # Panics
    /// If there is no account.
    #[must_use]
    pub fn inclusion(&self, period: u64, wanted: &[(Address, &[B256])]) -> Inclusion {
        let proofs = wanted.iter().map(|(address, slots)| {
            self.0.account_proof(period, *address, slots).expect("the trie is small")
        });
        let update = self.0.update(period).build_finality();
        let input = self.0.inclusion_input(period, &update, proofs.collect());
        committed(ProgramInput::Inclusion(input))
    }
}

/// The public values of a program that is given `input`, decoded.
fn committed<T: SolValue + From<<T::SolType as alloy_sol_types::SolType>::RustType>>(
    input: ProgramInput,
) -> T {
    let checked = input.check().expect("the simulator's updates are valid");
    T::abi_decode_validate(&checked.public_values).expect("public values are `abi.encode` of it")
}
