//! A hard fork's new pins: behind a time lock, by the guardian, or never.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{Address, B256, Log};
use alloy_sol_types::{SolEvent, SolValue};
use lc_contracts::{
    CallError, EthereumLightClient as Contract, GUARDIAN, LightClient, PROOF, STRANGER, Setup,
    StandInVerifier, Statements,
};

/// A week, in seconds.
const DELAY: u32 = 7 * 24 * 60 * 60;

fn guarded() -> LightClient {
    Setup::following(&Statements::of_seed(1)).guarded(DELAY).deploy().unwrap()
}

/// Pins of another chain and other programs.
fn next() -> Contract::Pins {
    Contract::Pins {
        chain: Statements::of_seed(2).chain(),
        committeeChangeVkey: B256::repeat_byte(0x21),
        inclusionVkey: B256::repeat_byte(0x22),
    }
}

fn schedule(
    client: &mut LightClient,
    from: Address,
    next: Contract::Pins,
) -> Result<Vec<Log>, CallError> {
    client
        .evm
        .send(from, client.address, &Contract::schedulePinsCall { next })
        .map(|receipt| receipt.logs)
}

fn cancel(client: &mut LightClient, from: Address) -> Result<Vec<Log>, CallError> {
    client.evm.send(from, client.address, &Contract::cancelPinsCall {}).map(|receipt| receipt.logs)
}

/// As a stranger does: the change is anybody's to apply.
fn apply(client: &mut LightClient) -> Result<Vec<Log>, CallError> {
    client
        .evm
        .send(STRANGER, client.address, &Contract::applyPinsCall {})
        .map(|receipt| receipt.logs)
}

fn nothing_scheduled() -> CallError {
    CallError::of(&Contract::NothingScheduled {})
}

#[test]
fn a_change_is_announced_waits_and_is_applied_by_anybody() {
    let mut client = guarded();
    let due = client.evm.time() + u64::from(DELAY);
    let scheduled = schedule(&mut client, GUARDIAN, next()).unwrap();
    let expected = Contract::PinsScheduled { pins: next(), notBefore: due };
    assert_eq!(Contract::PinsScheduled::decode_log(&scheduled[0]).unwrap().data, expected);
    let waiting = client.read(&Contract::scheduledPinsCall {}).unwrap();
    assert_eq!((waiting.next, waiting.notBefore), (next(), due));
    client.evm.wait(DELAY.into());
    let applied = apply(&mut client).unwrap();
    let expected = Contract::PinsSet { pins: next() };
    assert_eq!(Contract::PinsSet::decode_log(&applied[0]).unwrap().data, expected);
    assert_eq!(client.pins(), next());
    let waiting = client.read(&Contract::scheduledPinsCall {}).unwrap();
    assert_eq!((waiting.next, waiting.notBefore), (Contract::Pins::default(), 0));
}

#[test]
fn a_change_is_refused_one_second_too_early() {
    let mut client = guarded();
    let due = client.evm.time() + u64::from(DELAY);
    schedule(&mut client, GUARDIAN, next()).unwrap();
    client.evm.wait(u64::from(DELAY) - 1);
    let error = Contract::TooEarly { time: due - 1, notBefore: due };
    assert_eq!(apply(&mut client).unwrap_err(), CallError::of(&error));
    client.evm.wait(1);
    apply(&mut client).unwrap();
}

#[test]
fn the_old_pins_hold_until_the_new_ones_are_applied() {
    let statements = Statements::of_seed(1);
    let mut client = guarded();
    let first = statements.first_period();
    schedule(&mut client, GUARDIAN, next()).unwrap();
    client.evm.wait(2 * u64::from(DELAY));
    client.update_proven(&statements.committee_change(first..first + 1)).unwrap();
    apply(&mut client).unwrap();
    let old = statements.committee_change(first + 1..first + 2);
    let error = Contract::WrongChain { chain: statements.chain(), expected: next().chain };
    assert_eq!(client.update_proven(&old).unwrap_err(), CallError::of(&error));
}

