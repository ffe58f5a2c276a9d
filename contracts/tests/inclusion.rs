//! What is proven of accounts and storage slots, and every reason to believe none of it. Where the contract refuses, the
//! verifier would have taken the proof.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use lc_contracts::{
    COMMITTEE_CHANGE_VKEY, CallError, EthereumLightClient as Contract, INCLUSION_VKEY, LightClient,
    PROOF, STRANGER, Setup, StandInVerifier, Statements,
};
use lc_core::statement::Inclusion;
use simulator::KnownAccounts;

/// A light client, and what is proven to it of a token with two slots, an account that is none and an account without
/// slots.
struct Scene {
    client: LightClient,
    statements: Statements,
    known: KnownAccounts,
    inclusion: Inclusion,
}

fn scene() -> Scene {
    let statements = Statements::of_seed(1);
    let client = Setup::following(&statements).deploy().unwrap();
    let known = statements.accounts();
    let inclusion = about(&statements, statements.first_period());
    Scene { client, statements, known, inclusion }
}

fn about(statements: &Statements, period: u64) -> Inclusion {
    let known = statements.accounts();
    let slots = [known.total_supply, known.balance_of_absent];
    let wanted: [(Address, &[B256]); 3] =
        [(known.token, &slots), (known.absent, &slots[..1]), (known.wallet, &[])];
    statements.inclusion(period, &wanted)
}

impl Scene {
    /// Makes a call about the scene's inclusion, whose proof holds.
    fn ask<C: SolCall>(&mut self, call: impl FnOnce(Bytes) -> C) -> Result<C::Return, CallError> {
        let public_values = self.inclusion.abi_encode();
        self.client.expect_proof(INCLUSION_VKEY, &public_values, &PROOF);
        self.client.read(&call(public_values.into()))
    }

    fn account(&mut self, account: Address) -> Result<Contract::proveAccountReturn, CallError> {
        self.ask(|public_values| Contract::proveAccountCall {
            account,
            notBefore: 0,
            publicValues: public_values,
            proof: PROOF,
        })
    }

    fn slot(
        &mut self,
        account: Address,
        key: B256,
    ) -> Result<Contract::proveStorageReturn, CallError> {
        self.ask(|public_values| Contract::proveStorageCall {
            account,
            key,
            notBefore: 0,
            publicValues: public_values,
            proof: PROOF,
        })
    }
}

fn header(inclusion: &Inclusion) -> Contract::Header {
    Contract::Header {
        slot: inclusion.finalizedSlot,
        executionNumber: inclusion.executionNumber,
        root: inclusion.finalizedRoot,
        executionHash: inclusion.executionHash,
        executionStateRoot: inclusion.executionStateRoot,
    }
}

#[test]
fn all_that_is_proven_is_returned() {
    let Scene { mut client, inclusion, .. } = scene();
    let returned = client.inclusion_proven(&inclusion).unwrap();
    assert_eq!(returned.abi_encode(), inclusion.abi_encode());
}

#[test]
fn an_account_that_exists_is_proven_with_its_block() {
    let mut scene = scene();
    let state = scene.statements.simulated().execution_state(scene.inclusion.signerPeriod);
    let wallet = scene.known.wallet;
    let expected = state.account(&wallet).unwrap();
    let Contract::proveAccountReturn { header: block, found } = scene.account(wallet).unwrap();
    assert_eq!(block, header(&scene.inclusion));
    assert_eq!((found.account, found.exists), (wallet, true));
    assert_eq!((found.nonce, found.balance), (expected.nonce, expected.balance));
    assert_eq!(found.codeHash, expected.code_hash());
    assert_eq!(found.storageRoot, state.storage_root(&wallet));
    assert!(found.slots.is_empty());
}

#[test]
fn an_account_that_does_not_exist_is_proven_absent() {
    let mut scene = scene();
    let absent = scene.known.absent;
    let found = scene.account(absent).unwrap().found;
    let slots = vec![Contract::Slot { key: scene.known.total_supply, value: U256::ZERO }];
    assert_eq!(found, Contract::Account { account: absent, slots, ..Contract::Account::default() });
}

