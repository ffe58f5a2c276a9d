//! What a statement says of the execution block: three fields of its header, proven in the beacon block's body.

use alloc::vec::Vec;

use crate::{
    crypto::Crypto,
    fork::Fork,
    merkle::{branch_root, is_valid_merkle_branch},
    root::Root,
    sync_protocol::CheckError,
};

/// Positions of the three among the fields of `ExecutionPayloadHeader` (bellatrix/beacon-chain.md).
const STATE_ROOT: u64 = 2;
const BLOCK_NUMBER: u64 = 6;
const BLOCK_HASH: u64 = 12;

/// A finalized block's execution, with the nodes of one Merkle multiproof: 14 hashes, where hashing the whole header
/// takes 32.
///
/// ```text
///                 body root
///                     | branch
///             first sixteen fields
///          /                      \
///     fields 0-7                fields 8-15
///     /        \               /           \
///   0-3        4-7          [8-11]        12-15
///   /  \       /  \                        /   \
/// [0,1] 2,3  [4,5] 6,7                 12,13  [14,15]
/// ```
///
/// In brackets, beside what is proven: the nodes given, as are fields 3, 7 and 13.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Execution {
    /// `block_number`.
    pub block_number: u64,
    /// `block_hash`.
    pub block_hash: Root,
    /// `state_root`.
    pub state_root: Root,
    /// Field 13, fields 14 and 15, fields 8 to 11.
    pub beside_hash: [Root; 3],
    /// Field 7, fields 4 and 5.
    pub beside_number: [Root; 2],
    /// Field 3, fields 0 and 1.
    pub beside_state_root: [Root; 2],
    /// From the first sixteen fields' root to the body root; depth as the finalized slot's fork says.
    pub branch: Vec<Root>,
}

impl Execution {
    /// Checks the three fields against the body of a block of `fork`. Before Capella light-client headers had no
    /// execution part: nothing may be said of it then.
    ///
    /// # Errors
    /// [`CheckError::ExecutionFields`] or [`CheckError::ExecutionBranch`].
    pub fn verify<C: Crypto>(&self, fork: Fork, body_root: &Root) -> Result<(), CheckError> {
        let Some(index) = fork.gindices().execution_fields else {
            let nothing = *self == Self::default();
            return if nothing { Ok(()) } else { Err(CheckError::ExecutionFields("finalized")) };
        };
        let root = self.first_sixteen_fields::<C>();
        if is_valid_merkle_branch::<C>(&root, &self.branch, index, body_root) {
            Ok(())
        } else {
            Err(CheckError::ExecutionBranch("finalized"))
        }
    }

    fn first_sixteen_fields<C: Crypto>(&self) -> Root {
        let up = |leaf: &Root, beside: &[Root], field: u64| {
            branch_root::<C>(leaf, beside, field % (1 << beside.len()))
        };
        let state_root = up(&self.state_root, &self.beside_state_root, STATE_ROOT);
        let number = up(&Root::of_u64(self.block_number), &self.beside_number, BLOCK_NUMBER);
        let hash = up(&self.block_hash, &self.beside_hash, BLOCK_HASH);
        C::hash_pair(&C::hash_pair(&state_root, &number), &hash)
    }
}
