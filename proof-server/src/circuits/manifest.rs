//! `circuit.json`: what was installed. It is written last, so a directory without it is no circuit.

use serde::{Deserialize, Serialize};

use super::{CIRCUIT_VERSION, CircuitId, FileHash};

/// Its name.
pub(super) const FILE: &str = "circuit.json";

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// `groth16` or `plonk`.
    mode: String,
    development: bool,
    circuit_version: String,
    pub(super) verifying_key: FileHash,
    pub(super) files: Vec<FileEntry>,
    /// Where it came from, for people.
    pub(super) source: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: FileHash,
}

impl Manifest {
    pub(super) fn new(
        id: CircuitId,
        verifying_key: FileHash,
        files: Vec<FileEntry>,
        source: String,
    ) -> Self {
        Self {
            mode: id.snark.name().to_owned(),
            development: id.development,
            circuit_version: CIRCUIT_VERSION.to_owned(),
            verifying_key,
            files,
            source,
        }
    }

    /// As the file has it.
    pub(super) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads that of `id`, or says what is wrong with it. Its files are those of such a circuit: no name leads out
    /// of the directory.
    pub(super) fn parse(json: &[u8], id: CircuitId) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|error| format!("is not what this release writes ({error})"))?;
        let Self { mode, development, circuit_version, .. } = &manifest;
        let same = (mode.as_str(), *development, circuit_version.as_str())
            == (id.snark.name(), id.development, CIRCUIT_VERSION);
        if !same {
            return Err(format!(
                "is of another circuit: {circuit_version}, {mode}, development {development}"
            ));
        }
        let count = |name: &str| manifest.files.iter().filter(|file| file.name == name).count();
        if let Some(name) = id.snark.needed_files().into_iter().find(|name| count(name) == 0) {
            return Err(format!("does not have {name}"));
        }
        let strange = |name: &str| count(name) > 1 || !id.snark.files().any(|known| known == name);
        match manifest.files.iter().find(|file| strange(&file.name)) {
            Some(file) => Err(format!("has {:?}, which is none of its files, or twice", file.name)),
            None => Ok(manifest),
        }
    }
}
