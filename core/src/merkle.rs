//! SSZ Merkleization (consensus-specs `ssz/simple-serialize.md`), as much of it as light-client
//! containers need: everything is a fixed number of 32-byte chunks.

use alloc::vec::Vec;

use alloy_primitives::{B256, U256};

use crate::{crypto::Crypto, fork::GeneralizedIndex};

/// The chunk of a `uint64`: little endian, zero-padded.
#[must_use]
pub fn chunk_u64(value: u64) -> B256 {
    let mut chunk = B256::ZERO;
    chunk[..8].copy_from_slice(&value.to_le_bytes());
    chunk
}

/// The chunk of a `uint256`: little endian.
#[must_use]
pub fn chunk_u256(value: &U256) -> B256 {
    B256::from(value.to_le_bytes::<32>())
}

/// The chunk of a byte vector of at most 32 bytes, zero-padded.
///
/// # Panics
/// If `bytes` is longer than a chunk.
#[must_use]
pub fn chunk_bytes(bytes: &[u8]) -> B256 {
    let mut chunk = B256::ZERO;
    chunk[..bytes.len()].copy_from_slice(bytes);
    chunk
}

/// `merkleize(chunks, limit = 2^depth)`.
///
/// # Panics
/// If there are more than `2^depth` chunks.
#[must_use]
pub fn merkleize<C: Crypto>(chunks: &[B256], depth: usize) -> B256 {
    assert!(chunks.len() <= 1 << depth, "more chunks than the tree has leaves");
    let mut layer: Vec<B256> = chunks.to_vec();
    let mut zero = B256::ZERO;
    for _ in 0..depth {
        if layer.len() % 2 == 1 {
            layer.push(zero);
        }
        for i in 0..layer.len() / 2 {
            layer[i] = C::hash_pair(&layer[2 * i], &layer[2 * i + 1]);
        }
        layer.truncate(layer.len() / 2);
        zero = C::hash_pair(&zero, &zero);
    }
    layer.first().copied().unwrap_or(zero)
}

/// `hash_tree_root` of a container whose fields' roots are `fields`.
#[must_use]
pub fn container_root<C: Crypto>(fields: &[B256]) -> B256 {
    merkleize::<C>(fields, fields.len().next_power_of_two().ilog2() as usize)
}

/// `mix_in_length(root, length)`: the root of a list.
#[must_use]
pub fn mix_in_length<C: Crypto>(root: &B256, length: u64) -> B256 {
    C::hash_pair(root, &chunk_u64(length))
}

/// `hash_tree_root` of a `Vector[byte, 48]`: a compressed public key.
#[must_use]
pub fn pubkey_root<C: Crypto>(key: &[u8; 48]) -> B256 {
    C::hash_pair(&chunk_bytes(&key[..32]), &chunk_bytes(&key[32..]))
}

/// `is_valid_merkle_branch(leaf, branch, floorlog2(index), get_subtree_index(index), root)`.
///
/// A branch of any length but the index's depth is refused.
#[must_use]
pub fn is_valid_merkle_branch<C: Crypto>(
    leaf: &B256,
    branch: &[B256],
    index: GeneralizedIndex,
    root: &B256,
) -> bool {
    branch.len() == index.depth() && branch_root::<C>(leaf, branch, index.subtree_index()) == *root
}

/// `is_valid_normalized_merkle_branch` (electra/light-client/sync-protocol.md): as
/// [`is_valid_merkle_branch`], for a branch that a newer container has lengthened at its start by zeros.
#[must_use]
pub fn is_valid_normalized_merkle_branch<C: Crypto>(
    leaf: &B256,
    branch: &[B256],
    index: GeneralizedIndex,
    root: &B256,
) -> bool {
    let Some(extra) = branch.len().checked_sub(index.depth()) else { return false };
    branch[..extra].iter().all(B256::is_zero)
        && is_valid_merkle_branch::<C>(leaf, &branch[extra..], index, root)
}

/// The root that `branch` leads to from `leaf` at position `subtree_index` of its level.
#[must_use]
pub fn branch_root<C: Crypto>(leaf: &B256, branch: &[B256], subtree_index: u64) -> B256 {
    branch.iter().enumerate().fold(*leaf, |node, (level, sibling)| {
        if subtree_index >> level & 1 == 1 {
            C::hash_pair(sibling, &node)
        } else {
            C::hash_pair(&node, sibling)
        }
    })
}

#[cfg(all(test, feature = "host"))]
mod tests {
    use super::*;
    use crate::host::NativeCrypto as N;

    fn leaf(n: u8) -> B256 {
        B256::repeat_byte(n)
    }

    #[test]
    fn absent_chunks_count_as_zero() {
        let explicit = merkleize::<N>(&[leaf(1), leaf(2), leaf(3), B256::ZERO], 2);
        assert_eq!(merkleize::<N>(&[leaf(1), leaf(2), leaf(3)], 2), explicit);
        assert_eq!(container_root::<N>(&[leaf(1), leaf(2), leaf(3)]), explicit);
        assert_eq!(merkleize::<N>(&[], 1), N::hash_pair(&B256::ZERO, &B256::ZERO));
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
        assert!(!is_valid_merkle_branch::<N>(&root, &[], GeneralizedIndex(2), &root));
        let lengthened = [B256::ZERO, leaf(2)];
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
