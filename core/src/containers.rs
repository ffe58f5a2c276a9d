//! The small containers that every check hashes: headers, and what a signature signs.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, FixedBytes, U256};
use serde::{Deserialize, Serialize};

use crate::{
    crypto::Crypto,
    fork::{ExecutionForm, Fork},
    merkle::{container_root, merkleize, mix_in_length},
    root::{Node, Root},
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
        Header::from(*self).hash_tree_root::<C>().into()
    }
}

/// A [`BeaconBlockHeader`] as witnesses hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub struct Header {
    pub slot: u64,
    pub proposer_index: u64,
    pub parent_root: Root,
    pub state_root: Root,
    pub body_root: Root,
}

impl Header {
    /// `hash_tree_root(header)`: the block root.
    #[must_use]
    pub fn hash_tree_root<C: Crypto>(&self) -> Root {
        container_root::<C>(&mut [
            Root::of_u64(self.slot),
            Root::of_u64(self.proposer_index),
            self.parent_root,
            self.state_root,
            self.body_root,
        ])
    }
}

impl From<BeaconBlockHeader> for Header {
    fn from(header: BeaconBlockHeader) -> Self {
        Self {
            slot: header.slot,
            proposer_index: header.proposer_index,
            parent_root: header.parent_root.into(),
            state_root: header.state_root.into(),
            body_root: header.body_root.into(),
        }
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

    /// Position of `block_hash` among the fields.
    const BLOCK_HASH: usize = 12;

    /// `get_lc_execution_root` for a header of `fork`: zero before Capella, when light-client headers
    /// had no execution part. None if `extra_data` is longer than any block's can be, and from Gloas on, when
    /// light-client headers have the block's hash instead.
    #[must_use]
    pub fn hash_tree_root<C: Crypto>(&self, fork: Fork) -> Option<Root> {
        match fork.execution_form() {
            ExecutionForm::Absent => Some(Root::ZERO),
            ExecutionForm::PayloadHeader => {
                self.field_roots::<C>(fork).map(|mut fields| container_root::<C>(&mut fields))
            }
            ExecutionForm::BlockHash => None,
        }
    }

    /// From `block_hash` to [`Self::hash_tree_root`], lowest first. None where that is none, and before Capella.
    #[must_use]
    pub fn block_hash_branch<C: Crypto>(&self, fork: Fork) -> Option<Vec<Root>> {
        if fork.execution_form() != ExecutionForm::PayloadHeader {
            return None;
        }
        let mut layer = self.field_roots::<C>(fork)?;
        layer.resize(layer.len().next_power_of_two(), Root::ZERO);
        let (mut branch, mut at) = (Vec::new(), Self::BLOCK_HASH);
        while layer.len() > 1 {
            branch.push(layer[at ^ 1]);
            layer = layer.chunks_exact(2).map(|pair| C::hash_pair(&pair[0], &pair[1])).collect();
            at /= 2;
        }
        Some(branch)
    }

    /// The roots of the fields that the header has at `fork`, in order. None if `extra_data` is longer than any
    /// block's can be.
    #[must_use]
    pub fn field_roots<C: Crypto>(&self, fork: Fork) -> Option<Vec<Root>> {
        if self.extra_data.len() > Self::MAX_EXTRA_DATA_BYTES {
            return None;
        }
        let mut bloom = [Root::ZERO; 8];
        for (chunk, bytes) in bloom.iter_mut().zip(self.logs_bloom.chunks_exact(32)) {
            *chunk = Root::of_bytes(bytes);
        }
        let extra_data = Root::of_bytes(&self.extra_data);
        let mut fields = Vec::from([
            self.parent_hash.into(),
            Root::of_bytes(self.fee_recipient.as_slice()),
            self.state_root.into(),
            self.receipts_root.into(),
            merkleize::<C>(&mut bloom, 3),
            self.prev_randao.into(),
            Root::of_u64(self.block_number),
            Root::of_u64(self.gas_limit),
            Root::of_u64(self.gas_used),
            Root::of_u64(self.timestamp),
            mix_in_length::<C>(&extra_data, self.extra_data.len() as u64),
            Root::of_u256(&self.base_fee_per_gas),
            self.block_hash.into(),
            self.transactions_root.into(),
            self.withdrawals_root.into(),
        ]);
        if fork >= Fork::Deneb {
            fields.extend([self.blob_gas_used, self.excess_blob_gas].map(Root::of_u64));
        }
        Some(fields)
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
    genesis_validators_root: &impl Node,
) -> Root {
    // The type's 4 bytes, then the fork data root's first 28.
    let kind = u64::from(u32::from_be_bytes(DOMAIN_SYNC_COMMITTEE));
    let Root([a, b, c, d]) = fork_data_root::<C>(fork_version, genesis_validators_root);
    Root([kind << 32 | a >> 32, a << 32 | b >> 32, b << 32 | c >> 32, c << 32 | d >> 32])
}

/// `compute_fork_data_root` (phase0/beacon-chain.md); its first 4 bytes are the fork digest up to Electra.
#[must_use]
pub fn compute_fork_data_root<C: Crypto>(
    fork_version: [u8; 4],
    genesis_validators_root: &impl Node,
) -> B256 {
    fork_data_root::<C>(fork_version, genesis_validators_root).into()
}

fn fork_data_root<C: Crypto>(version: [u8; 4], genesis_validators_root: &impl Node) -> Root {
    let version = Root([u64::from(u32::from_be_bytes(version)) << 32, 0, 0, 0]);
    C::hash_pair(&version, &(*genesis_validators_root).into())
}

/// `compute_signing_root(header, domain)`.
#[must_use]
pub fn compute_signing_root<C: Crypto>(header: &Header, domain: &Root) -> Root {
    C::hash_pair(&header.hash_tree_root::<C>(), domain)
}

#[cfg(all(test, feature = "host"))]
mod tests {
    use super::*;
    use crate::host::NativeCrypto;

    #[test]
    fn extra_data_may_fill_its_chunk_and_no_more() {
        let with = |length: usize| ExecutionPayloadHeader {
            extra_data: core::iter::repeat_n(1, length).collect(),
            ..ExecutionPayloadHeader::default()
        };
        for fork in [Fork::Capella, Fork::Fulu] {
            assert!(with(32).hash_tree_root::<NativeCrypto>(fork).is_some());
            for length in [33, 34, 40] {
                assert_eq!(with(length).field_roots::<NativeCrypto>(fork), None, "{length}");
                assert_eq!(with(length).hash_tree_root::<NativeCrypto>(fork), None, "{length}");
                assert_eq!(with(length).block_hash_branch::<NativeCrypto>(fork), None, "{length}");
            }
        }
    }

    #[test]
    fn a_blob_field_is_one_whatever_the_other_says() {
        let with = |blob_gas_used, excess_blob_gas| ExecutionPayloadHeader {
            blob_gas_used,
            excess_blob_gas,
            ..ExecutionPayloadHeader::default()
        };
        let seen = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(a, b)| with(a, b).has_no_blob_fields());
        assert_eq!(seen, [true, false, false, false]);
    }
}
