//! The small containers that every check hashes: headers, and what a signature signs.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, FixedBytes, U256};
use serde::{Deserialize, Serialize};

use crate::{
    crypto::Crypto,
    fork::Fork,
    merkle::{chunk_bytes, chunk_u64, chunk_u256, container_root, merkleize, mix_in_length},
};

/// `BeaconBlockHeader` (phase0/beacon-chain.md).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub struct BeaconBlockHeader {
    pub slot: u64,
    pub proposer_index: u64,
    pub parent_root: B256,
    pub state_root: B256,
    pub body_root: B256,
}

impl BeaconBlockHeader {
    /// Bytes of the SSZ encoding.
    pub const SSZ_BYTES: usize = 112;

    /// `hash_tree_root(header)`: the block root.
    #[must_use]
    pub fn hash_tree_root<C: Crypto>(&self) -> B256 {
        container_root::<C>(&[
            chunk_u64(self.slot),
            chunk_u64(self.proposer_index),
            self.parent_root,
            self.state_root,
            self.body_root,
        ])
    }
}

/// `ExecutionPayloadHeader` with the fields of Deneb; before Deneb the two blob fields are zero and
/// do not count in the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub struct ExecutionPayloadHeader {
    pub parent_hash: B256,
    pub fee_recipient: Address,
    pub state_root: B256,
    pub receipts_root: B256,
    pub logs_bloom: FixedBytes<256>,
    pub prev_randao: B256,
    pub block_number: u64,
    pub gas_limit: u64,
    pub gas_used: u64,
    pub timestamp: u64,
    /// At most [`Self::MAX_EXTRA_DATA_BYTES`].
    pub extra_data: Vec<u8>,
    pub base_fee_per_gas: U256,
    pub block_hash: B256,
    pub transactions_root: B256,
    pub withdrawals_root: B256,
    pub blob_gas_used: u64,
    pub excess_blob_gas: u64,
}

impl ExecutionPayloadHeader {
    /// `MAX_EXTRA_DATA_BYTES` (bellatrix/beacon-chain.md).
    pub const MAX_EXTRA_DATA_BYTES: usize = 32;

    /// `get_lc_execution_root` for a header of `fork`: zero before Capella, when light-client headers
    /// had no execution part. None if `extra_data` is longer than any block's can be.
    #[must_use]
    pub fn hash_tree_root<C: Crypto>(&self, fork: Fork) -> Option<B256> {
        if !fork.has_execution() {
            return Some(B256::ZERO);
        }
        if self.extra_data.len() > Self::MAX_EXTRA_DATA_BYTES {
            return None;
        }
        let mut bloom = [B256::ZERO; 8];
        for (chunk, bytes) in bloom.iter_mut().zip(self.logs_bloom.chunks_exact(32)) {
            *chunk = B256::from_slice(bytes);
        }
        let extra_data = mix_in_length::<C>(
            &merkleize::<C>(&[chunk_bytes(&self.extra_data)], 0),
            self.extra_data.len() as u64,
        );
        let fields = [
            self.parent_hash,
            chunk_bytes(self.fee_recipient.as_slice()),
            self.state_root,
            self.receipts_root,
            merkleize::<C>(&bloom, 3),
            self.prev_randao,
            chunk_u64(self.block_number),
            chunk_u64(self.gas_limit),
            chunk_u64(self.gas_used),
            chunk_u64(self.timestamp),
            extra_data,
            chunk_u256(&self.base_fee_per_gas),
            self.block_hash,
            self.transactions_root,
            self.withdrawals_root,
            chunk_u64(self.blob_gas_used),
            chunk_u64(self.excess_blob_gas),
        ];
        let count = if fork >= Fork::Deneb { 17 } else { 15 };
        Some(container_root::<C>(&fields[..count]))
    }

    /// Whether the blob fields are zero, as `is_valid_light_client_header` wants before Deneb.
    #[must_use]
    pub const fn has_no_blob_fields(&self) -> bool {
        self.blob_gas_used == 0 && self.excess_blob_gas == 0
    }
}

/// `DOMAIN_SYNC_COMMITTEE` (altair/beacon-chain.md).
pub const DOMAIN_SYNC_COMMITTEE: [u8; 4] = [7, 0, 0, 0];

/// `compute_domain(DOMAIN_SYNC_COMMITTEE, fork_version, genesis_validators_root)`.
#[must_use]
pub fn compute_sync_committee_domain<C: Crypto>(
    fork_version: [u8; 4],
    genesis_validators_root: &B256,
) -> B256 {
    let fork_data_root = compute_fork_data_root::<C>(fork_version, genesis_validators_root);
    let mut domain = B256::ZERO;
    domain[..4].copy_from_slice(&DOMAIN_SYNC_COMMITTEE);
    domain[4..].copy_from_slice(&fork_data_root[..28]);
    domain
}

/// `compute_fork_data_root` (phase0/beacon-chain.md); its first 4 bytes are the fork digest up to Electra.
#[must_use]
pub fn compute_fork_data_root<C: Crypto>(
    fork_version: [u8; 4],
    genesis_validators_root: &B256,
) -> B256 {
    C::hash_pair(&chunk_bytes(&fork_version), genesis_validators_root)
}

/// `compute_signing_root(header, domain)`.
#[must_use]
pub fn compute_signing_root<C: Crypto>(header: &BeaconBlockHeader, domain: &B256) -> B256 {
    C::hash_pair(&header.hash_tree_root::<C>(), domain)
}
