//! Following the chain: what an update brings, and every reason to refuse one. Where the contract refuses, the verifier
//! would have taken the proof.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_sol_types::{SolEvent, SolValue};
use lc_contracts::{
    COMMITTEE_CHANGE_VKEY, CallError, EthereumLightClient as Contract, INCLUSION_VKEY, LightClient,
    PROOF, Setup, StandInVerifier, Statements,
};
use lc_core::statement::CommitteeChange;

/// A chain, a light client that trusts its first committee, and that committee's period.
fn start() -> (Statements, LightClient, u64) {
    let statements = Statements::of_seed(1);
    let client = Setup::following(&statements).deploy().unwrap();
    let first = statements.first_period();
    (statements, client, first)
}

fn header(change: &CommitteeChange) -> Contract::Header {
    Contract::Header {
        slot: change.finalizedSlot,
        executionNumber: change.executionNumber,
        root: change.finalizedRoot,
        executionHash: change.executionHash,
        executionStateRoot: change.executionStateRoot,
    }
}

#[test]
fn an_update_brings_the_next_committee_and_a_finalized_block() {
    let (statements, mut client, first) = start();
    let change = statements.committee_change(first..first + 1);
    let receipt = client.update_proven(&change).unwrap();
    assert_eq!(client.latest_period(), first + 1);
    assert_eq!(client.committee(first + 1), statements.committee(first + 1));
    assert_eq!(client.committee(first), statements.committee(first));
    assert_eq!(client.head(), header(&change));
    let [event] = &receipt.logs[..] else { panic!("{:?}", receipt.logs) };
    let expected = Contract::Updated {
        period: first + 1,
        committee: change.newCommittee,
        header: header(&change),
    };
    assert_eq!(event.address, client.address);
    assert_eq!(Contract::Updated::decode_log(event).unwrap().data, expected);
}

#[test]
fn the_committee_before_the_last_update_s_signers_is_forgotten() {
    let (statements, mut client, first) = start();
    for period in first..first + 3 {
        client.update_proven(&statements.committee_change(period..period + 1)).unwrap();
        assert_eq!(client.committee(period + 1), statements.committee(period + 1));
        assert_eq!(client.committee(period), statements.committee(period));
        assert_eq!(client.committee(period - 1), B256::ZERO);
        assert_eq!(client.committee(0), B256::ZERO);
    }
}

#[test]
fn one_proof_brings_several_periods_and_those_between_stay_unknown() {
    let (statements, mut client, first) = start();
    let change = statements.committee_change(first..first + 3);
    client.update_proven(&change).unwrap();
    assert_eq!(client.latest_period(), first + 3);
    assert_eq!(client.committee(first + 3), statements.committee(first + 3));
    assert_eq!(client.committee(first + 1), B256::ZERO);
    assert_eq!(client.committee(first + 2), B256::ZERO);
    assert_eq!(client.committee(first), statements.committee(first));
    assert_eq!(client.head(), header(&change));
}

#[test]
fn updates_follow_one_another() {
    let (statements, mut client, first) = start();
    for period in first..first + 5 {
        let change = statements.committee_change(period..period + 1);
        client.update_proven(&change).unwrap();
        assert_eq!((client.latest_period(), client.head()), (period + 1, header(&change)));
    }
}

#[test]
fn a_replay_is_refused() {
    let (statements, mut client, first) = start();
    let change = statements.committee_change(first..first + 1);
    client.update_proven(&change).unwrap();
    let error = Contract::AlreadyKnown { newPeriod: first + 1, latestPeriod: first + 1 };
    assert_eq!(client.update_proven(&change).unwrap_err(), CallError::of(&error));
}

#[test]
fn an_older_update_is_refused() {
    let (statements, mut client, first) = start();
    client.update_proven(&statements.committee_change(first..first + 3)).unwrap();
    let older = statements.committee_change(first..first + 2);
    let error = Contract::AlreadyKnown { newPeriod: first + 2, latestPeriod: first + 3 };
    assert_eq!(client.update_proven(&older).unwrap_err(), CallError::of(&error));
}

