//! What came of a download, and of which version it is.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Asked, Version};
use crate::circuits::{
    CIRCUIT_VERSION, Snark,
    install::{InstallError, error::io_error, files::remove, source::redacted},
};

/// Largest state file, 128 KiB: the HTTP client takes no longer header, and the state is some of it.
const MAX_STATE: u64 = 128 << 10;

/// The file with the bytes, and the one that says what they are.
#[derive(Debug)]
pub(in crate::circuits::install) struct Part {
    directory: PathBuf,
    name: String,
    bytes: PathBuf,
    state: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// Without secrets.
    url: String,
    version: Option<Version>,
    total: Option<u64>,
}

impl Part {
    pub(in crate::circuits::install) fn new(directory: &Path, snark: Snark) -> Self {
        let name = format!("{CIRCUIT_VERSION}-{snark}.tar.gz");
        let file = |ending| directory.join(format!(".download-{name}.{ending}"));
        let (bytes, state) = (file("part"), file("json"));
        Self { directory: directory.to_owned(), name, bytes, state }
    }

    pub(in crate::circuits::install) fn path(&self) -> &Path {
        &self.bytes
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What people are told.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes that there are.
    pub(super) fn length(&self) -> u64 {
        self.bytes.metadata().map_or(0, |found| found.len())
    }

    /// What to ask the server for.
    pub(super) fn resume(&self, url: &str) -> Asked {
        match self.state() {
            Some(State { url: of, version: Some(version), total }) if of == redacted(url) => {
                Asked { from: self.length(), version: Some(version), total }
            }
            _ => Asked::default(),
        }
    }

    /// `None` too if it is no state: then all is fetched anew.
    fn state(&self) -> Option<State> {
        let mut json = Vec::new();
        File::open(&self.state).ok()?.take(MAX_STATE).read_to_end(&mut json).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Throws away what there is, for a download from the start.
    pub(super) fn start_over(
        &self,
        url: &str,
        total: Option<u64>,
        version: Option<Version>,
    ) -> Result<(), InstallError> {
        // In this order: whoever stops between the two leaves no old bytes with a new version.
        File::create(&self.bytes).map_err(io_error("write", &self.bytes))?;
        let state = State { url: redacted(url), version, total };
        let json = serde_json::to_vec(&state).map_err(io::Error::from);
        json.and_then(|json| fs::write(&self.state, json)).map_err(io_error("write", &self.state))
    }

    /// The file, to write behind its first `from` bytes.
    pub(super) fn append(&self, from: u64) -> Result<File, InstallError> {
        let opened = File::options().write(true).open(&self.bytes).and_then(|mut file| {
            file.set_len(from)?;
            file.seek(SeekFrom::Start(from))?;
            Ok(file)
        });
        opened.map_err(io_error("write", &self.bytes))
    }

    /// Removes both files.
    pub(in crate::circuits::install) fn remove(&self) -> Result<(), InstallError> {
        remove(&self.bytes)?;
        remove(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version() -> Version {
        Version::ETag("\"a\"".to_owned())
    }

    #[test]
    fn a_part_is_resumed_only_for_its_own_address_and_a_known_version() {
        let folder = tempfile::tempdir().unwrap();
        let part = Part::new(folder.path(), Snark::Groth16);
        assert_eq!(part.resume("http://a/x"), Asked::default());
        part.start_over("http://a/x?signature=1", Some(9), Some(version())).unwrap();
        fs::write(part.path(), b"abc").unwrap();
        let wanted = Asked { from: 3, version: Some(version()), total: Some(9) };
        assert_eq!(part.resume("http://a/x?signature=2"), wanted);
        assert_eq!(part.resume("http://b/x"), Asked::default());
        part.start_over("http://a/x", Some(9), None).unwrap();
        fs::write(part.path(), b"abc").unwrap();
        assert_eq!(part.resume("http://a/x"), Asked::default());
    }

    #[test]
    fn a_damaged_state_starts_over_and_removing_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let part = Part::new(folder.path(), Snark::Plonk);
        part.start_over("http://a/x", None, Some(version())).unwrap();
        fs::write(part.path(), b"abc").unwrap();
        fs::write(&part.state, b"{\"url\":").unwrap();
        assert_eq!(part.resume("http://a/x"), Asked::default());
        part.remove().unwrap();
        part.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
