//! Makes manifest and keys for ELF files that were just built.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use lc_core::ProgramId;
use lc_stark::prove::{self, GuestError, Keys, RUN_LIMIT};
use sha2::{Digest, Sha256};

use super::{Manifest, ProgramEntry};
use crate::{
    SP1_VERSION,
    types::{ElfHash, VkeyHash},
};

/// An input that a program's cost is counted on.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The program.
    pub program: ProgramId,
    /// What to call the input in the manifest, for example a path under `bench/recordings`.
    pub recording: String,
    /// What the program reads.
    pub input: Vec<u8>,
    /// What it must commit.
    pub public_values: Vec<u8>,
}

/// Why the artifacts could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A file could not be read or written.
    #[error("{} could not be {what}: build the programs first, into a folder that can be written", .path.display())]
    File {
        /// `read` or `written`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program does not run on its sample.
    #[error("the program {program} does not run on {recording}")]
    Run {
        /// The program.
        program: ProgramId,
        /// The sample.
        recording: String,
        /// Why not.
        #[source]
        source: GuestError,
    },
    /// A program says something else than the native code.
    #[error(
        "on {recording} the program {program} commits other public values than the native check: one of them is wrong"
    )]
    PublicValues {
        /// The program.
        program: ProgramId,
        /// The sample.
        recording: String,
    },
    /// The manifest could not be encoded.
    #[error("the manifest could not be encoded")]
    Encode(#[source] serde_json::Error),
}

/// Reads each sample's `<program>.elf` in `dir`, runs it on the sample, makes its keys, and writes
/// `<program>.vk`, `<program>.outline` and `manifest.json` there. `toolchain` names the compiler. Returns the manifest.
/// Writes nothing unless all went well; takes some seconds a program.
///
/// # Errors
///
/// [`WriteError`]; a failure while writing can leave a mixed folder, which the tests and every
/// start find out.
pub fn write(dir: &Path, toolchain: &str, samples: &[Sample]) -> Result<Manifest, WriteError> {
    let made = samples.iter().map(|sample| describe(dir, toolchain, sample));
    let (entries, keys): (Vec<_>, Vec<_>) =
        made.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    for (entry, keys) in entries.iter().zip(&keys) {
        write_file(dir.join(&entry.vk), &keys.verifying().to_bytes())?;
        write_file(dir.join(&entry.outline), keys.outline())?;
    }
    let manifest = Manifest { programs: entries };
    let mut text = serde_json::to_string_pretty(&manifest).map_err(WriteError::Encode)?;
    text.push('\n');
    write_file(dir.join("manifest.json"), text.as_bytes())?;
    Ok(manifest)
}

/// One program's entry and its keys.
fn describe(
    dir: &Path,
    toolchain: &str,
    sample: &Sample,
) -> Result<(ProgramEntry, Keys), WriteError> {
    let Sample { program, recording, input, public_values } = sample.clone();
    let path = dir.join(format!("{program}.elf"));
    let elf = fs::read(&path).map_err(|source| WriteError::File { what: "read", path, source })?;
    let run_error = |source| WriteError::Run { program, recording: recording.clone(), source };
    let run = prove::execute(&elf, &input, RUN_LIMIT).map_err(run_error)?;
    if run.public_values != public_values {
        return Err(WriteError::PublicValues { program, recording });
    }
    let keys = prove::set_up([(elf.as_slice(), None)]).map_err(run_error)?;
    let [keys] = <[Keys; 1]>::try_from(keys).expect("one program has one pair of keys");
    let entry = ProgramEntry {
        program,
        elf: format!("{program}.elf"),
        sha256: ElfHash(Sha256::digest(&elf).into()),
        vk: format!("{program}.vk"),
        vkey: VkeyHash(keys.verifying().hash()),
        outline: format!("{program}.outline"),
        sp1_version: SP1_VERSION.to_owned(),
        toolchain: toolchain.to_owned(),
        recording,
        cycles: run.cycles,
        gas: run.gas,
    };
    Ok((entry, keys))
}

fn write_file(path: PathBuf, bytes: &[u8]) -> Result<(), WriteError> {
    fs::write(&path, bytes).map_err(|source| WriteError::File { what: "written", path, source })
}
