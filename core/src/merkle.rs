//! SSZ Merkleization (consensus-specs `ssz/simple-serialize.md`), as much of it as light-client
//! containers need: everything is a fixed number of 32-byte chunks.

use crate::{
    crypto::Crypto,
    fork::GeneralizedIndex,
    root::{Node, PubkeyWords, Root},
};

/// Roots of trees that hold nothing but zeros, by depth, as deep as the containers that guests hash need.
const ZERO_NODES: [Root; 5] = [
    Root::ZERO,
    Root([
        0xf5a5_fd42_d16a_2030,
        0x2798_ef6e_d309_979b,
        0x4300_3d23_20d9_f0e8,
        0xea98_31a9_2759_fb4b,
    ]),
    Root([
        0xdb56_114e_00fd_d4c1,
        0xf85c_892b_f35a_c9a8,
        0x9289_aaec_b1eb_d0a9,
        0x6cde_606a_748b_5d71,
    ]),
    Root([
        0xc780_09fd_f07f_c56a,
        0x11f1_2237_0658_a353,
        0xaaa5_42ed_63e4_4c4b,
        0xc15f_f4cd_105a_b33c,
    ]),
    Root([
        0x536d_9883_7f2d_d165,
        0xa55d_5eea_e914_8595,
        0x4472_d56f_246d_f256,
        0xbf3c_ae19_352a_123c,
    ]),
];

/// The root of a tree of this depth that holds nothing but zeros.
fn zero_node<C: Crypto>(depth: usize) -> Root {
    ZERO_NODES.get(depth).copied().unwrap_or_else(|| {
        let below = zero_node::<C>(depth - 1);
        C::hash_pair(&below, &below)
    })
}

/// `merkleize(chunks, limit = 2^depth)`. Uses the chunks up.
///
/// # Panics
/// If there are more than `2^depth` chunks.
#[must_use]
pub fn merkleize<C: Crypto>(chunks: &mut [Root], depth: usize) -> Root {
    assert!(chunks.len() <= 1 << depth, "more chunks than the tree has leaves");
    let mut count = chunks.len();
    for level in 0..depth {
        for i in 0..count / 2 {
            chunks[i] = C::hash_pair(&chunks[2 * i], &chunks[2 * i + 1]);
        }
        if count % 2 == 1 {
            chunks[count / 2] = C::hash_pair(&chunks[count - 1], &zero_node::<C>(level));
        }
        count = count.div_ceil(2);
    }
    chunks.first().copied().unwrap_or_else(|| zero_node::<C>(depth))
}

/// `hash_tree_root` of a container whose fields' roots are `fields`. Uses them up.
#[must_use]
pub fn container_root<C: Crypto>(fields: &mut [Root]) -> Root {
    let depth = fields.len().next_power_of_two().ilog2() as usize;
    merkleize::<C>(fields, depth)
}

/// `mix_in_length(root, length)`: the root of a list.
#[must_use]
pub fn mix_in_length<C: Crypto>(root: &Root, length: u64) -> Root {
    C::hash_pair(root, &Root::of_u64(length))
}

/// `hash_tree_root` of a `Vector[byte, 48]`: a compressed public key.
#[must_use]
pub fn pubkey_root<C: Crypto>(key: &PubkeyWords) -> Root {
    let [a, b, c, d, e, f] = *key;
    C::hash_pair(&Root([a, b, c, d]), &Root([e, f, 0, 0]))
}

/// `is_valid_merkle_branch(leaf, branch, floorlog2(index), get_subtree_index(index), root)`.
///
/// A branch of any length but the index's depth is refused.
#[must_use]
pub fn is_valid_merkle_branch<C: Crypto>(
    leaf: &impl Node,
    branch: &[impl Node],
    index: GeneralizedIndex,
    root: &impl Node,
) -> bool {
    branch.len() == index.depth()
        && branch_root::<C>(leaf, branch, index.subtree_index()) == (*root).into()
}

