//! The objects themselves, in one shape for all forks.

use alloy_primitives::B256;

use crate::{
    containers::{BeaconBlockHeader, ExecutionPayloadHeader},
    crypto::{BlsPubkey, BlsSignature},
    fork::Fork,
};

/// The keys that sign for one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncCommittee {
    /// `sync_committee_size` compressed G1 points, in the order of the participation bits. Duplicates are legal.
    pub pubkeys: Vec<BlsPubkey>,
    /// Sum of `pubkeys`, as the beacon state has it.
    pub aggregate_pubkey: BlsPubkey,
}

/// A beacon header and, from Capella on, what it says of the execution block under it: the block's payload header, or
/// in Gloas's form the block's hash alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClientHeader {
    /// The beacon block's header.
    pub beacon: BeaconBlockHeader,
    /// The execution payload's header; the default before Capella, blob fields 0 before Deneb. In Gloas's form all of it
    /// but `block_hash` is the default, whatever the block has: nothing more is known.
    pub execution: ExecutionPayloadHeader,
    /// To `beacon.body_root`, lowest first; zeros before Capella. From the execution payload header's root, 4 hashes; in
    /// Gloas's form from the block hash, 11 hashes, the first ones zero for blocks from before Gloas.
    pub execution_branch: Vec<B256>,
}

impl LightClientHeader {
    /// Hashes from the execution payload header's root to the body root, from Capella to Fulu.
    pub const EXECUTION_BRANCH_DEPTH: usize = 4;
    /// Hashes from the execution block's hash to the body root, in Gloas's form.
    pub const BLOCK_HASH_BRANCH_DEPTH: usize = match Fork::Gloas.gindices().execution_block_hash {
        Some(index) => index.depth(),
        None => 0,
    };

    /// Whether it is in Gloas's form, which has the execution block's hash alone; an older block may be too.
    #[must_use]
    pub const fn has_hash_form(&self) -> bool {
        self.execution_branch.len() == Self::BLOCK_HASH_BRANCH_DEPTH
    }

    /// Whether it is the header of an update that has none: everything zero, in either form.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.beacon == BeaconBlockHeader::default()
            && self.execution == ExecutionPayloadHeader::default()
            && self.execution_branch.iter().all(B256::is_zero)
    }
}

impl Default for LightClientHeader {
    /// The header of an update that has none: everything zero.
    fn default() -> Self {
        Self {
            beacon: BeaconBlockHeader::default(),
            execution: ExecutionPayloadHeader::default(),
            execution_branch: vec![B256::ZERO; Self::EXECUTION_BRANCH_DEPTH],
        }
    }
}

/// Who signed, and their signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncAggregate {
    /// One bit a committee member, lowest bit of the first byte first; bits beyond the committee are clear.
    pub sync_committee_bits: Vec<u8>,
    /// Compressed G2 point.
    pub sync_committee_signature: BlsSignature,
}

impl SyncAggregate {
    /// Number of members that signed.
    #[must_use]
    pub fn participants(&self) -> u64 {
        self.sync_committee_bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Whether member `index` signed; false beyond the committee.
    #[must_use]
    pub fn signed(&self, index: usize) -> bool {
        self.sync_committee_bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

/// Where a light client starts: a trusted block's header and the committee of its period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClientBootstrap {
    /// The header whose beacon root the client trusts.
    pub header: LightClientHeader,
    /// The committee that signs in the header's period.
    pub current_sync_committee: SyncCommittee,
    /// From the committee's root to `header.beacon.state_root`: 5 hashes, Electra 6, Gloas 11.
    pub current_sync_committee_branch: Vec<B256>,
}

/// A signed header with the next period's committee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClientUpdate {
    /// The header that the committee signed.
    pub attested_header: LightClientHeader,
    /// The committee of the period after the attested header's; all zero where the update has none.
    pub next_sync_committee: SyncCommittee,
    /// From that committee's root to `attested_header.beacon.state_root`: 5 hashes, Electra 6, Gloas 11.
    pub next_sync_committee_branch: Vec<B256>,
    /// The header that the attested state holds final; all zero where the update has none.
    pub finalized_header: LightClientHeader,
    /// From the finalized header's root to `attested_header.beacon.state_root`: 6 hashes, Electra 7, Gloas 9.
    pub finality_branch: Vec<B256>,
    /// The signature over the attested header.
    pub sync_aggregate: SyncAggregate,
    /// Slot of the block that carried the signature: its period chooses the committee, its fork the domain.
    pub signature_slot: u64,
}

/// A signed header with what it holds final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClientFinalityUpdate {
    /// The header that the committee signed.
    pub attested_header: LightClientHeader,
    /// The header that the attested state holds final.
    pub finalized_header: LightClientHeader,
    /// From the finalized header's root to `attested_header.beacon.state_root`: 6 hashes, Electra 7, Gloas 9.
    pub finality_branch: Vec<B256>,
    /// The signature over the attested header.
    pub sync_aggregate: SyncAggregate,
    /// Slot of the block that carried the signature.
    pub signature_slot: u64,
}

/// A signed header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClientOptimisticUpdate {
    /// The header that the committee signed.
    pub attested_header: LightClientHeader,
    /// The signature over it.
    pub sync_aggregate: SyncAggregate,
    /// Slot of the block that carried the signature.
    pub signature_slot: u64,
}

impl LightClientUpdate {
    /// `is_sync_committee_update`: whether it brings a next committee.
    #[must_use]
    pub fn has_next_sync_committee(&self) -> bool {
        self.next_sync_committee_branch.iter().any(|node| !node.is_zero())
    }

    /// `is_finality_update`: whether it brings a finalized header.
    #[must_use]
    pub fn has_finality(&self) -> bool {
        self.finality_branch.iter().any(|node| !node.is_zero())
    }
}

impl From<LightClientUpdate> for LightClientFinalityUpdate {
    /// Leaves the next committee out.
    fn from(update: LightClientUpdate) -> Self {
        let LightClientUpdate { attested_header, finalized_header, finality_branch, .. } = update;
        let LightClientUpdate { sync_aggregate, signature_slot, .. } = update;
        Self { attested_header, finalized_header, finality_branch, sync_aggregate, signature_slot }
    }
}
