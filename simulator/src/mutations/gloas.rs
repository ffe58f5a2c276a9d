//! What is said of an execution block that the finalized block names by its hash alone: Gloas, an alpha. Made on both
//! programs, whose guests run the same code.

use lc_core::{
    Fork, ForkEntry, Root,
    alloy_primitives::{Bytes, keccak256},
    execution_header::ExecutionHeaderError as H,
    objects::LightClientUpdate,
    statement::{CommitteeChangeWitness, Execution, InclusionWitness, NamedBlock},
    sync_protocol::CheckError as E,
};

use super::{Mutation, Witness, mutation, shorten};
use crate::{
    builder::{ChainBuilder, Preset},
    chain::Chain,
    update::UpdateBuilder,
};

pub(super) fn chain() -> Chain {
    let builder = || -> ChainBuilder { Chain::builder().preset(Preset::Minimal).trie_depth(3) };
    let minimal = builder().build().expect("the default schedule is in order");
    let (spec, second) = (minimal.spec(), minimal.first_period() + 1);
    let epochs = spec.epochs_per_sync_committee_period;
    let forks = Fork::ALL.map(|fork| {
        let epoch = if fork == Fork::Gloas { second * epochs + epochs / 2 } else { 0 };
        ForkEntry { fork, version: [fork as u8, 0, 0, 0x5e], epoch }
    });
    builder().forks(forks.to_vec()).build().expect("forks and their epochs ascend")
}

/// The first period's update of Fulu; one attested in Gloas, final in Fulu; one of Gloas.
fn updates(chain: &Chain) -> [LightClientUpdate; 3] {
    let first = chain.first_period();
    let middle = chain.first_slot_of(first + 1) + chain.spec().slots_per_period() / 2;
    [
        chain.update(first).participants(30).build(),
        chain.update(first + 1).attested_slot(middle + chain.spec().slots_per_epoch).build(),
        chain.update(first + 2).participants(30).build(),
    ]
}

fn over(chain: &Chain, updates: &[LightClientUpdate]) -> CommitteeChangeWitness {
    let input = chain.committee_change_input(chain.first_period(), updates);
    input.witness().expect("the updates are valid")
}

/// Over the fork; a block of Gloas is final.
pub(super) fn valid(chain: &Chain) -> CommitteeChangeWitness {
    over(chain, &updates(chain))
}

/// Over the fork; a block of Fulu is final, which an object of Gloas names by its hash too.
pub(super) fn boundary(chain: &Chain) -> CommitteeChangeWitness {
    over(chain, &updates(chain)[..2])
}

/// In Gloas: an account with a slot.
pub(super) fn inclusion(chain: &Chain) -> InclusionWitness {
    let (period, known) = (chain.first_period() + 2, chain.accounts());
    let account = chain.account_proof(period, known.token, &[known.balance_of_wallet]);
    let update = chain.update(period).participants(25).build_finality();
    let input = chain.inclusion_input(period, &update, vec![account.expect("it is known")]);
    input.witness().expect("the update is valid")
}

/// The witness for one update of Gloas, made with `make`.
fn one<'a>(
    chain: &'a Chain,
    make: impl FnOnce(UpdateBuilder<'a>) -> UpdateBuilder<'a>,
) -> CommitteeChangeWitness {
    let period = chain.first_period() + 2;
    let update = make(chain.update(period).participants(30)).build();
    let input = chain.committee_change_input(period, &[update]);
    input.witness().expect("only checks of the statement fail")
}

fn changed(chain: &Chain, change: impl FnOnce(&mut CommitteeChangeWitness)) -> Witness {
    let mut witness = one(chain, |update| update);
    change(&mut witness);
    Witness::CommitteeChange(witness)
}

/// The named block of a valid witness, changed.
fn block(chain: &Chain, change: impl FnOnce(&mut NamedBlock)) -> Witness {
    changed(chain, |w| change(named(&mut w.execution)))
}

/// As [`block`], of its header's RLP.
fn header(chain: &Chain, change: impl FnOnce(&mut Vec<u8>)) -> Witness {
    block(chain, |b| b.header = edited(&b.header, change))
}

fn edited(rlp: &Bytes, change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut rlp = rlp.to_vec();
    change(&mut rlp);
    rlp.into()
}

/// A header that is no block's, under its hash in a body that is finalized and signed.
fn signed(chain: &Chain, change: impl FnOnce(&mut Vec<u8>)) -> Witness {
    let period = chain.first_period() + 2;
    let header = edited(&named(&mut one(chain, |update| update).execution).header, change);
    let hash = keccak256(&header);
    let update = chain.update(period).participants(30);
    let update = update.edit_execution(|payload| payload.block_hash = hash).build();
    let branch = update.finalized_header.execution_branch.iter().copied().map(Root::from).collect();
    // No request is made of it alone, but of a chain in which another update's execution block is proven.
    let input = chain.committee_change_input(period, &[update, chain.update(period + 1).build()]);
    let mut witness = input.witness().expect("the last update's header is its block's");
    witness.updates.truncate(1);
    witness.execution = Execution::Block(NamedBlock { header, branch });
    Witness::CommitteeChange(witness)
}

