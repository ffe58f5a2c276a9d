//! The light-client store, rule by rule: what it takes, what it keeps, and what it refuses with which words.
//!
//! The specification's vectors say which headers a store has in the end. Here is the rest of it, and each refusal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lc_core::{
    Fork,
    alloy_primitives::B256,
    host::{LightClientStore, NativeCrypto, StoreError},
    objects::{LightClientHeader, LightClientUpdate},
    sync_protocol::CheckError,
};
use simulator::{Chain, Preset};

/// 32 members, 64 slots a period; the chain begins in period 100.
fn minimal() -> Chain {
    of(Fork::Electra)
}

fn of(fork: Fork) -> Chain {
    Chain::builder().preset(Preset::Minimal).trie_depth(0).only_fork(fork).build().unwrap()
}

/// The store of whoever trusts the block at `slot`.
fn store_at(chain: &Chain, slot: u64) -> LightClientStore {
    let bootstrap = chain.bootstrap(slot);
    let trusted = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
    LightClientStore::initialize(chain.spec(), trusted, &bootstrap).unwrap()
}

/// The store of whoever trusts the chain's first block.
fn store(chain: &Chain) -> LightClientStore {
    store_at(chain, chain.first_slot())
}

/// Processes the update as soon as it is signed.
fn take(chain: &Chain, store: &mut LightClientStore, update: &LightClientUpdate) {
    store.process(chain.spec(), update, update.signature_slot).unwrap();
}

/// Why the store refuses the update, which leaves it as it was.
fn refused(chain: &Chain, store: &LightClientStore, update: &LightClientUpdate) -> StoreError {
    let mut after = store.clone();
    let error = after.process(chain.spec(), update, update.signature_slot).unwrap_err();
    assert_eq!(after, *store);
    error
}

/// Another block at the same slot.
fn sibling(header: &mut LightClientHeader) {
    header.beacon.proposer_index += 1;
}

#[test]
fn a_store_starts_from_the_trusted_block_and_its_committee_alone() {
    let chain = minimal();
    let bootstrap = chain.bootstrap(chain.first_slot());
    let seen = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
    let initialize = |bootstrap: &_| LightClientStore::initialize(chain.spec(), seen, bootstrap);
    let store = initialize(&bootstrap).unwrap();
    assert_eq!(store.finalized_header, bootstrap.header);
    assert_eq!(store.optimistic_header, bootstrap.header);
    assert_eq!(store.current_sync_committee, bootstrap.current_sync_committee);
    assert_eq!((store.next_sync_committee, store.best_valid_update), (None, None));

    let wanted = B256::repeat_byte(7);
    let error = LightClientStore::initialize(chain.spec(), wanted, &bootstrap).unwrap_err();
    assert_eq!(error, StoreError::Untrusted { seen, wanted });
    let mut other = bootstrap.clone();
    other.current_sync_committee = chain.committee(chain.first_period() + 1).public().clone();
    assert_eq!(initialize(&other), Err(StoreError::CurrentCommitteeBranch));
    let mut other = bootstrap;
    other.header.execution.gas_used += 1;
    let error = CheckError::ExecutionBranch("bootstrap");
    assert_eq!(initialize(&other), Err(StoreError::Check(error)));
}

#[test]
fn a_header_with_more_than_its_fork_has_is_refused() {
    type Change = fn(&mut LightClientHeader);
    let changes: [(Fork, Change); 5] = [
        (Fork::Altair, |header| header.execution.gas_used = 1),
        (Fork::Altair, |header| header.execution_branch[3].0[31] = 1),
        (Fork::Bellatrix, |header| header.execution_branch[0].0[0] = 1),
        (Fork::Capella, |header| header.execution.blob_gas_used = 1),
        (Fork::Capella, |header| header.execution.excess_blob_gas = 1),
    ];
    for (fork, change) in changes {
        let chain = of(fork);
        let mut bootstrap = chain.bootstrap(chain.first_slot());
        let trusted = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
        LightClientStore::initialize(chain.spec(), trusted, &bootstrap).unwrap();
        change(&mut bootstrap.header);
        let error = LightClientStore::initialize(chain.spec(), trusted, &bootstrap).unwrap_err();
        assert_eq!(error, StoreError::Check(CheckError::ExecutionFields("bootstrap")));
    }
}

