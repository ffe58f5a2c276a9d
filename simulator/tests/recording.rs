//! The recordings that the repository ships: remade byte for byte, and followed as a light client would.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lc_core::{
    ChainSpec,
    alloy_primitives::{B256, U256},
    alloy_sol_types::SolValue,
    host::{
        CommitteeChangeInput, InclusionInput, LightClientStore, NativeCrypto, ProgramInput,
        chain_spec_from_config_yaml, eth_get_proof::EthGetProof,
    },
    objects::{SyncCommittee, file},
    statement::{CommitteeChange, Inclusion},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use simulator::{Preset, RecordError, RecordOptions, recording, write_recording};

/// A shipped recording's folder.
struct Shipped(PathBuf);

impl Shipped {
    fn named(name: &str) -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/recordings").join(name))
    }

    fn all() -> impl Iterator<Item = Self> {
        RecordOptions::SHIPPED.into_iter().map(|(name, _)| Self::named(name))
    }

    fn read(&self, name: &str) -> Vec<u8> {
        let path = self.0.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn meta(&self) -> Value {
        serde_json::from_slice(&self.read("meta.json")).unwrap()
    }

    fn chain(&self) -> ChainSpec {
        let config = String::from_utf8(self.read("config.yaml")).unwrap();
        let genesis = root(&self.meta()["genesisValidatorsRoot"]);
        chain_spec_from_config_yaml(&config, genesis).unwrap()
    }
}

fn root(value: &Value) -> B256 {
    value.as_str().unwrap().parse().unwrap()
}

/// SHA-256 over every file's name, length and bytes; the README is prose and may change, and with it the list of hashes.
fn digest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in
        files.iter().filter(|(name, _)| !["README.md", "SHA256SUMS"].contains(&name.as_str()))
    {
        hasher.update(format!("{name}\0{}\0", bytes.len()));
        hasher.update(bytes);
    }
    B256::new(hasher.finalize().into()).to_string()
}

#[test]
fn the_shipped_recordings_are_what_the_simulator_writes() {
    for (folder, options) in RecordOptions::SHIPPED {
        let shipped = Shipped::named(folder);
        let files = recording(&options).unwrap();
        for (name, bytes) in &files {
            assert!(shipped.read(name) == *bytes, "{folder}/{name} differs: run `make recordings`");
        }
        let mut found = 0;
        let mut folders = vec![shipped.0];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() { folders.push(entry.path()) } else { found += 1 }
            }
        }
        assert_eq!(found, files.len(), "{folder} has files that the simulator did not write");
    }
}

#[test]
fn the_same_options_give_the_same_bytes_on_every_machine() {
    let minimal = RecordOptions { preset: Preset::Minimal, ..RecordOptions::default() };
    let pinned = "0x148257959d81c195e35f5bb10a80e684603e27c6fdc644bc045a976054284fb6";
    assert_eq!(digest(&recording(&minimal).unwrap()), pinned);
    let other = RecordOptions { seed: 2, ..minimal };
    assert_ne!(digest(&recording(&other).unwrap()), pinned);
}

fn committee_change(shipped: &Shipped, claim: &Value) -> CommitteeChange {
    let chain = shipped.chain();
    let bootstrap = file::read_bootstrap(&chain, &shipped.read("bootstrap.ssz")).unwrap();
    let updates =
        file::read_updates(&chain, &shipped.read(claim["file"].as_str().unwrap())).unwrap();
    let input = ProgramInput::CommitteeChange(CommitteeChangeInput {
        signer_period: chain.period_at_slot(bootstrap.header.beacon.slot),
        committee: bootstrap.current_sync_committee.to_ssz().into(),
        updates: updates.iter().map(|update| update.to_ssz(&chain).into()).collect(),
        execution_header: None,
        chain,
    });
    CommitteeChange::abi_decode(&input.check().unwrap().public_values).unwrap()
}

#[test]
fn the_updates_prove_what_meta_json_says() {
    for shipped in Shipped::all() {
        let meta = shipped.meta();
        let claims = meta["committeeChanges"].as_array().unwrap();
        assert_eq!(claims.len(), 2);
        for claim in claims {
            assert_eq!(committee_change(&shipped, claim), claimed(&meta, claim));
        }
    }
}

