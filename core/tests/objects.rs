//! Light-client objects against what nodes and the specification's vectors hand out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use lc_core::{
    ChainSpec, Fork,
    alloy_primitives::B256,
    containers::compute_fork_data_root,
    host::NativeCrypto,
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientUpdate, ObjectError,
        SyncCommittee, file, updates_to_json,
    },
};
use support::{mainnet, recording, spec_vectors::Handler};

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The digest of every fork before Fulu.
fn digest(spec: &ChainSpec, slot: u64) -> [u8; 4] {
    let entry = spec.entry_at_epoch(spec.epoch_at_slot(slot)).unwrap();
    let root = compute_fork_data_root::<NativeCrypto>(entry.version, &spec.genesis_validators_root);
    root[..4].try_into().unwrap()
}

#[test]
fn the_deneb_recording_comes_back_byte_for_byte() {
    let (Some(bootstrap), Some(stream)) = (
        recording("mainnet-deneb/bootstrap.ssz"),
        recording("mainnet-deneb/updates-1347-1354.ssz"),
    ) else {
        return;
    };
    let spec = mainnet();
    let decoded = file::read_bootstrap(&spec, &bootstrap).unwrap();
    assert_eq!(decoded.to_ssz(&spec), bootstrap);
    let updates = file::read_updates(&spec, &stream).unwrap();
    let periods: Vec<u64> =
        updates.iter().map(|u| spec.period_at_slot(u.attested_header.beacon.slot)).collect();
    assert_eq!(periods, (1347..=1354).collect::<Vec<_>>());
    assert_eq!(file::write_stream(&spec, &updates, |slot| digest(&spec, slot)), stream);
    assert_eq!(updates.iter().map(|u| u.sync_aggregate.participants()).min(), Some(507));
    let from_json = file::read_updates(&spec, updates_to_json(&spec, &updates).as_bytes());
    assert_eq!(from_json.unwrap(), updates);
}

#[test]
fn committee_roots_are_those_of_the_specification() {
    let (Some(bootstrap), Some(stream), Some(expected)) = (
        recording("mainnet-deneb/bootstrap.ssz"),
        recording("mainnet-deneb/updates-1347-1354.ssz"),
        recording("mainnet-deneb/expected.json"),
    ) else {
        return;
    };
    let (spec, expected) = (mainnet(), json(&expected));
    let root = |name: &str| -> B256 { expected[name].as_str().unwrap().parse().unwrap() };
    let signer = file::read_bootstrap(&spec, &bootstrap).unwrap().current_sync_committee;
    assert_eq!(signer.hash_tree_root::<NativeCrypto>(), root("signerCommittee"));
    let last = file::read_updates(&spec, &stream).unwrap().pop().unwrap();
    assert_eq!(last.next_sync_committee.hash_tree_root::<NativeCrypto>(), root("newCommittee"));
    let finalized = &last.finalized_header;
    assert_eq!(finalized.beacon.hash_tree_root::<NativeCrypto>(), root("finalizedRoot"));
    assert_eq!(finalized.execution.state_root, root("executionStateRoot"));
    assert_eq!(SyncCommittee::from_ssz(&spec, &signer.to_ssz()).unwrap(), signer);
}

#[test]
fn ssz_and_json_answers_of_a_node_are_the_same_objects() {
    let file = |name: &str| recording(&format!("mainnet-deneb-inclusion/{name}"));
    let (Some(bootstrap), Some(bootstrap_json)) =
        (file("LightClientBootstrapDeneb.ssz"), file("BootstrapDeneb.json"))
    else {
        return;
    };
    let spec = mainnet();
    let one = file::read_bootstrap(&spec, &bootstrap).unwrap();
    assert_eq!(one, file::read_bootstrap(&spec, &bootstrap_json).unwrap());
    assert_eq!(one.to_ssz(&spec), bootstrap);
    assert_eq!(json(one.to_json(&spec).as_bytes()), json(&bootstrap_json));

    let finality = file("LightClientFinalityUpdateDeneb.ssz").unwrap();
    let finality_json = file("FinalityUpdateDeneb.json").unwrap();
    let one = file::read_finality_update(&spec, &finality).unwrap();
    assert_eq!(one, file::read_finality_update(&spec, &finality_json).unwrap());
    assert_eq!(one.to_ssz(&spec), finality);
    assert_eq!(json(one.to_json(&spec).as_bytes()), json(&finality_json));

    let update = file("LightClientUpdateDeneb.ssz").unwrap();
    let update_json = file("UpdateDeneb.json").unwrap();
    let updates = file::read_updates(&spec, &update).unwrap();
    assert_eq!(updates, file::read_updates(&spec, &update_json).unwrap());
    assert_eq!(updates[0].to_ssz(&spec), update);
    assert_eq!(json(updates_to_json(&spec, &updates).as_bytes()), json(&update_json));
}

