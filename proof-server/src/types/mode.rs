//! What kinds of proof there are, which of them a server makes, and with which circuit.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::CircuitHash;

/// What kind of proof. Variant order is wire format: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProofMode {
    /// One STARK per shard: fastest to make, size grows with the work.
    Core,
    /// One STARK of constant size.
    Compressed,
    /// A SNARK of some hundred bytes, cheap to check on chain.
    Groth16,
    /// A SNARK without a circuit-specific set-up.
    Plonk,
}

impl ProofMode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Core, Self::Compressed, Self::Groth16, Self::Plonk];

    /// The name in files, flags and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Compressed => "compressed",
            Self::Groth16 => "groth16",
            Self::Plonk => "plonk",
        }
    }

    /// The circuit of SP1's release that makes such proofs; STARKs need none.
    #[must_use]
    pub const fn official_circuit(self) -> Option<CircuitHash> {
        match self {
            Self::Core | Self::Compressed => None,
            Self::Groth16 => Some(CircuitHash::GROTH16),
            Self::Plonk => Some(CircuitHash::PLONK),
        }
    }

    /// Whether such proofs are made by a circuit with a set-up.
    #[must_use]
    pub const fn is_snark(self) -> bool {
        self.official_circuit().is_some()
    }
}

impl fmt::Display for ProofMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no mode's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no proof mode `{0}`: it is core (or stark), compressed, groth16 (or snark), or plonk")]
pub struct UnknownMode(String);

impl FromStr for ProofMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        match name {
            "core" | "stark" => Ok(Self::Core),
            "compressed" => Ok(Self::Compressed),
            "groth16" | "snark" => Ok(Self::Groth16),
            "plonk" => Ok(Self::Plonk),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}

/// Whether a server makes proofs of one mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeInfo {
    /// The mode.
    pub mode: ProofMode,
    /// The circuit that its SNARKs are checked with; `None` for STARKs, and for a server that makes no
    /// such proofs.
    pub circuit: Option<CircuitHash>,
    /// Why it makes none, and what its operator can do; `None` where it does.
    pub unsupported: Option<String>,
}

impl ModeInfo {
    /// A mode that is offered.
    #[must_use]
    pub const fn offered(mode: ProofMode, circuit: Option<CircuitHash>) -> Self {
        Self { mode, circuit, unsupported: None }
    }

    /// A mode that is not: `why` says what is missing and how to get it.
    #[must_use]
    pub const fn unsupported(mode: ProofMode, why: String) -> Self {
        Self { mode, circuit: None, unsupported: Some(why) }
    }

    /// Whether proofs of this mode are made with a circuit whose set-up anybody may know.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.circuit.is_some_and(|circuit| !circuit.is_official(self.mode))
    }
}

impl fmt::Display for ModeInfo {
    /// `groth16`, or `groth16 (DEV)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let development = if self.is_development() { " (DEV)" } else { "" };
        write!(f, "{}{development}", self.mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_the_names_users_know() {
        for mode in ProofMode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        assert_eq!("stark".parse(), Ok(ProofMode::Core));
        assert_eq!("snark".parse(), Ok(ProofMode::Groth16));
        let error = "STARK".parse::<ProofMode>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "no proof mode `STARK`: it is core (or stark), compressed, groth16 (or snark), or plonk"
        );
    }

    #[test]
    fn any_circuit_but_the_releases_own_is_a_development_circuit() {
        let info = |mode, circuit| ModeInfo::offered(mode, circuit).to_string();
        assert_eq!(info(ProofMode::Core, None), "core");
        assert_eq!(info(ProofMode::Groth16, Some(CircuitHash::GROTH16)), "groth16");
        assert_eq!(info(ProofMode::Groth16, Some(CircuitHash::PLONK)), "groth16 (DEV)");
        assert_eq!(info(ProofMode::Plonk, Some(CircuitHash([7; 32]))), "plonk (DEV)");
        assert!(!ModeInfo::unsupported(ProofMode::Plonk, String::new()).is_development());
    }
}
