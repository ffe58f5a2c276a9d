//! Reads witnesses, in guests: bincode's fixed-width form, which the host writes with serde. By hand, because a word of
//! serde's code in a program's image costs as much as six cycles, and it needs thousands.

use alloc::vec::Vec;

use alloy_primitives::{Address, Bytes, FixedBytes, U256};

use crate::{
    chain_spec::{ChainSpec, ForkEntry},
    containers::{BeaconBlockHeader, ExecutionPayloadHeader},
    fork::Fork,
    statement::{
        AccountProof, CommitteeChangeWitness, InclusionWitness, PeriodUpdate, StorageProof,
    },
    sync_protocol::{SignedFinality, Signers},
};

/// A type that a guest can read.
pub trait Decode: Sized {
    /// Takes a value from the front of `input`. None if that is no value of this type.
    fn take(input: &mut &[u8]) -> Option<Self>;

    /// The value that all of `input` is. None if it is none, or if there is more.
    #[must_use]
    fn decode(mut input: &[u8]) -> Option<Self> {
        let value = Self::take(&mut input)?;
        input.is_empty().then_some(value)
    }
}

fn array<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*taken)
}

/// A count of bytes, and these.
fn bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = usize::take(input)?;
    let (taken, rest) = input.split_at_checked(count)?;
    *input = rest;
    Some(taken)
}

impl Decode for u64 {
    fn take(input: &mut &[u8]) -> Option<Self> {
        array(input).map(Self::from_le_bytes)
    }
}

impl Decode for usize {
    fn take(input: &mut &[u8]) -> Option<Self> {
        u64::take(input)?.try_into().ok()
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn take(input: &mut &[u8]) -> Option<Self> {
        array(input)
    }
}

impl<const N: usize> Decode for FixedBytes<N> {
    fn take(input: &mut &[u8]) -> Option<Self> {
        bytes(input)?.try_into().ok().map(Self)
    }
}

impl Decode for Address {
    fn take(input: &mut &[u8]) -> Option<Self> {
        FixedBytes::take(input).map(Self)
    }
}

impl Decode for U256 {
    fn take(input: &mut &[u8]) -> Option<Self> {
        Self::try_from_be_slice(bytes(input)?)
    }
}

impl Decode for Bytes {
    fn take(input: &mut &[u8]) -> Option<Self> {
        bytes(input).map(Self::copy_from_slice)
    }
}

impl Decode for Vec<u8> {
    fn take(input: &mut &[u8]) -> Option<Self> {
        bytes(input).map(<[u8]>::to_vec)
    }
}

impl Decode for Fork {
    fn take(input: &mut &[u8]) -> Option<Self> {
        let variant = u32::from_le_bytes(array(input)?);
        Self::ALL.get(variant as usize).copied()
    }
}

/// Structs field by field, lists as a count and the elements.
macro_rules! decode {
    ($($struct:ident { $($field:ident),+ $(,)? })+) => {$(
        impl Decode for $struct {
            fn take(input: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: Decode::take(input)?),+ })
            }
        }
    )+};
    (lists of $($element:ty),+) => {$(
        impl Decode for Vec<$element> {
            fn take(input: &mut &[u8]) -> Option<Self> {
                let count = usize::take(input)?;
                // No element takes less than a byte: a count is never believed.
                let mut list = Self::with_capacity(count.min(input.len()));
                for _ in 0..count {
                    list.push(Decode::take(input)?);
                }
                Some(list)
            }
        }
    )+};
}

decode!(lists of FixedBytes<32>, FixedBytes<48>, Bytes, ForkEntry, PeriodUpdate, AccountProof, StorageProof);

decode! {
    ForkEntry { fork, version, epoch }
    ChainSpec {
        genesis_validators_root, slots_per_epoch, epochs_per_sync_committee_period,
        sync_committee_size, forks,
    }
    BeaconBlockHeader { slot, proposer_index, parent_root, state_root, body_root }
    ExecutionPayloadHeader {
        parent_hash, fee_recipient, state_root, receipts_root, logs_bloom, prev_randao,
        block_number, gas_limit, gas_used, timestamp, extra_data, base_fee_per_gas, block_hash,
        transactions_root, withdrawals_root, blob_gas_used, excess_blob_gas,
    }
    Signers { aggregate_pubkey, bits, absent, proof }
    SignedFinality {
        attested, signature_slot, signature, signers, finalized, finality_branch, execution,
        execution_branch,
    }
    PeriodUpdate { finality, next_committee, next_committee_branch }
    CommitteeChangeWitness { chain, signer_period, signer_committee, updates }
    InclusionWitness { chain, signer_period, signer_committee, finality, accounts }
    AccountProof { address, nodes, storage }
    StorageProof { key, nodes }
}