#[test]
fn one_signer_is_enough_to_be_considered_and_none_is_not() {
    let chain = minimal();
    let update = |signers| chain.update(chain.first_period()).participants(signers).build();
    store(&chain).validate(chain.spec(), &update(1), u64::MAX).unwrap();
    assert_eq!(refused(&chain, &store(&chain), &update(0)), StoreError::NoParticipants);
}

#[test]
fn an_update_is_taken_from_its_signature_slot_on() {
    let chain = minimal();
    let (store, update) = (store(&chain), chain.update(chain.first_period()).build());
    let signature_slot = update.signature_slot;
    let at = |current_slot| store.validate(chain.spec(), &update, current_slot);
    at(signature_slot).unwrap();
    at(signature_slot + 1).unwrap();
    let current_slot = signature_slot - 1;
    let error = StoreError::FromTheFuture { signature_slot, current_slot };
    assert_eq!(at(current_slot), Err(error));
}

#[test]
fn a_period_whose_committee_is_unknown_is_refused() {
    let chain = minimal();
    let first = chain.first_period();
    let update = |period| chain.update(period).build();
    let unknown = |seen, store| StoreError::UnknownCommittee { seen, store };
    let mut store = store(&chain);
    assert_eq!(refused(&chain, &store, &update(first + 1)), unknown(first + 1, first));
    take(&chain, &mut store, &update(first));
    assert_eq!(refused(&chain, &store, &update(first + 2)), unknown(first + 2, first));
    take(&chain, &mut store, &update(first + 1));
    assert_eq!(refused(&chain, &store, &update(first)), unknown(first, first + 1));
    assert_eq!(refused(&chain, &store, &update(first + 3)), unknown(first + 3, first + 1));
}

#[test]
fn another_committees_signature_is_refused() {
    let chain = minimal();
    let first = chain.first_period();
    let update = chain.update(first).signed_by(first + 1).build();
    let error = refused(&chain, &store(&chain), &update);
    assert!(matches!(error, StoreError::Check(CheckError::Signature(_))), "{error:?}");
}

#[test]
fn a_past_update_is_taken_for_an_unknown_committee_alone() {
    let chain = minimal();
    let first = chain.first_period();
    let finalized = chain.first_slot() + 40;
    let mut store = store_at(&chain, finalized);
    let past = |attested| chain.update(first).attested_slot(attested);
    let irrelevant = |attested| StoreError::Irrelevant { attested, finalized };
    let without = past(finalized).without_next_committee().build();
    assert_eq!(refused(&chain, &store, &without), irrelevant(finalized));
    let newer = past(finalized + 1).without_next_committee().build();
    store.validate(chain.spec(), &newer, u64::MAX).unwrap();

    let before = store.clone();
    let supplies = past(finalized - 1).build();
    take(&chain, &mut store, &supplies);
    assert_eq!(store.next_sync_committee.as_ref(), Some(chain.committee(first + 1).public()));
    assert_eq!(store.finalized_header, before.finalized_header);
    assert_eq!(store.optimistic_header, before.optimistic_header);
    assert_eq!(store.best_valid_update, None);
    assert_eq!(refused(&chain, &store, &supplies), irrelevant(finalized - 1));
}

#[test]
fn the_last_block_of_the_period_before_brings_no_unknown_committee() {
    let chain = minimal();
    let second = chain.first_slot_of(chain.first_period() + 1);
    let store = store_at(&chain, second + 2);
    let update = chain.update(0).attested_slot(second - 1).build();
    assert_eq!(chain.spec().period_at_slot(update.signature_slot), chain.first_period() + 1);
    let error = StoreError::Irrelevant { attested: second - 1, finalized: second + 2 };
    assert_eq!(refused(&chain, &store, &update), error);
}

