//! What both statements check of a signed finality: slots, signers, signature, branches, chain. Made on the
//! committee change, whose guest and the inclusion's run the same code.

use lc_core::{
    Fork, Root, SignatureError,
    alloy_primitives::B256,
    host::signers,
    objects::SyncAggregate,
    root::{bytes, pubkey_words},
    statement::{CommitteeChangeWitness, Execution, PayloadFields},
    sync_protocol::{CheckError as E, SignedFinality},
};

use super::{Mutation, Witness, committee_change::one, mutation, shorten, signature};
use crate::{chain::Chain, update::UpdateBuilder};

pub(super) fn mutations(chain: &Chain) -> Vec<Mutation> {
    let groups: [fn(&Chain) -> Vec<Mutation>; 6] =
        [slots, participation, committee, signature::mutations, branches, constants];
    groups.iter().flat_map(|group| group(chain)).collect()
}

/// An update made with `make`; whatever lies above the fault fits it.
pub(super) fn made<'a>(
    chain: &'a Chain,
    make: impl FnOnce(UpdateBuilder<'a>) -> UpdateBuilder<'a>,
) -> Witness {
    Witness::CommitteeChange(one(chain, make))
}

/// The witness of a valid update, changed afterwards.
fn changed(chain: &Chain, change: impl FnOnce(&mut CommitteeChangeWitness)) -> Witness {
    let mut witness = one(chain, |update| update);
    change(&mut witness);
    Witness::CommitteeChange(witness)
}

/// As [`changed`], of the finality alone.
pub(super) fn finality(chain: &Chain, change: impl FnOnce(&mut SignedFinality)) -> Witness {
    changed(chain, |w| change(&mut w.updates[0].finality))
}

/// As [`changed`], of what is said of the payload alone.
fn payload(chain: &Chain, change: impl FnOnce(&mut PayloadFields)) -> Witness {
    changed(chain, |w| match &mut w.execution {
        Execution::Payload(fields) => change(fields),
        other => unreachable!("the first period is Deneb's: {other:?}"),
    })
}

fn slots(chain: &Chain) -> Vec<Mutation> {
    let last = chain.first_slot_of(chain.first_period() + 1) - 1;
    let middle = chain.first_slot() + chain.spec().slots_per_period() / 2;
    vec![
        mutation!(
            "the signature's slot is the attested one",
            made(chain, |u| u.attested_slot(middle).signature_slot(middle)),
            E::SlotOrder { .. }
        ),
        mutation!(
            "the finalized slot is after the attested one",
            made(chain, |u| u
                .attested_slot(middle)
                .finalized_slot(middle + 1)
                .signature_slot(middle + 2)),
            E::SlotOrder { .. }
        ),
        mutation!(
            "the signature's slot is in the next period",
            made(chain, |u| u.attested_slot(last)),
            E::Period { what: "signature", .. }
        ),
        mutation!(
            "the finalized header is genesis",
            made(chain, |u| u.edit_finalized(|header| header.beacon.slot = 0)),
            E::NoFinality
        ),
        mutation!(
            "the update has no finalized header",
            made(chain, UpdateBuilder::without_finality),
            E::NoFinality
        ),
    ]
}

fn participation(chain: &Chain) -> Vec<Mutation> {
    vec![
        mutation!(
            "one signer is missing to two thirds",
            made(chain, |u| u.participants(21)),
            E::Participation { signed: 21, size: 32 }
        ),
        mutation!(
            "nobody signed",
            made(chain, |u| u.participants(0)),
            E::Participation { signed: 0, .. }
        ),
        mutation!(
            "there are bits beyond the committee",
            finality(chain, |f| f.signers.bits[0] |= 1 << 32),
            E::BitsLength { seen: 33, wanted: 32 }
        ),
        mutation!(
            "there is a word of bits beyond the committee",
            finality(chain, |f| f.signers.bits.push(0)),
            E::BitsLength { seen: 128, wanted: 32 }
        ),
        mutation!(
            "there are fewer bits than members",
            finality(chain, |f| shorten(&mut f.signers.bits)),
            E::BitsLength { seen: 0, wanted: 32 }
        ),
        mutation!(
            "an absent member's bit is set",
            finality(chain, |f| f.signers.bits.fill(u32::MAX.into())),
            E::AbsentKeys { .. }
        ),
        mutation!(
            "an absent member's bit is set and its key left out",
            finality(chain, |f| {
                f.signers.bits.fill(u32::MAX.into());
                f.signers.absent.clear();
            }),
            E::CommitteeProofLength(_)
        ),
    ]
}

