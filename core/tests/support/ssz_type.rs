//! Any SSZ type, as data: enough of `ssz/simple-serialize.md` to hash the beacon states and block bodies that
//! the specification's Merkle proofs start from. Only what our statements do not contain; written for tests.

use lc_core::{Crypto, alloy_primitives::B256, host::NativeCrypto};
use serde::Deserialize;

/// An SSZ type. Lengths and limits are counted in elements.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SszType {
    /// An integer, boolean or byte of so many bytes.
    Basic(usize),
    Vector(Box<SszType>, usize),
    List(Box<SszType>, usize),
    Bitvector(usize),
    Bitlist(usize),
    Container(Vec<SszType>),
    /// EIP-7916: a list without a limit.
    ProgressiveList(Box<SszType>),
    /// EIP-7916: a bitlist without a limit.
    ProgressiveBitlist,
    /// EIP-7495, without gaps between the fields.
    ProgressiveContainer(Vec<SszType>),
}

impl SszType {
    /// Bytes of a value, where all values have as many.
    fn fixed_len(&self) -> Option<usize> {
        match self {
            Self::Basic(bytes) => Some(*bytes),
            Self::Vector(element, count) => Some(element.fixed_len()? * count),
            Self::Bitvector(bits) => Some(bits.div_ceil(8)),
            Self::List(..) | Self::Bitlist(_) => None,
            Self::ProgressiveList(_) | Self::ProgressiveBitlist => None,
            Self::Container(fields) | Self::ProgressiveContainer(fields) => {
                fields.iter().map(Self::fixed_len).sum()
            }
        }
    }

    /// `hash_tree_root` of the value that `bytes` hold. Panics where they do not fit the type.
    pub(crate) fn hash_tree_root(&self, bytes: &[u8]) -> B256 {
        match self {
            Self::Basic(_) => chunks(bytes)[0],
            Self::Vector(element, count) => element.sequence_root(bytes, *count, *count),
            Self::List(element, limit) => {
                let count = element.count(bytes);
                mix_in(element.sequence_root(bytes, count, *limit), count)
            }
            Self::Bitvector(bits) => merkleize(&chunks(bytes), bits.div_ceil(256)),
            Self::Bitlist(limit) => {
                let (chunks, count) = bits(bytes);
                mix_in(merkleize(&chunks, limit.div_ceil(256)), count)
            }
            Self::ProgressiveBitlist => {
                let (chunks, count) = bits(bytes);
                mix_in(merkleize_progressive(&chunks, 1), count)
            }
            Self::ProgressiveList(element) => {
                let count = element.count(bytes);
                let leaves = element.sequence_leaves(bytes, count);
                mix_in(merkleize_progressive(&leaves, 1), count)
            }
            Self::Container(fields) => {
                let roots = field_roots(fields, bytes);
                merkleize(&roots, roots.len())
            }
            Self::ProgressiveContainer(fields) => {
                let mut active_fields = B256::ZERO;
                for field in 0..fields.len() {
                    active_fields[field / 8] |= 1 << (field % 8);
                }
                let root = merkleize_progressive(&field_roots(fields, bytes), 1);
                hash_pair(&root, &active_fields)
            }
        }
    }

    /// How many elements of this type `bytes` hold.
    fn count(&self, bytes: &[u8]) -> usize {
        match self.fixed_len() {
            Some(len) => {
                assert_eq!(bytes.len() % len, 0, "part of an element");
                bytes.len() / len
            }
            None if bytes.is_empty() => 0,
            None => offset(bytes) / OFFSET,
        }
    }

    /// Root of `count` elements of this type in a tree with room for `limit`.
    fn sequence_root(&self, bytes: &[u8], count: usize, limit: usize) -> B256 {
        assert!(count <= limit, "{count} elements in a list of {limit}");
        let room = if let Self::Basic(len) = self { (limit * len).div_ceil(32) } else { limit };
        merkleize(&self.sequence_leaves(bytes, count), room)
    }

    /// Leaves of `count` elements of this type.
    fn sequence_leaves(&self, bytes: &[u8], count: usize) -> Vec<B256> {
        if let Self::Basic(len) = self {
            assert_eq!(bytes.len(), len * count);
            return chunks(bytes);
        }
        let parts = split(std::iter::repeat_n(self, count), bytes);
        parts.into_iter().map(|part| self.hash_tree_root(part)).collect()
    }
}

fn field_roots(fields: &[SszType], bytes: &[u8]) -> Vec<B256> {
    let parts = split(fields.iter(), bytes);
    fields.iter().zip(parts).map(|(field, part)| field.hash_tree_root(part)).collect()
}

/// Chunks and number of a bitlist's bits, of which the highest set one marks the end.
fn bits(bytes: &[u8]) -> (Vec<B256>, usize) {
    let last = bytes.last().expect("a bitlist has its end bit");
    let end = last.ilog2() as usize;
    let mut bits = bytes.to_vec();
    *bits.last_mut().unwrap() ^= 1 << end;
    let count = (bytes.len() - 1) * 8 + end;
    bits.truncate(count.div_ceil(8));
    (chunks(&bits), count)
}

const OFFSET: usize = 4;

fn offset(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes[..OFFSET].try_into().unwrap()) as usize
}

/// The bytes of each of several values of the given types.
fn split<'a, 't>(
    types: impl Iterator<Item = &'t SszType> + Clone,
    bytes: &'a [u8],
) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let heads: Vec<(&[u8], bool)> = types
        .map(|part| {
            let (head, after) = rest.split_at(part.fixed_len().unwrap_or(OFFSET));
            rest = after;
            (head, part.fixed_len().is_none())
        })
        .collect();
    let mut end = bytes.len();
    let mut parts: Vec<&[u8]> = heads
        .into_iter()
        .rev()
        .map(|(head, variable)| {
            if !variable {
                return head;
            }
            let part = &bytes[offset(head)..end];
            end = offset(head);
            part
        })
        .collect();
    assert_eq!(end, bytes.len() - rest.len(), "bytes between the fixed and the variable parts");
    parts.reverse();
    parts
}

fn chunks(bytes: &[u8]) -> Vec<B256> {
    bytes.chunks(32).map(|chunk| B256::right_padding_from(chunk)).collect()
}

fn hash_pair(left: &B256, right: &B256) -> B256 {
    NativeCrypto::hash_pair(&(*left).into(), &(*right).into()).into()
}

fn mix_in(root: B256, count: usize) -> B256 {
    hash_pair(&root, &B256::right_padding_from(&(count as u64).to_le_bytes()))
}

/// Root of a tree with `limit` leaves of which the first are given and the rest zero.
fn merkleize(leaves: &[B256], limit: usize) -> B256 {
    let (mut layer, mut zero) = (leaves.to_vec(), B256::ZERO);
    for _ in 0..limit.next_power_of_two().ilog2() {
        layer =
            layer.chunks(2).map(|pair| hash_pair(&pair[0], pair.get(1).unwrap_or(&zero))).collect();
        zero = hash_pair(&zero, &zero);
    }
    layer.first().copied().unwrap_or(zero)
}

/// Root of a progressive tree: its subtrees have `size` leaves, then four times as many, and so on, each the left child
/// of a chain of right ones that ends in a zero.
fn merkleize_progressive(leaves: &[B256], size: usize) -> B256 {
    if leaves.is_empty() {
        return B256::ZERO;
    }
    let (subtree, rest) = leaves.split_at(size.min(leaves.len()));
    hash_pair(&merkleize(subtree, size), &merkleize_progressive(rest, size * 4))
}
