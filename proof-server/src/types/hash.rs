//! Names that are hashes: of a program, of its key, of a request.

use std::{fmt, str::FromStr};

use lc_core::alloy_primitives::{b256, hex};
use serde::{Deserialize, Serialize};

use super::ProofMode;

/// Text that is not 32 bytes of hex.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not 32 bytes of hex: give 64 hex digits, with or without 0x")]
pub struct HashError(String);

fn parse(text: &str) -> Result<[u8; 32], HashError> {
    hex::decode_to_array(text).map_err(|_| HashError(text.chars().take(80).collect()))
}

/// SHA-256 of a program's ELF file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ElfHash(pub [u8; 32]);

/// Hash of a program's SP1 verifying key, as `SP1VerifyingKey::bytes32` prints it: what a verifier pins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VkeyHash(pub [u8; 32]);

/// SHA-256 of the verifying key of a SNARK circuit; each of its proofs begins with the first four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CircuitHash(pub [u8; 32]);

impl CircuitHash {
    /// SP1's Groth16 circuit, v6.1.0.
    pub const GROTH16: Self =
        Self(b256!("4388a21c687fdd5f218d7e3d13190cac4c5355818d3605fd5fb811df468ee696").0);
    /// SP1's PLONK circuit, v6.1.0.
    pub const PLONK: Self =
        Self(b256!("5a093a2fcb46394f5cadfe55c44d4d572fad9cec7aeb38026b0278322ef07fac").0);

    /// Whether it is the circuit of SP1's release for `mode`.
    #[must_use]
    pub fn is_official(self, mode: ProofMode) -> bool {
        mode.official_circuit() == Some(self)
    }
}

/// Names a request by its content, on every server: SHA-256 over what is asked for. Equal requests have equal
/// names, so they share one proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestName(pub [u8; 32]);

impl fmt::Display for RequestName {
    /// The first eight bytes, as logs and clients print them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..8]))
    }
}

impl fmt::Debug for RequestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ElfHash {
    /// As `sha256sum` prints it: no `0x`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for VkeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_prefixed(self.0))
    }
}

impl fmt::Display for CircuitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_prefixed(self.0))
    }
}

impl fmt::Debug for CircuitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ElfHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for VkeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ElfHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        parse(text).map(Self)
    }
}

impl FromStr for VkeyHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        parse(text).map(Self)
    }
}

impl From<[u8; 32]> for ElfHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<[u8; 32]> for VkeyHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_from_its_own_text() {
        let vkey = VkeyHash([0xab; 32]);
        assert_eq!(vkey.to_string().parse::<VkeyHash>(), Ok(vkey));
        let elf = ElfHash([1; 32]);
        assert_eq!(elf.to_string().parse::<ElfHash>(), Ok(elf));
    }

    #[test]
    fn text_of_another_length_is_refused_with_the_wanted_form() {
        let error = "0x12".parse::<VkeyHash>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`0x12` is not 32 bytes of hex: give 64 hex digits, with or without 0x"
        );
    }
}