#[test]
fn a_slot_has_its_value_and_an_absent_one_is_zero() {
    let mut scene = scene();
    let (token, supply) = (scene.known.token, scene.known.total_supply);
    let state = scene.statements.simulated().execution_state(scene.inclusion.signerPeriod);
    let expected = state.account(&token).unwrap().storage[&supply];
    assert_ne!(expected, U256::ZERO);
    let proven = scene.slot(token, supply).unwrap();
    assert_eq!((proven.header, proven.value), (header(&scene.inclusion), expected));
    let absent = scene.known.balance_of_absent;
    assert_eq!(scene.slot(token, absent).unwrap().value, U256::ZERO);
    let nobody = scene.known.absent;
    assert_eq!(scene.slot(nobody, supply).unwrap().value, U256::ZERO);
}

#[test]
fn nothing_is_said_of_an_account_that_was_not_asked_for() {
    let mut scene = scene();
    let error = CallError::of(&Contract::AccountNotProven { account: STRANGER });
    assert_eq!(scene.account(STRANGER).map(drop), Err(error.clone()));
    assert_eq!(scene.slot(STRANGER, B256::ZERO).map(drop), Err(error));
}

#[test]
fn nothing_is_said_of_a_slot_that_was_not_asked_for() {
    let mut scene = scene();
    let (wallet, key) = (scene.known.wallet, scene.known.total_supply);
    let error = Contract::SlotNotProven { account: wallet, key };
    assert_eq!(scene.slot(wallet, key).map(drop), Err(CallError::of(&error)));
    let key = B256::repeat_byte(0x77);
    let error = Contract::SlotNotProven { account: scene.known.token, key };
    assert_eq!(scene.slot(scene.known.token, key).map(drop), Err(CallError::of(&error)));
}

#[test]
fn the_slots_of_an_account_that_is_named_twice_are_all_found() {
    let mut scene = scene();
    let known = scene.known;
    let first = scene.statements.first_period();
    let wanted: [(Address, &[B256]); 2] =
        [(known.token, &[known.balance_of_absent]), (known.token, &[known.total_supply])];
    scene.inclusion = scene.statements.inclusion(first, &wanted);
    assert_eq!(scene.slot(known.token, known.balance_of_absent).unwrap().value, U256::ZERO);
    assert_ne!(scene.slot(known.token, known.total_supply).unwrap().value, U256::ZERO);
}

#[test]
fn a_block_that_is_older_than_wanted_is_refused() {
    let Scene { mut client, inclusion, .. } = scene();
    let public_values = inclusion.abi_encode();
    client.expect_proof(INCLUSION_VKEY, &public_values, &PROOF);
    let slot = inclusion.finalizedSlot;
    client.prove_inclusion(slot, &public_values, PROOF).unwrap();
    let error = Contract::StaleSlot { finalizedSlot: slot, notBefore: slot + 1 };
    let refused = client.prove_inclusion(slot + 1, &public_values, PROOF);
    assert_eq!(refused, Err(CallError::of(&error)));
}

#[test]
fn a_committee_serves_from_when_it_is_known_until_the_one_after_the_next_is() {
    let Scene { mut client, statements, inclusion, .. } = scene();
    let first = statements.first_period();
    let next = about(&statements, first + 1);
    let error = Contract::UnknownCommittee { period: first + 1 };
    assert_eq!(client.inclusion_proven(&next), Err(CallError::of(&error)));
    client.update_proven(&statements.committee_change(first..first + 1)).unwrap();
    client.inclusion_proven(&next).unwrap();
    client.inclusion_proven(&inclusion).unwrap();
    client.update_proven(&statements.committee_change(first + 1..first + 2)).unwrap();
    client.inclusion_proven(&next).unwrap();
    let error = Contract::UnknownCommittee { period: first };
    assert_eq!(client.inclusion_proven(&inclusion), Err(CallError::of(&error)));
}

#[test]
fn another_committee_of_a_known_period_is_refused() {
    let Scene { mut client, statements, mut inclusion, .. } = scene();
    let period = statements.first_period();
    let stranger = Statements::of_seed(2).committee(period);
    inclusion.signerCommittee = stranger;
    let expected = statements.committee(period);
    let error = Contract::WrongCommittee { period, committee: stranger, expected };
    assert_eq!(client.inclusion_proven(&inclusion), Err(CallError::of(&error)));
}

