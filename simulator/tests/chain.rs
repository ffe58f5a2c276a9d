//! The chain itself: real where a light client looks, the same whenever it is asked.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use lc_core::{
    Fork, ForkEntry,
    host::{
        InputError, LightClientStore, MAX_UPDATES, NativeCrypto, ProgramInput,
        chain_spec_from_config_yaml,
    },
};
use simulator::{Chain, ChainError, Preset, config_yaml, fork_digest};

fn minimal() -> simulator::ChainBuilder {
    Chain::builder().preset(Preset::Minimal).trie_depth(0)
}

#[test]
fn headers_do_not_depend_on_the_order_in_which_they_are_asked_for() {
    let (one, other) = (minimal().build().unwrap(), minimal().build().unwrap());
    let slots = one.first_slot()..one.first_slot() + 200;
    let ascending: Vec<_> = slots.clone().map(|slot| one.header(slot)).collect();
    let mut descending: Vec<_> = slots.rev().map(|slot| other.header(slot)).collect();
    descending.reverse();
    assert_eq!(ascending, descending);
}

#[test]
fn a_light_client_follows_any_single_fork() {
    for fork in Fork::ALL {
        let chain = minimal().only_fork(fork).build().unwrap();
        let (spec, first) = (chain.spec(), chain.first_period());
        let bootstrap = chain.bootstrap(chain.first_slot());
        let trusted = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
        let mut store = LightClientStore::initialize(spec, trusted, &bootstrap).unwrap();
        for period in first..first + 3 {
            let update = chain.update(period).participants(22).build();
            store.process(spec, &update, update.signature_slot).unwrap();
            assert_eq!(store.finalized_header, update.finalized_header, "{fork:?}");
        }
    }
}

#[test]
fn duplicate_keys_in_a_committee_are_legal() {
    let chain = minimal().duplicate_keys(9).build().unwrap();
    let first = chain.first_period();
    let committee = chain.committee(first);
    let keys: BTreeSet<_> = committee.public().pubkeys.iter().collect();
    assert_eq!(keys.len(), 32 - 9);
    let updates: Vec<_> =
        (first..first + 2).map(|p| chain.update(p).participants(24).build()).collect();
    ProgramInput::CommitteeChange(chain.committee_change_input(first, &updates)).check().unwrap();
}

#[test]
fn a_changed_update_signed_again_verifies_again() {
    let chain = minimal().build().unwrap();
    let first = chain.first_period();
    let mut update = chain.update(first).build();
    update.attested_header.beacon.proposer_index += 1;
    let check = |update: &_| {
        let input = chain.committee_change_input(first, std::slice::from_ref(update));
        ProgramInput::CommitteeChange(input).check()
    };
    check(&update).unwrap_err();
    chain.sign_again(&mut update);
    check(&update).unwrap();
}

#[test]
fn more_updates_than_a_node_answers_with_are_refused_unread() {
    let chain = minimal().build().unwrap();
    let refusal = |count| {
        let mut input = chain.committee_change_input(chain.first_period(), &[]);
        input.updates = vec![Default::default(); count];
        ProgramInput::CommitteeChange(input).check().unwrap_err()
    };
    let error = refusal(MAX_UPDATES);
    assert!(matches!(&error, InputError::Object { what, .. } if what == "update number 0"));
    let error = refusal(MAX_UPDATES + 1).to_string();
    assert_eq!(error, "129 updates in one request, 128 at most: ask for several proofs");
}

#[test]
fn any_account_and_slot_can_be_asked_for_in_a_small_trie() {
    let chain = minimal().build().unwrap();
    let (period, known) = (chain.first_period(), chain.accounts());
    let somebody = "0x00000000000000000000000000000000deadbeef".parse().unwrap();
    let proof = |address, slots: &[_]| chain.account_proof(period, address, slots).unwrap();
    let slots = [known.balance_of_wallet, known.balance_of_absent, known.total_supply];
    let accounts =
        vec![proof(somebody, &[]), proof(known.token, &slots), proof(known.absent, &slots)];
    let update = chain.update(period).build_finality();
    let input = chain.inclusion_input(period, &update, accounts);
    ProgramInput::Inclusion(input).check().unwrap();
    let deep = minimal().trie_depth(5).build().unwrap();
    deep.account_proof(period, somebody, &[]).unwrap_err();
}

#[test]
fn the_config_yaml_is_the_chain() {
    let chain = minimal().build().unwrap();
    let text = config_yaml(chain.spec(), Preset::Minimal);
    let root = chain.spec().genesis_validators_root;
    assert_eq!(chain_spec_from_config_yaml(&text, root).unwrap(), *chain.spec());
    // A fork that is not planned stays unplanned.
    let deneb = minimal().only_fork(Fork::Deneb).build().unwrap();
    let text = config_yaml(deneb.spec(), Preset::Minimal);
    assert_eq!(chain_spec_from_config_yaml(&text, root).unwrap().forks, deneb.spec().forks);
}

#[test]
fn fork_digests_are_those_of_the_specification() {
    // From `compute_fork_digest` of the Python specification, over the shipped recording's config.yaml.
    let chain = Chain::builder().build().unwrap();
    let digest = |fork| {
        let entry = chain.spec().forks.iter().find(|entry| entry.fork == fork).unwrap();
        hex::encode(fork_digest(chain.spec(), entry.epoch * chain.spec().slots_per_epoch))
    };
    assert_eq!([Fork::Electra, Fork::Fulu].map(digest), ["f36480d5", "3784d2d1"]);
}

#[test]
fn settings_that_make_no_chain_are_named() {
    let error = minimal().duplicate_keys(32).build().unwrap_err();
    assert_eq!(error.to_string(), "the number of duplicate keys is 32, at most 31 is possible");
    let error = minimal().trie_depth(15).build().unwrap_err();
    assert_eq!(error.to_string(), "the trie depth is 15, at most 14 is possible");
    let entry = |fork| ForkEntry { fork, version: [0; 4], epoch: 0 };
    let error = minimal().forks(vec![entry(Fork::Fulu), entry(Fork::Deneb)]).build();
    assert!(matches!(error, Err(ChainError::Spec(_))));
}