fn committee(chain: &Chain) -> Vec<Mutation> {
    let stranger = chain.committee(chain.first_period() + 5);
    let stranger_key = pubkey_words(&stranger.public().pubkeys[0]);
    vec![
        mutation!(
            "the committee is another than the trusted one",
            changed(chain, |w| w.signer_committee = stranger.root().into()),
            E::Committee { .. }
        ),
        mutation!(
            "an absent member's key is another",
            finality(chain, |f| f.signers.absent[0] = stranger_key),
            E::Committee { .. }
        ),
        mutation!(
            "absent members' keys are exchanged",
            finality(chain, |f| f.signers.absent.swap(0, 1)),
            E::Committee { .. }
        ),
        mutation!(
            "the aggregate key is another",
            finality(chain, |f| f.signers.aggregate_pubkey = stranger_key),
            E::Committee { .. }
        ),
        mutation!(
            "the absent members are others than those that did not sign",
            finality(chain, |f| {
                let all = chain.committee(chain.first_period());
                f.signers.bits[0] = u64::from((f.signers.bits[0] as u32).rotate_left(1));
                let aggregate = aggregate(f);
                f.signers = signers(all.public(), &aggregate);
            }),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the multiproof has a node too many",
            finality(chain, |f| f.signers.proof.push(Root::ZERO)),
            E::CommitteeProofLength("too many")
        ),
        mutation!(
            "the multiproof has a node too few",
            finality(chain, |f| shorten(&mut f.signers.proof)),
            E::CommitteeProofLength("too few")
        ),
    ]
}

/// The aggregate that a witness for the minimal preset's 32 members was made of.
pub(super) fn aggregate(finality: &SignedFinality) -> SyncAggregate {
    SyncAggregate {
        sync_committee_bits: (finality.signers.bits[0] as u32).to_le_bytes().to_vec(),
        sync_committee_signature: bytes(&finality.signature),
    }
}

fn branches(chain: &Chain) -> Vec<Mutation> {
    let other = B256::repeat_byte(0x77);
    let root = Root::from(other);
    vec![
        mutation!(
            "the finalized header is another than in the attested state",
            finality(chain, |f| f.finalized.proposer_index += 1),
            E::FinalityBranch
        ),
        mutation!(
            "a node of the finality branch is another",
            finality(chain, |f| f.finality_branch[3] = root),
            E::FinalityBranch
        ),
        mutation!(
            "the finality branch is too long by a zero",
            finality(chain, |f| f.finality_branch.insert(0, Root::ZERO)),
            E::FinalityBranch
        ),
        mutation!(
            "the finality branch lacks a node",
            finality(chain, |f| shorten(&mut f.finality_branch)),
            E::FinalityBranch
        ),
        mutation!(
            "the execution state root is another than in the finalized body",
            payload(chain, |p| p.state_root = root),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the execution block's hash is another than in the finalized body",
            payload(chain, |p| p.block_hash.0[3] ^= 1),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the execution block's number is another than in the finalized body",
            payload(chain, |p| p.block_number += 1),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "another field of the execution header passes for its block's hash",
            payload(chain, |p| std::mem::swap(&mut p.block_hash, &mut p.beside_hash[0])),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "a field beside the execution state root is another",
            payload(chain, |p| p.beside_state_root[1] = root),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "a field beside the execution block's number is another",
            payload(chain, |p| p.beside_number[0] = root),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the finalized body holds another execution header, though finalized and signed",
            made(chain, |u| u.edit_finalized(move |header| header.execution.block_hash = other)),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the execution branch is too long by a zero",
            payload(chain, |p| p.branch.push(Root::ZERO)),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the execution branch lacks a node",
            payload(chain, |p| shorten(&mut p.branch)),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "nothing is said of an execution block that there is",
            changed(chain, |w| w.execution = Execution::Absent),
            E::ExecutionFields("finalized")
        ),
    ]
}

fn constants(chain: &Chain) -> Vec<Mutation> {
    let fork = |w: &mut CommitteeChangeWitness, fork: Fork, epoch: u64| {
        let entry = w.chain.forks.iter_mut().find(|entry| entry.fork == fork);
        entry.expect("the chain has it").epoch = epoch;
    };
    vec![
        mutation!(
            "the chain's genesis is another",
            changed(chain, |w| w.chain.genesis_validators_root.0[0] ^= 1),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the chain's fork version is another",
            changed(chain, |w| w.chain.forks[3].version[0] ^= 1),
            E::Signature(SignatureError::Mismatch)
        ),
        mutation!(
            "the chain's fork schedule puts the update into a fork with longer branches",
            changed(chain, |w| fork(w, Fork::Electra, 1)),
            E::FinalityBranch
        ),
        mutation!(
            "the chain's fork schedule puts the update into Capella, under the version that signed it",
            changed(chain, |w| {
                w.chain.forks[2].version = w.chain.forks[3].version;
                fork(w, Fork::Deneb, w.chain.forks[4].epoch);
            }),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the chain's fork schedule puts the update before execution headers, under the version that signed it",
            changed(chain, |w| {
                w.chain.forks[1].version = w.chain.forks[3].version;
                fork(w, Fork::Capella, w.chain.forks[4].epoch);
                fork(w, Fork::Deneb, w.chain.forks[4].epoch);
            }),
            E::ExecutionFields("finalized")
        ),
        mutation!(
            "the update is from before the chain's first fork",
            changed(chain, |w| w.chain.forks.drain(..5).for_each(drop)),
            E::BeforeAltair { .. }
        ),
        mutation!(
            "an epoch has no slots",
            changed(chain, |w| w.chain.slots_per_epoch = 0),
            E::ChainSpec(_)
        ),
        mutation!(
            "the committee's size is no power of two",
            changed(chain, |w| w.chain.sync_committee_size = 33),
            E::ChainSpec(_)
        ),
        mutation!(
            "the committee is said to be larger",
            changed(chain, |w| w.chain.sync_committee_size = 64),
            E::AbsentKeys { seen: 2, wanted: 34 }
        ),
    ]
}
