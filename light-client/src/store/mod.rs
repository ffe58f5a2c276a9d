//! What a light client trusts, as a value. [`StoreFile`] keeps it on disk; only
//! [`advance`](crate::decide::advance) moves it on.

pub(crate) mod disk;
mod file;

pub use file::{StoreFile, StoreFileError};

use lc_core::{
    ChainSpec,
    alloy_primitives::B256,
    host::{LightClientStore, NativeCrypto, StoreError},
    objects::{LightClientBootstrap, LightClientHeader, SyncCommittee},
};
use serde::{Deserialize, Serialize};

/// What a light client trusts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The name under which the chain was given, for people.
    pub network: String,
    /// The chain's constants.
    pub chain: ChainSpec,
    /// The period in which `committee` signs.
    pub period: u64,
    /// The committee whose signatures count next.
    pub committee: SyncCommittee,
    /// The newest header known to be final.
    pub finalized: Finalized,
    /// Whether a step on the way here was "proven" by the MOCK engine, which proves nothing.
    pub mock: bool,
    /// Whether a step on the way here was proven with a development circuit, so that whoever set that up can have
    /// forged it.
    pub development: bool,
}

/// A final block: its beacon header and the execution block that it names. Before Capella the execution fields
/// are zero; from Gloas on a header says the hash alone, and number and state root are zero until the execution
/// block's header or a proof says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalized {
    /// Slot of the beacon block.
    pub slot: u64,
    /// Root of the beacon block.
    pub root: B256,
    /// Number of the execution block.
    pub execution_number: u64,
    /// Hash of the execution block.
    pub execution_hash: B256,
    /// State root after the execution block.
    pub execution_state_root: B256,
}

impl Finalized {
    /// What a header says. Nothing is checked.
    #[must_use]
    pub fn of(header: &LightClientHeader) -> Self {
        let execution = &header.execution;
        Self {
            slot: header.beacon.slot,
            root: header.beacon.hash_tree_root::<NativeCrypto>(),
            execution_number: execution.block_number,
            execution_hash: execution.block_hash,
            execution_state_root: execution.state_root,
        }
    }

    /// Whether number and state root are known, if there is an execution block at all.
    #[must_use]
    pub fn knows_state(&self) -> bool {
        self.execution_hash.is_zero() || !self.execution_state_root.is_zero()
    }
}

impl Store {
    /// Starts from the block with root `checkpoint`, which the user trusts, and from nothing else: header,
    /// execution payload and committee are checked against that root.
    ///
    /// # Errors
    /// [`StoreError`] if the bootstrap is not that block's, or not consistent.
    pub fn bootstrap(
        network: impl Into<String>,
        chain: ChainSpec,
        checkpoint: B256,
        bootstrap: &LightClientBootstrap,
    ) -> Result<Self, StoreError> {
        let checked = LightClientStore::initialize(&chain, checkpoint, bootstrap)?;
        Ok(Self {
            network: network.into(),
            period: chain.period_at_slot(checked.finalized_header.beacon.slot),
            committee: checked.current_sync_committee,
            finalized: Finalized::of(&checked.finalized_header),
            chain,
            mock: false,
            development: false,
        })
    }

    /// `hash_tree_root` of the chain's constants: the word `chain` of every statement.
    #[must_use]
    pub fn chain_root(&self) -> B256 {
        self.chain.hash_tree_root::<NativeCrypto>()
    }

    /// `hash_tree_root` of the committee.
    #[must_use]
    pub fn committee_root(&self) -> B256 {
        self.committee.hash_tree_root::<NativeCrypto>()
    }
}