fn named(execution: &mut Execution) -> &mut NamedBlock {
    match execution {
        Execution::Block(block) => block,
        other => unreachable!("the finalized block is of Gloas: {other:?}"),
    }
}

/// Where a header of Gloas has its state root: after the list's first 3 bytes, two hashes and an address.
const STATE_ROOT: usize = 3 + 33 + 33 + 21 + 1;
/// Where it has its block number: after five more hashes' places, the bloom and a difficulty of zero.
const NUMBER: usize = STATE_ROOT + 32 + 33 + 33 + 259 + 1;

pub(super) fn mutations(chain: &Chain) -> Vec<Mutation> {
    let mut mutations = headers(chain);
    mutations.extend(branches(chain));
    mutations.extend(forms(chain));
    mutations
}

fn headers(chain: &Chain) -> Vec<Mutation> {
    let other = chain.block_header(chain.first_slot());
    vec![
        mutation!(
            "the execution block's header is another block's",
            block(chain, |b| b.header = other.clone()),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the execution block's header says another state root",
            header(chain, |rlp| rlp[STATE_ROOT] ^= 1),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the execution block's header says another number",
            header(chain, |rlp| rlp[NUMBER + 2] ^= 1),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "an inclusion's execution block header is another block's",
            {
                let mut witness = inclusion(chain);
                named(&mut witness.execution).header = other.clone();
                Witness::Inclusion(witness.into())
            },
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the execution block's header lacks a byte",
            header(chain, |rlp| rlp.truncate(rlp.len() - 1)),
            E::ExecutionHeader(H::NotAList(_))
        ),
        mutation!(
            "the execution block's header has a byte more",
            header(chain, |rlp| rlp.push(0)),
            E::ExecutionHeader(H::NotAList(_))
        ),
        mutation!(
            "there is no execution block header",
            header(chain, Vec::clear),
            E::ExecutionHeader(H::NotAList(_))
        ),
        mutation!(
            "the execution block's header is an empty list, though finalized and signed",
            signed(chain, |rlp| *rlp = vec![0xc0]),
            E::ExecutionHeader(H::TooFewFields { seen: 0, .. })
        ),
        mutation!(
            "the block number begins with a zero, though finalized and signed",
            signed(chain, |rlp| rlp[NUMBER + 1] = 0),
            E::ExecutionHeader(H::Field { field: "number", .. })
        ),
        mutation!(
            "the state root is a byte shorter, though finalized and signed",
            signed(chain, |rlp| {
                rlp[STATE_ROOT - 1] -= 1;
                rlp.remove(STATE_ROOT);
                rlp[2] -= 1;
            }),
            E::ExecutionHeader(H::Length { field: "stateRoot", .. })
        ),
    ]
}

fn branches(chain: &Chain) -> Vec<Mutation> {
    vec![
        mutation!(
            "the block hash's branch is too long by a zero",
            block(chain, |b| b.branch.insert(0, Root::ZERO)),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the block hash's branch lacks a node",
            block(chain, |b| shorten(&mut b.branch)),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "a node of the block hash's branch is another",
            block(chain, |b| b.branch[4].0[0] ^= 1),
            E::ExecutionBranch("finalized")
        ),
        mutation!(
            "the chain's fork schedule puts the update before Gloas",
            changed(chain, |w| w.chain.forks.truncate(6)),
            E::FinalityBranch
        ),
    ]
}

/// The form of another fork.
fn forms(chain: &Chain) -> Vec<Mutation> {
    let [_, boundary_update, _] = updates(chain);
    let header = &boundary_update.finalized_header;
    let depth = Fork::Fulu.gindices().execution_block_hash.map_or(0, |index| index.depth());
    let branch = &header.execution_branch;
    let branch = branch[branch.len() - depth..].iter().copied().map(Root::from).collect();
    let by_hash = NamedBlock { header: chain.block_header(header.beacon.slot), branch };
    vec![
        mutation!(
            "a block from before Gloas is named by its hash, with the right branch",
            {
                let mut witness = boundary(chain);
                witness.execution = Execution::Block(by_hash);
                Witness::CommitteeChange(witness)
            },
            E::ExecutionFields("finalized")
        ),
        mutation!(
            "payload fields are given for a block that is named by its hash",
            changed(chain, |w| w.execution = Execution::Payload(Box::default())),
            E::ExecutionFields("finalized")
        ),
        mutation!(
            "nothing is said of a block that is named by its hash",
            changed(chain, |w| w.execution = Execution::Absent),
            E::ExecutionFields("finalized")
        ),
        mutation!(
            "the payload of an older block in an object of Gloas has another state root",
            {
                let mut witness = boundary(chain);
                match &mut witness.execution {
                    Execution::Payload(fields) => fields.state_root.0[0] ^= 1,
                    other => unreachable!("the finalized block is of Fulu: {other:?}"),
                }
                Witness::CommitteeChange(witness)
            },
            E::ExecutionBranch("finalized")
        ),
    ]
}
