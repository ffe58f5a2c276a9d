//! Roots of the objects that a statement binds, and what else hashing makes of them.

use alloy_primitives::B256;

use crate::{
    chain_spec::ChainSpec,
    containers::ExecutionPayloadHeader,
    crypto::Crypto,
    fork::ExecutionForm,
    merkle::{branch_root, container_root, pubkey_root},
    objects::{LightClientHeader, SyncCommittee},
    root::{Root, pubkey_words},
};

impl SyncCommittee {
    /// `hash_tree_root(committee)`, as in the beacon state.
    #[must_use]
    pub fn hash_tree_root<C: Crypto>(&self) -> B256 {
        let root = |key| pubkey_root::<C>(&pubkey_words(key));
        let mut keys: Vec<Root> = self.pubkeys.iter().map(root).collect();
        C::hash_pair(&container_root::<C>(&mut keys), &root(&self.aggregate_pubkey)).into()
    }
}

impl LightClientHeader {
    /// `get_lc_execution_root(header)`: root of the execution payload header, zero before Capella; for a block of Gloas
    /// the execution block's hash. None before Altair, or if `extra_data` is too long.
    #[must_use]
    pub fn execution_root<C: Crypto>(&self, spec: &ChainSpec) -> Option<Root> {
        let fork = spec.fork_at_slot(self.beacon.slot)?;
        if !self.has_hash_form() {
            return self.execution.hash_tree_root::<C>(fork);
        }
        let at = fork.gindices();
        let hash = self.execution.block_hash;
        let Some(payload) = at.execution_payload else { return Some(hash.into()) };
        if self.beacon.slot == 0 {
            return ExecutionPayloadHeader::default().hash_tree_root::<C>(fork);
        }
        // The payload header's root lies on the way from the hash to the body's root.
        let index = at.execution_block_hash?;
        let (levels, above) = (index.depth() - payload.depth(), payload.depth());
        let (branch, _) = self.execution_branch.split_at(self.execution_branch.len() - above);
        let position = index.subtree_index() % (1 << levels);
        Some(branch_root::<C>(&hash, branch.split_at(branch.len() - levels).1, position))
    }

    /// `upgrade_lc_header_to_gloas` (gloas/light-client/fork.md): the same header in Gloas's form, in which objects of
    /// Gloas hold those of older blocks too. None before Altair, if `extra_data` is too long, and where the block is of
    /// Gloas, yet the header in the older form.
    #[must_use]
    pub fn upgrade_to_gloas<C: Crypto>(&self, spec: &ChainSpec) -> Option<Self> {
        if self.has_hash_form() {
            return Some(self.clone());
        }
        let mut branch = vec![B256::ZERO; Self::BLOCK_HASH_BRANCH_DEPTH];
        let fork = spec.fork_at_slot(self.beacon.slot)?;
        if self.is_empty() || fork.execution_form() == ExecutionForm::Absent {
            return Some(Self { beacon: self.beacon, execution_branch: branch, ..Self::default() });
        }
        let below = self.execution.block_hash_branch::<C>(fork)?.into_iter().map(B256::from);
        let nodes: Vec<_> = below.chain(self.execution_branch.iter().copied()).collect();
        let padding = branch.len().checked_sub(nodes.len())?;
        branch[padding..].copy_from_slice(&nodes);
        let block_hash = self.execution.block_hash;
        let execution = ExecutionPayloadHeader { block_hash, ..Default::default() };
        Some(Self { beacon: self.beacon, execution, execution_branch: branch })
    }
}
