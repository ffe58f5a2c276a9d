//! Merkle-Patricia tries: small ones whole, or large ones of which a few leaves are known.

use std::collections::{BTreeMap, BTreeSet};

use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use lc_core::alloy_primitives::{B256, Bytes};

use crate::seed::Seed;

/// A trie with its keys already hashed.
///
/// With a `depth` of 0 it holds its leaves and nothing else. With more, every node on the way to a known
/// path has 16 children down to that depth, those off the way being hashes of the seed: proofs have the
/// length and size of a trie of 16^depth leaves, without them. Only known paths can then be proven.
#[derive(Debug, Clone)]
pub(crate) struct Trie {
    /// Values by path.
    pub(crate) leaves: BTreeMap<B256, Vec<u8>>,
    /// Paths that can be proven absent.
    pub(crate) absent: BTreeSet<B256>,
    /// Levels of made-up siblings.
    pub(crate) depth: usize,
    /// Source of the made-up siblings.
    pub(crate) seed: Seed,
    /// Tells tries of one seed apart.
    pub(crate) number: u64,
}

impl Trie {
    /// The root: that of the empty trie if there is nothing in it.
    pub(crate) fn root(&self) -> B256 {
        self.build(Vec::new()).root()
    }

    /// The nodes from the root to where `path` ends, RLP; none for an empty trie. `None` if the path leads
    /// into the made-up part.
    pub(crate) fn prove(&self, path: &B256) -> Option<Vec<Bytes>> {
        if self.leaves.is_empty() {
            return Some(Vec::new());
        }
        if self.depth > 0 && !self.leaves.contains_key(path) && !self.absent.contains(path) {
            return None;
        }
        let path = Nibbles::unpack(path);
        let mut builder = self.build(vec![path]);
        builder.root();
        let nodes = builder.take_proof_nodes().matching_nodes_sorted(&path);
        Some(nodes.into_iter().map(|(_, node)| node).collect())
    }

    fn build(&self, targets: Vec<Nibbles>) -> HashBuilder {
        let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets));
        if self.depth == 0 || self.leaves.is_empty() {
            self.add_leaves(&mut builder, &Nibbles::new());
        } else {
            self.add_level(&mut builder, &Nibbles::new());
        }
        builder
    }

    /// Adds the 16 children of the node at `prefix`, in order.
    fn add_level(&self, builder: &mut HashBuilder, prefix: &Nibbles) {
        for nibble in 0..16 {
            let mut child = *prefix;
            child.push(nibble);
            if !self.is_known(&child) {
                builder.add_branch(child, self.made_up(&child), false);
            } else if child.len() == self.depth {
                self.add_leaves(builder, &child);
            } else {
                self.add_level(builder, &child);
            }
        }
    }

    fn add_leaves(&self, builder: &mut HashBuilder, prefix: &Nibbles) {
        for (path, value) in &self.leaves {
            let path = Nibbles::unpack(path);
            if path.starts_with(prefix) {
                builder.add_leaf(path, value);
            }
        }
    }

    fn is_known(&self, prefix: &Nibbles) -> bool {
        let mut known = self.leaves.keys().chain(&self.absent);
        known.any(|path| Nibbles::unpack(path).starts_with(prefix))
    }

    fn made_up(&self, prefix: &Nibbles) -> B256 {
        // The leading 1 keeps prefixes of different lengths apart.
        let place = prefix.iter().fold(1, |place, nibble| place << 4 | u64::from(nibble));
        self.seed.bytes("trie node", &[self.number, place])
    }
}

#[cfg(test)]
mod tests {
    use alloy_trie::proof::verify_proof;
    use lc_core::alloy_primitives::keccak256;

    use super::*;

    fn trie(leaves: u64, depth: usize) -> Trie {
        let path = |n: u64| keccak256(n.to_be_bytes());
        Trie {
            leaves: (0..leaves).map(|n| (path(n), vec![n as u8; 40])).collect(),
            absent: (1000..1003).map(path).collect(),
            depth,
            seed: Seed::new(1),
            number: 1,
        }
    }

    #[test]
    fn presence_and_absence_verify_with_the_trie_library_in_tries_of_every_shape() {
        for (leaves, depth) in [(1, 0), (2, 0), (60, 0), (1, 3), (5, 7)] {
            let trie = trie(leaves, depth);
            let root = trie.root();
            let known = trie.leaves.iter().map(|(path, value)| (path, Some(value.clone())));
            for (path, value) in known.chain(trie.absent.iter().map(|path| (path, None))) {
                let nodes = trie.prove(path).unwrap();
                verify_proof(root, Nibbles::unpack(path), value, &nodes).unwrap();
            }
        }
    }

    #[test]
    fn a_made_up_trie_gives_proofs_of_its_depth_and_none_for_unknown_paths() {
        let trie = trie(5, 7);
        let path = *trie.leaves.keys().next().unwrap();
        let nodes = trie.prove(&path).unwrap();
        assert_eq!(nodes.len(), 8);
        assert!(nodes[..6].iter().all(|node| node.len() == 532));
        assert_eq!(trie.prove(&keccak256("unknown")), None);
    }

    #[test]
    fn an_empty_trie_has_the_empty_root_and_no_nodes() {
        let trie = Trie { leaves: BTreeMap::new(), ..trie(1, 3) };
        assert_eq!(trie.root(), alloy_trie::EMPTY_ROOT_HASH);
        assert_eq!(trie.prove(&keccak256("any")), Some(Vec::new()));
    }
}