#[test]
fn an_older_committee_vouches_for_nothing_new() {
    let (statements, mut client, first) = start();
    let further = statements.committee_change(first..first + 2);
    client.update_proven(&statements.committee_change(first..first + 1)).unwrap();
    let error = Contract::StalePeriod { signerPeriod: first, latestPeriod: first + 1 };
    assert_eq!(client.update_proven(&further).unwrap_err(), CallError::of(&error));
    client.update_proven(&statements.committee_change(first + 1..first + 2)).unwrap();
}

#[test]
fn a_committee_that_is_not_known_yet_vouches_for_nothing() {
    let (statements, mut client, first) = start();
    let ahead = statements.committee_change(first + 1..first + 2);
    let error = Contract::UnknownCommittee { period: first + 1 };
    assert_eq!(client.update_proven(&ahead).unwrap_err(), CallError::of(&error));
}

#[test]
fn another_chain_is_refused() {
    let (statements, mut client, first) = start();
    let other = Statements::of_seed(2);
    let change = other.committee_change(first..first + 1);
    let error = Contract::WrongChain { chain: other.chain(), expected: statements.chain() };
    assert_eq!(client.update_proven(&change).unwrap_err(), CallError::of(&error));
}

#[test]
fn another_committee_of_the_right_period_is_refused() {
    let (statements, mut client, first) = start();
    let stranger = Statements::of_seed(2).committee(first);
    let mut change = statements.committee_change(first..first + 1);
    change.signerCommittee = stranger;
    let error = Contract::WrongCommittee {
        period: first,
        committee: stranger,
        expected: statements.committee(first),
    };
    assert_eq!(client.update_proven(&change).unwrap_err(), CallError::of(&error));
}

#[test]
fn a_committee_that_could_still_be_replaced_is_refused() {
    let (statements, mut client, first) = start();
    let chain = statements.simulated();
    client.update_proven(&statements.committee_change(first..first + 1)).unwrap();
    // In the period's first epochs the block that is final is of the period before.
    let early = chain.update(first + 1).attested_slot(chain.first_slot_of(first + 1) + 3).build();
    let early = statements.vouched(first + 1, &[early]);
    let error =
        Contract::CommitteeNotFinal { finalizedSlot: early.finalizedSlot, newPeriod: first + 2 };
    assert_eq!(client.update_proven(&early).unwrap_err(), CallError::of(&error));
    client.update_proven(&statements.committee_change(first + 1..first + 2)).unwrap();
}

#[test]
fn the_finalized_slot_may_be_the_first_or_last_of_the_period_before_the_new_one() {
    let slots = 64;
    let (statements, _, first) = start();
    let change = statements.committee_change(first..first + 1);
    let outcome = |slot| {
        let mut client = Setup::following(&statements).deploy().unwrap();
        client.update_proven(&CommitteeChange { finalizedSlot: slot, ..change }).map(drop)
    };
    assert_eq!(outcome(first * slots), Ok(()));
    assert_eq!(outcome((first + 1) * slots - 1), Ok(()));
    for outside in [0, first * slots - 1, (first + 1) * slots, u64::MAX] {
        let error = Contract::CommitteeNotFinal { finalizedSlot: outside, newPeriod: first + 1 };
        assert_eq!(outcome(outside), Err(CallError::of(&error)));
    }
}

#[test]
fn fewer_signers_than_asked_for_are_refused() {
    let statements = Statements::of_seed(1);
    let first = statements.first_period();
    let signed_by = |count| {
        let update = statements.simulated().update(first).participants(count).build();
        statements.vouched(first, &[update])
    };
    let mut client = Setup::following(&statements).asking_for(30).deploy().unwrap();
    let error = Contract::TooFewSigners { signers: 29, required: 30 };
    assert_eq!(client.update_proven(&signed_by(29)).unwrap_err(), CallError::of(&error));
    client.update_proven(&signed_by(30)).unwrap();
    // Two thirds are enough where nothing is asked for.
    Setup::following(&statements).deploy().unwrap().update_proven(&signed_by(22)).unwrap();
}

