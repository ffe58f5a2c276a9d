//! What a statement says of the execution block: its number, its hash and its state root, proven in the beacon block's
//! body.

use alloc::{boxed::Box, vec::Vec};

use alloy_primitives::Bytes;

use crate::{
    crypto::Crypto,
    execution_header::ExecutionBlock,
    fork::{ExecutionForm, Fork},
    merkle::{branch_root, is_valid_merkle_branch},
    root::Root,
    sync_protocol::CheckError,
};

/// A finalized block's execution, in the form that the fork of the finalized slot has. `B` holds the bytes of an
/// execution block header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution<B = Bytes> {
    /// Before Capella, when light-client headers had no execution part: nothing is said of it.
    Absent,
    /// Capella to Fulu. In a box, for a guest pays for each word of a value that it hands on.
    Payload(Box<PayloadFields>),
    /// From Gloas on.
    Block(NamedBlock<B>),
}

impl<B: AsRef<[u8]>> Execution<B> {
    /// Checks what is said against the body of a block of `fork`. All zero where nothing may be.
    ///
    /// # Errors
    /// [`CheckError::ExecutionFields`] if the form is another fork's, [`CheckError::ExecutionBranch`] or
    /// [`CheckError::ExecutionHeader`].
    // Inlined into a guest it takes registers from the signature's arithmetic: 3 % of an inclusion's cycles.
    #[inline(never)]
    pub fn verify<C: Crypto>(
        &self,
        fork: Fork,
        body_root: &Root,
    ) -> Result<ExecutionBlock, CheckError> {
        match (fork.execution_form(), self) {
            (ExecutionForm::Absent, Self::Absent) => Ok(ExecutionBlock::default()),
            (ExecutionForm::PayloadHeader, Self::Payload(fields)) => {
                fields.verify::<C>(fork, body_root)
            }
            (ExecutionForm::BlockHash, Self::Block(block)) => block.verify::<C>(fork, body_root),
            _ => Err(CheckError::ExecutionFields("finalized")),
        }
    }
}

/// Positions of the three among the fields of `ExecutionPayloadHeader` (bellatrix/beacon-chain.md).
const STATE_ROOT: u64 = 2;
const BLOCK_NUMBER: u64 = 6;
const BLOCK_HASH: u64 = 12;

/// Three fields of an execution payload header, with the nodes of one Merkle multiproof: 14 hashes, where hashing the
/// whole header takes 32.
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
pub struct PayloadFields {
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

impl PayloadFields {
    fn verify<C: Crypto>(
        &self,
        fork: Fork,
        body_root: &Root,
    ) -> Result<ExecutionBlock, CheckError> {
        let root = self.first_sixteen_fields::<C>();
        let index = fork.gindices().execution_fields;
        if index.is_some_and(|at| is_valid_merkle_branch::<C>(&root, &self.branch, at, body_root)) {
            let (hash, state_root) = (self.block_hash.into(), self.state_root.into());
            Ok(ExecutionBlock { number: self.block_number, hash, state_root })
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

/// An execution block that the body names by its hash: the block header in RLP, which has that Keccak-256, and the
/// branch from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBlock<B = Bytes> {
    /// RLP of the block's header.
    pub header: B,
    /// From its hash to the body root; depth as the finalized slot's fork says.
    pub branch: Vec<Root>,
}

impl<B: AsRef<[u8]>> NamedBlock<B> {
    fn verify<C: Crypto>(
        &self,
        fork: Fork,
        body_root: &Root,
    ) -> Result<ExecutionBlock, CheckError> {
        let block = ExecutionBlock::from_rlp::<C>(self.header.as_ref())?;
        let (hash, index) = (Root::from(block.hash), fork.gindices().execution_block_hash);
        if index.is_some_and(|at| is_valid_merkle_branch::<C>(&hash, &self.branch, at, body_root)) {
            Ok(block)
        } else {
            Err(CheckError::ExecutionBranch("finalized"))
        }
    }
}
