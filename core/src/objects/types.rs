//! The objects themselves, in one shape for all forks.

use alloy_primitives::B256;

use crate::{
    containers::{BeaconBlockHeader, ExecutionPayloadHeader},
    crypto::{BlsPubkey, BlsSignature},
};

/// The keys that sign for one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncCommittee {
    /// `sync_committee_size` compressed G1 points, in the order of the participation bits. Duplicates are legal.
    pub pubkeys: Vec<BlsPubkey>,
    /// Sum of `pubkeys`, as the beacon state has it.
    pub aggregate_pubkey: BlsPubkey,
}

/// A beacon header and, from Capella on, the execution header under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClientHeader {
    /// The beacon block's header.
    pub beacon: BeaconBlockHeader,
    /// The execution payload's header; the default before Capella, blob fields 0 before Deneb.
    pub execution: ExecutionPayloadHeader,
    /// From the execution payload header's root to `beacon.body_root`, 4 hashes, lowest first; zeros before Capella.
    pub execution_branch: Vec<B256>,
}

impl LightClientHeader {
    /// Hashes from the execution payload header's root to the body root, in every fork since Capella.
    pub const EXECUTION_BRANCH_DEPTH: usize = 4;
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
    /// From the committee's root to `header.beacon.state_root`: 5 hashes, from Electra on 6.
    pub current_sync_committee_branch: Vec<B256>,
}

/// A signed header with the next period's committee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightClientUpdate {
    /// The header that the committee signed.
    pub attested_header: LightClientHeader,
    /// The committee of the period after the attested header's; all zero where the update has none.
    pub next_sync_committee: SyncCommittee,
    /// From that committee's root to `attested_header.beacon.state_root`: 5 hashes, from Electra on 6.
    pub next_sync_committee_branch: Vec<B256>,
    /// The header that the attested state holds final; all zero where the update has none.
    pub finalized_header: LightClientHeader,
    /// From the finalized header's root to `attested_header.beacon.state_root`: 6 hashes, from Electra on 7.
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
    /// From the finalized header's root to `attested_header.beacon.state_root`: 6 hashes, from Electra on 7.
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