fn claimed(meta: &Value, claim: &Value) -> CommitteeChange {
    let number = |name: &str| claim[name].as_u64().unwrap();
    CommitteeChange {
        chain: root(&meta["chain"]),
        signerPeriod: number("signerPeriod"),
        signerCommittee: root(&claim["signerCommittee"]),
        newPeriod: number("newPeriod"),
        newCommittee: root(&claim["newCommittee"]),
        minParticipation: number("minParticipation"),
        finalizedSlot: number("finalizedSlot"),
        finalizedRoot: root(&claim["finalizedRoot"]),
        executionNumber: number("executionNumber"),
        executionHash: root(&claim["executionHash"]),
        executionStateRoot: root(&claim["executionStateRoot"]),
    }
}

/// The committees that the bootstrap and the updates bring, by period.
fn committees(shipped: &Shipped, chain: &ChainSpec) -> BTreeMap<u64, SyncCommittee> {
    let bootstrap = file::read_bootstrap(chain, &shipped.read("bootstrap.ssz")).unwrap();
    let first = chain.period_at_slot(bootstrap.header.beacon.slot);
    let updates = file::read_updates(chain, &shipped.read("updates.ssz")).unwrap();
    let next = updates.into_iter().map(|update| update.next_sync_committee);
    let all = [bootstrap.current_sync_committee].into_iter().chain(next);
    (first..).zip(all).collect()
}

fn inclusion(shipped: &Shipped, claim: &Value) -> Inclusion {
    let chain = shipped.chain();
    let folder = claim["folder"].as_str().unwrap();
    let ssz = shipped.read(&format!("{folder}/finality-update.ssz"));
    let update = file::read_finality_update(&chain, &ssz).unwrap();
    let json = shipped.read(&format!("{folder}/finality-update.json"));
    assert_eq!(file::read_finality_update(&chain, &json).unwrap(), update);
    let account = |claim: &Value| {
        let answer = shipped.read(&format!("{folder}/{}", claim["file"].as_str().unwrap()));
        EthGetProof::from_json(&answer).unwrap().account_proof()
    };
    let period = chain.period_at_slot(update.signature_slot);
    let input = ProgramInput::Inclusion(InclusionInput {
        signer_period: period,
        committee: committees(shipped, &chain)[&period].to_ssz().into(),
        finality_update: ssz.into(),
        accounts: claim["accounts"].as_array().unwrap().iter().map(account).collect(),
        execution_header: None,
        chain,
    });
    Inclusion::abi_decode(&input.check().unwrap().public_values).unwrap()
}

#[test]
fn the_account_proofs_prove_what_meta_json_says() {
    let counts = Shipped::all().map(|shipped| {
        let meta = shipped.meta();
        let claims = meta["inclusions"].as_array().unwrap();
        claims.iter().for_each(|claim| assert_says(&inclusion(&shipped, claim), &meta, claim));
        claims.len()
    });
    assert_eq!(counts.collect::<Vec<_>>(), [2, 1, 1]);
}

fn assert_says(seen: &Inclusion, meta: &Value, claim: &Value) {
    let number = |name: &str| claim[name].as_u64().unwrap();
    assert_eq!(seen.chain, root(&meta["chain"]));
    assert_eq!(seen.signerPeriod, number("signerPeriod"));
    assert_eq!(seen.signerCommittee, root(&claim["signerCommittee"]));
    assert_eq!(seen.participation, number("participation"));
    assert_eq!(seen.attestedSlot, number("attestedSlot"));
    assert_eq!(seen.finalizedSlot, number("finalizedSlot"));
    assert_eq!(seen.finalizedRoot, root(&claim["finalizedRoot"]));
    assert_eq!(seen.executionNumber, number("executionNumber"));
    assert_eq!(seen.executionHash, root(&claim["executionHash"]));
    assert_eq!(seen.executionStateRoot, root(&claim["executionStateRoot"]));
    let mut kinds = Vec::new();
    for (seen, claim) in seen.accounts.iter().zip(claim["accounts"].as_array().unwrap()) {
        let u256 = |value: &Value| value.as_str().unwrap().parse::<U256>().unwrap();
        assert_eq!(seen.account.to_string().to_lowercase(), claim["address"].as_str().unwrap());
        assert_eq!(seen.exists, claim["exists"].as_bool().unwrap());
        assert_eq!(seen.nonce, claim["nonce"].as_u64().unwrap());
        assert_eq!(seen.balance, u256(&claim["balance"]));
        assert_eq!(seen.storageRoot, root(&claim["storageRoot"]));
        assert_eq!(seen.codeHash, root(&claim["codeHash"]));
        let slots = seen.slots.iter().map(|slot| (slot.key, slot.value));
        let claimed = claim["slots"].as_array().unwrap().iter();
        let claimed = claimed.map(|slot| (root(&slot["key"]), u256(&slot["value"])));
        assert!(slots.eq(claimed));
        let set: Vec<bool> = seen.slots.iter().map(|slot| !slot.value.is_zero()).collect();
        kinds.push((seen.exists, set));
    }
    let wanted = [(true, vec![true, false]), (true, vec![]), (true, vec![false]), (false, vec![])];
    assert_eq!(kinds, wanted, "presence and absence, of accounts and slots");
}

