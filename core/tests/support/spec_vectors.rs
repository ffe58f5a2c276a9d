//! The consensus specification's light-client vectors: where they lie, what is in a case, and a record of which
//! files were opened.
//!
//! Formats: consensus-specs `tests/formats/light_client/{sync,single_merkle_proof,update_ranking}.md`. A key, a
//! step or a suite that is not known here panics: nothing passes unread.
//!
//! [`applied_updates`] is what another crate's tests include this file for.

#[path = "applied.rs"]
mod applied;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

#[allow(unused_imports, reason = "each test uses its part")]
pub(crate) use applied::{Applied, FORGERIES, applied_updates, refusal, take_step};
use lc_core::{
    ChainSpec, Fork, ForkEntry,
    alloy_primitives::{B256, Bytes, FixedBytes},
    host::{LightClientStore, Network, chain_spec_from_config_yaml},
    objects::LightClientBootstrap,
};
use serde::{Deserialize, de::DeserializeOwned};

/// Execution block headers in RLP, by hash.
pub(crate) type ExecutionHeaders = BTreeMap<B256, Bytes>;

/// The vectors of this repository, made by `scripts/spec-vectors`.
pub(crate) fn committed() -> Vectors {
    Vectors::at(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../core/tests/spec-vectors"))
}

/// A tree of vectors, of which every file has to be opened.
pub(crate) struct Vectors {
    root: PathBuf,
    opened: RefCell<BTreeSet<PathBuf>>,
}

impl Vectors {
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), opened: RefCell::default() }
    }

    pub(crate) fn read(&self, path: &Path) -> Vec<u8> {
        let path = self.root.join(path);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.opened.borrow_mut().insert(path);
        bytes
    }

    /// Those that the objects of Gloas name. None where the tree is older.
    pub(crate) fn execution_headers(&self) -> ExecutionHeaders {
        let name = Path::new("execution_headers.json");
        if !self.root.join(name).exists() {
            return BTreeMap::new();
        }
        serde_json::from_slice(&self.read(name)).expect("a map from hash to RLP, both in hex")
    }

    /// Panics if a file was not opened, or if there is none. A description of the tree is no vector.
    pub(crate) fn assert_all_opened(&self) {
        let mut files = Vec::new();
        files_under(&self.root, &mut files);
        files.retain(|file| *file != self.root.join("README.md"));
        assert!(!files.is_empty(), "no vectors in {}", self.root.display());
        let opened = self.opened.borrow();
        files.retain(|file| !opened.contains(file));
        assert!(files.is_empty(), "vectors that no test opened: {files:#?}");
    }

    /// Every case, by the names of its folders.
    pub(crate) fn cases(&self) -> Vec<Case<'_>> {
        let mut files = Vec::new();
        files_under(&self.root, &mut files);
        let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
        let in_root = |folder: &&Path| *folder != self.root;
        folders.into_iter().filter(in_root).map(|folder| Case::new(self, folder)).collect()
    }
}

fn files_under(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|err| panic!("{}: {err}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, files);
        } else {
            files.push(path);
        }
    }
    files.sort();
}

/// What a case is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Handler {
    Sync,
    SingleMerkleProof,
    UpdateRanking,
}

/// One folder of vectors.
pub(crate) struct Case<'a> {
    vectors: &'a Vectors,
    folder: PathBuf,
    /// Its folder under the root.
    pub(crate) name: String,
    pub(crate) preset: Network,
    pub(crate) fork: Fork,
    pub(crate) handler: Handler,
    /// For a Merkle proof: which type it is of.
    pub(crate) suite: String,
}

impl<'a> Case<'a> {
    /// Reads the folder's place: `<preset>/<fork>/light_client/<handler>/<suite>/<case>` as the specification
    /// has it, or `light_client_sync/<fork>/<case>` for the minimal preset.
    fn new(vectors: &'a Vectors, folder: &Path) -> Self {
        let name = folder.strip_prefix(&vectors.root).unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = name.split('/').collect();
        let (preset, fork, handler, suite, carried) = match parts[..] {
            [preset, fork, "light_client", handler, suite, _] => {
                (preset, fork, handler, suite, false)
            }
            ["light_client_sync", fork, _] => ("minimal", fork, "sync", "pyspec_tests", true),
            _ => panic!("{name} is not the place of a light-client vector"),
        };
        let case = Self {
            preset: preset.parse().unwrap(),
            fork: Fork::from_name(fork).unwrap_or_else(|| panic!("{name}: no such fork: {fork}")),
            handler: match handler {
                "sync" => Handler::Sync,
                "single_merkle_proof" => Handler::SingleMerkleProof,
                "update_ranking" => Handler::UpdateRanking,
                other => panic!("{name}: no such handler: {other}"),
            },
            suite: suite.to_owned(),
            vectors,
            folder: folder.to_owned(),
            name: name.clone(),
        };
        if !carried {
            let manifest: Manifest = case.yaml("manifest");
            assert_eq!(manifest.place(), name, "the manifest is of another case");
        }
        case
    }

    /// The object in `<name>.ssz_snappy`, decompressed (raw snappy, no frame).
    pub(crate) fn object(&self, name: &str) -> Vec<u8> {
        let packed = self.vectors.read(&self.folder.join(format!("{name}.ssz_snappy")));
        snap::raw::Decoder::new().decompress_vec(&packed).expect("the vectors are raw snappy")
    }

    /// Names of all its objects, without the ending.
    pub(crate) fn object_names(&self) -> Vec<String> {
        let mut files = Vec::new();
        files_under(&self.folder, &mut files);
        let name = |file: &PathBuf| {
            Some(file.file_name()?.to_str()?.strip_suffix(".ssz_snappy")?.to_owned())
        };
        files.iter().filter_map(name).collect()
    }

