//! What mainnet's nodes handed out, where it lies beside the repository.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lc_core::{ChainSpec, host::NativeCrypto, objects::file::read_bootstrap};
use light_client::files::chain;
use tempfile::TempDir;

use super::{super::*, assert_says, text};

/// A `config.yaml` that gives mainnet's constants.
fn mainnet_config(chain: &ChainSpec) -> String {
    let mut yaml = "PRESET_BASE: mainnet\n".to_owned();
    for entry in &chain.forks {
        let (name, version) = (entry.fork.name().to_uppercase(), hex::encode(entry.version));
        yaml +=
            &format!("{name}_FORK_VERSION: '0x{version}'\n{name}_FORK_EPOCH: {}\n", entry.epoch);
    }
    yaml
}

/// Mainnet's recordings, where they lie beside the repository.
fn mainnet(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/recordings").join(name);
    if !folder.exists() {
        eprintln!("SKIPPED: no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// A recording of files that a mainnet node handed out.
fn of_mainnet(bootstrap: &Path, others: &[(&str, PathBuf)]) -> Result<Recording, RecordingError> {
    let chain = chain("mainnet", None).unwrap();
    let read = |path: &Path| fs::read(path).unwrap();
    let trusted = read_bootstrap(&chain, &read(bootstrap)).unwrap();
    let meta = Meta {
        genesis_validators_root: chain.genesis_validators_root,
        chain: chain.hash_tree_root::<NativeCrypto>(),
        trusted_block_root: trusted.header.beacon.hash_tree_root::<NativeCrypto>(),
    };
    let mut files = BTreeMap::from([
        ("config.yaml".to_owned(), mainnet_config(&chain).into_bytes()),
        ("meta.json".to_owned(), meta.to_json()),
        ("bootstrap.ssz".to_owned(), read(bootstrap)),
    ]);
    files.extend(others.iter().map(|(name, path)| ((*name).to_owned(), read(path))));
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("mainnet");
    write(&out, &files).unwrap();
    Recording::load(&out)
}

#[test]
fn eight_periods_of_mainnet_yield_a_request_each_and_one_for_all() {
    let Some(folder) = mainnet("mainnet-deneb") else { return };
    let updates = folder.join("updates-1347-1354.ssz");
    let recording = of_mainnet(&folder.join("bootstrap.ssz"), &[("updates.ssz", updates)]).unwrap();
    assert_eq!(recording.requests.len(), 9);
    let all = &recording.requests[8];
    assert_eq!(all.name, "committee-change/1347-1354");
    let expected = fs::read(folder.join("expected.json")).unwrap();
    assert_says(all, &serde_json::from_slice(&expected).unwrap());
}

#[test]
fn an_account_of_mainnet_is_asked_for_under_its_bootstraps_committee() {
    let Some(folder) = mainnet("mainnet-deneb-inclusion") else { return };
    let chain = chain("mainnet", None).unwrap();
    let update = fs::read(folder.join("FinalityUpdateDeneb.json")).unwrap();
    let slot =
        lc_core::objects::file::read_finality_update(&chain, &update).unwrap().signature_slot;
    let period = chain.period_at_slot(slot);
    let at = |name: &str| format!("period-{period}/{name}");
    let (finality, account) = (at("finality-update.json"), at("account.json"));
    let recording = of_mainnet(
        &folder.join("LightClientBootstrapDeneb.ssz"),
        &[
            (&finality, folder.join("FinalityUpdateDeneb.json")),
            (&account, folder.join("EthGetProof.json")),
        ],
    )
    .unwrap();
    let names: Vec<_> = recording.requests.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(names, [format!("inclusion/{period}/account")]);
}

#[test]
fn an_update_of_mainnet_whose_committee_is_not_final_yet_is_not_the_last() {
    let Some(folder) = mainnet("mainnet-electra") else { return };
    let update = |period: u64| folder.join(format!("{period}/lcu.ssz"));
    let of = |period: u64| {
        let bootstrap = folder.join(format!("{period}/lcb.ssz"));
        of_mainnet(&bootstrap, &[("updates.ssz", update(period))])
    };
    assert_eq!(of(1600).unwrap().requests[0].name, "committee-change/1600");
    // It was fetched in the first hour of its period.
    let error = text(&of(1601).unwrap_err());
    assert!(error.contains("fetch that period's update again later"), "{error}");
}
