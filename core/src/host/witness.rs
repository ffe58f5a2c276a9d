//! From the objects that nodes hand out to the compact witnesses that guests read.

use alloy_primitives::B256;
use alloy_sol_types::SolValue;

use crate::{
    crypto::Crypto,
    host::NativeCrypto,
    merkle::pubkey_root,
    objects::{LightClientFinalityUpdate, LightClientUpdate, SyncAggregate, SyncCommittee},
    program::ProgramId,
    root::{Root, pubkey_words, signature_words},
    statement::{CommitteeChangeWitness, InclusionWitness, PeriodUpdate},
    sync_protocol::{CheckError, SignedFinality, Signers},
    words::{Words, from_bytes},
};

/// Who of `committee` signed, with the multiproof of those who did not.
///
/// Bits beyond those given count as clear, keys beyond those given are not looked for: objects of other
/// sizes give a witness that no check accepts.
#[must_use]
pub fn signers(committee: &SyncCommittee, aggregate: &SyncAggregate) -> Signers {
    let mut layer: Vec<Node> = committee
        .pubkeys
        .iter()
        .enumerate()
        .map(|(member, key)| Node {
            root: pubkey_root::<NativeCrypto>(&pubkey_words(key)),
            proof: if aggregate.signed(member) { None } else { Some(Vec::new()) },
        })
        .collect();
    while layer.len() > 1 {
        layer = layer.chunks(2).map(Node::parent).collect();
    }
    let absent =
        committee.pubkeys.iter().enumerate().filter(|(member, _)| !aggregate.signed(*member));
    Signers {
        aggregate_pubkey: pubkey_words(&committee.aggregate_pubkey),
        bits: bit_words(&aggregate.sync_committee_bits),
        absent: absent.map(|(_, key)| pubkey_words(key)).collect(),
        proof: layer.pop().map_or_else(Vec::new, |root| root.proof.unwrap_or(vec![root.root])),
    }
}

/// A node of the tree over the keys while the multiproof is made.
struct Node {
    root: Root,
    /// What the multiproof of this subtree holds; none if nobody in it is absent.
    proof: Option<Vec<Root>>,
}

impl Node {
    fn parent(children: &[Self]) -> Self {
        let [left, right] = children else { unreachable!("a committee's size is a power of two") };
        let part = |node: &Self| node.proof.clone().unwrap_or_else(|| vec![node.root]);
        let whole = left.proof.is_none() && right.proof.is_none();
        Self {
            root: NativeCrypto::hash_pair(&left.root, &right.root),
            proof: (!whole).then(|| [part(left), part(right)].concat()),
        }
    }
}

/// Bits in words, the first in the lowest.
fn bit_words(bits: &[u8]) -> Vec<u64> {
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    bits.chunks(8).map(word).collect()
}

/// The witness of an update's finality.
pub(super) fn signed_finality(
    committee: &SyncCommittee,
    update: &LightClientFinalityUpdate,
) -> SignedFinality {
    SignedFinality {
        attested: update.attested_header.beacon.into(),
        signature_slot: update.signature_slot,
        signature: signature_words(&update.sync_aggregate.sync_committee_signature),
        signers: signers(committee, &update.sync_aggregate),
        finalized: update.finalized_header.beacon.into(),
        finality_branch: roots(&update.finality_branch),
    }
}

fn roots(branch: &[B256]) -> Vec<Root> {
    branch.iter().copied().map(Root::from).collect()
}

/// Checks a witness as [`crate::words`] and gives what its statement commits to. None if it does not decode.
///
/// # Errors
/// Names the first check that fails.
pub fn verify_witness<C: Crypto>(
    program: ProgramId,
    witness: &[u8],
) -> Option<Result<Vec<u8>, CheckError>> {
    let words = from_bytes(witness)?;
    Some(match program {
        ProgramId::CommitteeChange => CommitteeChangeWitness::<&[u8]>::decode(&words)?
            .verify::<C>()
            .map(|statement| statement.abi_encode()),
        ProgramId::Inclusion => InclusionWitness::<&[u8]>::decode(&words)?
            .verify::<C>()
            .map(|statement| statement.abi_encode()),
    })
}

/// The witness of one period's update.
pub(super) fn period_update(committee: &SyncCommittee, update: &LightClientUpdate) -> PeriodUpdate {
    PeriodUpdate {
        finality: signed_finality(committee, &update.clone().into()),
        next_committee: update.next_sync_committee.hash_tree_root::<NativeCrypto>().into(),
        next_committee_branch: roots(&update.next_sync_committee_branch),
    }
}