#[test]
fn the_electra_recording_comes_back_byte_for_byte() {
    let spec = mainnet();
    for period in 1600..=1602 {
        let file = |name: &str| recording(&format!("mainnet-electra/{period}/{name}"));
        let (Some(bootstrap), Some(stream)) = (file("lcb.ssz"), file("lcu.ssz")) else { return };
        let decoded = file::read_bootstrap(&spec, &bootstrap).unwrap();
        assert_eq!(decoded.to_ssz(&spec), bootstrap);
        let updates = file::read_updates(&spec, &stream).unwrap();
        assert_eq!(updates.len(), 1);
        assert_eq!(spec.period_at_slot(updates[0].attested_header.beacon.slot), period);
        assert_eq!(file::write_stream(&spec, &updates, |slot| digest(&spec, slot)), stream);
        // The recorder's own container (both periods' keys and a proof between them), no node's answer.
        let other = file("sync.ssz").unwrap();
        assert!(matches!(
            file::read_updates(&spec, &other),
            Err(ObjectError::Unrecognised { bytes: 49_711, .. })
        ));
    }
}

#[test]
fn the_fulu_recording_is_one_of_mainnet() {
    let Some(fulu) = support::fulu_recording() else { return };
    let slot = fulu.update.attested_header.beacon.slot;
    assert_eq!(fulu.chain.fork_at_slot(slot), Some(Fork::Fulu));
    let ssz = fulu.update.to_ssz(&fulu.chain);
    assert_eq!(LightClientUpdate::from_ssz(&fulu.chain, &ssz).unwrap(), fulu.update);
    let ssz = fulu.finality_update.to_ssz(&fulu.chain);
    assert_eq!(
        LightClientFinalityUpdate::from_ssz(&fulu.chain, &ssz).unwrap(),
        fulu.finality_update
    );
    assert_eq!(fulu.committee.pubkeys.len(), 512);
}

#[test]
fn every_object_of_the_specification_comes_back_byte_for_byte() {
    for vectors in support::all_vectors() {
        for case in vectors.cases() {
            let chain = match case.handler {
                Handler::Sync => case.sync().chain,
                Handler::UpdateRanking => case.chain_of_one_fork(),
                Handler::SingleMerkleProof => continue,
            };
            for name in case.object_names() {
                let bytes = case.object(&name);
                let again = if name == "bootstrap" {
                    LightClientBootstrap::from_ssz(&chain, &bytes).unwrap().to_ssz(&chain)
                } else {
                    update_again(&chain, &name, &bytes)
                };
                assert_eq!(again, bytes, "{} {name}", case.name);
            }
        }
    }
}

fn update_again(chain: &ChainSpec, name: &str, bytes: &[u8]) -> Vec<u8> {
    let update = LightClientUpdate::from_ssz(chain, bytes).unwrap();
    if name.starts_with("update_") {
        // The last two letters of the name say what the update brings: s and f, or x for neither.
        assert_eq!(update.has_next_sync_committee(), name.contains("_s"), "{name}");
        assert_eq!(update.has_finality(), name.ends_with('f'), "{name}");
    }
    assert_eq!(file::read_updates(chain, bytes).unwrap(), vec![update.clone()]);
    update.to_ssz(chain)
}

#[test]
fn another_networks_stream_is_named_by_its_fork_digest() {
    let Some(stream) = recording("mainnet-deneb/updates-1347-1354.ssz") else { return };
    let mut spec = mainnet();
    spec.genesis_validators_root = B256::repeat_byte(7);
    let error = file::read_updates(&spec, &stream).unwrap_err();
    assert!(matches!(
        error,
        ObjectError::ForkDigest { found: [0x6a, 0x95, 0xa1, 0xa9], fork: Fork::Deneb, .. }
    ));
    assert!(error.to_string().contains("check the network"), "{error}");
}