    /// `<name>.yaml`.
    pub(crate) fn yaml<T: DeserializeOwned>(&self, name: &str) -> T {
        let text = self.vectors.read(&self.folder.join(format!("{name}.yaml")));
        parse(&text).unwrap_or_else(|error| panic!("{} {name}.yaml: {error}", self.name))
    }

    /// The built-in chain of its preset, and Gloas with the version that the specification's preset has for it.
    pub(crate) fn preset_chain(&self) -> ChainSpec {
        let mut chain = self.preset.chain_spec(Some(B256::ZERO)).unwrap();
        let version = if self.preset == Network::Minimal { [7, 0, 0, 1] } else { [7, 0, 0, 0] };
        chain.forks.push(ForkEntry { fork: Fork::Gloas, version, epoch: u64::MAX });
        chain
    }

    /// The chain of a case without `config.yaml`: its fork from genesis on.
    pub(crate) fn chain_of_one_fork(&self) -> ChainSpec {
        let mut chain = self.preset_chain();
        chain.forks.retain(|entry| entry.fork == self.fork);
        chain.forks[0].epoch = 0;
        chain
    }

    /// The chain, the bootstrap and the steps of a sync case.
    pub(crate) fn sync(&self) -> SyncCase {
        let meta: SyncMeta = self.yaml("meta");
        let config = self.vectors.read(&self.folder.join("config.yaml"));
        let config = String::from_utf8(config).unwrap();
        let chain = chain_spec_from_config_yaml(&config, meta.genesis_validators_root).unwrap();
        let bootstrap = LightClientBootstrap::from_ssz(&chain, &self.object("bootstrap")).unwrap();
        let blobs: BlobConfig = serde_yaml_ng::from_str(&config).unwrap();
        let steps: Vec<Step> = self.yaml("steps");
        assert!(!steps.is_empty(), "{} has no steps", self.name);
        SyncCase { chain, meta, bootstrap, blobs, steps }
    }
}

/// A YAML document whose enums are maps of one key, as the specification writes them.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_yaml_ng::Error> {
    serde_yaml_ng::with::singleton_map_recursive::deserialize(
        serde_yaml_ng::Deserializer::from_slice(text),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    preset: String,
    fork: String,
    runner: String,
    handler: String,
    suite: String,
    case: String,
}

impl Manifest {
    fn place(&self) -> String {
        let Self { preset, fork, runner, handler, suite, case } = self;
        [preset, fork, runner, handler, suite, case].map(String::as_str).join("/")
    }
}

/// A case of `light_client/sync`.
pub(crate) struct SyncCase {
    pub(crate) chain: ChainSpec,
    pub(crate) meta: SyncMeta,
    pub(crate) bootstrap: LightClientBootstrap,
    pub(crate) blobs: BlobConfig,
    pub(crate) steps: Vec<Step>,
}

impl SyncCase {
    pub(crate) fn store(&self) -> LightClientStore {
        let root = self.meta.trusted_block_root;
        LightClientStore::initialize(&self.chain, root, &self.bootstrap).unwrap()
    }
}

/// `meta.yaml` of a sync case. The signatures are real: `bls_setting` would say 2 if they were not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncMeta {
    pub(crate) genesis_validators_root: B256,
    pub(crate) trusted_block_root: B256,
    pub(crate) bootstrap_fork_digest: FixedBytes<4>,
    /// The fork whose rules the specification's store has; ours has those of all.
    pub(crate) store_fork_version: Option<FixedBytes<4>>,
    /// As vectors before 1.6 say it.
    pub(crate) store_fork_digest: Option<FixedBytes<4>>,
}

/// What of `config.yaml` is in the fork digest since Fulu.
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) struct BlobConfig {
    #[serde(default)]
    blob_schedule: Vec<BlobEntry>,
    #[serde(default)]
    max_blobs_per_block_electra: u64,
    #[serde(default)]
    electra_fork_epoch: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE", deny_unknown_fields)]
struct BlobEntry {
    epoch: u64,
    max_blobs_per_block: u64,
}

impl BlobConfig {
    /// `get_blob_parameters(epoch)`: since which epoch there may be how many blobs.
    pub(crate) fn at_epoch(&self, epoch: u64) -> (u64, u64) {
        let begun = self.blob_schedule.iter().filter(|entry| entry.epoch <= epoch);
        begun
            .map(|entry| (entry.epoch, entry.max_blobs_per_block))
            .max()
            .unwrap_or((self.electra_fork_epoch, self.max_blobs_per_block_electra))
    }
}

/// A step of a sync case.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    ProcessUpdate(ProcessUpdate),
    ForceUpdate(ForceUpdate),
    UpgradeStore(UpgradeStore),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessUpdate {
    pub(crate) update_fork_digest: FixedBytes<4>,
    pub(crate) update: String,
    pub(crate) current_slot: u64,
    pub(crate) checks: Checks,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForceUpdate {
    pub(crate) current_slot: u64,
    pub(crate) checks: Checks,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpgradeStore {
    pub(crate) store_fork_version: Option<FixedBytes<4>>,
    pub(crate) store_fork_digest: Option<FixedBytes<4>>,
    pub(crate) checks: Checks,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checks {
    pub(crate) finalized_header: HeaderCheck,
    pub(crate) optimistic_header: HeaderCheck,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderCheck {
    pub(crate) slot: u64,
    pub(crate) beacon_root: B256,
    /// Only where the specification's store knows Capella.
    pub(crate) execution_root: Option<B256>,
}

/// `proof.yaml` of `light_client/single_merkle_proof`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MerkleProof {
    pub(crate) leaf: B256,
    pub(crate) leaf_index: u64,
    pub(crate) branch: Vec<B256>,
}
