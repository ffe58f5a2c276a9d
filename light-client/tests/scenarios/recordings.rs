//! The whole way over recorded data: bootstrap, committee changes, inclusion. The server here runs the native checks
//! and proves nothing; what it must say is known from elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proof_server::types::{EngineKind, Proof, ProofMode, VkeyHash};
use serde_json::Value;

use crate::{
    command::{Ended, Workplace},
    server::FakeServer,
};

/// Runs a request against a server that checks it natively and answers with a MOCK proof of the outcome.
fn prove(place: &Workplace, line: &str) -> Ended {
    let server = FakeServer::start(|mut peer| {
        let vkey = VkeyHash([0x44; 32]);
        peer.greet(EngineKind::Mock, vkey);
        let (id, mode, input) = peer.request();
        peer.accept(id);
        let checked = input.check().expect("the recording passes every check");
        peer.deliver(
            id,
            Proof {
                program: checked.program,
                mode,
                engine: EngineKind::Mock,
                circuit: None,
                vkey,
                sp1_version: String::new(),
                public_values: checked.public_values,
                bytes: Vec::new(),
            },
        );
    });
    let line =
        format!("prove {line} --store store --allow-mock --out proof --server {}", server.address);
    let ended = place.run(&line);
    server.join();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Every public value that both have, and no fewer than `least`.
fn assert_agree(seen: &Value, wanted: &Value, least: usize) {
    let wanted = wanted.as_object().unwrap();
    let common: Vec<_> = wanted.iter().filter(|(name, _)| !seen[*name].is_null()).collect();
    assert!(common.len() >= least, "{seen:#}");
    for (name, value) in common.into_iter().filter(|(name, _)| *name != "accounts") {
        match value {
            Value::Array(list) if name == "slots" => {
                for (seen, wanted) in seen[name].as_array().unwrap().iter().zip(list) {
                    assert_agree(seen, wanted, 2);
                }
                assert_eq!(seen[name].as_array().map(Vec::len), Some(list.len()));
            }
            value => assert_eq!(&seen[name], value, "{name}"),
        }
    }
}

fn bootstrap(
    place: &Workplace,
    network: &str,
    genesis: Option<&str>,
    checkpoint: &str,
    file: &Path,
) -> Ended {
    let genesis =
        genesis.map(|root| format!("--genesis-validators-root {root}")).unwrap_or_default();
    let file = file.display();
    place.run(&format!("bootstrap --network {network} {genesis} --checkpoint {checkpoint} --bootstrap {file} --store store"))
}

#[test]
fn the_shipped_recording_is_followed_from_bootstrap_to_inclusion() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/recordings/simulated"));
    let meta = json(&folder.join("meta.json"));
    let text = |name: &str| meta[name].as_str().unwrap().to_owned();
    let config = folder.join("config.yaml").display().to_string();
    let place = Workplace::new();
    let genesis = text("genesisValidatorsRoot");
    let file = folder.join("bootstrap.ssz");
    let ended = bootstrap(&place, &config, Some(&genesis), &text("trustedBlockRoot"), &file);
    assert_eq!(ended.code, Some(0), "{ended:?}");

    // One period by itself, with an inclusion after it; then the rest out of the file with all.
    for (file, inclusion) in [("update-first.ssz", 0), ("updates.ssz", 1)] {
        prove(&place, &format!("committee-change --updates {}", folder.join(file).display()));
        let shown = place.run("show proof --json").json();
        let changes = meta["committeeChanges"].as_array().unwrap();
        let wanted = changes.iter().find(|change| change["file"] == file).unwrap();
        let mut wanted = wanted.clone();
        if file == "updates.ssz" {
            let first = &changes[0];
            wanted["signerPeriod"] = first["newPeriod"].clone();
            wanted["signerCommittee"] = first["newCommittee"].clone();
        }
        assert_agree(&shown["publicValues"], &wanted, 10);
        let status = place.run("status --store store --json").json();
        assert_eq!(status["chain"], meta["chain"]);
        assert_eq!(status["period"], wanted["newPeriod"]);
        assert_eq!(status["committee"], wanted["newCommittee"]);
        assert_eq!(status["finalizedRoot"], wanted["finalizedRoot"]);

        let wanted = &meta["inclusions"][inclusion];
        let folder = folder.join(wanted["folder"].as_str().unwrap());
        let accounts = wanted["accounts"].as_array().unwrap();
        let files: Vec<String> = accounts
            .iter()
            .map(|account| folder.join(account["file"].as_str().unwrap()).display().to_string())
            .collect();
        for update in ["finality-update.ssz", "finality-update.json"] {
            let update = folder.join(update);
            let files = files.join(" ");
            let line =
                format!("inclusion --finality-update {} --account-proof {files}", update.display());
            prove(&place, &line);
            let shown = place.run("show proof --json").json();
            assert_agree(&shown["publicValues"], wanted, 9);
            let seen = shown["publicValues"]["accounts"].as_array().unwrap();
            assert_eq!(seen.len(), accounts.len());
            for (seen, wanted) in seen.iter().zip(accounts) {
                assert_eq!(seen["account"], wanted["address"]);
                assert_agree(seen, wanted, 6);
            }
        }
    }
}

#[test]
fn a_bootstrap_of_another_block_makes_no_store() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/recordings/simulated"));
    let meta = json(&folder.join("meta.json"));
    let config = folder.join("config.yaml").display().to_string();
    let genesis = meta["genesisValidatorsRoot"].as_str();
    let place = Workplace::new();
    let other = format!("0x{}", "ab".repeat(32));
    let file = folder.join("bootstrap.ssz");
    bootstrap(&place, &config, genesis, &other, &file).refused(65, "the trusted block is 0xabab");
    bootstrap(&place, &config, None, &other, &file).refused(65, "genesis validators root");
    let update = folder.join("updates.ssz");
    bootstrap(&place, &config, genesis, &other, &update).refused(65, "updates.ssz: ");
    assert!(!place.path("store").exists());
}

#[test]
fn mainnet_is_followed_over_eight_periods_in_two_requests() {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/recordings/mainnet-deneb"
    ));
    if !folder.exists() {
        eprintln!("skipped: no {}", folder.display());
        return;
    }
    let expected = json(&folder.join("expected.json"));
    let place = Workplace::new();
    let file = folder.join("bootstrap.ssz");
    // The recording does not name its block: trust the one that it is of.
    let none = bootstrap(&place, "mainnet", None, &format!("0x{}", "00".repeat(32)), &file);
    let root = none.err.split("is for block ").nth(1).and_then(|rest| rest.get(..66)).unwrap();
    let ended = bootstrap(&place, "mainnet", None, root, &file);
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let updates = folder.join("updates-1347-1354.ssz");
    let line = format!("committee-change --updates {}", updates.display());
    let first = prove(&place, &format!("{line} --count 1"));
    assert!(first.out.contains("store      period 1347 -> 1348"), "{first:?}");
    let rest = prove(&place, &line);
    assert!(rest.err.contains("skipping   1 update of periods before 1348"), "{rest:?}");
    let status = place.run("status --store store --json").json();
    assert_eq!(status["period"], expected["newPeriod"]);
    assert_eq!(status["committee"], expected["newCommittee"]);
    for name in
        ["finalizedSlot", "finalizedRoot", "executionNumber", "executionHash", "executionStateRoot"]
    {
        assert_eq!(status[name], expected[name], "{name}");
    }
    let shown = place.run("show proof --json").json();
    assert_eq!(shown["mode"], ProofMode::Core.name());
}
