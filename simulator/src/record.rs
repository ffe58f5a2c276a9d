//! Recordings: what nodes of the simulated chain would hand to a light client, as files.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use lc_core::{
    alloy_primitives::{Address, B256},
    host::NativeCrypto,
    objects::{LightClientUpdate, file::MAX_UPDATES, file::write_stream},
};

use sha2::{Digest, Sha256};

use crate::{
    builder::{ChainError, Preset},
    chain::Chain,
    config::config_yaml,
    digest::fork_digest,
    meta::{AccountClaim, CommitteeChange, Inclusion, Meta},
};

/// What to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordOptions {
    /// Where all bytes come from.
    pub seed: u64,
    /// The sizes.
    pub preset: Preset,
    /// Number of updates, one a period.
    pub periods: u64,
    /// How deep the state's trie looks, at most 14: proofs are as long as in one of 16^depth accounts. Storage tries
    /// look less deep by 2. With 0 tries hold a few leaves and nothing else.
    pub trie_depth: usize,
}

impl RecordOptions {
    /// The recordings that the repository ships, by the names of their folders.
    pub const SHIPPED: [(&str, Self); 3] = [
        ("simulated", Self::DEFAULT),
        ("simulated-shallow-tries", Self { periods: 1, trie_depth: 0, ..Self::DEFAULT }),
        ("simulated-deep-tries", Self { periods: 1, trie_depth: 14, ..Self::DEFAULT }),
    ];
    const DEFAULT: Self = Self { seed: 1, preset: Preset::Mainnet, periods: 5, trie_depth: 7 };
}

impl Default for RecordOptions {
    /// From Deneb over Electra to Fulu.
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// No period, or more than one file can hold.
    #[error("{0} periods were asked for, 1 to {MAX_UPDATES} are possible")]
    Periods(u64),
    /// The chain cannot be.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// There is something at the destination.
    #[error("{0} exists: name another folder, or pass --replace if it is an older recording")]
    Exists(PathBuf),
    /// What is to be replaced is something else.
    #[error("{0} is no recording (it has no meta.json): name another folder")]
    NoRecording(PathBuf),
    /// A file could not be written.
    #[error("{path}: {source}: check the folder's permissions and space")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Signers in each update, of 512, in turn: nearly all, many, just two thirds, all, some.
const SIGNERS_OF_512: [u64; 5] = [511, 480, 342, 512, 400];

/// What the files are, for whoever finds them.
const README: &str = include_str!("recording.md");

/// The recording's files by name.
///
/// # Errors
/// [`RecordError::Periods`] and [`RecordError::Chain`].
pub fn recording(options: &RecordOptions) -> Result<BTreeMap<String, Vec<u8>>, RecordError> {
    if !(1..=MAX_UPDATES as u64).contains(&options.periods) {
        return Err(RecordError::Periods(options.periods));
    }
    let chain = Chain::builder()
        .seed(options.seed)
        .preset(options.preset)
        .trie_depth(options.trie_depth)
        .build()?;
    let (spec, first) = (chain.spec(), chain.first_period());
    let periods = first..first + options.periods;
    let updates: Vec<LightClientUpdate> = periods.map(|period| update(&chain, period)).collect();
    let bootstrap = chain.bootstrap(chain.first_slot());
    let stream = |updates| write_stream(spec, updates, |slot| fork_digest(spec, slot));
    let mut files = BTreeMap::from([
        ("README.md".to_owned(), README.as_bytes().to_vec()),
        ("config.yaml".to_owned(), config_yaml(spec, options.preset).into_bytes()),
        ("bootstrap.ssz".to_owned(), bootstrap.to_ssz(spec)),
        ("updates.ssz".to_owned(), stream(&updates)),
        ("update-first.ssz".to_owned(), updates[0].to_ssz(spec)),
    ]);
    let changes = [("update-first.ssz", &updates[..1]), ("updates.ssz", &updates[..])];
    let mut inclusions = vec![inclusion(&chain, first + 1, &mut files)];
    if options.periods > 1 {
        inclusions.push(inclusion(&chain, first + options.periods, &mut files));
    }
    let meta = Meta {
        seed: options.seed,
        preset: options.preset.name(),
        genesis_validators_root: spec.genesis_validators_root,
        chain: spec.hash_tree_root::<NativeCrypto>(),
        trusted_block_root: bootstrap.header.beacon.hash_tree_root::<NativeCrypto>(),
        committee_changes: changes
            .iter()
            .map(|(file, updates)| CommitteeChange::of(&chain, file, first, updates))
            .collect(),
        inclusions,
    };
    let meta = serde_json::to_string_pretty(&meta).expect("strings and integers always serialize");
    files.insert("meta.json".to_owned(), (meta + "\n").into_bytes());
    files.insert("SHA256SUMS".to_owned(), sums(&files).into_bytes());
    Ok(files)
}

/// The list of these files with their hashes, as `sha256sum` writes and checks it.
fn sums(files: &BTreeMap<String, Vec<u8>>) -> String {
    let line = |(name, bytes): (&String, &Vec<u8>)| {
        format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)))
    };
    files.iter().map(line).collect()
}

