//! The files of SP1's SNARK circuits, which a prover needs for Groth16 and PLONK proofs.
//!
//! They are gigabytes, so no binary has them: an operator [installs](Installer) them once on a machine. Whoever
//! made a circuit's keys may know how to forge its proofs. So each circuit is one of two: *official*, with the
//! verifying key that came out of SP1's own ceremony and that contracts on chain have, or *development*, with any
//! other. The two never share a directory, and a circuit is in its directory whole or not at all.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

mod error;
mod hash;
mod install;
mod manifest;
mod pour;
mod snark;

pub use error::CircuitError;
pub use hash::FileHash;
pub use install::{
    DownloadFault, Install, InstallError, Installer, Patience, Source, SourceError, Staging,
};
pub use pour::{Event, Report};
pub use snark::{CIRCUIT_VERSION, CircuitId, NotASnark, Official, Snark};

use manifest::{FILE as MANIFEST, FileEntry, Manifest};
use pour::{Step, pour};

/// Largest verifying key, 1 MiB, and largest of the small texts beside it. SP1's have less than 35 kB.
const MAX_SMALL_FILE: u64 = 1 << 20;

/// One installed circuit whose files are there. What is in the large ones only [`check`](Circuit::check) looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Circuit {
    /// Which.
    pub id: CircuitId,
    /// Where its files are.
    pub directory: PathBuf,
    /// Its verifying key, as gnark writes it.
    pub verifying_key: Vec<u8>,
    /// SHA-256 of that.
    pub hash: FileHash,
    /// Length of all its files.
    pub bytes: u64,
    /// Where it came from, for people.
    pub source: String,
    files: Vec<FileEntry>,
}

impl Circuit {
    fn open(directory: &Path, id: CircuitId, official: &Official) -> Result<Self, CircuitError> {
        let directory = directory.join(id.to_string());
        let damaged = |file: &str, what: String| CircuitError::Damaged {
            path: directory.join(file),
            what,
            install: id.install_command(true),
        };
        if !exists(&directory) {
            return Err(CircuitError::Missing { id, install: id.install_command(false) });
        }
        let manifest = read(&directory.join(MANIFEST), &damaged)?;
        let manifest = Manifest::parse(&manifest, id).map_err(|what| damaged(MANIFEST, what))?;
        for file in &manifest.files {
            let path = directory.join(&file.name);
            let found = path.metadata().map_err(|error| unreadable(&path, error, &damaged))?;
            if !found.is_file() || found.len() != file.bytes {
                let what = format!("has {} bytes where {} were installed", found.len(), file.bytes);
                return Err(damaged(&file.name, what));
            }
        }
        let name = id.snark.verifying_key_file();
        let verifying_key = read(&directory.join(name), &damaged)?;
        let hash = FileHash::of(&verifying_key);
        if hash != manifest.verifying_key {
            let what = format!("has SHA-256 {hash} where {} was installed", manifest.verifying_key);
            return Err(damaged(name, what));
        }
        if official.is(id.snark, hash) == id.development {
            let what = if id.development {
                "is the official key, in the directory of a development circuit".to_owned()
            } else {
                format!(
                    "has SHA-256 {hash}, which is not the official key's: who made it could forge proofs"
                )
            };
            return Err(damaged(name, what));
        }
        let bytes = manifest.files.iter().map(|file| file.bytes).sum();
        let Manifest { source, files, .. } = manifest;
        Ok(Self { id, directory, verifying_key, hash, bytes, source, files })
    }

    /// Reads all files and compares them with what was installed: gigabytes, so a minute. Gives every file that
    /// is not as it was.
    #[must_use = "a check finds what is damaged"]
    pub fn check(&self, report: &mut Report<'_>) -> Vec<CircuitError> {
        self.files.iter().filter_map(|file| self.check_file(file, report).err()).collect()
    }

    fn check_file(&self, file: &FileEntry, report: &mut Report<'_>) -> Result<(), CircuitError> {
        let path = self.directory.join(&file.name);
        let read = |source| CircuitError::Read { path: path.clone(), source };
        let mut content = File::open(&path).map_err(read)?;
        let step = Step { doing: "checking", file: &file.name, start: 0, total: Some(file.bytes) };
        let found = hash::of_reader(&mut content, &step, report).map_err(read)?;
        if found == file.sha256 {
            return Ok(());
        }
        Err(CircuitError::Damaged {
            what: format!("has SHA-256 {found} where {} was installed", file.sha256),
            install: self.id.install_command(true),
            path,
        })
    }
}

/// Whether anything has this name, a dangling link too.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A small file of a circuit.
fn read(
    path: &Path,
    damaged: &dyn Fn(&str, String) -> CircuitError,
) -> Result<Vec<u8>, CircuitError> {
    let file = File::open(path).map_err(|error| unreadable(path, error, damaged))?;
    let mut content = Vec::new();
    file.take(MAX_SMALL_FILE + 1)
        .read_to_end(&mut content)
        .map_err(|source| CircuitError::Read { path: path.to_owned(), source })?;
    if content.len() as u64 > MAX_SMALL_FILE {
        return Err(damaged(&name_of(path), format!("has more than {MAX_SMALL_FILE} bytes")));
    }
    Ok(content)
}

fn unreadable(
    path: &Path,
    source: io::Error,
    damaged: &dyn Fn(&str, String) -> CircuitError,
) -> CircuitError {
    if source.kind() == io::ErrorKind::NotFound {
        return damaged(&name_of(path), "is missing".to_owned());
    }
    CircuitError::Read { path: path.to_owned(), source }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is installed in a directory.
#[derive(Debug)]
pub struct Circuits {
    found: [(CircuitId, Result<Circuit, CircuitError>); 4],
}

impl Circuits {
    /// Looks at all circuits: their manifests, their files' sizes, their verifying keys. Some milliseconds.
    #[must_use]
    pub fn open(directory: &Path, official: &Official) -> Self {
        Self { found: CircuitId::ALL.map(|id| (id, Circuit::open(directory, id, official))) }
    }

    /// Each that there could be, the official ones first: what it is, or why it cannot be used.
    pub fn all(&self) -> impl Iterator<Item = (CircuitId, Result<&Circuit, &CircuitError>)> {
        self.found.iter().map(|(id, circuit)| (*id, circuit.as_ref()))
    }

    /// The one to prove with: the official one if it is usable, or else the development one.
    ///
    /// # Errors
    ///
    /// Why neither can be used: [`CircuitError`] of the official one, unless only the other is there.
    pub fn best(&self, snark: Snark) -> Result<&Circuit, &CircuitError> {
        let circuits =
            || self.all().filter(|(id, _)| id.snark == snark).map(|(_, circuit)| circuit);
        if let Some(usable) = circuits().find_map(Result::ok) {
            return Ok(usable);
        }
        let faults = circuits().filter_map(Result::err);
        // The first, where both are equal.
        let worst = faults.min_by_key(|fault| matches!(fault, CircuitError::Missing { .. }));
        Err(worst.expect("each SNARK has circuits in `CircuitId::ALL`"))
    }
}

/// Where circuits are unless somebody says otherwise: `$XDG_DATA_HOME/proof-server/circuits`, or
/// `~/.local/share/proof-server/circuits`. `None` without a home.
#[must_use]
pub fn default_directory() -> Option<PathBuf> {
    directory_from(|name| env::var_os(name))
}

/// The XDG base directory specification has relative paths ignored.
fn directory_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME");
    let data = data.or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?;
    Some(data.join("proof-server/circuits"))
}

#[cfg(test)]
mod tests;
