//! The guests in SP1's executor against the native code: the same verdict on the same bytes. No proofs here.
#![cfg(feature = "cpu")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../core/tests/support/mod.rs"]
mod shared;

use lc_core::{
    ProgramId,
    alloy_primitives::Bytes,
    host::{
        Checked, CommitteeChangeInput, InclusionInput, ProgramInput, eth_get_proof::EthGetProof,
    },
    objects::file::{read_bootstrap, read_finality_update, read_updates},
};
use proof_server::execute::{Execution, GuestError, execute};
use shared::{mainnet, recording};
use simulator::mutations;

/// Runs the guest on what the native checks passed; it must commit what they computed.
fn agrees(input: &ProgramInput) -> Execution {
    let Checked { program, witness, public_values } = input.check().unwrap();
    let seen = execute(program, &witness).unwrap();
    assert_eq!(seen.public_values, public_values, "{program}");
    println!("{program}: {} cycles, {} gas", seen.cycles, seen.gas);
    seen
}

/// A committee change from recorded files.
fn committee_change(bootstrap: &str, updates: &[&str]) -> Option<ProgramInput> {
    let chain = mainnet();
    let bootstrap = read_bootstrap(&chain, &recording(bootstrap)?).unwrap();
    let updates = updates
        .iter()
        .flat_map(|file| read_updates(&chain, &recording(file).unwrap()).unwrap())
        .map(|update| Bytes::from(update.to_ssz(&chain)))
        .collect();
    Some(ProgramInput::CommitteeChange(CommitteeChangeInput {
        signer_period: chain.period_at_slot(bootstrap.header.beacon.slot),
        committee: bootstrap.current_sync_committee.to_ssz().into(),
        updates,
        chain,
    }))
}

#[test]
fn the_guest_chains_eight_deneb_periods_of_mainnet() {
    let files = ("mainnet-deneb/bootstrap.ssz", ["mainnet-deneb/updates-1347-1354.ssz"]);
    let Some(input) = committee_change(files.0, &files.1) else { return };
    agrees(&input);
}

#[test]
fn the_guest_chains_three_electra_periods_of_mainnet() {
    let updates = [1600, 1601, 1602].map(|period| format!("mainnet-electra/{period}/lcu.ssz"));
    let updates: Vec<_> = updates.iter().map(String::as_str).collect();
    let Some(input) = committee_change("mainnet-electra/1600/lcb.ssz", &updates) else { return };
    agrees(&input);
}

#[test]
fn the_guest_accepts_a_fulu_period_of_mainnet() {
    let Some(fulu) = shared::fulu_recording() else { return };
    let input = ProgramInput::CommitteeChange(CommitteeChangeInput {
        signer_period: fulu.chain.period_at_slot(fulu.update.attested_header.beacon.slot),
        committee: fulu.committee.to_ssz().into(),
        updates: vec![fulu.update.to_ssz(&fulu.chain).into()],
        chain: fulu.chain,
    });
    agrees(&input);
}

#[test]
fn the_guest_finds_the_recorded_account_present_and_its_slot_absent() {
    let chain = mainnet();
    let folder = "mainnet-deneb-inclusion";
    let Some(bootstrap) = recording(&format!("{folder}/BootstrapDeneb.json")) else { return };
    let bootstrap = read_bootstrap(&chain, &bootstrap).unwrap();
    let update = recording(&format!("{folder}/FinalityUpdateDeneb.json")).unwrap();
    let update = read_finality_update(&chain, &update).unwrap();
    let proof = recording(&format!("{folder}/EthGetProof.json")).unwrap();
    let input = ProgramInput::Inclusion(InclusionInput {
        signer_period: chain.period_at_slot(update.signature_slot),
        committee: bootstrap.current_sync_committee.to_ssz().into(),
        finality_update: update.to_ssz(&chain).into(),
        accounts: vec![EthGetProof::from_json(&proof).unwrap().account_proof()],
        chain,
    });
    agrees(&input);
}

#[test]
fn the_guests_accept_the_simulator_s_valid_witnesses() {
    for witness in mutations::valid(&mutations::chain()) {
        let seen = execute(witness.program(), &witness.to_bytes()).unwrap();
        assert!(!seen.public_values.is_empty());
    }
}

#[test]
fn the_guests_give_no_output_for_any_wrong_witness() {
    for mutation in mutations::all(&mutations::chain()) {
        let error = mutation.witness.verify().expect_err(mutation.name);
        assert!((mutation.is_expected)(&error), "{}: {error:?}", mutation.name);
        match execute(mutation.witness.program(), &mutation.witness.to_bytes()) {
            Err(GuestError::Refused { .. }) => {}
            other => panic!("{}: {other:?}", mutation.name),
        }
    }
}

#[test]
fn the_guests_refuse_a_witness_that_is_cut_or_goes_on() {
    for witness in mutations::valid(&mutations::chain()) {
        let bytes = witness.to_bytes();
        for wrong in [&bytes[..bytes.len() - 1], &[], &[&bytes[..], &[0]].concat()] {
            let seen = execute(witness.program(), wrong);
            assert!(matches!(seen, Err(GuestError::Refused { .. })), "{seen:?}");
        }
    }
}

#[test]
fn a_guest_refuses_the_witness_of_another_program() {
    let [change, inclusion] = mutations::valid(&mutations::chain());
    for (program, witness) in
        [(ProgramId::Inclusion, change), (ProgramId::CommitteeChange, inclusion)]
    {
        let seen = execute(program, &witness.to_bytes());
        assert!(matches!(seen, Err(GuestError::Refused { .. })), "{program}: {seen:?}");
    }
}
