//! What a light client is born with, and what it cannot be born with.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolEvent;
use lc_contracts::{
    CallError, EthereumLightClient as Contract, GUARDIAN, STRANGER, Setup, Statements,
};

/// Three days, in seconds.
const SHORTEST_DELAY: u32 = 3 * 24 * 60 * 60;

fn setup() -> Setup {
    Setup::following(&Statements::of_seed(1))
}

#[test]
fn the_checkpoint_is_all_that_is_known_at_first() {
    let setup = setup().guarded(SHORTEST_DELAY).asking_for(30);
    let mut client = setup.clone().deploy().unwrap();
    let period = setup.checkpoint.period;
    assert_eq!(client.latest_period(), period);
    assert_eq!(client.committee(period), setup.checkpoint.committee);
    assert_eq!(client.committee(period - 1), B256::ZERO);
    assert_eq!(client.committee(period + 1), B256::ZERO);
    assert_eq!(client.head(), Contract::Header::default());
    assert_eq!(client.pins(), setup.pins);
    assert_eq!(client.read(&Contract::verifierCall {}).unwrap(), client.verifier);
    assert_eq!(client.read(&Contract::slotsPerPeriodCall {}).unwrap(), 64);
    assert_eq!(client.read(&Contract::minParticipationCall {}).unwrap(), 30);
    assert_eq!(client.read(&Contract::guardianCall {}).unwrap(), GUARDIAN);
    assert_eq!(client.read(&Contract::changeDelayCall {}).unwrap(), SHORTEST_DELAY);
    let scheduled = client.read(&Contract::scheduledPinsCall {}).unwrap();
    assert_eq!((scheduled.next, scheduled.notBefore), (Contract::Pins::default(), 0));
}

#[test]
fn events_say_what_it_is_born_with() {
    let setup = setup();
    let deployment = setup.clone().deploy().unwrap().deployment;
    let [pins, initialised] = &deployment.logs[..] else { panic!("{:?}", deployment.logs) };
    assert_eq!(Contract::PinsSet::decode_log(pins).unwrap().data.pins, setup.pins);
    let expected = Contract::Initialised {
        period: setup.checkpoint.period,
        committee: setup.checkpoint.committee,
    };
    assert_eq!(Contract::Initialised::decode_log(initialised).unwrap().data, expected);
}

#[test]
fn a_checkpoint_needs_a_committee_but_may_be_of_period_zero() {
    let mut setup = setup();
    setup.checkpoint.period = 0;
    setup.clone().deploy().unwrap();
    setup.checkpoint.committee = B256::ZERO;
    assert_eq!(setup.deploy().unwrap_err(), CallError::of(&Contract::ZeroCommittee {}));
}

#[test]
fn no_pin_may_be_zero() {
    type Edit = fn(&mut Contract::Pins) -> &mut B256;
    let edits: [Edit; 3] = [
        |pins| &mut pins.chain,
        |pins| &mut pins.committeeChangeVkey,
        |pins| &mut pins.inclusionVkey,
    ];
    for edit in edits {
        let mut setup = setup();
        *edit(&mut setup.pins) = B256::ZERO;
        assert_eq!(setup.deploy().unwrap_err(), CallError::of(&Contract::ZeroPin {}));
    }
}

#[test]
fn a_period_has_slots() {
    let mut setup = setup();
    setup.rules.slotsPerPeriod = 0;
    assert_eq!(setup.deploy().unwrap_err(), CallError::of(&Contract::ZeroSlotsPerPeriod {}));
}

#[test]
fn an_address_without_code_is_no_verifier() {
    let error = Contract::NoVerifier { verifier: STRANGER };
    let setup = setup().verified_by(Bytes::new());
    assert_eq!(setup.deploy().unwrap_err(), CallError::of(&error));
}

#[test]
fn a_guardian_needs_a_delay_and_nobody_needs_none() {
    setup().guarded(SHORTEST_DELAY).deploy().unwrap();
    let error = Contract::DelayTooShort { delay: SHORTEST_DELAY - 1, minimum: SHORTEST_DELAY };
    let short = setup().guarded(SHORTEST_DELAY - 1);
    assert_eq!(short.deploy().unwrap_err(), CallError::of(&error));
    assert_eq!(setup().guardian, Address::ZERO);
    setup().deploy().unwrap();
}
