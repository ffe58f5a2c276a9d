//! From the objects that nodes hand out to the compact witnesses that guests read.

use alloy_primitives::B256;

use crate::{
    chain_spec::ChainSpec,
    crypto::Crypto,
    host::NativeCrypto,
    merkle::pubkey_root,
    objects::{
        LightClientFinalityUpdate, LightClientHeader, LightClientUpdate, SyncAggregate,
        SyncCommittee,
    },
    statement::PeriodUpdate,
    sync_protocol::{CheckError, SignedFinality, Signers, verify_execution},
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
            root: pubkey_root::<NativeCrypto>(&key.0),
            proof: if aggregate.signed(member) { None } else { Some(Vec::new()) },
        })
        .collect();
    while layer.len() > 1 {
        layer = layer.chunks(2).map(Node::parent).collect();
    }
    let absent =
        committee.pubkeys.iter().enumerate().filter(|(member, _)| !aggregate.signed(*member));
    Signers {
        aggregate_pubkey: committee.aggregate_pubkey,
        bits: aggregate.sync_committee_bits.clone(),
        absent: absent.map(|(_, key)| *key).collect(),
        proof: layer.pop().map_or_else(Vec::new, |root| root.proof.unwrap_or(vec![root.root])),
    }
}

/// A node of the tree over the keys while the multiproof is made.
struct Node {
    root: B256,
    /// What the multiproof of this subtree holds; none if nobody in it is absent.
    proof: Option<Vec<B256>>,
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

/// The witness of an update's finality.
pub(super) fn signed_finality(
    spec: &ChainSpec,
    committee: &SyncCommittee,
    update: &LightClientFinalityUpdate,
) -> SignedFinality {
    SignedFinality {
        attested: update.attested_header.beacon,
        signature_slot: update.signature_slot,
        signature: update.sync_aggregate.sync_committee_signature,
        signers: signers(committee, &update.sync_aggregate),
        finalized: update.finalized_header.beacon,
        finality_branch: update.finality_branch.clone(),
        execution: update.finalized_header.execution.clone(),
        execution_branch: execution_branch(spec, &update.finalized_header),
    }
}

/// The branch that a witness holds: none before Capella, where objects of later forks pad it with zeros.
fn execution_branch(spec: &ChainSpec, header: &LightClientHeader) -> Vec<B256> {
    let has_execution =
        spec.fork_at_slot(header.beacon.slot).is_some_and(|fork| fork.has_execution());
    if has_execution { header.execution_branch.to_vec() } else { Vec::new() }
}

/// The witness of one period's update.
pub(super) fn period_update(
    spec: &ChainSpec,
    committee: &SyncCommittee,
    update: &LightClientUpdate,
) -> PeriodUpdate {
    PeriodUpdate {
        finality: signed_finality(spec, committee, &update.clone().into()),
        next_committee: update.next_sync_committee.hash_tree_root::<NativeCrypto>(),
        next_committee_branch: update.next_sync_committee_branch.clone(),
    }
}

/// `is_valid_light_client_header`, of the header called `what`.
///
/// Guests check only the finalized header: no statement says anything of the attested block's execution. A
/// node that sends a wrong one is broken all the same, so the host refuses it.
pub(super) fn verify_header(
    spec: &ChainSpec,
    what: &'static str,
    header: &LightClientHeader,
) -> Result<(), CheckError> {
    let LightClientHeader { beacon, execution, execution_branch } = header;
    verify_execution::<NativeCrypto>(spec, what, beacon, execution, execution_branch)
}
