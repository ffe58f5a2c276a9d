//! What is the committee change's own: the next committee, and the chain of periods.

use lc_core::{Root, statement::CommitteeChangeWitness, sync_protocol::CheckError as E};

use super::{Mutation, Witness, mutation, shorten};
use crate::{chain::Chain, update::UpdateBuilder};

/// Three periods from the first on: Deneb, Electra finalizing Deneb, Electra.
pub(super) fn valid(chain: &Chain) -> CommitteeChangeWitness {
    let first = chain.first_period();
    let updates: Vec<_> =
        (first..first + 3).map(|period| chain.update(period).participants(30).build()).collect();
    let input = chain.committee_change_input(first, &updates);
    input.witness().expect("the updates are valid")
}

/// The witness for one update of the first period, made with `make`.
pub(super) fn one<'a>(
    chain: &'a Chain,
    make: impl FnOnce(UpdateBuilder<'a>) -> UpdateBuilder<'a>,
) -> CommitteeChangeWitness {
    let first = chain.first_period();
    let update = make(chain.update(first).participants(30)).build();
    let input = chain.committee_change_input(first, &[update]);
    input.witness().expect("only checks of the statement fail")
}

/// The valid witness, changed.
fn changed(chain: &Chain, change: impl FnOnce(&mut CommitteeChangeWitness)) -> Witness {
    let mut witness = valid(chain);
    change(&mut witness);
    Witness::CommitteeChange(witness)
}

pub(super) fn mutations(chain: &Chain) -> Vec<Mutation> {
    let mut mutations = next_committee(chain);
    mutations.extend(periods(chain));
    mutations
}

fn next_committee(chain: &Chain) -> Vec<Mutation> {
    let other: Root = chain.committee(chain.first_period() + 7).root().into();
    vec![
        mutation!(
            "the next committee is another than in the attested state",
            changed(chain, |w| w.updates[2].next_committee = other),
            E::NextCommitteeBranch
        ),
        mutation!(
            "a next committee in the middle of the chain is another",
            changed(chain, |w| w.updates[0].next_committee = other),
            E::NextCommitteeBranch
        ),
        mutation!(
            "the current committee passes for the next one",
            changed(chain, |w| w.updates[0].next_committee = w.signer_committee),
            E::NextCommitteeBranch
        ),
        mutation!(
            "the next committee's branch is too long by a zero",
            changed(chain, |w| w.updates[0].next_committee_branch.insert(0, Root::ZERO)),
            E::NextCommitteeBranch
        ),
        mutation!(
            "the next committee's branch lacks a node",
            changed(chain, |w| shorten(&mut w.updates[0].next_committee_branch)),
            E::NextCommitteeBranch
        ),
        mutation!(
            "the next committee is an inner node further up, with the rest of the branch",
            changed(chain, |w| w.updates[0].next_committee_branch.clear()),
            E::NextCommitteeBranch
        ),
        mutation!(
            "the update brings no next committee",
            Witness::CommitteeChange(one(chain, UpdateBuilder::without_next_committee)),
            E::NextCommitteeBranch
        ),
    ]
}

fn periods(chain: &Chain) -> Vec<Mutation> {
    let first = chain.first_period();
    let boundary = chain.first_slot_of(first + 1);
    let attested_before = chain
        .update(first + 1)
        .attested_slot(boundary - 1)
        .signature_slot(boundary)
        .participants(30)
        .build();
    let attested_before = chain.committee_change_input(first + 1, &[attested_before]);
    vec![
        mutation!("there is no update", changed(chain, |w| w.updates.clear()), E::NoUpdates),
        mutation!(
            "a period is left out",
            changed(chain, |w| drop(w.updates.remove(1))),
            E::Period { what: "attested", .. }
        ),
        mutation!(
            "a period comes twice",
            changed(chain, |w| w.updates.insert(1, w.updates[0].clone())),
            E::Period { what: "attested", .. }
        ),
        mutation!(
            "the periods are in another order",
            changed(chain, |w| w.updates.swap(0, 1)),
            E::Period { what: "attested", .. }
        ),
        mutation!(
            "the statement is about another period than the updates",
            changed(chain, |w| w.signer_period += 1),
            E::Period { what: "attested", .. }
        ),
        mutation!(
            "the attested header is of the period before the signature's",
            Witness::CommitteeChange(attested_before.witness().expect("only a period is wrong")),
            E::Period { what: "attested", .. }
        ),
    ]
}
