//! The form of witnesses: 64-bit words and nothing else, one definition for the host that writes them and the guest that
//! reads them where they lie. Every value has one encoding; what is left over, too short or padded with anything but
//! zeros is no value.
//!
//! A derived decoder would do, but every word of its code in a program's image costs as much as six cycles.

use alloc::{boxed::Box, vec::Vec};

use alloy_primitives::{Address, B256, Bytes};

use crate::{
    chain_spec::{ChainSpec, ForkEntry},
    containers::Header,
    root::Root,
    statement::{
        AccountProof, CommitteeChangeWitness, Execution, InclusionWitness, NamedBlock,
        PayloadFields, PeriodUpdate, StorageProof,
    },
    sync_protocol::{SignedFinality, Signers},
};

/// Bytes of a word; a word's first byte is its lowest.
const WORD: usize = size_of::<u64>();

/// A type that words hold.
pub trait Words<'a>: Sized {
    /// Appends the value's words.
    fn put(&self, out: &mut Vec<u64>);

    /// Takes a value from the front of `input`. None if that is no value of this type.
    fn take(input: &mut &'a [u64]) -> Option<Self>;

    /// The words that this value is.
    #[must_use]
    fn encode(&self) -> Vec<u64> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    /// The value that all of `input` is. None if it is none, or if there is more.
    #[must_use]
    fn decode(mut input: &'a [u64]) -> Option<Self> {
        let value = Self::take(&mut input)?;
        input.is_empty().then_some(value)
    }
}

/// The bytes of some words.
#[must_use]
pub fn to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The words that some bytes are. None if they are no whole number of words.
#[must_use]
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<u64>> {
    let (words, rest) = bytes.as_chunks::<WORD>();
    rest.is_empty().then(|| words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

impl<const N: usize> Words<'_> for [u64; N] {
    fn put(&self, out: &mut Vec<u64>) {
        out.extend(self);
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        let (taken, rest) = input.split_first_chunk()?;
        *input = rest;
        Some(*taken)
    }
}

impl Words<'_> for u64 {
    fn put(&self, out: &mut Vec<u64>) {
        out.push(*self);
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        <[u64; 1]>::take(input).map(|[word]| word)
    }
}

impl Words<'_> for usize {
    fn put(&self, out: &mut Vec<u64>) {
        out.push(*self as u64);
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        u64::take(input)?.try_into().ok()
    }
}

impl Words<'_> for Root {
    fn put(&self, out: &mut Vec<u64>) {
        self.0.put(out);
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        Words::take(input).map(Self)
    }
}

impl<const N: usize> Words<'_> for [Root; N] {
    fn put(&self, out: &mut Vec<u64>) {
        self.iter().for_each(|root| root.put(out));
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        let mut roots = [Root::ZERO; N];
        for root in &mut roots {
            *root = Words::take(input)?;
        }
        Some(roots)
    }
}

/// Bytes in their order, zeros after them up to the next word.
fn put_bytes(bytes: &[u8], out: &mut Vec<u64>) {
    for bytes in bytes.chunks(WORD) {
        let mut word = [0; WORD];
        word[..bytes.len()].copy_from_slice(bytes);
        out.push(u64::from_le_bytes(word));
    }
}

/// Takes `count` bytes where they lie.
fn take_bytes<'a>(count: usize, input: &mut &'a [u64]) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(count.div_ceil(WORD))?;
    *input = rest;
    if !count.is_multiple_of(WORD) && taken.last()? >> (8 * (count % WORD)) != 0 {
        return None;
    }
    bytemuck::cast_slice(taken).get(..count)
}

impl<'a> Words<'a> for &'a [u8] {
    fn put(&self, out: &mut Vec<u64>) {
        self.len().put(out);
        put_bytes(self, out);
    }

    fn take(input: &mut &'a [u64]) -> Option<Self> {
        take_bytes(usize::take(input)?, input)
    }
}

impl<'a> Words<'a> for Bytes {
    fn put(&self, out: &mut Vec<u64>) {
        (&self[..]).put(out);
    }

    fn take(input: &mut &'a [u64]) -> Option<Self> {
        <&[u8]>::take(input).map(Self::copy_from_slice)
    }
}

impl Words<'_> for B256 {
    fn put(&self, out: &mut Vec<u64>) {
        put_bytes(&self.0, out);
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        take_bytes(Self::len_bytes(), input)?.try_into().ok()
    }
}

impl Words<'_> for Address {
    fn put(&self, out: &mut Vec<u64>) {
        put_bytes(self.as_slice(), out);
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        take_bytes(Self::len_bytes(), input)?.try_into().ok()
    }
}

impl Words<'_> for ForkEntry {
    fn put(&self, out: &mut Vec<u64>) {
        self.packed().put(out);
    }

    fn take(input: &mut &[u64]) -> Option<Self> {
        Self::unpacked(Words::take(input)?)
    }
}

/// A count and the elements.
fn put_list<'a, T: Words<'a>>(list: &[T], out: &mut Vec<u64>) {
    list.len().put(out);
    list.iter().for_each(|element| element.put(out));
}

