//! The consensus specification's own light-client sync suites, step by step.
//!
//! Format: consensus-specs `tests/formats/light_client/sync.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use lc_core::{
    ChainSpec,
    alloy_primitives::B256,
    host::{LightClientStore, NativeCrypto},
    objects::{LightClientBootstrap, LightClientHeader, LightClientUpdate},
};
use serde_yaml_ng::Value;
use support::SpecCase;

fn root(value: &Value) -> B256 {
    value.as_str().unwrap().parse().unwrap()
}

fn check_header(spec: &ChainSpec, header: &LightClientHeader, wanted: &Value, what: &str) {
    assert_eq!(header.beacon.slot, wanted["slot"].as_u64().unwrap(), "{what} slot");
    let beacon = header.beacon.hash_tree_root::<NativeCrypto>();
    assert_eq!(beacon, root(&wanted["beacon_root"]), "{what} beacon root");
    let execution = header.execution_root::<NativeCrypto>(spec).unwrap();
    assert_eq!(execution, root(&wanted["execution_root"]), "{what} execution root");
}

/// Gives the number of steps run.
fn run_case(case: &SpecCase) -> usize {
    let spec = &case.chain;
    let bootstrap = LightClientBootstrap::from_ssz(spec, &case.object("bootstrap")).unwrap();
    LightClientStore::initialize(spec, B256::ZERO, &bootstrap).expect_err("another trusted root");
    let mut store =
        LightClientStore::initialize(spec, case.trusted_block_root, &bootstrap).unwrap();
    let steps = case.steps();
    let steps = steps.as_sequence().unwrap();
    for (number, step) in steps.iter().enumerate() {
        let (kind, body) = step.as_mapping().unwrap().iter().next().unwrap();
        let at = format!("{} step {number}", case.name);
        match kind.as_str().unwrap() {
            "process_update" => {
                let name = body["update"].as_str().unwrap();
                let update = LightClientUpdate::from_ssz(spec, &case.object(name)).unwrap();
                let slot = body["current_slot"].as_u64().unwrap();
                refuses_a_forged_twin(spec, &store, &update, slot);
                store.process(spec, &update, slot).unwrap_or_else(|err| panic!("{at}: {err:?}"));
            }
            "force_update" => {
                store.process_force_update(spec, body["current_slot"].as_u64().unwrap());
            }
            other => panic!("{at}: no such step: {other}"),
        }
        let checks = &body["checks"];
        check_header(spec, &store.finalized_header, &checks["finalized_header"], &at);
        check_header(spec, &store.optimistic_header, &checks["optimistic_header"], &at);
    }
    steps.len()
}

/// The same update in the name of one signer fewer or more is refused, and changes nothing.
fn refuses_a_forged_twin(
    spec: &ChainSpec,
    store: &LightClientStore,
    update: &LightClientUpdate,
    slot: u64,
) {
    let mut forged = update.clone();
    forged.sync_aggregate.sync_committee_bits[0] ^= 1;
    let mut after = store.clone();
    after.process(spec, &forged, slot).expect_err("bits that do not fit the signature");
    assert_eq!(after, *store);
}

#[test]
fn every_suite_of_the_specification_passes_step_by_step() {
    let cases = support::spec_cases();
    let steps: usize = cases.iter().map(run_case).sum();
    println!("{} suites, {steps} steps", cases.len());
    assert!(cases.is_empty() || cases.len() >= 5 && steps > cases.len(), "suites are missing");
}
