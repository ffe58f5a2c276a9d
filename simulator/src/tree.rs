//! A Merkle tree of which a few leaves are known and the rest is made up.

use std::collections::BTreeMap;

use lc_core::{Crypto, GeneralizedIndex, alloy_primitives::B256, host::NativeCrypto};

use crate::seed::Seed;

/// A beacon state or block body: real where a light client looks, hashes of the seed elsewhere.
#[derive(Debug)]
pub(crate) struct SparseTree<'a> {
    seed: &'a Seed,
    label: &'static str,
    slot: u64,
    leaves: BTreeMap<u64, B256>,
}

impl<'a> SparseTree<'a> {
    /// A tree of which nothing is known; `label` and `slot` say whose it is.
    pub(crate) const fn new(seed: &'a Seed, label: &'static str, slot: u64) -> Self {
        Self { seed, label, slot, leaves: BTreeMap::new() }
    }

    /// Sets the node at `index`.
    pub(crate) fn with(mut self, index: GeneralizedIndex, node: B256) -> Self {
        self.leaves.insert(index.0, node);
        self
    }

    /// The root.
    pub(crate) fn root(&self) -> B256 {
        self.node(1)
    }

    /// The branch from the node at `index` to the root, lowest sibling first.
    pub(crate) fn branch(&self, index: GeneralizedIndex) -> Vec<B256> {
        (0..index.depth()).map(|level| self.node((index.0 >> level) ^ 1)).collect()
    }

    fn node(&self, index: u64) -> B256 {
        if let Some(leaf) = self.leaves.get(&index) {
            return *leaf;
        }
        if self.leaves.keys().any(|leaf| is_below(*leaf, index)) {
            let [left, right] = [2 * index, 2 * index + 1].map(|child| self.node(child).into());
            return NativeCrypto::hash_pair(&left, &right).into();
        }
        self.seed.bytes(self.label, &[self.slot, index])
    }
}

/// Whether node `below` is in the subtree of `above`.
fn is_below(below: u64, above: u64) -> bool {
    below > above && below >> (below.ilog2() - above.ilog2()) == above
}

#[cfg(test)]
mod tests {
    use lc_core::merkle::is_valid_merkle_branch;

    use super::*;

    #[test]
    fn every_known_leaf_has_a_branch_to_the_one_root() {
        let seed = Seed::new(1);
        let leaves = [(105, 1), (104, 2), (54, 3), (55, 4)];
        let tree = leaves.iter().fold(SparseTree::new(&seed, "state", 9), |tree, (index, byte)| {
            tree.with(GeneralizedIndex(*index), B256::repeat_byte(*byte))
        });
        for (index, byte) in leaves {
            let (index, leaf) = (GeneralizedIndex(index), B256::repeat_byte(byte));
            let branch = tree.branch(index);
            assert!(is_valid_merkle_branch::<NativeCrypto>(&leaf, &branch, index, &tree.root()));
        }
    }
}