#[test]
fn what_an_update_says_it_does_not_bring_has_to_be_empty() {
    let chain = minimal();
    let (store, update) = (store(&chain), || chain.update(chain.first_period()));
    let bare = update().without_finality().without_next_committee().build();
    store.validate(chain.spec(), &bare, u64::MAX).unwrap();

    for chain in [of(Fork::Altair), minimal()] {
        let update = chain.update(chain.first_period()).without_finality();
        let mut wrong = update.without_next_committee().build();
        wrong.finalized_header = chain.header(chain.first_slot());
        let error = refused(&chain, &self::store(&chain), &wrong);
        assert_eq!(error, StoreError::NotEmpty("finalized header"));
    }
    let committee = StoreError::NotEmpty("next sync committee");
    let mut wrong = bare.clone();
    wrong.next_sync_committee.aggregate_pubkey.0[47] = 1;
    assert_eq!(refused(&chain, &store, &wrong), committee);
    let mut wrong = bare;
    wrong.next_sync_committee.pubkeys[31].0[47] = 1;
    assert_eq!(refused(&chain, &store, &wrong), committee);
    // Final at genesis is nothing, which has no block either.
    let genesis = |header: &mut LightClientHeader| header.beacon.slot = 0;
    let wrong = update().edit_finalized(genesis).build();
    assert_eq!(refused(&chain, &store, &wrong), StoreError::NotEmpty("genesis header"));
}

#[test]
fn what_an_update_brings_has_to_be_in_the_signed_state() {
    let chain = minimal();
    let (first, store) = (chain.first_period(), store(&chain));
    let update = chain.update(first).build();
    let mut wrong = update.clone();
    sibling(&mut wrong.finalized_header);
    let error = StoreError::Check(CheckError::FinalityBranch);
    assert_eq!(refused(&chain, &store, &wrong), error);
    let mut wrong = update.clone();
    wrong.next_sync_committee = chain.committee(first + 2).public().clone();
    let error = StoreError::Check(CheckError::NextCommitteeBranch);
    assert_eq!(refused(&chain, &store, &wrong), error);
    for (what, header) in [("attested", true), ("finalized", false)] {
        let mut wrong = update.clone();
        let header = if header { &mut wrong.attested_header } else { &mut wrong.finalized_header };
        header.execution.gas_used += 1;
        let error = StoreError::Check(CheckError::ExecutionBranch(what));
        assert_eq!(refused(&chain, &store, &wrong), error);
    }
}

#[test]
fn a_second_next_committee_of_the_same_period_is_refused() {
    let chain = minimal();
    let first = chain.first_period();
    let mut store = store(&chain);
    let later = || chain.update(first).attested_slot(chain.first_slot() + 50);
    let other = later().next_committee(chain.committee(first + 2).public().clone()).build();
    store.validate(chain.spec(), &other, u64::MAX).unwrap();
    take(&chain, &mut store, &chain.update(first).build());
    assert_eq!(refused(&chain, &store, &other), StoreError::OtherNextCommittee);
    store.validate(chain.spec(), &later().build(), u64::MAX).unwrap();
}

#[test]
fn a_final_update_moves_the_store_and_the_next_period_its_committees() {
    let chain = minimal();
    let (first, mut store) = (chain.first_period(), store(&chain));
    let committee = |period| chain.committee(period).public().clone();
    let update = chain.update(first).participants(22).build();
    take(&chain, &mut store, &update);
    let mut wanted = LightClientStore {
        finalized_header: update.finalized_header,
        current_sync_committee: committee(first),
        next_sync_committee: Some(committee(first + 1)),
        best_valid_update: None,
        optimistic_header: update.attested_header,
        previous_max_active_participants: 0,
        current_max_active_participants: 22,
    };
    assert_eq!(store, wanted);

    let update = chain.update(first).attested_slot(chain.first_slot() + 50).build();
    take(&chain, &mut store, &update);
    wanted.finalized_header = update.finalized_header;
    wanted.optimistic_header = update.attested_header;
    wanted.current_max_active_participants = 32;
    assert_eq!(store, wanted, "in the same period the committees stay");

    let update = chain.update(first + 1).participants(30).build();
    take(&chain, &mut store, &update);
    wanted = LightClientStore {
        finalized_header: update.finalized_header,
        current_sync_committee: committee(first + 1),
        next_sync_committee: Some(committee(first + 2)),
        optimistic_header: update.attested_header,
        previous_max_active_participants: 32,
        current_max_active_participants: 0,
        ..wanted
    };
    assert_eq!(store, wanted);
}

