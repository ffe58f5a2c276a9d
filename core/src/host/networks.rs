//! The networks that are built in, and any other from its consensus-spec `config.yaml`.

use core::{fmt, str::FromStr};
use std::collections::BTreeMap;

use alloy_primitives::{B256, b256};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    chain_spec::{ChainSpec, ChainSpecError, ForkEntry},
    fork::Fork,
};

/// A network whose constants are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Ethereum.
    Mainnet,
    /// The testnet for applications.
    Sepolia,
    /// The testnet for validators.
    Hoodi,
    /// The consensus specs' minimal preset with all forks up to Fulu from genesis; each such chain has a
    /// genesis validators root of its own.
    Minimal,
}

/// Why a `config.yaml` could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is not YAML with one value a key.
    #[error("not a consensus-spec config.yaml: {0}")]
    Yaml(String),
    /// A key is missing or its value is of another kind.
    #[error("config.yaml: {key} is {seen}, wanted {wanted}")]
    Value {
        /// The key.
        key: String,
        /// What it says.
        seen: String,
        /// What it should.
        wanted: &'static str,
    },
    /// The numbers make no chain.
    #[error("config.yaml: {0}")]
    Spec(#[from] ChainSpecError),
    /// A chain without its root.
    #[error("every minimal chain has its own genesis validators root: give it")]
    NoGenesisValidatorsRoot,
}

/// No network of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no built-in network `{0}`: it is mainnet, sepolia, hoodi or minimal, or give the path of a config.yaml"
)]
pub struct UnknownNetwork(String);

/// `FAR_FUTURE_EPOCH`: a fork that is not planned.
const FAR_FUTURE_EPOCH: u64 = u64::MAX;

impl Network {
    /// Every built-in network.
    pub const ALL: [Self; 4] = [Self::Mainnet, Self::Sepolia, Self::Hoodi, Self::Minimal];

    /// The network's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Sepolia => "sepolia",
            Self::Hoodi => "hoodi",
            Self::Minimal => "minimal",
        }
    }

    /// The root that the network's name implies. None for minimal chains.
    ///
    /// Source: `genesis_validators_root` of eth-clients/{mainnet,sepolia,hoodi}, `metadata/`.
    #[must_use]
    pub const fn genesis_validators_root(self) -> Option<B256> {
        match self {
            Self::Mainnet => {
                Some(b256!("4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"))
            }
            Self::Sepolia => {
                Some(b256!("d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"))
            }
            Self::Hoodi => {
                Some(b256!("212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"))
            }
            Self::Minimal => None,
        }
    }

    /// The chain's constants. `genesis_validators_root` is needed for [`Network::Minimal`] and replaces the
    /// built-in one of the others, for a fork of them.
    ///
    /// # Errors
    /// [`ConfigError::NoGenesisValidatorsRoot`].
    pub fn chain_spec(
        self,
        genesis_validators_root: Option<B256>,
    ) -> Result<ChainSpec, ConfigError> {
        let genesis_validators_root = genesis_validators_root
            .or(self.genesis_validators_root())
            .ok_or(ConfigError::NoGenesisValidatorsRoot)?;
        let preset = if self == Self::Minimal { Preset::MINIMAL } else { Preset::MAINNET };
        let forks = Fork::ALL
            .into_iter()
            .zip(self.schedule())
            .map(|(fork, (version, epoch))| ForkEntry {
                fork,
                version: version.to_be_bytes(),
                epoch,
            })
            .collect();
        Ok(preset.chain_spec(genesis_validators_root, forks))
    }

    /// Version and epoch of each fork from Altair to Fulu. Gloas is planned on none of them.
    ///
    /// Source: `config.yaml` of eth-clients/{mainnet,sepolia,hoodi}, `metadata/`; versions of minimal from
    /// consensus-specs `configs/minimal.yaml`.
    const fn schedule(self) -> [(u32, u64); 6] {
        match self {
            Self::Mainnet => [
                (0x0100_0000, 74_240),
                (0x0200_0000, 144_896),
                (0x0300_0000, 194_048),
                (0x0400_0000, 269_568),
                (0x0500_0000, 364_032),
                (0x0600_0000, 411_392),
            ],
            Self::Sepolia => [
                (0x9000_0070, 50),
                (0x9000_0071, 100),
                (0x9000_0072, 56_832),
                (0x9000_0073, 132_608),
                (0x9000_0074, 222_464),
                (0x9000_0075, 272_640),
            ],
            Self::Hoodi => [
                (0x2000_0910, 0),
                (0x3000_0910, 0),
                (0x4000_0910, 0),
                (0x5000_0910, 0),
                (0x6000_0910, 2_048),
                (0x7000_0910, 50_688),
            ],
            Self::Minimal => [
                (0x0100_0001, 0),
                (0x0200_0001, 0),
                (0x0300_0001, 0),
                (0x0400_0001, 0),
                (0x0500_0001, 0),
                (0x0600_0001, 0),
            ],
        }
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|network| network.name() == name);
        known.ok_or_else(|| UnknownNetwork(name.to_owned()))
    }
}

