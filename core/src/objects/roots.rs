//! Roots of the objects that a statement binds.

use alloy_primitives::B256;

use crate::{
    chain_spec::ChainSpec,
    crypto::Crypto,
    merkle::{container_root, pubkey_root},
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
    /// `get_lc_execution_root(header)`: the root that the execution branch starts from; zero before Capella.
    /// None before Altair, or if `extra_data` is too long.
    #[must_use]
    pub fn execution_root<C: Crypto>(&self, spec: &ChainSpec) -> Option<Root> {
        self.execution.hash_tree_root::<C>(spec.fork_at_slot(self.beacon.slot)?)
    }
}
