//! Real mainnet data against the statements, with the values that the consensus specification's own code
//! computed for it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, path::Path};

use lc_core::{
    ProgramId,
    alloy_primitives::{B256, Bytes},
    alloy_sol_types::SolValue,
    host::{
        Checked, CommitteeChangeInput, InclusionInput, LightClientStore, NativeCrypto,
        ProgramInput, eth_get_proof::EthGetProof,
    },
    objects::file::{read_bootstrap, read_finality_update, read_updates},
    statement::{CommitteeChange, Inclusion},
};
use serde_json::Value;
use support::mainnet;

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

/// The request that a client makes who trusts the bootstrap and has these update files.
fn committee_change(bootstrap: &Path, updates: &[&Path]) -> ProgramInput {
    let chain = mainnet();
    let bootstrap = read_bootstrap(&chain, &read(bootstrap)).unwrap();
    let signer_period = chain.period_at_slot(bootstrap.header.beacon.slot);
    let updates = updates
        .iter()
        .flat_map(|path| read_updates(&chain, &read(path)).unwrap())
        .filter(|update| chain.period_at_slot(update.attested_header.beacon.slot) >= signer_period)
        .map(|update| Bytes::from(update.to_ssz(&chain)))
        .collect();
    let committee = Bytes::from(bootstrap.current_sync_committee.to_ssz());
    ProgramInput::CommitteeChange(CommitteeChangeInput {
        chain,
        signer_period,
        committee,
        updates,
        execution_header: None,
    })
}

fn statement(checked: &Checked) -> CommitteeChange {
    assert_eq!(checked.program, ProgramId::CommitteeChange);
    CommitteeChange::abi_decode(&checked.public_values).unwrap()
}

fn assert_expected(seen: &CommitteeChange, expected: &Path) {
    let expected: Value = serde_json::from_slice(&read(expected)).unwrap();
    let word = |key: &str| expected[key].as_str().unwrap().parse::<B256>().unwrap();
    let number = |key: &str| expected[key].as_u64().unwrap();
    let wanted = CommitteeChange {
        chain: mainnet().hash_tree_root::<NativeCrypto>(),
        signerPeriod: number("signerPeriod"),
        signerCommittee: word("signerCommittee"),
        newPeriod: number("newPeriod"),
        newCommittee: word("newCommittee"),
        minParticipation: number("minParticipation"),
        finalizedSlot: number("finalizedSlot"),
        finalizedRoot: word("finalizedRoot"),
        executionNumber: number("executionNumber"),
        executionHash: word("executionHash"),
        executionStateRoot: word("executionStateRoot"),
    };
    assert_eq!(*seen, wanted);
}

#[test]
fn eight_deneb_periods_of_mainnet_chain_into_one_statement() {
    let Some(dir) = support::shared("recordings/mainnet-deneb") else { return };
    let input = committee_change(&dir.join("bootstrap.ssz"), &[&dir.join("updates-1347-1354.ssz")]);
    assert_expected(&statement(&input.check().unwrap()), &dir.join("expected.json"));
}

#[test]
fn three_electra_periods_of_mainnet_chain_into_one_statement() {
    let Some(dir) = support::shared("recordings/mainnet-electra") else { return };
    let updates = [1600, 1601, 1602].map(|period| dir.join(format!("{period}/lcu.ssz")));
    let updates: Vec<_> = updates.iter().map(|path| path.as_path()).collect();
    let input = committee_change(&dir.join("1600/lcb.ssz"), &updates);
    assert_expected(&statement(&input.check().unwrap()), &dir.join("expected.json"));
}

#[test]
fn a_fulu_period_of_mainnet_makes_a_statement() {
    let Some(recording) = support::fulu_recording() else { return };
    let chain = recording.chain;
    let update = &recording.update;
    let signer_period = chain.period_at_slot(update.attested_header.beacon.slot);
    let input = ProgramInput::CommitteeChange(CommitteeChangeInput {
        signer_period,
        committee: Bytes::from(recording.committee.to_ssz()),
        updates: vec![Bytes::from(update.to_ssz(&chain))],
        execution_header: None,
        chain,
    });
    let seen = statement(&input.check().unwrap());
    assert_eq!((seen.signerPeriod, seen.newPeriod), (signer_period, signer_period + 1));
    assert_eq!(seen.newCommittee, update.next_sync_committee.hash_tree_root::<NativeCrypto>());
    assert_eq!(seen.finalizedSlot, update.finalized_header.beacon.slot);
    assert_eq!(seen.executionHash, update.finalized_header.execution.block_hash);
}

