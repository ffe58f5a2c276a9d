//! Which circuits there are, and what SP1 says of them.

use std::{fmt, path::Path};

use super::{FileHash, MAX_SMALL_FILE};
use crate::types::{CircuitHash, ProofMode};

/// The version of SP1's outer circuits that [`SP1_VERSION`](crate::SP1_VERSION) proves with
/// (`SP1_CIRCUIT_VERSION` of sp1-primitives 6.10.0).
pub const CIRCUIT_VERSION: &str = "v6.1.0";

/// Largest file of a circuit, and largest archive, 64 GiB. SP1's have several; beyond this a file is not what it
/// says it is, and would fill the disk.
pub(super) const MAX_FILE: u64 = 64 << 30;

/// A proof system with a circuit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Snark {
    /// A key for this one circuit; the cheapest proofs on chain.
    Groth16,
    /// A universal set-up.
    Plonk,
}

/// A mode that needs no circuit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} proofs need no circuit: give groth16 or plonk")]
pub struct NotASnark(ProofMode);

impl TryFrom<ProofMode> for Snark {
    type Error = NotASnark;

    fn try_from(mode: ProofMode) -> Result<Self, NotASnark> {
        match mode {
            ProofMode::Groth16 => Ok(Self::Groth16),
            ProofMode::Plonk => Ok(Self::Plonk),
            other => Err(NotASnark(other)),
        }
    }
}

impl From<Snark> for ProofMode {
    fn from(snark: Snark) -> Self {
        match snark {
            Snark::Groth16 => Self::Groth16,
            Snark::Plonk => Self::Plonk,
        }
    }
}

impl fmt::Display for Snark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Snark {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Groth16, Self::Plonk];

    /// The name in flags and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        ProofMode::from(self).name()
    }

    /// The file with the verifying key.
    #[must_use]
    pub const fn verifying_key_file(self) -> &'static str {
        self.needed_files()[0]
    }

    /// Where SP1 publishes the official circuit.
    #[must_use]
    pub fn official_url(self) -> String {
        format!("https://sp1-circuits.s3-us-east-2.amazonaws.com/{CIRCUIT_VERSION}-{self}.tar.gz")
    }

    /// SHA-256 of the archive there, once somebody has vouched for one. The verifying key is pinned in any case,
    /// and a wrong proving key makes proofs that do not verify.
    #[must_use]
    pub const fn official_archive(self) -> Option<FileHash> {
        match self {
            Self::Groth16 | Self::Plonk => None,
        }
    }

    /// What a prover reads, as SP1 names it.
    pub(super) const fn needed_files(self) -> [&'static str; 3] {
        match self {
            Self::Groth16 => ["groth16_vk.bin", "groth16_pk.bin", "groth16_circuit.bin"],
            Self::Plonk => ["plonk_vk.bin", "plonk_pk.bin", "plonk_circuit.bin"],
        }
    }

    /// The verifier as a contract.
    const fn optional_files(self) -> [&'static str; 2] {
        match self {
            Self::Groth16 => ["Groth16Verifier.sol", "SP1VerifierGroth16.sol"],
            Self::Plonk => ["PlonkVerifier.sol", "SP1VerifierPlonk.sol"],
        }
    }

    /// What is installed of what SP1 has in an archive. The rest, the constraints as text and a witness, has
    /// gigabytes, and no prover reads it.
    pub(super) fn files(self) -> impl Iterator<Item = &'static str> {
        self.needed_files().into_iter().chain(self.optional_files())
    }
}

/// The most bytes that the file `name` of a circuit may have.
pub(super) fn limit(name: &str) -> u64 {
    let small =
        name.ends_with("_vk.bin") || Path::new(name).extension().is_some_and(|e| e == "sol");
    if small { MAX_SMALL_FILE } else { MAX_FILE }
}

/// A circuit that may be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CircuitId {
    /// For which proofs.
    pub snark: Snark,
    /// Whether its verifying key is another than SP1's.
    pub development: bool,
}

impl CircuitId {
    /// All, the official ones first.
    pub const ALL: [Self; 4] = [
        Self { snark: Snark::Groth16, development: false },
        Self { snark: Snark::Plonk, development: false },
        Self { snark: Snark::Groth16, development: true },
        Self { snark: Snark::Plonk, development: true },
    ];

    /// The command that installs it.
    pub(super) fn install_command(self, replace: bool) -> String {
        let development = if self.development { " --development --from SOURCE" } else { "" };
        let replace = if replace { " --replace" } else { "" };
        format!("proof-server circuits install --mode {}{development}{replace}", self.snark)
    }
}

impl fmt::Display for CircuitId {
    /// Its directory; with `#`, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snark = self.snark;
        match (f.alternate(), self.development) {
            (true, true) => write!(f, "{snark} development"),
            (true, false) => write!(f, "official {snark}"),
            (false, true) => write!(f, "{CIRCUIT_VERSION}-{snark}-dev"),
            (false, false) => write!(f, "{CIRCUIT_VERSION}-{snark}"),
        }
    }
}

/// The official circuits, by SHA-256 of their verifying keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Official {
    /// Of `groth16_vk.bin`.
    pub groth16: FileHash,
    /// Of `plonk_vk.bin`.
    pub plonk: FileHash,
}

impl Official {
    /// SP1's: the keys that are part of sp1-verifier 6.10.0 (`GROTH16_VK_BYTES`, `PLONK_VK_BYTES`).
    pub const SP1: Self =
        Self { groth16: FileHash(CircuitHash::GROTH16.0), plonk: FileHash(CircuitHash::PLONK.0) };

    /// The official key for these proofs.
    #[must_use]
    pub const fn key(&self, snark: Snark) -> FileHash {
        match snark {
            Snark::Groth16 => self.groth16,
            Snark::Plonk => self.plonk,
        }
    }

    /// Whether a key is the official one.
    #[must_use]
    pub fn is(&self, snark: Snark, key: FileHash) -> bool {
        self.key(snark) == key
    }
}
