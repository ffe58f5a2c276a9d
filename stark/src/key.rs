//! The key that a program's proofs are checked against.

use std::fmt;

use bincode::Options;
use sp1_hypercube::{HashableKey, SP1VerifyingKey};

/// The verifying key of one program: commits to its code, its initial memory and its entry point.
#[derive(Clone)]
pub struct VerifyingKey(pub(crate) SP1VerifyingKey);

/// Bytes that are no verifying key.
#[derive(Debug, thiserror::Error)]
#[error("these bytes are no SP1 verifying key: make it again from the program")]
pub struct InvalidKey(#[source] bincode::Error);

impl VerifyingKey {
    /// Reads what [`VerifyingKey::to_bytes`] wrote, and nothing else.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`], also for bytes after the key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let options =
            bincode::DefaultOptions::new().with_fixint_encoding().with_limit(bytes.len() as u64);
        options.deserialize(bytes).map(Self).map_err(InvalidKey)
    }

    /// The key as bytes: bincode 1 of SP1's own type, fixed-width integers, little endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let options = bincode::DefaultOptions::new().with_fixint_encoding();
        options.serialize(&self.0).expect("plain data in memory can be encoded")
    }

    /// What contracts and clients pin, as SP1's `bytes32` prints it: 32 bytes, big endian.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.0.bytes32_raw()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.0.bytes32()).finish()
    }
}