fn take_list<'a, T: Words<'a>>(input: &mut &'a [u64]) -> Option<Vec<T>> {
    let count = usize::take(input)?;
    // No element takes less than a word: a count is never believed.
    let mut list = Vec::with_capacity(count.min(input.len()));
    for _ in 0..count {
        list.push(T::take(input)?);
    }
    Some(list)
}

impl<'a, T: Words<'a>> Words<'a> for Vec<T> {
    fn put(&self, out: &mut Vec<u64>) {
        put_list(self, out);
    }

    fn take(input: &mut &'a [u64]) -> Option<Self> {
        take_list(input)
    }
}

/// The number of the form, as [`crate::fork::ExecutionForm`] counts them, and what it holds. Which one it must be, the
/// finalized slot's fork says.
impl<'a, B: Words<'a>> Words<'a> for Execution<B> {
    fn put(&self, out: &mut Vec<u64>) {
        match self {
            Self::Absent => 0u64.put(out),
            Self::Payload(fields) => {
                1u64.put(out);
                fields.put(out);
            }
            Self::Block(block) => {
                2u64.put(out);
                block.put(out);
            }
        }
    }

    fn take(input: &mut &'a [u64]) -> Option<Self> {
        match u64::take(input)? {
            0 => Some(Self::Absent),
            1 => PayloadFields::take(input).map(Box::new).map(Self::Payload),
            2 => Words::take(input).map(Self::Block),
            _ => None,
        }
    }
}

/// Structs, field by field.
macro_rules! words {
    ($($struct:ident $(<$bytes:ident>)? { $($field:ident),+ $(,)? })+) => {$(
        impl<'a $(, $bytes: Words<'a>)?> Words<'a> for $struct $(<$bytes>)? {
            fn put(&self, out: &mut Vec<u64>) {
                $(self.$field.put(out);)+
            }

            fn take(input: &mut &'a [u64]) -> Option<Self> {
                Some(Self { $($field: Words::take(input)?),+ })
            }
        }
    )+};
}

words! {
    ChainSpec {
        genesis_validators_root, slots_per_epoch, epochs_per_sync_committee_period,
        sync_committee_size, forks,
    }
    Header { slot, proposer_index, parent_root, state_root, body_root }
    PayloadFields { block_number, block_hash, state_root, beside_hash, beside_number, beside_state_root, branch }
    Signers { aggregate_pubkey, bits, absent, proof }
    SignedFinality {
        attested, signature_slot, signature, signers, finalized, finality_branch,
    }
    PeriodUpdate { finality, next_committee, next_committee_branch }
    NamedBlock<B> { header, branch }
    CommitteeChangeWitness<B> { chain, signer_period, signer_committee, updates, execution }
    InclusionWitness<B> { chain, signer_period, signer_committee, finality, execution, accounts }
    AccountProof<B> { address, nodes, storage }
    StorageProof<B> { key, nodes }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::fork::Fork;

    #[test]
    fn bytes_are_read_where_they_lie_and_padded_with_zeros() {
        let words = (&b"nineteen!"[..]).encode();
        assert_eq!(words, [9, u64::from_le_bytes(*b"nineteen"), u64::from(b'!')]);
        assert_eq!(<&[u8]>::decode(&words), Some(&b"nineteen!"[..]));
        assert_eq!(Bytes::decode(&words), Some(Bytes::from_static(b"nineteen!")));
        let padded_otherwise = [9, words[1], words[2] | 1 << 8];
        assert_eq!(<&[u8]>::decode(&padded_otherwise), None);
        assert_eq!(<&[u8]>::decode(&[8, 7]), Some(&[7, 0, 0, 0, 0, 0, 0, 0][..]));
    }

    #[test]
    fn what_is_short_or_left_over_is_no_value() {
        assert_eq!(u64::decode(&[]), None);
        assert_eq!(u64::decode(&[1, 2]), None);
        assert_eq!(Vec::<u64>::decode(&[2, 1]), None);
        assert_eq!(Vec::<u64>::decode(&[1, 1, 1]), None);
        assert_eq!(Vec::<u64>::decode(&[u64::MAX]), None);
        assert_eq!(Vec::<u64>::decode(&[2, 7, 8]), Some(vec![7, 8]));
        assert_eq!(<&[u8]>::decode(&[u64::MAX]), None);
        assert_eq!(from_bytes(&[0; 9]), None);
        assert_eq!(from_bytes(&to_bytes(&[1, 2])), Some(vec![1, 2]));
    }

    #[test]
    fn a_fork_has_a_number_that_is_known_and_nothing_beside_it() {
        let entry = ForkEntry { fork: Fork::Deneb, version: [4, 3, 2, 1], epoch: 9 };
        let words = entry.encode();
        assert_eq!(words, [0x4_0102_0304, 9]);
        assert_eq!(ForkEntry::decode(&words), Some(entry));
        for wrong in [0x0102_0304, 0x7f_0102_0304, 0x104_0102_0304] {
            assert_eq!(ForkEntry::decode(&[wrong, 9]), None, "{wrong:x}");
        }
    }
}
