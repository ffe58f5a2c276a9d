//! `proof-server artifacts`: what `make artifacts` runs after the programs are built.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use lc_core::host::ProgramInput;
use proof_server::{
    artifacts::{Sample, write},
    guest_input::guest_input,
};

use super::{
    Exit, Fault,
    input::{ChainArgs, Trusted, read},
    print,
};

#[derive(Debug, Args)]
pub(super) struct ArtifactsArgs {
    /// Folder with the ELF files and toolchain.txt; keys and manifest.json are written there
    #[arg(long, default_value = "artifacts", value_name = "DIR")]
    dir: PathBuf,

    /// The recording that cycles and gas are counted on, as `simulator record` writes it
    #[arg(long, default_value = "bench/recordings/simulated", value_name = "DIR")]
    recording: PathBuf,
}

pub(super) fn run(args: &ArtifactsArgs) -> Result<(), Fault> {
    let toolchain = read(&args.dir.join("toolchain.txt"))?;
    let toolchain = String::from_utf8_lossy(&toolchain).trim().to_owned();
    let samples = samples(&args.recording)?;
    let manifest =
        write(&args.dir, &toolchain, &samples).map_err(|error| Fault::of(Exit::Data, &error))?;
    for entry in &manifest.programs {
        let line = format!(
            "{}: vkey {}, sha256 {}, {} cycles and {} gas on {}\n",
            entry.program, entry.vkey, entry.sha256, entry.cycles, entry.gas, entry.recording
        );
        print(&line);
    }
    Ok(())
}

/// One update for the committee change; for the inclusion the first finality update, with the accounts
/// beside it, after the update that leads to its committee.
fn samples(recording: &Path) -> Result<Vec<Sample>, Fault> {
    let chain = ChainArgs {
        network: recording.join("config.yaml").display().to_string(),
        genesis_validators_root: Some(genesis_validators_root(recording)?),
    };
    let trusted = Trusted::load(&chain, &recording.join("bootstrap.ssz"))?;
    let first = recording.join("update-first.ssz");
    let folder = first_folder(recording)?;
    let accounts = ["token.json", "wallet.json", "no-storage.json", "absent.json"]
        .map(|file| folder.join(file));
    let change = trusted.committee_change(std::slice::from_ref(&first), None)?;
    let inclusion = trusted.inclusion(
        std::slice::from_ref(&first),
        &folder.join("finality-update.ssz"),
        &accounts,
        None,
    )?;
    Ok(vec![sample(&first, &change)?, sample(&folder, &inclusion)?])
}

fn sample(path: &Path, input: &ProgramInput) -> Result<Sample, Fault> {
    let checked =
        input.check().map_err(|error| Fault::about(Exit::Data, path.display(), &error))?;
    Ok(Sample {
        program: checked.program,
        recording: path.display().to_string(),
        input: guest_input(checked.program, &checked.witness),
        public_values: checked.public_values,
    })
}

fn genesis_validators_root(recording: &Path) -> Result<lc_core::alloy_primitives::B256, Fault> {
    let path = recording.join("meta.json");
    let meta: serde_json::Value = serde_json::from_slice(&read(&path)?)
        .map_err(|error| Fault::about(Exit::Data, path.display(), &error))?;
    let root = meta["genesisValidatorsRoot"].as_str().and_then(|root| root.parse().ok());
    root.ok_or_else(|| {
        Fault::new(Exit::Data, format!("{}: no genesisValidatorsRoot", path.display()))
    })
}

/// The first of the folders `period-N`.
fn first_folder(recording: &Path) -> Result<PathBuf, Fault> {
    let period =
        |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("period-")?.parse::<u64>().ok();
    let folders = fs::read_dir(recording)
        .map_err(|error| Fault::about(Exit::NoInput, recording.display(), &error))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| period(path).is_some());
    folders.min_by_key(period).ok_or_else(|| {
        Fault::new(Exit::Data, format!("{}: no folder period-N", recording.display()))
    })
}
