//! Recorded data for tests. It lies beside the repository in `shared/`, which a checkout need not have:
//! what needs it says that it skips, and passes.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod spec_vectors;
pub(crate) mod ssz_type;

use std::{fs, path::PathBuf};

use cbor4ii::core::{Value as Cbor, dec::Decode, utils::SliceReader};
use lc_core::{
    ChainSpec,
    host::Network,
    objects::{LightClientFinalityUpdate, LightClientUpdate, SyncCommittee},
};
use spec_vectors::Vectors;

/// Mainnet's constants.
pub(crate) fn mainnet() -> ChainSpec {
    Network::Mainnet.chain_spec(None).expect("mainnet is built in")
}

/// A path under `shared/`. None, with a notice, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path);
    if full.exists() {
        return Some(full);
    }
    eprintln!("skipped: no {}", full.display());
    None
}

/// A file under `shared/recordings`. None, with a notice, where there are no recordings.
pub(crate) fn recording(path: &str) -> Option<Vec<u8>> {
    let root = shared("recordings")?;
    let full = root.join(path);
    Some(fs::read(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display())))
}

/// The specification's vectors: those of this repository, those beside it where there are any, and the larger
/// ones that `make spec-vectors` has just made.
pub(crate) fn all_vectors() -> Vec<Vectors> {
    let beside = shared("spec-vectors");
    let made = std::env::var_os("SPEC_VECTORS").map(PathBuf::from);
    let more = beside.into_iter().chain(made).map(|root| Vectors::at(&root));
    [spec_vectors::committed()].into_iter().chain(more).collect()
}

/// `mainnet-fulu`: what sp1-helios reads, as ours.
pub(crate) struct FuluRecording {
    /// Mainnet, after the recording's own fork schedule was compared with it.
    pub(crate) chain: ChainSpec,
    /// The committee of the store's period, which signed both updates.
    pub(crate) committee: SyncCommittee,
    /// Brings the committee of the next period.
    pub(crate) update: LightClientUpdate,
    /// Signed by the same committee.
    pub(crate) finality_update: LightClientFinalityUpdate,
}

/// Reads `mainnet-fulu`. Its CBOR holds the beacon API's JSON with some byte strings left binary, so it
/// goes through JSON.
pub(crate) fn fulu_recording() -> Option<FuluRecording> {
    let bytes = recording("mainnet-fulu/sp1-helios-proof_inputs.cbor")?;
    let cbor = Cbor::decode(&mut SliceReader::new(&bytes)).unwrap();
    let input = json_of_cbor(&cbor);
    let chain = mainnet();
    assert_eq!(input["genesis_root"], format!("{}", chain.genesis_validators_root));
    for entry in &chain.forks {
        let theirs = &input["forks"][entry.fork.name()];
        assert_eq!(theirs["epoch"], entry.epoch);
        assert_eq!(theirs["fork_version"], format!("0x{}", hex::encode(entry.version)));
    }
    let text = |value: &serde_json::Value| serde_json::to_vec(value).unwrap();
    let finality_update = &input["finality_update"];
    Some(FuluRecording {
        committee: committee_of_json(&input["store"]["current_sync_committee"]),
        update: LightClientUpdate::from_json(&chain, &text(&input["updates"][0])).unwrap(),
        finality_update: LightClientFinalityUpdate::from_json(&chain, &text(finality_update))
            .unwrap(),
        chain,
    })
}

fn committee_of_json(json: &serde_json::Value) -> SyncCommittee {
    let key = |value: &serde_json::Value| value.as_str().unwrap().parse().unwrap();
    SyncCommittee {
        pubkeys: json["pubkeys"].as_array().unwrap().iter().map(key).collect(),
        aggregate_pubkey: key(&json["aggregate_pubkey"]),
    }
}

fn json_of_cbor(value: &Cbor) -> serde_json::Value {
    match value {
        Cbor::Bytes(bytes) => format!("0x{}", hex::encode(bytes)).into(),
        Cbor::Text(text) => text.as_str().into(),
        Cbor::Integer(number) => u64::try_from(*number).unwrap().into(),
        Cbor::Null => serde_json::Value::Null,
        Cbor::Array(items) => items.iter().map(json_of_cbor).collect(),
        Cbor::Map(fields) => fields.iter().map(field_of_cbor).collect(),
        other => panic!("unexpected CBOR {other:?}"),
    }
}

fn field_of_cbor((key, value): &(Cbor, Cbor)) -> (String, serde_json::Value) {
    let Cbor::Text(key) = key else { panic!("a key that is no text: {key:?}") };
    (key.clone(), json_of_cbor(value))
}