/// The lengths that a preset fixes (consensus-specs `presets/{mainnet,minimal}`).
struct Preset {
    slots_per_epoch: u64,
    epochs_per_sync_committee_period: u64,
    sync_committee_size: u64,
}

impl Preset {
    const MAINNET: Self = Self {
        slots_per_epoch: 32,
        epochs_per_sync_committee_period: 256,
        sync_committee_size: 512,
    };
    const MINIMAL: Self =
        Self { slots_per_epoch: 8, epochs_per_sync_committee_period: 8, sync_committee_size: 32 };

    fn chain_spec(self, genesis_validators_root: B256, forks: Vec<ForkEntry>) -> ChainSpec {
        let Self { slots_per_epoch, epochs_per_sync_committee_period, sync_committee_size } = self;
        ChainSpec {
            genesis_validators_root,
            slots_per_epoch,
            epochs_per_sync_committee_period,
            sync_committee_size,
            forks,
        }
    }
}

/// The constants of the chain that a consensus-spec `config.yaml` describes. The file does not hold the
/// genesis validators root.
///
/// # Errors
/// [`ConfigError`] names the key at fault.
pub fn chain_spec_from_config_yaml(
    yaml: &str,
    genesis_validators_root: B256,
) -> Result<ChainSpec, ConfigError> {
    let config = Config::parse(yaml)?;
    let preset = match config.text("PRESET_BASE")?.as_str() {
        "mainnet" => Preset::MAINNET,
        "minimal" => Preset::MINIMAL,
        other => return Err(Config::wrong("PRESET_BASE", other, "mainnet or minimal")),
    };
    let mut forks = Vec::new();
    for fork in Fork::ALL {
        let name = fork.name().to_uppercase();
        let (epoch_key, version_key) =
            (format!("{name}_FORK_EPOCH"), format!("{name}_FORK_VERSION"));
        // Files from before a fork was planned lack its keys.
        if !config.0.contains_key(&epoch_key) {
            continue;
        }
        let epoch = config.integer(&epoch_key)?;
        if epoch != FAR_FUTURE_EPOCH {
            forks.push(ForkEntry { fork, version: config.version(&version_key)?, epoch });
        }
    }
    let spec = preset.chain_spec(genesis_validators_root, forks);
    spec.validate()?;
    Ok(spec)
}

/// The file's keys and values.
struct Config(BTreeMap<String, Entry>);

