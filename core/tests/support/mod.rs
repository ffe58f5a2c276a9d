//! Recorded data for tests. It lies beside the repository in `shared/`, which a checkout need not have:
//! what needs it says that it skips, and passes.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::PathBuf};

use cbor4ii::core::{Value as Cbor, dec::Decode, utils::SliceReader};
use lc_core::{
    ChainSpec,
    alloy_primitives::B256,
    host::{Network, chain_spec_from_config_yaml},
    objects::{LightClientFinalityUpdate, LightClientUpdate, SyncCommittee},
};

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

/// A case of the consensus specifications' `light_client/sync` vectors (minimal preset).
pub(crate) struct SpecCase {
    /// Folder of the case.
    pub(crate) folder: PathBuf,
    /// `<fork>/<case>`.
    pub(crate) name: String,
    /// From its `config.yaml` and `meta.yaml`.
    pub(crate) chain: ChainSpec,
    /// `trusted_block_root` of its `meta.yaml`.
    pub(crate) trusted_block_root: B256,
}

impl SpecCase {
    /// The object in `<name>.ssz_snappy`, decompressed (raw snappy, no frame).
    pub(crate) fn object(&self, name: &str) -> Vec<u8> {
        let path = self.folder.join(format!("{name}.ssz_snappy"));
        let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        snap::raw::Decoder::new().decompress_vec(&packed).expect("the vectors are raw snappy")
    }

    /// Names of all its objects, without the ending.
    pub(crate) fn object_names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names
            .filter_map(|name| Some(name.to_str()?.strip_suffix(".ssz_snappy")?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// `steps.yaml`.
    pub(crate) fn steps(&self) -> serde_yaml_ng::Value {
        serde_yaml_ng::from_slice(&fs::read(self.folder.join("steps.yaml")).unwrap()).unwrap()
    }
}

/// Every case of the vectors; empty, with a notice, where they are absent.
pub(crate) fn spec_cases() -> Vec<SpecCase> {
    let Some(root) = shared("spec-vectors/light_client_sync") else { return Vec::new() };
    let folders = |path: &PathBuf| {
        let mut folders: Vec<PathBuf> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        folders
    };
    folders(&root).iter().flat_map(folders).map(spec_case).collect()
}

fn spec_case(folder: PathBuf) -> SpecCase {
    let meta: serde_yaml_ng::Value =
        serde_yaml_ng::from_slice(&fs::read(folder.join("meta.yaml")).unwrap()).unwrap();
    let root = |key: &str| -> B256 { meta[key].as_str().unwrap().parse().unwrap() };
    let config = fs::read_to_string(folder.join("config.yaml")).unwrap();
    let names: Vec<_> = folder.iter().rev().take(2).map(|name| name.to_str().unwrap()).collect();
    SpecCase {
        name: format!("{}/{}", names[1], names[0]),
        chain: chain_spec_from_config_yaml(&config, root("genesis_validators_root")).unwrap(),
        trusted_block_root: root("trusted_block_root"),
        folder,
    }
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