/// `is_valid_normalized_merkle_branch` (electra/light-client/sync-protocol.md): as
/// [`is_valid_merkle_branch`], for a branch that a newer container has lengthened at its start by zeros.
#[must_use]
pub fn is_valid_normalized_merkle_branch<C: Crypto>(
    leaf: &impl Node,
    branch: &[impl Node],
    index: GeneralizedIndex,
    root: &impl Node,
) -> bool {
    let Some(extra) = branch.len().checked_sub(index.depth()) else { return false };
    branch[..extra].iter().all(|node| (*node).into().is_zero())
        && is_valid_merkle_branch::<C>(leaf, &branch[extra..], index, root)
}

/// The root that `branch` leads to from `leaf` at position `subtree_index` of its level.
#[must_use]
pub fn branch_root<C: Crypto>(leaf: &impl Node, branch: &[impl Node], subtree_index: u64) -> Root {
    let mut index = subtree_index;
    let mut node = (*leaf).into();
    for sibling in branch {
        let sibling = (*sibling).into();
        node = if index & 1 == 1 {
            C::hash_pair(&sibling, &node)
        } else {
            C::hash_pair(&node, &sibling)
        };
        index >>= 1;
    }
    node
}

#[cfg(all(test, feature = "host"))]
mod tests {
    use super::*;
    use crate::host::NativeCrypto as N;

    fn leaf(n: u8) -> Root {
        Root([u64::from_ne_bytes([n; 8]); 4])
    }

    #[test]
    fn the_trees_of_zeros_are_pinned() {
        for pair in ZERO_NODES.windows(2) {
            assert_eq!(N::hash_pair(&pair[0], &pair[0]), pair[1]);
        }
        assert_eq!(zero_node::<N>(6), merkleize::<N>(&mut [Root::ZERO; 64], 6));
    }

    #[test]
    fn absent_chunks_count_as_zero() {
        let explicit = merkleize::<N>(&mut [leaf(1), leaf(2), leaf(3), Root::ZERO], 2);
        assert_eq!(merkleize::<N>(&mut [leaf(1), leaf(2), leaf(3)], 2), explicit);
        assert_eq!(container_root::<N>(&mut [leaf(1), leaf(2), leaf(3)]), explicit);
        assert_eq!(merkleize::<N>(&mut [], 1), N::hash_pair(&Root::ZERO, &Root::ZERO));
    }

    #[test]
    fn a_branch_proves_its_leaf_and_no_other() {
        let (l, r) = (N::hash_pair(&leaf(1), &leaf(2)), N::hash_pair(&leaf(3), &leaf(4)));
        let root = N::hash_pair(&l, &r);
        let index = GeneralizedIndex(6); // the third of four leaves
        let branch = [leaf(4), l];
        assert!(is_valid_merkle_branch::<N>(&leaf(3), &branch, index, &root));
        assert!(!is_valid_merkle_branch::<N>(&leaf(5), &branch, index, &root));
        assert!(!is_valid_merkle_branch::<N>(&leaf(3), &branch, GeneralizedIndex(7), &root));
        assert!(!is_valid_merkle_branch::<N>(&leaf(3), &branch, index, &l));
    }

    #[test]
    fn a_branch_of_the_wrong_depth_is_refused() {
        let root = N::hash_pair(&leaf(1), &leaf(2));
        assert!(!is_valid_merkle_branch::<N>(&root, &[] as &[Root], GeneralizedIndex(2), &root));
        let lengthened = [Root::ZERO, leaf(2)];
        assert!(!is_valid_merkle_branch::<N>(&leaf(1), &lengthened, GeneralizedIndex(2), &root));
        assert!(is_valid_normalized_merkle_branch::<N>(
            &leaf(1),
            &lengthened,
            GeneralizedIndex(2),
            &root
        ));
        let not_zero = [leaf(9), leaf(2)];
        assert!(!is_valid_normalized_merkle_branch::<N>(
            &leaf(1),
            &not_zero,
            GeneralizedIndex(2),
            &root
        ));
    }
}
