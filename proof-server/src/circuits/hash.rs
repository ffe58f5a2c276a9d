//! SHA-256 of files.

use std::{
    fmt,
    io::{self, Read},
    str::FromStr,
};

use lc_core::alloy_primitives::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use super::{Report, Step, pour};
use crate::types::{ElfHash, HashError};

/// SHA-256 of a file, as `sha256sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileHash(pub [u8; 32]);

impl FileHash {
    /// That of a file with this content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

/// That of all that a reader gives.
pub(super) fn of_reader(
    from: &mut dyn Read,
    step: &Step<'_>,
    report: &mut Report<'_>,
) -> io::Result<FileHash> {
    let mut hash = Sha256::new();
    pour(from, step, report, |piece| {
        hash.update(piece);
        Ok(())
    })
    .map_err(io::Error::from)?;
    Ok(FileHash(hash.finalize().into()))
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FileHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        text.parse().map(|ElfHash(hash)| Self(hash))
    }
}

impl Serialize for FileHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
