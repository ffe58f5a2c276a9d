use lc_core::{
    alloy_primitives::U256,
    objects::LightClientUpdate,
    statement::{AccountProof, Slot},
};

use super::*;
use crate::{
    ask::AskError,
    testing::{PERIOD, account_proofs, change, finality_update, header, inclusion, store, update},
};

const OTHER: B256 = B256::repeat_byte(0xee);

fn ask(updates: &[LightClientUpdate]) -> CommitteeChangeAsk {
    CommitteeChangeAsk::new(&store(), updates, None).unwrap()
}

fn ask_inclusion(accounts: Vec<AccountProof>) -> InclusionAsk {
    InclusionAsk::new(&store(), &finality_update(PERIOD), accounts).unwrap()
}

/// What [`advance`] says of a change with one thing spoilt.
fn advanced(spoil: impl FnOnce(&mut CommitteeChange)) -> Refusal {
    let mut change = change();
    spoil(&mut change);
    advance(&store(), &change, &ask(&[update(PERIOD)])).unwrap_err()
}

/// What [`check_asked_inclusion`] says of a statement with one thing spoilt.
fn included(spoil: impl FnOnce(&mut Inclusion)) -> Refusal {
    let mut inclusion = inclusion();
    spoil(&mut inclusion);
    check_asked_inclusion(&store(), &inclusion, &ask_inclusion(account_proofs())).unwrap_err()
}

fn word(value: &'static str, wanted: B256, against: Against) -> Refusal {
    Refusal::Word { value, seen: OTHER, wanted, against }
}

fn number(value: &'static str, seen: u64, wanted: u64) -> Refusal {
    Refusal::Number { value, seen, wanted, against: Against::Request }
}

#[test]
fn a_change_as_asked_moves_period_committee_and_finalized_header() {
    let before = store();
    let after = advance(&before, &change(), &ask(&[update(PERIOD)])).unwrap();
    let update = update(PERIOD);
    assert_eq!(after.period, PERIOD + 1);
    assert_eq!(after.committee, update.next_sync_committee);
    assert_eq!(after.finalized, Finalized::of(&update.finalized_header));
    assert_eq!((after.chain, after.network), (before.chain, before.network));
    assert!(!after.mock);
}

#[test]
fn a_change_over_several_periods_moves_to_the_last() {
    let updates: Vec<_> = (PERIOD..PERIOD + 3).map(update).collect();
    let last = &updates[2];
    let finalized = Finalized::of(&last.finalized_header);
    let seen = CommitteeChange {
        newPeriod: PERIOD + 3,
        newCommittee: last.next_sync_committee.hash_tree_root::<NativeCrypto>(),
        finalizedSlot: finalized.slot,
        finalizedRoot: finalized.root,
        executionNumber: finalized.execution_number,
        ..change()
    };
    let after = advance(&store(), &seen, &ask(&updates)).unwrap();
    assert_eq!((after.period, after.finalized), (PERIOD + 3, finalized));
}

#[test]
fn the_finalized_header_never_goes_back() {
    let mut before = store();
    before.finalized = Finalized::of(&header(PERIOD * 64 + 30));
    let asked = CommitteeChangeAsk::new(&before, &[update(PERIOD)], None).unwrap();
    let after = advance(&before, &change(), &asked).unwrap();
    assert_eq!(after.period, PERIOD + 1);
    assert_eq!(after.finalized, before.finalized);
}

#[test]
fn each_public_value_of_a_change_is_compared_with_the_store_or_the_request() {
    use Against::{Request, Store};
    let good = change();
    let store = store();
    let slot = good.finalizedSlot;
    assert_eq!(advanced(|c| c.chain = OTHER), word("chain", store.chain_root(), Store));
    assert_eq!(
        advanced(|c| c.signerPeriod -= 1),
        Refusal::Number { value: "signerPeriod", seen: PERIOD - 1, wanted: PERIOD, against: Store }
    );
    assert_eq!(
        advanced(|c| c.signerCommittee = OTHER),
        word("signerCommittee", store.committee_root(), Store)
    );
    assert_eq!(
        advanced(|c| c.newPeriod = PERIOD),
        Refusal::NotAfter { signer: PERIOD, new: PERIOD }
    );
    assert_eq!(
        advanced(|c| {
            c.newPeriod += 1;
            c.finalizedSlot += 64;
        }),
        number("newPeriod", PERIOD + 2, PERIOD + 1)
    );
    assert_eq!(
        advanced(|c| c.newCommittee = OTHER),
        word("newCommittee", good.newCommittee, Request)
    );
    for signed in [0, 21, 33, u64::MAX] {
        assert_eq!(
            advanced(|c| c.minParticipation = signed),
            Refusal::Participation { value: "minParticipation", signed, size: 32 }
        );
    }
    assert_eq!(advanced(|c| c.minParticipation = 23), number("minParticipation", 23, 22));
    assert_eq!(
        advanced(|c| c.finalizedSlot += 64),
        Refusal::Period {
            value: "finalizedSlot",
            slot: slot + 64,
            seen: PERIOD + 1,
            wanted: PERIOD
        }
    );
    assert_eq!(
        advanced(|c| c.finalizedSlot -= 64),
        Refusal::NotFinal { slot: slot - 64, seen: PERIOD - 1, wanted: PERIOD }
    );
    assert_eq!(advanced(|c| c.finalizedSlot += 1), number("finalizedSlot", slot + 1, slot));
    assert_eq!(
        advanced(|c| c.finalizedRoot = OTHER),
        word("finalizedRoot", good.finalizedRoot, Request)
    );
    assert_eq!(
        advanced(|c| c.executionNumber += 1),
        number("executionNumber", slot + 1001, slot + 1000)
    );
    assert_eq!(
        advanced(|c| c.executionHash = OTHER),
        word("executionHash", good.executionHash, Request)
    );
    assert_eq!(
        advanced(|c| c.executionStateRoot = OTHER),
        word("executionStateRoot", good.executionStateRoot, Request)
    );
}