#[test]
fn account_proofs_are_as_long_as_in_tries_of_their_depth() {
    let nodes = Shipped::all().map(|shipped| {
        let folder = shipped.meta()["inclusions"][0]["folder"].as_str().unwrap().to_owned();
        let answer = shipped.read(&format!("{folder}/token.json"));
        let proof = EthGetProof::from_json(&answer).unwrap().account_proof();
        let slots = proof.storage.iter().map(|slot| slot.nodes.len());
        (proof.nodes.len(), slots.collect::<Vec<_>>())
    });
    let [usual, shallow, deep] = nodes.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(usual, (8, vec![6, 5]));
    assert_eq!(shallow, (2, vec![3, 2]));
    assert_eq!(deep, (15, vec![13, 12]));
}

#[test]
fn the_specifications_store_follows_the_recording_over_both_forks() {
    let shipped = Shipped::named("simulated");
    let (meta, chain) = (shipped.meta(), shipped.chain());
    let bootstrap = file::read_bootstrap(&chain, &shipped.read("bootstrap.ssz")).unwrap();
    let trusted = root(&meta["trustedBlockRoot"]);
    let mut store = LightClientStore::initialize(&chain, trusted, &bootstrap).unwrap();
    let updates = file::read_updates(&chain, &shipped.read("updates.ssz")).unwrap();
    let versions =
        updates.iter().map(|u| chain.fork_at_slot(u.attested_header.beacon.slot).unwrap().name());
    assert_eq!(versions.collect::<Vec<_>>(), ["deneb", "electra", "electra", "electra", "fulu"]);
    let signed_in_fulu = chain.fork_at_slot(updates[3].signature_slot).unwrap();
    assert_eq!(signed_in_fulu.name(), "fulu", "attested in the last slot of Electra");
    for update in &updates {
        store.process(&chain, update, update.signature_slot).unwrap();
        assert_eq!(store.finalized_header, update.finalized_header);
    }
    let next = store.next_sync_committee.unwrap().hash_tree_root::<NativeCrypto>();
    assert_eq!(next, root(&meta["committeeChanges"][1]["newCommittee"]));
}

#[test]
fn a_recording_appears_whole_or_not_at_all_and_replaces_only_a_recording() {
    let options =
        RecordOptions { seed: 3, preset: Preset::Minimal, periods: 1, ..RecordOptions::default() };
    let temp = tempfile::tempdir().unwrap();
    let out = temp.path().join("new/recording");
    write_recording(&options, &out, false).unwrap();
    for (name, bytes) in recording(&options).unwrap() {
        assert_eq!(fs::read(out.join(name)).unwrap(), bytes);
    }
    let again = write_recording(&options, &out, false);
    assert!(matches!(again, Err(RecordError::Exists(path)) if path == out));
    fs::write(out.join("stale"), "").unwrap();
    write_recording(&RecordOptions { seed: 4, ..options }, &out, true).unwrap();
    assert!(!out.join("stale").exists());
    assert_eq!(fs::read_dir(temp.path().join("new")).unwrap().count(), 1, "nothing else is left");

    let other = temp.path().join("other");
    fs::create_dir(&other).unwrap();
    let refused = write_recording(&options, &other, true);
    assert!(matches!(refused, Err(RecordError::NoRecording(path)) if path == other));
    fs::write(temp.path().join("file"), "").unwrap();
    let below_file = temp.path().join("file/recording");
    assert!(matches!(
        write_recording(&options, &below_file, false),
        Err(RecordError::Write { .. })
    ));
    assert!(matches!(
        recording(&RecordOptions { periods: 129, ..options }),
        Err(RecordError::Periods(129))
    ));
    let deeper = recording(&RecordOptions { trie_depth: 15, ..options }).unwrap_err();
    assert_eq!(deeper.to_string(), "the trie depth is 15, at most 14 is possible");
}
