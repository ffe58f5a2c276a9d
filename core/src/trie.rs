//! Merkle-Patricia proofs for fixed 32-byte paths: what a state trie and a storage trie hold, and
//! what they provably do not hold. Read in place, nothing allocated; bound by hashes from the root.
//!
//! The rules are those of the tries that Ethereum builds, not of the ones that could be encoded: a
//! node has one form, a child one way to be referred to, and every node of a proof is needed.
//!
//! Source: Ethereum yellow paper, appendices C (hex-prefix encoding) and D (modified Merkle
//! Patricia tree); `eth_getProof` is EIP-1186.

use alloy_primitives::{B256, U256, b256};

use crate::{
    crypto::Crypto,
    rlp::{self, Element, Item, Items, RlpError},
};

mod error;
#[cfg(test)]
mod tests;

pub use error::TrieError;

/// Root of the trie that holds nothing: `keccak256(0x80)`.
pub const EMPTY_ROOT: B256 =
    b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// Nibbles of a path: two for each of its 32 bytes.
const PATH_NIBBLES: usize = 64;
/// Children of a branch, one for each value of a nibble; a value follows them.
const BRANCH_CHILDREN: usize = 16;
/// A node whose encoding takes this many bytes or more is referred to by hash, a shorter one
/// stands in its parent.
const HASHED_NODE_LENGTH: usize = 32;

/// What the trie with this `root` holds at `path` (the hashed key): the leaf's value, or `None`
/// where `nodes` prove that nothing is there. `nodes` go from the root downwards, as
/// `eth_getProof` gives them; a node that stands inside its parent is not repeated.
///
/// The empty trie is proven by no node at all or by its one node, `0x80`.
///
/// # Errors
/// [`TrieError`] unless exactly these nodes resolve the path.
pub fn verify_proof<'a, C: Crypto>(
    root: B256,
    path: &B256,
    nodes: &'a [impl AsRef<[u8]>],
) -> Result<Option<&'a [u8]>, TrieError> {
    if root == EMPTY_ROOT {
        return empty_trie::<C>(nodes);
    }
    let mut walk = Walk { path, nodes, used: 0, depth: 0, extension: None };
    let mut child = Some(Child::Hash(root));
    let mut value = None;
    while let Some(reference) = child {
        let items = match reference {
            Child::Hash(hash) => walk.take::<C>(hash)?,
            Child::Inline(items) => items,
        };
        (child, value) = match walk.step(items)? {
            Step::Child(child) => (Some(child), None),
            Step::Value(value) => (None, Some(value)),
            Step::Absent => (None, None),
        };
    }
    let unused = nodes.len() - walk.used;
    if unused > 0 {
        return Err(TrieError::UnusedNodes { used: walk.used, unused });
    }
    Ok(value)
}

/// Nothing is in the empty trie; its node may be shown, nothing else.
fn empty_trie<'a, C: Crypto>(nodes: &[impl AsRef<[u8]>]) -> Result<Option<&'a [u8]>, TrieError> {
    let Some((first, rest)) = nodes.split_first() else { return Ok(None) };
    match first.as_ref() {
        [0x80] if rest.is_empty() => Ok(None),
        [0x80] => Err(TrieError::UnusedNodes { used: 1, unused: rest.len() }),
        first => {
            Err(TrieError::WrongHash { node: 0, seen: C::keccak256(first), wanted: EMPTY_ROOT })
        }
    }
}

/// How a node refers to its child.
enum Child<'a> {
    /// By hash.
    Hash(B256),
    /// By being there.
    Inline(Items<'a>),
}

