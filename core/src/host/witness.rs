//! From the objects that nodes hand out to the compact witnesses that guests read.

use alloy_primitives::B256;
use alloy_sol_types::SolValue;

use crate::{
    chain_spec::ChainSpec,
    containers::ExecutionPayloadHeader,
    crypto::Crypto,
    fork::Fork,
    host::NativeCrypto,
    merkle::{is_valid_merkle_branch, merkleize, pubkey_root},
    objects::{
        LightClientFinalityUpdate, LightClientHeader, LightClientUpdate, SyncAggregate,
        SyncCommittee,
    },
    program::ProgramId,
    root::{Root, pubkey_words, signature_words},
    statement::{CommitteeChangeWitness, Execution, InclusionWitness, PeriodUpdate},
    sync_protocol::{CheckError, SignedFinality, Signers, fork_at_slot},
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
    spec: &ChainSpec,
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
        execution: execution(spec, &update.finalized_header).unwrap_or_default(),
    }
}

fn roots(branch: &[B256]) -> Vec<Root> {
    branch.iter().copied().map(Root::from).collect()
}

/// The witness of a header's execution. None before Capella, and for a header that is not valid.
fn execution(spec: &ChainSpec, header: &LightClientHeader) -> Option<Execution> {
    let fork = spec.fork_at_slot(header.beacon.slot).filter(|fork| fork.has_execution())?;
    let payload = &header.execution;
    let fields = payload.field_roots::<NativeCrypto>(fork)?;
    let (first, more) = fields.split_at(fields.len().min(16));
    let beyond = (!more.is_empty()).then(|| node(more, 0, 4));
    Some(Execution {
        block_number: payload.block_number,
        block_hash: payload.block_hash.into(),
        state_root: payload.state_root.into(),
        beside_hash: [node(first, 13, 0), node(first, 7, 1), node(first, 2, 2)],
        beside_number: [node(first, 7, 0), node(first, 2, 1)],
        beside_state_root: [node(first, 3, 0), node(first, 0, 1)],
        branch: beyond.into_iter().chain(roots(&header.execution_branch)).collect(),
    })
}

/// Of a tree over `leaves`, node number `position` of those `height` above them.
fn node(leaves: &[Root], position: usize, height: usize) -> Root {
    let below = leaves.iter().skip(position << height).take(1 << height);
    merkleize::<NativeCrypto>(&mut below.copied().collect::<Vec<_>>(), height)
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
        ProgramId::CommitteeChange => CommitteeChangeWitness::decode(&words)?
            .verify::<C>()
            .map(|statement| statement.abi_encode()),
        ProgramId::Inclusion => InclusionWitness::<&[u8]>::decode(&words)?
            .verify::<C>()
            .map(|statement| statement.abi_encode()),
    })
}

/// The witness of one period's update.
pub(super) fn period_update(
    spec: &ChainSpec,
    committee: &SyncCommittee,
    update: &LightClientUpdate,
) -> PeriodUpdate {
    PeriodUpdate {
        finality: signed_finality(spec, committee, &update.clone().into()),
        next_committee: update.next_sync_committee.hash_tree_root::<NativeCrypto>().into(),
        next_committee_branch: roots(&update.next_sync_committee_branch),
    }
}

/// `is_valid_light_client_header`: the header called `what` holds the execution payload header that
/// its block has, in the form of its slot's fork.
///
/// Guests check less: no statement says anything of the attested block's execution, and only three fields of the
/// finalized block's are in one. A node that sends a header with a fault elsewhere is broken all the same, so the
/// host refuses it.
///
/// # Errors
/// [`CheckError::ExecutionFields`], [`CheckError::ExecutionBranch`] or [`CheckError::BeforeAltair`].
pub(super) fn verify_header(
    spec: &ChainSpec,
    what: &'static str,
    header: &LightClientHeader,
) -> Result<(), CheckError> {
    let LightClientHeader { beacon, execution, execution_branch: branch } = header;
    let fork = fork_at_slot(spec, beacon.slot)?;
    if fork < Fork::Deneb && !execution.has_no_blob_fields() {
        return Err(CheckError::ExecutionFields(what));
    }
    let Some(index) = fork.gindices().execution_payload else {
        let absent = *execution == ExecutionPayloadHeader::default();
        return if absent && branch.iter().all(B256::is_zero) {
            Ok(())
        } else {
            Err(CheckError::ExecutionFields(what))
        };
    };
    let root =
        execution.hash_tree_root::<NativeCrypto>(fork).ok_or(CheckError::ExecutionFields(what))?;
    if is_valid_merkle_branch::<NativeCrypto>(&root, branch, index, &beacon.body_root) {
        Ok(())
    } else {
        Err(CheckError::ExecutionBranch(what))
    }
}