#[test]
fn a_mutated_proof_is_refused_with_the_verifier_s_own_words() {
    let (statements, mut client, first) = start();
    let public_values = statements.committee_change(first..first + 1).abi_encode();
    client.expect_proof(COMMITTEE_CHANGE_VKEY, &public_values, &PROOF);
    let mut mutated = PROOF.to_vec();
    mutated[200] ^= 1;
    let lengthened = [&PROOF[..], &[0]].concat();
    let wrong = [mutated, lengthened, PROOF[..PROOF.len() - 1].to_vec(), Vec::new()];
    for proof in wrong.map(Bytes::from) {
        let error = StandInVerifier::OtherProof { digest: keccak256(&proof) };
        assert_eq!(client.update(&public_values, proof).unwrap_err(), CallError::of(&error));
    }
    client.update(&public_values, PROOF).unwrap();
}

#[test]
fn the_other_program_s_proof_is_refused() {
    let (statements, mut client, first) = start();
    let public_values = statements.committee_change(first..first + 1).abi_encode();
    client.expect_proof(INCLUSION_VKEY, &public_values, &PROOF);
    let error = StandInVerifier::OtherProgram { vkey: COMMITTEE_CHANGE_VKEY };
    assert_eq!(client.update(&public_values, PROOF).unwrap_err(), CallError::of(&error));
}

#[test]
fn no_bit_of_the_public_values_can_be_changed() {
    let (statements, mut client, first) = start();
    let public_values = statements.committee_change(first..first + 1).abi_encode();
    client.expect_proof(COMMITTEE_CHANGE_VKEY, &public_values, &PROOF);
    for bit in 0..public_values.len() * 8 {
        let mut mutated = public_values.clone();
        mutated[bit / 8] ^= 1 << (bit % 8);
        client.update(&mutated, PROOF).unwrap_err();
    }
    client.update(&public_values, PROOF).unwrap();
}

#[test]
fn what_costs_little_is_checked_before_the_proof() {
    let statements = Statements::of_seed(1);
    let first = statements.first_period();
    let mut client = Setup::following(&statements).asking_for(32).deploy().unwrap();
    let good = || statements.committee_change(first..first + 1);
    let wrong: [CommitteeChange; 6] = [
        CommitteeChange { chain: B256::ZERO, ..good() },
        CommitteeChange { newPeriod: first, ..good() },
        CommitteeChange { signerPeriod: first - 1, ..good() },
        CommitteeChange { signerCommittee: B256::ZERO, ..good() },
        CommitteeChange { minParticipation: 31, ..good() },
        CommitteeChange { finalizedSlot: 0, ..good() },
    ];
    // The stand-in was told of no proof, and refuses with its own words whatever it is asked.
    let of_verifier = CallError::of(&StandInVerifier::OtherProgram { vkey: COMMITTEE_CHANGE_VKEY });
    for change in wrong {
        assert_ne!(client.update(&change.abi_encode(), PROOF).unwrap_err(), of_verifier);
    }
    assert_eq!(client.update(&good().abi_encode(), PROOF).unwrap_err(), of_verifier);
}

#[test]
fn a_refused_update_changes_nothing() {
    let (statements, mut client, first) = start();
    let change = statements.committee_change(first..first + 1);
    client.update_proven(&change).unwrap();
    let next = statements.committee_change(first + 1..first + 2);
    client.update(&next.abi_encode(), PROOF).unwrap_err();
    assert_eq!((client.latest_period(), client.head()), (first + 1, header(&change)));
    assert_eq!(client.committee(first + 2), B256::ZERO);
}
