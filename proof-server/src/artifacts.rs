//! The programs this release was built with: their keys, their ELF files (feature `cpu`), and the
//! manifest that says what they are.
//!
//! `artifacts/manifest.json` is written by `write` and committed with the ELFs, their keys and the
//! keys' outlines; all of them are part of the binary, so a client pins them by being built.

use lc_core::ProgramId;
use lc_stark::{InvalidKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::types::{ElfHash, VkeyHash};

#[cfg(feature = "cpu")]
mod write;
#[cfg(feature = "cpu")]
pub use write::{Sample, WriteError, write};

const MANIFEST: &str = include_str!("../../artifacts/manifest.json");

/// What the programs are, and where they came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One entry for each program.
    pub programs: Vec<ProgramEntry>,
}

/// One program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramEntry {
    /// Which.
    #[serde(with = "text")]
    pub program: ProgramId,
    /// Its ELF file, beside the manifest.
    pub elf: String,
    /// SHA-256 of that file, as `sha256sum` prints it.
    #[serde(with = "text")]
    pub sha256: ElfHash,
    /// Its verifying key, beside the manifest: a [`VerifyingKey`].
    pub vk: String,
    /// Hash of that key, as a contract or client pins it.
    #[serde(with = "text")]
    pub vkey: VkeyHash,
    /// What a prover need not make anew to have the keys, beside the manifest: an
    /// [outline](lc_stark::prove::Keys::outline). The key shows that it is right.
    pub outline: String,
    /// The SP1 release that made the key.
    pub sp1_version: String,
    /// The compiler that made the ELF file.
    pub toolchain: String,
    /// The input that `cycles` and `gas` were counted on.
    pub recording: String,
    /// Instructions that the program runs on it.
    pub cycles: u64,
    /// What SP1 says proving that costs.
    pub gas: u64,
}

/// Why the artifacts cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The manifest is not what this release reads.
    #[error("artifacts/manifest.json cannot be read: run `make artifacts`")]
    Manifest(#[source] serde_json::Error),
    /// A program is missing.
    #[error("artifacts/manifest.json does not have the program {0}: run `make artifacts`")]
    Missing(ProgramId),
    /// A key file is damaged.
    #[error("artifacts/{file} is no SP1 verifying key: run `make artifacts`")]
    Key {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[source]
        source: InvalidKey,
    },
    /// Key and manifest are of different builds.
    #[error(
        "artifacts/{file} is the key {found}, the manifest says {wanted}: run `make artifacts` and commit all of its files"
    )]
    KeyHash {
        /// The file.
        file: String,
        /// The hash of the key in it.
        found: VkeyHash,
        /// The hash in the manifest.
        wanted: VkeyHash,
    },
}

/// The programs and their keys.
#[derive(Debug, Clone)]
pub struct Artifacts {
    /// In the order of [`ProgramId::ALL`].
    programs: Vec<(ProgramEntry, VerifyingKey)>,
}

impl Artifacts {
    /// Those this release was built with. Some milliseconds.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] if they do not fit together.
    pub fn embedded() -> Result<Self, ArtifactError> {
        Self::read(MANIFEST, verifying_key_file)
    }

    fn read(
        manifest: &str,
        key_file: impl Fn(ProgramId) -> &'static [u8],
    ) -> Result<Self, ArtifactError> {
        let manifest: Manifest = serde_json::from_str(manifest).map_err(ArtifactError::Manifest)?;
        let with_key = |program: ProgramId| {
            let entry = manifest.programs.iter().find(|entry| entry.program == program);
            let entry = entry.ok_or(ArtifactError::Missing(program))?.clone();
            let key = read_key(&entry, key_file(program))?;
            Ok((entry, key))
        };
        Ok(Self { programs: ProgramId::ALL.into_iter().map(with_key).collect::<Result<_, _>>()? })
    }

    /// What the manifest says of each program, in the order of [`ProgramId::ALL`].
    pub fn entries(&self) -> impl Iterator<Item = &ProgramEntry> {
        self.programs.iter().map(|(entry, _)| entry)
    }

    /// The hash of `program`'s key.
    #[must_use]
    pub fn vkey(&self, program: ProgramId) -> VkeyHash {
        self.of(program).0.vkey
    }

    /// The key that `program`'s proofs are checked against.
    #[must_use]
    pub fn verifying_key(&self, program: ProgramId) -> &VerifyingKey {
        &self.of(program).1
    }