#[test]
fn finality_without_two_thirds_is_kept_and_not_applied() {
    let chain = minimal();
    let (first, mut store) = (chain.first_period(), store(&chain));
    let before = store.clone();
    let update = chain.update(first).participants(21).build();
    take(&chain, &mut store, &update);
    assert_eq!(store.finalized_header, before.finalized_header);
    assert_eq!(store.next_sync_committee, None);
    assert_eq!(store.best_valid_update, Some(update));
}

#[test]
fn finality_that_is_not_newer_is_applied_for_an_unknown_committee_of_its_own_period_alone() {
    let chain = minimal();
    let (first, start) = (chain.first_period(), chain.first_slot() + 40);
    // Final at slot 32 of the period: not newer than the store's 40.
    let update = || chain.update(first).attested_slot(start + 10);
    let with_committee = update().build();
    let mut store = store_at(&chain, start);
    take(&chain, &mut store, &with_committee);
    assert!(store.next_sync_committee.is_some());
    assert_eq!(store.best_valid_update, None);
    // Known by now, so that there is nothing to apply.
    let again = chain.update(first).attested_slot(start + 11).build();
    take(&chain, &mut store, &again);
    assert_eq!(store.best_valid_update, Some(again));

    let not_applied = |chain: &Chain, mut store: LightClientStore, update: LightClientUpdate| {
        let finalized = store.finalized_header.clone();
        take(chain, &mut store, &update);
        assert_eq!(store.finalized_header, finalized);
        assert_eq!(store.next_sync_committee, None);
        assert_eq!(store.best_valid_update, Some(update));
    };
    not_applied(&chain, store_at(&chain, start), update().without_next_committee().build());
    let second = chain.first_slot_of(first + 1);
    let of_the_period_before =
        chain.update(first + 1).attested_slot(second + 4).finalized_slot(second - 8).build();
    not_applied(&chain, store_at(&chain, second + 2), of_the_period_before);
    // In period 0 also the header that an update without finality has.
    let from_genesis = Chain::builder().preset(Preset::Minimal).trie_depth(0).first_period(0);
    let from_genesis = from_genesis.only_fork(Fork::Electra).build().unwrap();
    let update = from_genesis.update(0).without_finality().build();
    not_applied(&from_genesis, store_at(&from_genesis, 8), update);
}

#[test]
fn the_optimistic_header_follows_more_than_half_of_the_most_signers_seen() {
    let chain = minimal();
    let (first, mut store) = (chain.first_period(), store(&chain));
    let optimistic = |slot, signers| {
        let update = chain.update(first).attested_slot(chain.first_slot() + slot);
        update.participants(signers).without_finality().without_next_committee().build()
    };
    let mut moves = |slot, signers| {
        let update = optimistic(slot, signers);
        take(&chain, &mut store, &update);
        store.optimistic_header == update.attested_header
    };
    assert!(moves(20, 12));
    assert!(!moves(22, 6), "half of 12");
    assert!(moves(22, 7), "more than half of 12");
    assert!(!moves(21, 12), "an older block");
    // The most of the period before counts as well.
    store.previous_max_active_participants = 18;
    let mut moves = |slot, signers| {
        let update = optimistic(slot, signers);
        take(&chain, &mut store, &update);
        store.optimistic_header == update.attested_header
    };
    assert!(!moves(23, 9), "half of 18");
    assert!(moves(23, 10), "more than half of 18");
}

