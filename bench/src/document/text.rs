//! Values that are text in a document: by the names that users know, not by their bytes.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest as _, Sha256};

/// What every document of this release begins with: the format's name and version.
pub const SCHEMA: &str = "proof-server-bench/1";

/// [`SCHEMA`] as a field: a document of another version is refused before anything else is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Schema;

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(SCHEMA)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let schema = String::deserialize(from)?;
        if schema == SCHEMA {
            return Ok(Self);
        }
        let seen: String = schema.chars().take(80).collect();
        Err(D::Error::custom(format!(
            "schema {seen:?} is not {SCHEMA:?}: use the `bench` that wrote the document, or measure again"
        )))
    }
}

/// SHA-256 of a file or folder, as `sha256sum` prints it: 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// Text that is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SHA-256: give 64 hex digits without 0x")]
pub struct NotAHash(String);

impl Hash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(NotAHash(text.chars().take(80).collect())),
        }
    }
}

/// `#[serde(with = "as_text")]`: by [`Display`] and [`FromStr`].
pub(super) mod as_text {
    use super::{Deserialize, Deserializer, Display, Error, FromStr, Serializer};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        as_text::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_what_sha256sum_prints() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Hash::of(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(Hash::of(b"")));
        let error = "0xe3".parse::<Hash>().unwrap_err();
        assert_eq!(error.to_string(), "\"0xe3\" is no SHA-256: give 64 hex digits without 0x");
    }

    #[test]
    fn another_version_is_refused_by_name() {
        assert!(serde_json::from_str::<Schema>("\"proof-server-bench/1\"").is_ok());
        let error = serde_json::from_str::<Schema>("\"proof-server-bench/2\"").unwrap_err();
        assert!(
            error.to_string().starts_with(
                "schema \"proof-server-bench/2\" is not \"proof-server-bench/1\": use the `bench`"
            ),
            "{error}"
        );
    }
}