#[test]
fn another_chain_is_refused() {
    let Scene { mut client, statements, .. } = scene();
    let other = Statements::of_seed(2);
    let error = Contract::WrongChain { chain: other.chain(), expected: statements.chain() };
    let inclusion = about(&other, other.first_period());
    assert_eq!(client.inclusion_proven(&inclusion), Err(CallError::of(&error)));
}

#[test]
fn fewer_signers_than_asked_for_are_refused() {
    let Scene { statements, mut inclusion, .. } = scene();
    let mut client = Setup::following(&statements).asking_for(30).deploy().unwrap();
    inclusion.participation = 29;
    let error = Contract::TooFewSigners { signers: 29, required: 30 };
    assert_eq!(client.inclusion_proven(&inclusion), Err(CallError::of(&error)));
    inclusion.participation = 30;
    client.inclusion_proven(&inclusion).unwrap();
}

#[test]
fn a_mutated_proof_is_refused_with_the_verifier_s_own_words() {
    let mut scene = scene();
    let public_values = scene.inclusion.abi_encode();
    let proof = Bytes::from([&PROOF[1..], &[0]].concat());
    let error = CallError::of(&StandInVerifier::OtherProof { digest: keccak256(&proof) });
    scene.client.expect_proof(INCLUSION_VKEY, &public_values, &PROOF);
    let client = &mut scene.client;
    assert_eq!(client.prove_inclusion(0, &public_values, proof.clone()), Err(error.clone()));
    // What the two others return hangs on the proof as well.
    let (account, key) = (scene.known.token, scene.known.total_supply);
    let one = proof.clone();
    let of_account = scene.ask(|public_values| Contract::proveAccountCall {
        account,
        notBefore: 0,
        publicValues: public_values,
        proof: one,
    });
    assert_eq!(of_account.map(drop), Err(error.clone()));
    let of_slot = scene.ask(|public_values| Contract::proveStorageCall {
        account,
        key,
        notBefore: 0,
        publicValues: public_values,
        proof,
    });
    assert_eq!(of_slot.map(drop), Err(error));
}

#[test]
fn the_other_program_s_proof_is_refused() {
    let Scene { mut client, inclusion, .. } = scene();
    let public_values = inclusion.abi_encode();
    client.expect_proof(COMMITTEE_CHANGE_VKEY, &public_values, &PROOF);
    let error = StandInVerifier::OtherProgram { vkey: INCLUSION_VKEY };
    let refused = client.prove_inclusion(0, &public_values, PROOF);
    assert_eq!(refused, Err(CallError::of(&error)));
}

#[test]
fn no_bit_of_the_public_values_can_be_changed() {
    let Scene { mut client, inclusion, .. } = scene();
    let public_values = inclusion.abi_encode();
    client.expect_proof(INCLUSION_VKEY, &public_values, &PROOF);
    for bit in 0..public_values.len() * 8 {
        let mut mutated = public_values.clone();
        mutated[bit / 8] ^= 1 << (bit % 8);
        client.prove_inclusion(0, &mutated, PROOF).unwrap_err();
    }
}

#[test]
fn what_costs_little_is_checked_before_the_proof() {
    let Scene { mut client, known, inclusion, .. } = scene();
    // The stand-in was told of no proof, and refuses with its own words whatever it is asked.
    let of_verifier = CallError::of(&StandInVerifier::OtherProgram { vkey: INCLUSION_VKEY });
    let public_values = Bytes::from(inclusion.abi_encode());
    let mut ask = |account, key, not_before| {
        client.read(&Contract::proveStorageCall {
            account,
            key,
            notBefore: not_before,
            publicValues: public_values.clone(),
            proof: PROOF,
        })
    };
    let later = inclusion.finalizedSlot + 1;
    let wrong = [
        (known.token, known.total_supply, later),
        (known.token, B256::repeat_byte(0x77), 0),
        (STRANGER, known.total_supply, 0),
    ];
    for (account, key, not_before) in wrong {
        assert_ne!(ask(account, key, not_before).map(drop), Err(of_verifier.clone()));
    }
    assert_eq!(ask(known.token, known.total_supply, 0).map(drop), Err(of_verifier));
}