#[test]
fn a_gap_between_periods_is_refused_as_such() {
    let Some(dir) = support::shared("recordings/mainnet-electra") else { return };
    let (first, third) = (dir.join("1600/lcu.ssz"), dir.join("1602/lcu.ssz"));
    let input = committee_change(&dir.join("1600/lcb.ssz"), &[&first, &third]);
    let text = format!("{:?}", input.check().unwrap_err());
    assert!(text.contains("number 1") && text.contains("seen: 1602, wanted: 1601"), "{text}");
}

fn inclusion_request(dir: &Path) -> InclusionInput {
    let chain = mainnet();
    let bootstrap = read_bootstrap(&chain, &read(&dir.join("BootstrapDeneb.json"))).unwrap();
    let update =
        read_finality_update(&chain, &read(&dir.join("FinalityUpdateDeneb.json"))).unwrap();
    let proof = EthGetProof::from_json(&read(&dir.join("EthGetProof.json"))).unwrap();
    InclusionInput {
        signer_period: chain.period_at_slot(update.signature_slot),
        committee: Bytes::from(bootstrap.current_sync_committee.to_ssz()),
        finality_update: Bytes::from(update.to_ssz(&chain)),
        accounts: vec![proof.account_proof()],
        execution_header: None,
        chain,
    }
}

#[test]
fn the_recorded_account_is_present_and_its_slot_proven_absent() {
    let Some(dir) = support::shared("recordings/mainnet-deneb-inclusion") else { return };
    let checked = ProgramInput::Inclusion(inclusion_request(&dir)).check().unwrap();
    let seen = Inclusion::abi_decode(&checked.public_values).unwrap();
    // The node's own claims, which the proof does not rely on.
    let node: Value = serde_json::from_slice(&read(&dir.join("EthGetProof.json"))).unwrap();
    let node = node.get("result").unwrap_or(&node);
    let [account] = &seen.accounts[..] else { panic!("one account was asked for") };
    assert!(account.exists);
    assert_eq!(account.storageRoot.to_string(), node["storageHash"].as_str().unwrap());
    assert_eq!(account.codeHash.to_string(), node["codeHash"].as_str().unwrap());
    assert_eq!(format!("{:#x}", account.nonce), node["nonce"].as_str().unwrap());
    assert_eq!(format!("{:#x}", account.balance), node["balance"].as_str().unwrap());
    let [slot] = &account.slots[..] else { panic!("one slot was asked for") };
    assert!(slot.value.is_zero(), "the recording proves exclusion");
    let update: Value =
        serde_json::from_slice(&read(&dir.join("FinalityUpdateDeneb.json"))).unwrap();
    let finalized = &update.get("data").unwrap_or(&update)["finalized_header"];
    let execution = &finalized["execution"];
    assert_eq!(seen.executionStateRoot.to_string(), execution["state_root"].as_str().unwrap());
    assert_eq!(seen.executionHash.to_string(), execution["block_hash"].as_str().unwrap());
    assert_eq!(seen.executionNumber.to_string(), execution["block_number"].as_str().unwrap());
    assert_eq!(seen.finalizedSlot.to_string(), finalized["beacon"]["slot"].as_str().unwrap());
}

#[test]
fn a_committee_of_another_period_is_refused() {
    let Some(dir) = support::shared("recordings/mainnet-deneb-inclusion") else { return };
    let mut input = inclusion_request(&dir);
    input.signer_period += 1;
    let err = ProgramInput::Inclusion(input).check().unwrap_err();
    assert!(format!("{err:?}").contains("Period { what: \"signature\""), "{err:?}");
}

#[test]
fn a_store_follows_the_deneb_recording_natively() {
    let Some(dir) = support::shared("recordings/mainnet-deneb") else { return };
    let spec = mainnet();
    let bootstrap = read_bootstrap(&spec, &read(&dir.join("bootstrap.ssz"))).unwrap();
    let trusted = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
    let mut store = LightClientStore::initialize(&spec, trusted, &bootstrap).unwrap();
    let updates = read_updates(&spec, &read(&dir.join("updates-1347-1354.ssz"))).unwrap();
    let now = updates.last().unwrap().signature_slot;
    for update in &updates {
        store.process(&spec, update, now).unwrap();
    }
    assert_eq!(store.finalized_header.beacon.slot, 11_092_000);
}
