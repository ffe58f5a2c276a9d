//! Which chain a node is of, in the specification's own words.

use std::collections::BTreeMap;

use lc_core::{
    ChainSpec, Fork,
    alloy_primitives::B256,
    containers::compute_fork_data_root,
    host::{ConfigError, NativeCrypto, Network, chain_spec_from_config_yaml},
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::RecordError;
use crate::recording::Fault;

/// `MAX_BLOBS_PER_BLOCK_ELECTRA` (electra/beacon-chain.md), in force before the blob schedule's first entry.
const MAX_BLOBS_PER_BLOCK_ELECTRA: u64 = 9;

/// A chain, as its nodes describe it.
#[derive(Debug, Clone)]
pub(super) struct NodeNetwork {
    pub(super) spec: ChainSpec,
    /// What a light client reads of the node's configuration.
    pub(super) config_yaml: String,
    /// Epochs from which on so many blobs are allowed, by epoch: part of fork digests from Fulu on.
    blobs: BTreeMap<u64, u64>,
    /// The execution chain's id, where the node says it.
    pub(super) chain_id: Option<u64>,
}

/// The beacon API's answers have what was asked for in `data`.
#[derive(Debug, Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Debug, Deserialize)]
struct Genesis {
    genesis_validators_root: B256,
}

#[derive(Debug, Deserialize)]
struct Block {
    root: B256,
}

/// The answer to `/eth/v1/beacon/genesis`.
pub(super) fn genesis_validators_root(json: &[u8]) -> Result<B256, Fault> {
    parse::<Genesis>(json).map(|genesis| genesis.genesis_validators_root)
}

/// The answer to `/eth/v1/beacon/blocks/{id}/root`.
pub(super) fn block_root(json: &[u8]) -> Result<B256, Fault> {
    parse::<Block>(json).map(|block| block.root)
}

fn parse<T: for<'de> Deserialize<'de>>(json: &[u8]) -> Result<T, Fault> {
    let answer = serde_json::from_slice::<Answer<T>>(json);
    answer.map(|answer| answer.data).map_err(|error| Fault::Json(error.to_string()))
}

impl NodeNetwork {
    /// From the answers to `/eth/v1/config/spec` and `/eth/v1/beacon/genesis`.
    pub(super) fn new(spec: &[u8], genesis_validators_root: B256) -> Result<Self, Fault> {
        let values = parse::<BTreeMap<String, Value>>(spec)?;
        let config_yaml = config_yaml(&values);
        let spec = chain_spec_from_config_yaml(&config_yaml, genesis_validators_root)?;
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let blobs = values.get("BLOB_SCHEDULE").and_then(Value::as_array).map(Vec::as_slice);
        let entry = |entry: &Value| {
            let field = |name| entry.get(name).and_then(number);
            field("EPOCH").zip(field("MAX_BLOBS_PER_BLOCK"))
        };
        let blobs = blobs.unwrap_or_default().iter().map(entry).collect::<Option<_>>();
        let blobs = blobs.ok_or_else(|| {
            Fault::Config(ConfigError::Value {
                key: "BLOB_SCHEDULE".to_owned(),
                seen: "something else".to_owned(),
                wanted: "a list of EPOCH and MAX_BLOBS_PER_BLOCK",
            })
        })?;
        let chain_id = values.get("DEPOSIT_CHAIN_ID").and_then(number);
        Ok(Self { spec, config_yaml, blobs, chain_id })
    }

    /// That a node that claims a known network has its forks, as far as this release knows them.
    pub(super) fn check_known(&self) -> Result<(), RecordError> {
        let root = Some(self.spec.genesis_validators_root);
        let known = Network::ALL.into_iter().find(|known| known.genesis_validators_root() == root);
        let Some(known) = known.and_then(|known| known.chain_spec(None).ok()) else {
            return Ok(());
        };
        match known.forks.iter().find(|fork| !self.spec.forks.contains(fork)) {
            None => Ok(()),
            Some(fork) => {
                let found = self.spec.forks.iter().find(|other| other.fork == fork.fork);
                Err(RecordError::OtherNetwork {
                    what: "a fork of the beacon node's network",
                    seen: found.map_or_else(|| "not there".to_owned(), |fork| format!("{fork:?}")),
                    wanted: format!("{fork:?}"),
                })
            }
        }
    }

    /// `compute_fork_digest` (fulu/beacon-chain.md) at `slot`. None before the chain's first fork.
    pub(super) fn fork_digest(&self, slot: u64) -> Option<[u8; 4]> {
        let epoch = self.spec.epoch_at_slot(slot);
        let entry = self.spec.entry_at_epoch(epoch)?;
        let root = &self.spec.genesis_validators_root;
        let root = compute_fork_data_root::<NativeCrypto>(entry.version, root);
        let mask = if entry.fork >= Fork::Fulu { self.blob_mask(epoch) } else { B256::ZERO };
        (root ^ mask).first_chunk().copied()
    }

    fn blob_mask(&self, epoch: u64) -> B256 {
        let scheduled = self.blobs.range(..=epoch).next_back().map(|(from, most)| (*from, *most));
        let (from, most) = scheduled.unwrap_or_else(|| {
            let electra = self.spec.forks.iter().find(|entry| entry.fork == Fork::Electra);
            (electra.map_or(u64::MAX, |entry| entry.epoch), MAX_BLOBS_PER_BLOCK_ELECTRA)
        });
        B256::new(Sha256::digest([from.to_le_bytes(), most.to_le_bytes()].concat()).into())
    }
}

/// A `config.yaml` of what a light client reads, each value as the node says it, in quotes.
fn config_yaml(values: &BTreeMap<String, Value>) -> String {
    let names = Fork::ALL.map(|fork| fork.name().to_uppercase());
    let forks = names
        .iter()
        .flat_map(|name| [format!("{name}_FORK_VERSION"), format!("{name}_FORK_EPOCH")]);
    let wanted = ["PRESET_BASE", "CONFIG_NAME"].map(str::to_owned).into_iter().chain(forks);
    let mut yaml =
        "# What a light client reads of the beacon node's /eth/v1/config/spec.\n".to_owned();
    for key in wanted {
        let value = values.get(&key).and_then(Value::as_str);
        // Whoever breaks out of the quotes would only break the file: what it says is compared with meta.json.
        let plain =
            |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if let Some(value) = value.filter(plain) {
            yaml += &format!("{key}: '{value}'\n");
        }
    }
    yaml
}

#[cfg(test)]
mod tests {
    use simulator::{Chain, Preset, fork_digest};

    use super::*;

    /// What a node of mainnet says, but for the forks' keys in `change`.
    fn mainnet(change: &[(&str, &str)]) -> NodeNetwork {
        let known = Network::Mainnet.chain_spec(None).unwrap();
        let mut values = BTreeMap::from([
            ("PRESET_BASE".to_owned(), "mainnet".to_owned()),
            ("DEPOSIT_CHAIN_ID".to_owned(), "1".to_owned()),
        ]);
        for entry in &known.forks {
            let name = entry.fork.name().to_uppercase();
            values.insert(format!("{name}_FORK_EPOCH"), entry.epoch.to_string());
            values.insert(
                format!("{name}_FORK_VERSION"),
                format!("0x{}", hex::encode(entry.version)),
            );
        }
        values.extend(change.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let json = serde_json::json!({ "data": values }).to_string();
        NodeNetwork::new(json.as_bytes(), known.genesis_validators_root).unwrap()
    }

    #[test]
    fn a_nodes_words_make_the_chain_that_is_built_in() {
        let network = mainnet(&[]);
        assert_eq!(network.spec, Network::Mainnet.chain_spec(None).unwrap());
        assert_eq!(network.chain_id, Some(1));
        network.check_known().unwrap();
        let planned = [("GLOAS_FORK_EPOCH", "9999999"), ("GLOAS_FORK_VERSION", "0x07000000")];
        mainnet(&planned).check_known().expect("a later fork that this release does not know");
    }

    #[test]
    fn a_known_network_with_another_fork_is_refused() {
        let error =
            mainnet(&[("FULU_FORK_EPOCH", "411393")]).check_known().unwrap_err().to_string();
        assert!(error.contains("epoch: 411393") && error.contains("epoch: 411392"), "{error}");
        assert!(error.ends_with(": give nodes of one network"), "{error}");
        let error = mainnet(&[("FULU_FORK_EPOCH", "18446744073709551615")]).check_known();
        assert!(error.unwrap_err().to_string().contains("is not there, wanted"));
    }

    #[test]
    fn what_is_no_answer_is_refused_and_what_breaks_yaml_is_left_out() {
        for json in [
            "",
            "{}",
            r#"{"data": 1}"#,
            r#"{"data": {}}"#,
            r#"{"data": {"PRESET_BASE": "x'\ny: '"}}"#,
        ] {
            assert!(NodeNetwork::new(json.as_bytes(), B256::ZERO).is_err(), "{json}");
        }
        let json = r#"{"data": {"PRESET_BASE": "minimal", "ALTAIR_FORK_EPOCH": "0", "ALTAIR_FORK_VERSION": "0x01000001", "BLOB_SCHEDULE": [{}]}}"#;
        let error = NodeNetwork::new(json.as_bytes(), B256::ZERO).unwrap_err();
        assert!(matches!(error, Fault::Config(_)), "{error}");
        assert!(genesis_validators_root(b"{}").is_err());
        assert!(block_root(br#"{"data": {"root": "0x12"}}"#).is_err());
    }

    #[test]
    fn fork_digests_are_those_of_the_simulator_and_change_with_the_blob_schedule() {
        let chain = Chain::builder().preset(Preset::Minimal).build().unwrap();
        let spec = chain.spec().clone();
        let network = NodeNetwork {
            spec: spec.clone(),
            config_yaml: String::new(),
            blobs: BTreeMap::new(),
            chain_id: None,
        };
        let last = chain.first_slot_of(chain.first_period() + 6);
        for slot in [chain.first_slot(), chain.first_slot_of(chain.first_period() + 2), last] {
            assert_eq!(network.fork_digest(slot), Some(fork_digest(&spec, slot)));
        }
        let at = |from: u64| {
            let blobs = BTreeMap::from([(spec.epoch_at_slot(last) + from, 15)]);
            NodeNetwork { blobs, ..network.clone() }.fork_digest(last)
        };
        assert_ne!(at(0), network.fork_digest(last));
        assert_eq!(at(1), network.fork_digest(last), "not in force yet");
    }
}
