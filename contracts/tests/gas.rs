//! What the contract itself costs, to one percent. `contracts/README.md` has these figures: change them there as well.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{Bytes, bytes};
use alloy_sol_types::{SolCall, SolValue};
use lc_contracts::{EthereumLightClient as Contract, LightClient, PROOF, Setup, Statements};

/// Creation code of a contract whose code is STOP: for a verifier, it takes every proof at no cost. What is left is the
/// light client.
const NO_VERIFICATION: Bytes = bytes!("6001600c60003960016000f300");

/// Gas of any transaction, and of each zero and other byte of its data.
const TRANSACTION: u64 = 21_000;
const ZERO_BYTE: u64 = 4;
const OTHER_BYTE: u64 = 16;

fn client(statements: &Statements) -> LightClient {
    Setup::following(statements).verified_by(NO_VERIFICATION).deploy().unwrap()
}

fn intrinsic(data: &[u8]) -> u64 {
    let byte = |byte: &u8| if *byte == 0 { ZERO_BYTE } else { OTHER_BYTE };
    TRANSACTION + data.iter().map(byte).sum::<u64>()
}

/// What is measured, the gas measured, the gas expected.
type Figure = (&'static str, u64, u64);

/// Prints all figures, then fails if one is off by more than one percent.
#[track_caller]
fn compare(figures: &[Figure]) {
    for (what, measured, expected) in figures {
        println!("{what}: {measured} gas, {expected} expected");
    }
    let off = |&(_, measured, expected): &Figure| measured.abs_diff(expected) * 100 > expected;
    let off: Vec<_> = figures.iter().copied().filter(off).collect();
    assert!(off.is_empty(), "more than 1 % off: {off:?}");
}

/// Sends the update and gives the gas of its transaction, and of the contract alone: without what any transaction with
/// this data costs.
fn update(client: &mut LightClient, change: &impl SolValue) -> [u64; 2] {
    let public_values = Bytes::from(change.abi_encode());
    let gas = client.update(&public_values, PROOF).unwrap().gas;
    let call = Contract::updateCall { publicValues: public_values, proof: PROOF };
    [gas, gas - intrinsic(&call.abi_encode())]
}

#[test]
fn deploying_and_updating_cost_what_the_readme_says() {
    let statements = Statements::of_mainnet_size();
    let first = statements.first_period();
    let mut client = client(&statements);
    let [first_transaction, first_contract] =
        update(&mut client, &statements.committee_change(first..first + 1));
    let [transaction, contract] =
        update(&mut client, &statements.committee_change(first + 1..first + 2));
    let [three_transaction, three_contract] =
        update(&mut client, &statements.committee_change(first + 2..first + 5));
    compare(&[
        ("deployment", client.deployment.gas, 2_199_270),
        ("first update, transaction", first_transaction, 143_940),
        ("first update, contract", first_contract, 112_664),
        ("update, transaction", transaction, 75_540),
        ("update, contract", contract, 44_264),
        ("update over three periods, transaction", three_transaction, 75_540),
        ("update over three periods, contract", three_contract, 44_264),
    ]);
}

#[test]
fn inclusion_costs_what_the_readme_says() {
    let statements = Statements::of_mainnet_size();
    let mut client = client(&statements);
    let known = statements.accounts();
    let wanted = [(known.token, &[known.total_supply][..])];
    let inclusion = statements.inclusion(statements.first_period(), &wanted);
    let call = Contract::proveStorageCall {
        account: known.token,
        key: known.total_supply,
        notBefore: 0,
        publicValues: inclusion.abi_encode().into(),
        proof: PROOF,
    };
    let gas = client.evm.read(client.address, &call).unwrap().gas;
    compare(&[
        ("one slot, transaction", gas, 55_462),
        ("one slot, contract", gas - intrinsic(&call.abi_encode()), 21_058),
    ]);
}