#[test]
fn two_different_final_blocks_in_one_slot_are_a_conflict_whatever_was_asked() {
    let mut store = store();
    store.finalized = Finalized::of(&update(PERIOD).finalized_header);
    check_committee_change(&store, &change()).unwrap();
    check_inclusion(&store, &inclusion()).unwrap();
    let slot = store.finalized.slot;
    let mut seen = change();
    seen.finalizedRoot = OTHER;
    let conflict = |value| Err(Refusal::Conflict { slot, value });
    assert_eq!(check_committee_change(&store, &seen), conflict("finalizedRoot"));
    let mut seen = inclusion();
    seen.executionStateRoot = OTHER;
    assert_eq!(check_inclusion(&store, &seen), conflict("executionStateRoot"));
}

/// As after a bootstrap from a block of Gloas, whose header names its execution block by hash alone.
#[test]
fn what_a_store_does_not_know_of_its_block_is_no_conflict_and_is_learned() {
    let mut store = store();
    let whole = Finalized::of(&update(PERIOD).finalized_header);
    store.finalized = Finalized { execution_number: 0, execution_state_root: B256::ZERO, ..whole };
    assert!(!store.finalized.knows_state());
    check_inclusion(&store, &inclusion()).unwrap();
    let mut seen = inclusion();
    seen.executionHash = OTHER;
    let slot = whole.slot;
    let conflict = Err(Refusal::Conflict { slot, value: "executionHash" });
    assert_eq!(check_inclusion(&store, &seen), conflict);
    let after = advance(&store, &change(), &ask(&[update(PERIOD)])).unwrap();
    assert_eq!(after.finalized, whole);
}

#[test]
fn a_change_is_next_for_the_store_before_it_and_behind_the_one_after() {
    let before = store();
    let after = advance(&before, &change(), &ask(&[update(PERIOD)])).unwrap();
    assert_eq!(place(&before, &change()), Ok(Place::Next));
    assert_eq!(place(&after, &change()), Ok(Place::Behind));
    let mut other = change();
    other.newCommittee = OTHER;
    let refusal = place(&after, &other).unwrap_err();
    assert!(matches!(refusal, Refusal::Number { value: "signerPeriod", .. }), "{refusal}");
}

#[test]
fn an_inclusion_as_asked_is_taken() {
    check_asked_inclusion(&store(), &inclusion(), &ask_inclusion(account_proofs())).unwrap();
}

#[test]
fn each_public_value_of_an_inclusion_is_compared_with_the_store_or_the_request() {
    use Against::{Request, Store};
    let good = inclusion();
    let store = store();
    let (attested, slot) = (good.attestedSlot, good.finalizedSlot);
    assert_eq!(included(|i| i.chain = OTHER), word("chain", store.chain_root(), Store));
    assert_eq!(
        included(|i| i.signerPeriod += 1),
        Refusal::Number { value: "signerPeriod", seen: PERIOD + 1, wanted: PERIOD, against: Store }
    );
    assert_eq!(
        included(|i| i.signerCommittee = OTHER),
        word("signerCommittee", store.committee_root(), Store)
    );
    for signed in [21, 33] {
        assert_eq!(
            included(|i| i.participation = signed),
            Refusal::Participation { value: "participation", signed, size: 32 }
        );
    }
    assert_eq!(included(|i| i.participation = 32), number("participation", 32, 22));
    assert_eq!(
        included(|i| i.attestedSlot = slot - 1),
        Refusal::SlotOrder { finalized: slot, attested: slot - 1 }
    );
    assert_eq!(
        included(|i| i.attestedSlot += 64),
        Refusal::Period {
            value: "attestedSlot",
            slot: attested + 64,
            seen: PERIOD + 1,
            wanted: PERIOD
        }
    );
    assert_eq!(included(|i| i.attestedSlot += 1), number("attestedSlot", attested + 1, attested));
    assert_eq!(included(|i| i.finalizedSlot -= 1), number("finalizedSlot", slot - 1, slot));
    assert_eq!(
        included(|i| i.finalizedRoot = OTHER),
        word("finalizedRoot", good.finalizedRoot, Request)
    );
    assert_eq!(
        included(|i| i.executionNumber = 0),
        number("executionNumber", 0, good.executionNumber)
    );
    assert_eq!(
        included(|i| i.executionHash = OTHER),
        word("executionHash", good.executionHash, Request)
    );
    assert_eq!(
        included(|i| i.executionStateRoot = OTHER),
        word("executionStateRoot", good.executionStateRoot, Request)
    );
}

