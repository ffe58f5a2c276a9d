//! Another contract reads Ethereum through the light client.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolConstructor, SolValue};
use lc_contracts::{
    CallError, EthereumLightClient as Contract, INCLUSION_VKEY, LightClient, PROOF, STRANGER,
    Setup, Statements, SupplyMirror,
};

/// Proves the token's total supply in the state that the committee of `period` saw finalized, and has the mirror take it.
fn refresh(
    client: &mut LightClient,
    mirror: Address,
    statements: &Statements,
    period: u64,
) -> Result<(), CallError> {
    let known = statements.accounts();
    let inclusion = statements.inclusion(period, &[(known.token, &[known.total_supply])]);
    let public_values = inclusion.abi_encode();
    client.expect_proof(INCLUSION_VKEY, &public_values, &PROOF);
    let call = SupplyMirror::refreshCall { publicValues: public_values.into(), proof: PROOF };
    client.evm.send(STRANGER, mirror, &call).map(drop)
}

#[test]
fn a_contract_follows_a_storage_slot_and_never_goes_back() {
    let statements = Statements::of_seed(1);
    let (first, token) = (statements.first_period(), statements.accounts().token);
    let mut client = Setup::following(&statements).deploy().unwrap();
    let arguments = SupplyMirror::constructorCall { lightClient: client.address, token };
    let creation = [&SupplyMirror::BYTECODE[..], &arguments.abi_encode()].concat();
    let mirror = client.evm.deploy(creation.into()).unwrap().returned;
    let mut slots = Vec::new();
    for period in first..first + 2 {
        refresh(&mut client, mirror, &statements, period).unwrap();
        let state = statements.simulated().execution_state(period);
        let expected = state.account(&token).unwrap().storage[&statements.accounts().total_supply];
        let supply = client.evm.read(mirror, &SupplyMirror::supplyCall {}).unwrap().returned;
        assert_eq!(supply, expected);
        assert_ne!(supply, U256::ZERO);
        slots.push(client.evm.read(mirror, &SupplyMirror::asOfCall {}).unwrap().returned);
        if period == first {
            client.update_proven(&statements.committee_change(first..first + 1)).unwrap();
        }
    }
    // Both committees are known: what keeps the mirror from going back is what it asks for.
    let error = Contract::StaleSlot { finalizedSlot: slots[0], notBefore: slots[1] + 1 };
    let older = refresh(&mut client, mirror, &statements, first);
    assert_eq!(older, Err(CallError::of(&error)));
}