/// The period's update. The fourth is attested in a fork's last slot and signed in the next fork's first, which
/// is where the signing domain is easiest to get wrong.
fn update(chain: &Chain, period: u64) -> LightClientUpdate {
    let number = (period - chain.first_period()) as usize;
    let size = chain.spec().sync_committee_size;
    let signers = (SIGNERS_OF_512[number % SIGNERS_OF_512.len()] * size).div_ceil(512);
    let update = chain.update(period).participants(signers);
    let middle = chain.first_slot_of(period) + chain.spec().slots_per_period() / 2;
    if number == 3 { update.attested_slot(middle - 1).build() } else { update.build() }
}

/// A finality update of `period` and account proofs against it, in a folder of their own.
fn inclusion(chain: &Chain, period: u64, files: &mut BTreeMap<String, Vec<u8>>) -> Inclusion {
    let (spec, known) = (chain.spec(), chain.accounts());
    let folder = format!("period-{period}");
    let participants = (500 * spec.sync_committee_size).div_ceil(512);
    let update = chain.update(period).participants(participants).build_finality();
    let mut put = |name: &str, bytes: Vec<u8>| files.insert(format!("{folder}/{name}"), bytes);
    put("finality-update.ssz", update.to_ssz(spec));
    put("finality-update.json", update.to_json(spec).into_bytes());
    let slot = update.attested_header.beacon.slot;
    let mut claim = Inclusion::of(chain, &folder, period, slot, participants);
    let state = chain.execution_state(period);
    let accounts: [(&'static str, Address, &[B256]); 4] = [
        ("token.json", known.token, &[known.total_supply, known.balance_of_absent]),
        ("wallet.json", known.wallet, &[]),
        ("no-storage.json", known.no_storage, &[known.total_supply]),
        ("absent.json", known.absent, &[]),
    ];
    for (file, address, slots) in accounts {
        let answer = state.eth_get_proof(address, slots).expect("these are known");
        put(file, (answer + "\n").into_bytes());
        claim.accounts.push(AccountClaim::of(&state, file, address, slots));
    }
    claim
}

/// Writes a recording to the folder `out`. It appears whole or not at all. With `replace`, an older recording
/// there gives way to it; anything else that is there never does.
///
/// # Errors
/// [`RecordError`].
pub fn write_recording(
    options: &RecordOptions,
    out: &Path,
    replace: bool,
) -> Result<(), RecordError> {
    let exists = out.symlink_metadata().is_ok();
    if exists && !replace {
        return Err(RecordError::Exists(out.to_owned()));
    }
    if exists && !out.join("meta.json").is_file() {
        return Err(RecordError::NoRecording(out.to_owned()));
    }
    let files = recording(options)?;
    let partial = beside(out, "partial");
    write_all(&partial, &files).inspect_err(|_| {
        // What is half-written is of no use; the error that stopped it is the one to report.
        fs::remove_dir_all(&partial).ok();
    })?;
    let failed = |source| RecordError::Write { path: out.to_owned(), source };
    let old = beside(out, "old");
    if exists {
        fs::rename(out, &old).map_err(failed)?;
    }
    fs::rename(&partial, out).map_err(failed)?;
    if exists {
        fs::remove_dir_all(&old).map_err(failed)?;
    }
    Ok(())
}

/// `out` with another ending: on the same file system, so that a rename moves it.
fn beside(out: &Path, ending: &str) -> PathBuf {
    // Components, so that `out/` and `out` are the same.
    let mut name = out.components().collect::<PathBuf>().into_os_string();
    name.push(".");
    name.push(ending);
    name.into()
}

fn write_all(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), RecordError> {
    for (name, bytes) in files {
        let path = folder.join(name);
        let parent = path.parent().expect("a file in a folder");
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes));
        written.map_err(|source| RecordError::Write { path, source })?;
    }
    Ok(())
}
