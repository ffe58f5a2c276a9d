//! What can be wrong with a proof.

use alloy_primitives::B256;

use crate::rlp::RlpError;

/// Why a proof was refused. `node` counts the proof's nodes from 0; a node that stands inside
/// another has the number of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrieError {
    /// The proof ends before the path is resolved.
    #[error(
        "the proof ends after {nodes} nodes, and {wanted} is still wanted: fetch the whole proof"
    )]
    MissingNode {
        /// Nodes in the proof.
        nodes: usize,
        /// Hash of the node that is missing.
        wanted: B256,
    },
    /// A node is not the one that its parent, or the root, commits to.
    #[error(
        "node {node} hashes to {seen}, wanted {wanted}: fetch the proof for this root and path"
    )]
    WrongHash {
        /// Number of the node.
        node: usize,
        /// Its hash.
        seen: B256,
        /// Hash in its parent, or the root.
        wanted: B256,
    },
    /// Nodes follow the one that resolves the path.
    #[error("the path is resolved after {used} nodes, {unused} more follow: remove them")]
    UnusedNodes {
        /// Nodes that were needed.
        used: usize,
        /// Nodes that follow.
        unused: usize,
    },
    /// A node is not canonical RLP.
    #[error("node {node} is malformed: {fault}")]
    Rlp {
        /// Number of the node.
        node: usize,
        /// What is wrong with it.
        fault: RlpError,
    },
    /// The leaf is there, and what it holds is not what this trie's leaves hold.
    #[error("the value in the leaf is malformed: {fault}")]
    Value {
        /// What is wrong with it.
        fault: RlpError,
    },
    /// A node is a string.
    #[error("node {node} is a string of {length} bytes, wanted a list of 2 or 17 items")]
    NotANode {
        /// Number of the node.
        node: usize,
        /// Bytes of the string.
        length: usize,
    },
    /// A list has another number of items than any node.
    #[error("node {node} has {items} items, wanted 2 or 17")]
    ItemCount {
        /// Number of the node.
        node: usize,
        /// Its items; 18 stands for more than 17.
        items: usize,
    },
    /// A branch holds a value, which only shorter paths could reach.
    #[error("branch {node} holds a value: all paths of this trie have 32 bytes, none ends there")]
    BranchValue {
        /// Number of the node.
        node: usize,
    },
    /// A branch has fewer than two children: the trie would have a shorter node there.
    #[error("branch {node} has {children} children, wanted at least 2")]
    SparseBranch {
        /// Number of the node.
        node: usize,
        /// Its children.
        children: usize,
    },
    /// A child is a string that is neither empty nor a hash.
    #[error("a child in node {node} is a string of {length} bytes, wanted a 32-byte hash")]
    ChildLength {
        /// Number of the parent.
        node: usize,
        /// Bytes of the string.
        length: usize,
    },
    /// A child stands in its parent though it is long enough to be hashed.
    #[error("a child inside node {node} takes {length} bytes, from 32 on it must be hashed")]
    InlineTooLong {
        /// Number of the parent.
        node: usize,
        /// Bytes of the child.
        length: usize,
    },
    /// A child is hashed though it is short enough to stand in its parent.
    #[error("node {node} takes {length} bytes, below 32 it must stand inside its parent")]
    HashedTooShort {
        /// Number of the child.
        node: usize,
        /// Bytes of the child.
        length: usize,
    },
    /// A path has a prefix that hex-prefix encoding does not know.
    #[error("the path in node {node} starts with {prefix:#04x}, wanted 0x00, 0x1_, 0x20 or 0x3_")]
    PathPrefix {
        /// Number of the node.
        node: usize,
        /// The first byte.
        prefix: u8,
    },
    /// A leaf or extension has no path at all, not even the prefix.
    #[error("the path in node {node} has no bytes, wanted at least the prefix")]
    NoPath {
        /// Number of the node.
        node: usize,
    },
    /// An extension extends by nothing.
    #[error("extension {node} has an empty path, wanted at least one nibble")]
    EmptyExtension {
        /// Number of the node.
        node: usize,
    },
    /// An extension leads to nothing.
    #[error("extension {node} has no child")]
    ChildlessExtension {
        /// Number of the node.
        node: usize,
    },
    /// An extension leads to a leaf or another extension: the two would be one node.
    #[error("extension {parent} leads to node {node}, which is no branch")]
    ExtensionToShortNode {
        /// Number of the extension.
        parent: usize,
        /// Number of its child.
        node: usize,
    },
    /// A leaf ends before or after the 64th nibble.
    #[error("leaf {node} ends a path of {nibbles} nibbles, wanted 64")]
    LeafPathLength {
        /// Number of the node.
        node: usize,
        /// Nibbles from the root to the leaf's end.
        nibbles: usize,
    },
    /// A branch or extension stands where every path has ended.
    #[error("node {node} goes on after {nibbles} nibbles, a path has 64 and ends in a leaf")]
    TooDeep {
        /// Number of the node.
        node: usize,
        /// Nibbles from the root to its child.
        nibbles: usize,
    },
    /// A leaf holds the empty string, which means deleted.
    #[error("leaf {node} holds nothing: an absent value has no leaf")]
    EmptyValue {
        /// Number of the node.
        node: usize,
    },
}

impl From<RlpError> for TrieError {
    /// Of a leaf's value.
    fn from(fault: RlpError) -> Self {
        Self::Value { fault }
    }
}
