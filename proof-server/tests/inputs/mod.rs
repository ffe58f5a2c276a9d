//! Requests made of recordings, by name: what tests, profiles and the manifest's counts are about.

#[path = "../../../core/tests/support/mod.rs"]
pub(crate) mod shared;

use lc_core::{
    alloy_primitives::Bytes,
    host::{CommitteeChangeInput, InclusionInput, ProgramInput, eth_get_proof::EthGetProof},
    objects::file::{read_bootstrap, read_finality_update, read_updates},
};
use shared::{mainnet, recording};

/// Every request that the recordings at hand make. The mainnet ones lie beside the repository; where they are
/// missing a notice is printed.
pub(crate) fn recorded() -> Vec<(&'static str, ProgramInput)> {
    let electra = [1600, 1601, 1602].map(|period| format!("mainnet-electra/{period}/lcu.ssz"));
    let electra: Vec<_> = electra.iter().map(String::as_str).collect();
    let deneb = ("mainnet-deneb/bootstrap.ssz", "mainnet-deneb/updates-1347-1354.ssz");
    let all = [
        ("mainnet Deneb, 1 period", committee_change(deneb.0, &[deneb.1], 1)),
        ("mainnet Deneb, 2 periods", committee_change(deneb.0, &[deneb.1], 2)),
        ("mainnet Deneb, 8 periods", committee_change(deneb.0, &[deneb.1], 8)),
        ("mainnet Electra, 1 period", committee_change(ELECTRA, &electra, 1)),
        ("mainnet Electra, 3 periods", committee_change(ELECTRA, &electra, 3)),
        ("mainnet Fulu, 1 period", fulu()),
        ("mainnet Deneb, 1 account, 1 slot", inclusion()),
    ];
    all.into_iter().filter_map(|(name, input)| Some((name, input?))).collect()
}

const ELECTRA: &str = "mainnet-electra/1600/lcb.ssz";

/// The first `periods` of the recorded updates.
fn committee_change(bootstrap: &str, updates: &[&str], periods: usize) -> Option<ProgramInput> {
    let chain = mainnet();
    let bootstrap = read_bootstrap(&chain, &recording(bootstrap)?).unwrap();
    let updates = updates
        .iter()
        .flat_map(|file| read_updates(&chain, &recording(file).unwrap()).unwrap())
        .take(periods)
        .map(|update| Bytes::from(update.to_ssz(&chain)))
        .collect();
    Some(ProgramInput::CommitteeChange(CommitteeChangeInput {
        signer_period: chain.period_at_slot(bootstrap.header.beacon.slot),
        committee: bootstrap.current_sync_committee.to_ssz().into(),
        updates,
        execution_header: None,
        chain,
    }))
}

fn fulu() -> Option<ProgramInput> {
    let fulu = shared::fulu_recording()?;
    Some(ProgramInput::CommitteeChange(CommitteeChangeInput {
        signer_period: fulu.chain.period_at_slot(fulu.update.attested_header.beacon.slot),
        committee: fulu.committee.to_ssz().into(),
        updates: vec![fulu.update.to_ssz(&fulu.chain).into()],
        execution_header: None,
        chain: fulu.chain,
    }))
}

/// One account present, one slot of it absent.
fn inclusion() -> Option<ProgramInput> {
    let chain = mainnet();
    let folder = "mainnet-deneb-inclusion";
    let bootstrap = recording(&format!("{folder}/BootstrapDeneb.json"))?;
    let bootstrap = read_bootstrap(&chain, &bootstrap).unwrap();
    let update = recording(&format!("{folder}/FinalityUpdateDeneb.json")).unwrap();
    let update = read_finality_update(&chain, &update).unwrap();
    let proof = recording(&format!("{folder}/EthGetProof.json")).unwrap();
    Some(ProgramInput::Inclusion(InclusionInput {
        signer_period: chain.period_at_slot(update.signature_slot),
        committee: bootstrap.current_sync_committee.to_ssz().into(),
        finality_update: update.to_ssz(&chain).into(),
        accounts: vec![EthGetProof::from_json(&proof).unwrap().account_proof()],
        execution_header: None,
        chain,
    }))
}