#[test]
fn another_block_at_the_same_slot_changes_no_header() {
    let chain = minimal();
    let (first, start) = (chain.first_period(), chain.first_slot() + 16);
    let mut store = store_at(&chain, start);
    let update = || chain.update(first).attested_slot(start + 19).participants(22);
    let without_finality = update().without_finality().build();
    take(&chain, &mut store, &without_finality);
    let other = update().edit_attested(sibling).without_finality().build();
    take(&chain, &mut store, &other);
    assert_eq!(store.optimistic_header, without_finality.attested_header);

    // Another finalized block at the store's own slot brings its committee and nothing else.
    let finalized = store.finalized_header.clone();
    let conflicting = update().finalized_slot(start).edit_finalized(sibling);
    take(&chain, &mut store, &conflicting.build());
    assert!(store.next_sync_committee.is_some());
    assert_eq!(store.finalized_header, finalized);
    // With its committee known, it is not applied at all.
    let conflicting = update().attested_slot(start + 20).finalized_slot(start);
    let conflicting = conflicting.edit_finalized(sibling).build();
    take(&chain, &mut store, &conflicting);
    assert_eq!(store.best_valid_update, Some(conflicting));

    // Final at the optimistic header's slot: finalized, while the optimistic header stays.
    let optimistic = store.optimistic_header.clone();
    let slot = optimistic.beacon.slot;
    let final_there = chain.update(first).attested_slot(slot + 20).finalized_slot(slot);
    let final_there = final_there.edit_finalized(sibling).participants(22).build();
    store.optimistic_header = optimistic.clone();
    store.current_max_active_participants = 2 * 22;
    take(&chain, &mut store, &final_there);
    assert_eq!(store.finalized_header, final_there.finalized_header);
    assert_eq!(store.optimistic_header, optimistic);
}

#[test]
fn what_is_final_later_than_the_optimistic_header_is_that_too() {
    let chain = minimal();
    let mut store = store(&chain);
    // So many signed before that these are no half of them.
    store.current_max_active_participants = 2 * 32;
    let update = chain.update(chain.first_period()).build();
    take(&chain, &mut store, &update);
    assert_eq!(store.finalized_header, update.finalized_header);
    assert_eq!(store.optimistic_header, update.finalized_header);
}

#[test]
fn the_better_of_two_updates_is_kept() {
    let chain = minimal();
    let (first, mut store) = (chain.first_period(), store(&chain));
    let signed_by = |signers| chain.update(first).participants(signers).build();
    let [few, more] = [signed_by(12), signed_by(13)];
    for update in [&few, &more] {
        take(&chain, &mut store, update);
        assert_eq!(store.best_valid_update.as_ref(), Some(update));
    }
    take(&chain, &mut store, &few);
    assert_eq!(store.best_valid_update, Some(more.clone()));
    assert!(!LightClientStore::is_better_update(chain.spec(), &more, &more), "than itself");
}

#[test]
fn without_finality_for_a_period_the_best_update_is_forced() {
    let chain = minimal();
    let (first, mut store) = (chain.first_period(), store(&chain));
    let deadline = chain.first_slot() + chain.spec().slots_per_period();
    let update = chain.update(first).without_finality().build();
    take(&chain, &mut store, &update);
    let before = store.clone();
    store.process_force_update(chain.spec(), deadline);
    assert_eq!(store, before);
    store.process_force_update(chain.spec(), deadline + 1);
    assert_eq!(store.finalized_header, update.attested_header, "in place of a finalized one");
    assert_eq!(store.next_sync_committee.as_ref(), Some(chain.committee(first + 1).public()));
    assert_eq!(store.best_valid_update, None);
    let before = store.clone();
    store.process_force_update(chain.spec(), u64::MAX);
    assert_eq!(store, before, "there is nothing to force");
}

#[test]
fn a_forced_update_keeps_the_finality_that_it_has() {
    let chain = minimal();
    let mut store = store(&chain);
    let update = chain.update(chain.first_period()).participants(21).build();
    take(&chain, &mut store, &update);
    store.process_force_update(chain.spec(), u64::MAX);
    assert_eq!(store.finalized_header, update.finalized_header);
    // Finality that is not newer is none: the attested header is taken.
    let mut store = store_at(&chain, update.finalized_header.beacon.slot);
    let update = chain.update(chain.first_period()).participants(21).build();
    take(&chain, &mut store, &update);
    store.process_force_update(chain.spec(), u64::MAX);
    assert_eq!(store.finalized_header, update.attested_header);
}