#[test]
fn accounts_and_slots_other_than_those_asked_for_are_refused() {
    let (first, second) = (Address::repeat_byte(0xa1), Address::repeat_byte(0xa2));
    let missing = included(|i| drop(i.accounts.pop()));
    assert_eq!(missing, Refusal::Count { what: "accounts".to_owned(), seen: 1, wanted: 2 });
    assert_eq!(
        included(|i| i.accounts.swap(0, 1)),
        Refusal::Address { number: 0, seen: second, wanted: first }
    );
    let slots = format!("slots of account {first}");
    assert_eq!(
        included(|i| i.accounts[0].slots.clear()),
        Refusal::Count { what: slots, seen: 0, wanted: 2 }
    );
    assert_eq!(
        included(|i| i.accounts[0].slots[1].key = OTHER),
        word("key", B256::repeat_byte(2), Against::Request)
    );
}

#[test]
fn an_account_that_does_not_exist_may_hold_nothing() {
    let refused = |spoil: fn(&mut Account)| included(|i| spoil(&mut i.accounts[1]));
    let absent = Refusal::AbsentAccount(Address::repeat_byte(0xa2));
    assert_eq!(refused(|a| a.nonce = 1), absent);
    assert_eq!(refused(|a| a.balance = U256::from(1)), absent);
    assert_eq!(refused(|a| a.storageRoot = OTHER), absent);
    assert_eq!(refused(|a| a.codeHash = OTHER), absent);
    assert_eq!(refused(|a| a.slots.push(Slot { key: OTHER, value: U256::from(1) })), absent);
}

#[test]
fn updates_behind_the_store_are_skipped_and_only_so_many_taken() {
    let updates: Vec<_> = (PERIOD - 2..PERIOD + 3).map(update).collect();
    let asked = CommitteeChangeAsk::new(&store(), &updates, Some(2)).unwrap();
    assert_eq!((asked.skipped, asked.periods()), (2, 2));
    assert_eq!(asked.next_committee, update(PERIOD + 1).next_sync_committee);
}

#[test]
fn updates_that_cannot_be_proven_from_the_store_on_are_refused() {
    let refused = |periods: &[u64]| {
        let updates: Vec<_> = periods.iter().copied().map(update).collect();
        CommitteeChangeAsk::new(&store(), &updates, None).unwrap_err()
    };
    assert_eq!(refused(&[]), AskError::NoUpdates);
    assert_eq!(
        refused(&[PERIOD - 2, PERIOD - 1]),
        AskError::NothingNew { last: PERIOD - 1, store: PERIOD }
    );
    assert_eq!(refused(&[PERIOD + 1]), AskError::Gap { seen: PERIOD + 1, wanted: PERIOD });
    assert_eq!(refused(&[PERIOD, PERIOD]), AskError::Gap { seen: PERIOD, wanted: PERIOD + 1 });
    assert_eq!(
        refused(&[PERIOD, PERIOD + 2]),
        AskError::Gap { seen: PERIOD + 2, wanted: PERIOD + 1 }
    );
    let many: Vec<u64> = (PERIOD..PERIOD + 129).collect();
    assert_eq!(refused(&many), AskError::TooMany(129));
}

#[test]
fn a_finality_update_of_another_committee_is_refused_before_anything_is_sent() {
    let refused = |period| {
        InclusionAsk::new(&store(), &finality_update(period), account_proofs())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(PERIOD + 1).contains("prove the committee changes"), "{}", refused(PERIOD + 1));
    assert!(refused(PERIOD - 1).contains("fetch a newer"), "{}", refused(PERIOD - 1));
    let none = InclusionAsk::new(&store(), &finality_update(PERIOD), vec![]).unwrap_err();
    assert_eq!(none, AskError::NoAccounts);
}

#[test]
fn a_refusal_says_what_was_seen_what_was_wanted_and_what_to_do() {
    assert_eq!(
        advanced(|c| c.signerPeriod = 3).to_string(),
        "the proof says signerPeriod = 3, the store has 5: it does not follow from this store, use the store of its chain and period"
    );
    assert_eq!(
        advanced(|c| c.minParticipation = 23).to_string(),
        "the proof says minParticipation = 23, asked for was 22: it is the proof of something else, ask another server"
    );
}