/// Where a node leads.
enum Step<'a> {
    /// On the path, further down.
    Child(Child<'a>),
    /// To the end of the path, where this is.
    Value(&'a [u8]),
    /// Off the path: nothing is at its end.
    Absent,
}

/// The way down from the root.
struct Walk<'p, 'a, B> {
    path: &'p B256,
    nodes: &'a [B],
    /// Nodes taken from `nodes`.
    used: usize,
    /// Nibbles of the path walked.
    depth: usize,
    /// Number of the extension that led to the current node.
    extension: Option<usize>,
}

impl<'a, B: AsRef<[u8]>> Walk<'_, 'a, B> {
    /// Number of the current node.
    const fn node(&self) -> usize {
        self.used - 1
    }

    const fn rlp(&self, fault: RlpError) -> TrieError {
        TrieError::Rlp { node: self.node(), fault }
    }

    /// Takes the next node of the proof, which must hash to `wanted`.
    fn take<C: Crypto>(&mut self, wanted: B256) -> Result<Items<'a>, TrieError> {
        let node = self.used;
        let bytes = self.nodes.get(node).ok_or(TrieError::MissingNode { nodes: node, wanted })?;
        let bytes = bytes.as_ref();
        self.used += 1;
        let seen = C::keccak256(bytes);
        if seen != wanted {
            return Err(TrieError::WrongHash { node, seen, wanted });
        }
        if node > 0 && bytes.len() < HASHED_NODE_LENGTH {
            return Err(TrieError::HashedTooShort { node, length: bytes.len() });
        }
        match rlp::decode(bytes).map_err(|fault| self.rlp(fault))? {
            Item::List(items) => Ok(items),
            Item::String(string) => Err(TrieError::NotANode { node, length: string.len() }),
        }
    }

    /// Reads the node that has these items.
    fn step(&mut self, items: Items<'a>) -> Result<Step<'a>, TrieError> {
        let extension = self.extension.take();
        let mut rest = items;
        let mut next = |items| {
            let item = rest.next().ok_or(TrieError::ItemCount { node: self.node(), items })?;
            item.map_err(|fault| self.rlp(fault))
        };
        let (path, target) = (next(0)?, next(1)?);
        if !rest.is_empty() {
            return self.branch(items);
        }
        if let Some(parent) = extension {
            return Err(TrieError::ExtensionToShortNode { parent, node: self.node() });
        }
        let path = path.item.string().map_err(|fault| self.rlp(fault))?;
        let (is_leaf, path) = self.hex_prefix(path)?;
        if is_leaf { self.leaf(path, target.item) } else { self.extension(path, target) }
    }

    /// Goes to the branch's child on the path; the other children are only checked for their form.
    fn branch(&mut self, mut items: Items<'a>) -> Result<Step<'a>, TrieError> {
        self.fits_path(self.depth + 1)?;
        let nibble = nibble(self.path.as_slice(), self.depth);
        let (mut children, mut chosen) = (0, None);
        for index in 0..BRANCH_CHILDREN {
            let child = self.child(self.branch_item(&mut items, index)?)?;
            children += usize::from(child.is_some());
            if index == usize::from(nibble) {
                chosen = child;
            }
        }
        let value = self.branch_item(&mut items, BRANCH_CHILDREN)?.item;
        if !items.is_empty() {
            return Err(TrieError::ItemCount { node: self.node(), items: BRANCH_CHILDREN + 2 });
        }
        if value != Item::String(&[]) {
            return Err(TrieError::BranchValue { node: self.node() });
        }
        if children < 2 {
            return Err(TrieError::SparseBranch { node: self.node(), children });
        }
        self.depth += 1;
        Ok(chosen.map_or(Step::Absent, Step::Child))
    }

    fn branch_item(&self, items: &mut Items<'a>, index: usize) -> Result<Element<'a>, TrieError> {
        let item = items.next().ok_or(TrieError::ItemCount { node: self.node(), items: index })?;
        item.map_err(|fault| self.rlp(fault))
    }

    /// Goes to the extension's child, or off the path where the extension does.
    fn extension(&mut self, path: Nibbles<'a>, target: Element<'a>) -> Result<Step<'a>, TrieError> {
        let node = self.node();
        if path.len() == 0 {
            return Err(TrieError::EmptyExtension { node });
        }
        // One more: the branch below it takes a nibble.
        self.fits_path(self.depth + path.len() + 1)?;
        let child = self.child(target)?.ok_or(TrieError::ChildlessExtension { node })?;
        if !path.is_at(self.path, self.depth) {
            return Ok(Step::Absent);
        }
        self.depth += path.len();
        self.extension = Some(node);
        Ok(Step::Child(child))
    }

    /// The leaf's value, or nothing where the leaf is that of another path.
    fn leaf(&self, path: Nibbles<'a>, value: Item<'a>) -> Result<Step<'a>, TrieError> {
        let nibbles = self.depth + path.len();
        if nibbles != PATH_NIBBLES {
            return Err(TrieError::LeafPathLength { node: self.node(), nibbles });
        }
        let value = value.string().map_err(|fault| self.rlp(fault))?;
        if value.is_empty() {
            return Err(TrieError::EmptyValue { node: self.node() });
        }
        Ok(if path.is_at(self.path, self.depth) { Step::Value(value) } else { Step::Absent })
    }

    /// A child, or `None` for the empty string.
    fn child(&self, element: Element<'a>) -> Result<Option<Child<'a>>, TrieError> {
        let (node, length) = (self.node(), element.raw.len());
        match element.item {
            Item::String([]) => Ok(None),
            Item::String(hash) => B256::try_from(hash)
                .map(|hash| Some(Child::Hash(hash)))
                .map_err(|_| TrieError::ChildLength { node, length: hash.len() }),
            Item::List(_) if length >= HASHED_NODE_LENGTH => {
                Err(TrieError::InlineTooLong { node, length })
            }
            Item::List(items) => Ok(Some(Child::Inline(items))),
        }
    }

    /// Checks that a path can have this many nibbles before the current node's child.
    const fn fits_path(&self, nibbles: usize) -> Result<(), TrieError> {
        if nibbles > PATH_NIBBLES {
            return Err(TrieError::TooDeep { node: self.node(), nibbles });
        }
        Ok(())
    }

    /// Reads a hex-prefix encoded path: whether a leaf's, and its nibbles.
    fn hex_prefix(&self, bytes: &'a [u8]) -> Result<(bool, Nibbles<'a>), TrieError> {
        let node = self.node();
        let &prefix = bytes.first().ok_or(TrieError::NoPath { node })?;
        let start = match prefix {
            0x00 | 0x20 => 2,
            0x10..=0x1f | 0x30..=0x3f => 1,
            _ => return Err(TrieError::PathPrefix { node, prefix }),
        };
        Ok((prefix >= 0x20, Nibbles { bytes, start }))
    }
}

/// The nibbles of `bytes` from number `start` on.
#[derive(Clone, Copy)]
struct Nibbles<'a> {
    bytes: &'a [u8],
    start: usize,
}