/// A value, as far as a chain's constants are made of it.
enum Entry {
    Text(String),
    /// Also what YAML reads of hexadecimal digits without quotes: an address with four leading zero bytes, as
    /// mainnet's deposit contract, has 128 bits.
    Number(u128),
    Other,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Entry, E> {
        Ok(Entry::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Entry, E> {
        Ok(Entry::Number(number.into()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Entry, E> {
        Ok(Entry::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Entry, E> {
        Ok(Entry::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Entry, E> {
        Ok(Entry::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Entry, E> {
        Ok(Entry::Other)
    }

    fn visit_unit<E>(self) -> Result<Entry, E> {
        Ok(Entry::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Entry, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Entry::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Entry::Other)
    }
}

impl Config {
    fn parse(yaml: &str) -> Result<Self, ConfigError> {
        serde_yaml_ng::from_str(yaml).map(Self).map_err(|err| ConfigError::Yaml(err.to_string()))
    }

    fn wrong(key: &str, seen: &str, wanted: &'static str) -> ConfigError {
        ConfigError::Value { key: key.to_owned(), seen: seen.to_owned(), wanted }
    }

    /// Scalars come quoted or not, by whoever wrote the file.
    fn text(&self, key: &str) -> Result<String, ConfigError> {
        match self.0.get(key) {
            Some(Entry::Text(text)) => Ok(text.clone()),
            Some(Entry::Number(number)) => Ok(number.to_string()),
            Some(Entry::Other) => {
                Err(Self::wrong(key, "neither text nor a natural number", "one value"))
            }
            None => Err(Self::wrong(key, "missing", "one value")),
        }
    }

    fn integer(&self, key: &str) -> Result<u64, ConfigError> {
        let text = self.text(key)?;
        text.parse().map_err(|_| Self::wrong(key, &text, "an unsigned 64-bit integer"))
    }

    /// YAML reads `0x01000000` without quotes as a number.
    fn version(&self, key: &str) -> Result<[u8; 4], ConfigError> {
        let text = self.text(key)?;
        let number = match text.strip_prefix("0x") {
            Some(digits) if digits.len() == 8 => u32::from_str_radix(digits, 16).ok(),
            Some(_) => None,
            None => text.parse().ok(),
        };
        let wanted = "4 bytes in hexadecimal, as 0x04000000";
        number.map(u32::to_be_bytes).ok_or_else(|| Self::wrong(key, &text, wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "PRESET_BASE: 'minimal'\nALTAIR_FORK_VERSION: 0x01000001\nALTAIR_FORK_EPOCH: 0\n\
        BELLATRIX_FORK_VERSION: '0x02000001'\nBELLATRIX_FORK_EPOCH: 3\nCAPELLA_FORK_VERSION: 0x03000001\n\
        CAPELLA_FORK_EPOCH: 18446744073709551615\nSECONDS_PER_SLOT: 6\n\
        BLOB_SCHEDULE: [{EPOCH: 5}]\nDEPOSIT_CONTRACT_ADDRESS: 0x00000000219ab540356cBB839Cbe05303d7705Fa\n";

    #[test]
    fn every_built_in_network_is_a_valid_chain() {
        for network in Network::ALL {
            let spec = network.chain_spec(Some(B256::ZERO)).unwrap();
            spec.validate().unwrap();
            assert_eq!(network.name().parse(), Ok(network));
        }
    }

    #[test]
    fn mainnet_changes_forks_at_their_epochs_and_not_before() {
        let spec = Network::Mainnet.chain_spec(None).unwrap();
        assert_eq!(spec.fork_at_epoch(74_239), None);
        assert_eq!(spec.fork_at_epoch(74_240), Some(Fork::Altair));
        assert_eq!(spec.fork_at_epoch(269_567), Some(Fork::Capella));
        assert_eq!(spec.fork_at_slot(269_568 * 32), Some(Fork::Deneb));
        assert_eq!(spec.fork_at_epoch(u64::MAX), Some(Fork::Fulu));
        assert_eq!(spec.period_at_slot(8191), 0);
        assert_eq!(spec.period_at_slot(8192), 1);
    }

    #[test]
    fn a_minimal_chain_needs_its_genesis_validators_root() {
        let err = Network::Minimal.chain_spec(None).unwrap_err();
        assert!(matches!(err, ConfigError::NoGenesisValidatorsRoot), "{err}");
    }

    #[test]
    fn a_config_file_gives_its_planned_forks_and_preset() {
        let spec = chain_spec_from_config_yaml(YAML, B256::repeat_byte(7)).unwrap();
        assert_eq!(spec.sync_committee_size, 32);
        let forks: Vec<_> = spec.forks.iter().map(|e| (e.fork, e.version, e.epoch)).collect();
        assert_eq!(forks, [(Fork::Altair, [1, 0, 0, 1], 0), (Fork::Bellatrix, [2, 0, 0, 1], 3)]);
    }

    #[test]
    fn gloas_is_in_the_schedule_where_the_config_file_plans_it() {
        let gloas = "GLOAS_FORK_VERSION: 0x07000001\nGLOAS_FORK_EPOCH: 9\n";
        let yaml = format!("{YAML}{gloas}");
        let spec = chain_spec_from_config_yaml(&yaml, B256::ZERO).unwrap();
        assert_eq!(spec.fork_at_epoch(8), Some(Fork::Bellatrix));
        let last = ForkEntry { fork: Fork::Gloas, version: [7, 0, 0, 1], epoch: 9 };
        assert_eq!(spec.entry_at_epoch(9), Some(&last));
        let unplanned = yaml.replace("EPOCH: 9", "EPOCH: 18446744073709551615");
        let spec = chain_spec_from_config_yaml(&unplanned, B256::ZERO).unwrap();
        assert_eq!(spec.fork_at_epoch(u64::MAX), Some(Fork::Bellatrix));
    }

    #[test]
    fn a_config_file_with_a_fault_names_the_key() {
        for (from, to, says) in [
            ("'minimal'", "gnosis", "PRESET_BASE is gnosis, wanted mainnet or minimal"),
            ("ALTAIR_FORK_EPOCH: 0", "ALTAIR_FORK_EPOCH: soon", "ALTAIR_FORK_EPOCH is soon"),
            ("'0x02000001'", "'0x0200'", "BELLATRIX_FORK_VERSION is 0x0200"),
            ("BELLATRIX_FORK_VERSION", "OTHER", "BELLATRIX_FORK_VERSION is missing"),
            ("ALTAIR_FORK_EPOCH: 0", "ALTAIR_FORK_EPOCH: 4", "lists bellatrix after altair"),
            ("ALTAIR_FORK_EPOCH: 0", "ALTAIR_FORK_EPOCH: [0]", "ALTAIR_FORK_EPOCH is neither text"),
            ("ALTAIR_FORK_EPOCH: 0", "ALTAIR_FORK_EPOCH: -1", "ALTAIR_FORK_EPOCH is neither text"),
            ("SECONDS", "- SECONDS", "not a consensus-spec config.yaml"),
            ("PER_SLOT: 6", "PER_SLOT: -99999999999999999999", "expected a value"),
        ] {
            let err = chain_spec_from_config_yaml(&YAML.replace(from, to), B256::ZERO).unwrap_err();
            assert!(err.to_string().contains(says), "{err}");
        }
    }

    #[test]
    fn an_unknown_network_is_refused_with_the_known_ones() {
        let text = "goerli".parse::<Network>().unwrap_err().to_string();
        assert!(text.contains("`goerli`") && text.contains("hoodi"), "{text}");
    }
}