#[test]
fn once_applied_the_new_chain_and_programs_are_asked_for() {
    let mut client = guarded();
    schedule(&mut client, GUARDIAN, next()).unwrap();
    client.evm.wait(DELAY.into());
    apply(&mut client).unwrap();
    let statements = Statements::of_seed(1);
    let first = statements.first_period();
    let mut change = statements.committee_change(first..first + 1);
    change.chain = next().chain;
    let error = StandInVerifier::OtherProgram { vkey: next().committeeChangeVkey };
    assert_eq!(client.update_proven(&change).unwrap_err(), CallError::of(&error));
    client.expect_proof(next().committeeChangeVkey, &change.abi_encode(), &PROOF);
    client.update(&change.abi_encode(), PROOF).unwrap();
    let mut inclusion = statements.inclusion(first, &[(statements.accounts().wallet, &[])]);
    inclusion.chain = next().chain;
    let error = StandInVerifier::OtherProgram { vkey: next().inclusionVkey };
    assert_eq!(client.inclusion_proven(&inclusion), Err(CallError::of(&error)));
    client.expect_proof(next().inclusionVkey, &inclusion.abi_encode(), &PROOF);
    client.prove_inclusion(0, &inclusion.abi_encode(), PROOF).unwrap();
}

#[test]
fn a_cancelled_change_never_comes() {
    let mut client = guarded();
    let before = client.pins();
    schedule(&mut client, GUARDIAN, next()).unwrap();
    // Even when it could have been applied.
    client.evm.wait(DELAY.into());
    let cancelled = cancel(&mut client, GUARDIAN).unwrap();
    let expected = Contract::PinsCancelled { pins: next() };
    assert_eq!(Contract::PinsCancelled::decode_log(&cancelled[0]).unwrap().data, expected);
    client.evm.wait(DELAY.into());
    assert_eq!(apply(&mut client).unwrap_err(), nothing_scheduled());
    assert_eq!(client.pins(), before);
}

#[test]
fn a_change_comes_once() {
    let mut client = guarded();
    schedule(&mut client, GUARDIAN, next()).unwrap();
    client.evm.wait(DELAY.into());
    apply(&mut client).unwrap();
    assert_eq!(apply(&mut client).unwrap_err(), nothing_scheduled());
    assert_eq!(cancel(&mut client, GUARDIAN).unwrap_err(), nothing_scheduled());
}

#[test]
fn a_change_in_place_of_another_waits_anew() {
    let mut client = guarded();
    schedule(&mut client, GUARDIAN, of_chain(0x11)).unwrap();
    client.evm.wait(u64::from(DELAY) - 1);
    schedule(&mut client, GUARDIAN, next()).unwrap();
    client.evm.wait(1);
    let now = client.evm.time();
    let error = Contract::TooEarly { time: now, notBefore: now + u64::from(DELAY) - 1 };
    assert_eq!(apply(&mut client).unwrap_err(), CallError::of(&error));
    client.evm.wait(u64::from(DELAY) - 1);
    apply(&mut client).unwrap();
    assert_eq!(client.pins(), next());
}

fn of_chain(byte: u8) -> Contract::Pins {
    Contract::Pins { chain: B256::repeat_byte(byte), ..next() }
}

#[test]
fn a_stranger_can_neither_schedule_nor_cancel() {
    let mut client = guarded();
    let error = CallError::of(&Contract::NotGuardian { caller: STRANGER });
    assert_eq!(schedule(&mut client, STRANGER, next()).unwrap_err(), error);
    schedule(&mut client, GUARDIAN, next()).unwrap();
    assert_eq!(cancel(&mut client, STRANGER).unwrap_err(), error);
    client.evm.wait(DELAY.into());
    apply(&mut client).unwrap();
}

#[test]
fn without_a_guardian_nobody_changes_anything() {
    let mut client = Setup::following(&Statements::of_seed(1)).deploy().unwrap();
    for caller in [Address::ZERO, GUARDIAN, STRANGER] {
        let error = CallError::of(&Contract::NotGuardian { caller });
        assert_eq!(schedule(&mut client, caller, next()).unwrap_err(), error);
        assert_eq!(cancel(&mut client, caller).unwrap_err(), error);
        assert_eq!(apply(&mut client).unwrap_err(), nothing_scheduled());
    }
}

#[test]
fn no_pin_may_become_zero() {
    let mut client = guarded();
    let error = CallError::of(&Contract::ZeroPin {});
    let wrong = [
        Contract::Pins { chain: B256::ZERO, ..next() },
        Contract::Pins { committeeChangeVkey: B256::ZERO, ..next() },
        Contract::Pins { inclusionVkey: B256::ZERO, ..next() },
    ];
    for pins in wrong {
        assert_eq!(schedule(&mut client, GUARDIAN, pins).unwrap_err(), error);
    }
}