impl Nibbles<'_> {
    const fn len(self) -> usize {
        2 * self.bytes.len() - self.start
    }

    /// Whether `path` has these nibbles from number `depth` on. It must be long enough.
    fn is_at(self, path: &B256, depth: usize) -> bool {
        (0..self.len()).all(|index| {
            nibble(self.bytes, self.start + index) == nibble(path.as_slice(), depth + index)
        })
    }
}

/// Nibble number `index`, the high half of a byte first.
const fn nibble(bytes: &[u8], index: usize) -> u8 {
    let byte = bytes[index / 2];
    if index.is_multiple_of(2) { byte >> 4 } else { byte & 0xf }
}

/// An account as the state trie holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrieAccount {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// Root of the account's storage trie.
    pub storage_root: B256,
    /// Keccak-256 of the account's code.
    pub code_hash: B256,
}

/// Reads an account from its leaf's value.
///
/// # Errors
/// [`RlpError`] unless `bytes` is its one encoding.
pub fn decode_account(bytes: &[u8]) -> Result<TrieAccount, RlpError> {
    let [nonce, balance, storage_root, code_hash] = rlp::decode(bytes)?.list()?.exactly()?;
    Ok(TrieAccount {
        nonce: nonce.u64()?,
        balance: balance.u256()?,
        storage_root: storage_root.hash()?,
        code_hash: code_hash.hash()?,
    })
}

/// Reads a storage slot from its leaf's value. Never zero: a slot that is set to zero has no leaf.
///
/// # Errors
/// [`RlpError`] unless `bytes` is its one encoding; [`RlpError::ZeroSlot`].
pub fn decode_slot_value(bytes: &[u8]) -> Result<U256, RlpError> {
    let value = rlp::decode(bytes)?.u256()?;
    if value.is_zero() { Err(RlpError::ZeroSlot) } else { Ok(value) }
}