    fn of(&self, program: ProgramId) -> &(ProgramEntry, VerifyingKey) {
        let found = self.programs.iter().find(|(entry, _)| entry.program == program);
        found.expect("`read` has every program or fails")
    }
}

/// Reads a key and holds it to its hash.
fn read_key(entry: &ProgramEntry, bytes: &[u8]) -> Result<VerifyingKey, ArtifactError> {
    let file = entry.vk.clone();
    match VerifyingKey::from_bytes(bytes) {
        Err(source) => Err(ArtifactError::Key { file, source }),
        Ok(key) if VkeyHash(key.hash()) == entry.vkey => Ok(key),
        Ok(key) => {
            Err(ArtifactError::KeyHash { file, found: VkeyHash(key.hash()), wanted: entry.vkey })
        }
    }
}

fn verifying_key_file(program: ProgramId) -> &'static [u8] {
    match program {
        ProgramId::CommitteeChange => include_bytes!("../../artifacts/committee-change.vk"),
        ProgramId::Inclusion => include_bytes!("../../artifacts/inclusion.vk"),
    }
}

/// The ELF file of `program`.
#[cfg(feature = "cpu")]
#[must_use]
pub fn elf(program: ProgramId) -> &'static [u8] {
    match program {
        ProgramId::CommitteeChange => include_bytes!("../../artifacts/committee-change.elf"),
        ProgramId::Inclusion => include_bytes!("../../artifacts/inclusion.elf"),
    }
}

/// The outline of `program`'s keys.
#[cfg(feature = "cpu")]
#[must_use]
pub fn outline(program: ProgramId) -> &'static [u8] {
    match program {
        ProgramId::CommitteeChange => include_bytes!("../../artifacts/committee-change.outline"),
        ProgramId::Inclusion => include_bytes!("../../artifacts/inclusion.outline"),
    }
}

/// Values as the text they print and parse as.
mod text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_changed(change: impl Fn(&mut Manifest)) -> Result<Artifacts, ArtifactError> {
        let mut manifest: Manifest = serde_json::from_str(MANIFEST).unwrap();
        change(&mut manifest);
        Artifacts::read(&serde_json::to_string(&manifest).unwrap(), verifying_key_file)
    }

    #[test]
    fn the_embedded_artifacts_fit_together() {
        let artifacts = Artifacts::embedded().unwrap();
        let programs: Vec<_> = artifacts.entries().map(|entry| entry.program).collect();
        assert_eq!(programs, ProgramId::ALL);
        for entry in artifacts.entries() {
            assert_eq!(artifacts.verifying_key(entry.program).hash(), entry.vkey.0);
            assert!(entry.cycles > 0 && entry.gas > 0 && !entry.toolchain.is_empty(), "{entry:?}");
        }
    }

    #[test]
    fn programs_have_keys_of_their_own() {
        let artifacts = Artifacts::embedded().unwrap();
        assert_ne!(
            artifacts.vkey(ProgramId::CommitteeChange),
            artifacts.vkey(ProgramId::Inclusion)
        );
    }

    #[test]
    fn a_manifest_without_a_program_is_refused() {
        let error = read_changed(|manifest| manifest.programs.truncate(1)).unwrap_err();
        assert!(matches!(error, ArtifactError::Missing(ProgramId::Inclusion)), "{error}");
    }

    #[test]
    fn a_manifest_of_another_form_is_refused() {
        let error =
            Artifacts::read("{\"programs\": [], \"extra\": 1}", verifying_key_file).unwrap_err();
        assert!(matches!(error, ArtifactError::Manifest(_)), "{error}");
        assert_eq!(
            error.to_string(),
            "artifacts/manifest.json cannot be read: run `make artifacts`"
        );
    }

    #[test]
    fn a_key_that_the_manifest_does_not_name_is_refused_with_both_hashes() {
        let error =
            read_changed(|manifest| manifest.programs[0].vkey = VkeyHash([7; 32])).unwrap_err();
        assert!(
            matches!(error, ArtifactError::KeyHash { wanted: VkeyHash([7, ..]), .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("artifacts/committee-change.vk is the key 0x"),
            "{error}"
        );
    }

    #[test]
    fn a_damaged_key_is_refused_by_its_file_name() {
        let error =
            Artifacts::read(MANIFEST, |program| &verifying_key_file(program)[1..]).unwrap_err();
        let text = "artifacts/committee-change.vk is no SP1 verifying key: run `make artifacts`";
        assert_eq!(error.to_string(), text);
    }
}
