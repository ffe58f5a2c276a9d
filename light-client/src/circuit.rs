//! The circuits of SNARKs. SP1's official ones were set up so that nobody can forge their proofs. Whoever set up
//! another one, a *development circuit*, can: its proofs are taken only where its verifying key was given.

use std::fmt;

use proof_server::types::{CircuitHash, ProofMode};
use sha2::{Digest, Sha256};

/// What names the circuit with this verifying key, as gnark writes the key.
#[must_use]
pub fn circuit_hash(key: &[u8]) -> CircuitHash {
    CircuitHash(Sha256::digest(key).into())
}

/// A development circuit whose proofs nobody allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitNotAllowed {
    /// The kind of proof.
    pub mode: ProofMode,
    /// The circuit that a proof or a server names.
    pub circuit: CircuitHash,
    /// The development circuits that are allowed.
    pub allowed: Vec<CircuitHash>,
}

impl std::error::Error for CircuitNotAllowed {}

impl fmt::Display for CircuitNotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, circuit, allowed } = self;
        write!(
            f,
            "{mode} proofs of the development circuit {circuit} can be forged by whoever set it up: \
             ask a server with SP1's official circuit, or in a test give this circuit's own {mode}_vk.bin \
             with --allow-dev-circuits"
        )?;
        match allowed.as_slice() {
            [] => Ok(()),
            [first, rest @ ..] => {
                write!(f, ", which now has {first}")?;
                rest.iter().try_for_each(|circuit| write!(f, " and {circuit}"))
            }
        }
    }
}

/// Whether to take proofs of the circuit that a proof or a server names: the official one, or one of `allowed`.
///
/// # Errors
/// [`CircuitNotAllowed`].
pub fn check_circuit(
    mode: ProofMode,
    circuit: Option<CircuitHash>,
    allowed: &[CircuitHash],
) -> Result<(), CircuitNotAllowed> {
    match circuit {
        Some(circuit) if !circuit.is_official(mode) && !allowed.contains(&circuit) => {
            Err(CircuitNotAllowed { mode, circuit, allowed: allowed.to_vec() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROTH16: ProofMode = ProofMode::Groth16;
    const OURS: CircuitHash = CircuitHash([0xaa; 32]);
    const OTHER: CircuitHash = CircuitHash([0xbb; 32]);

    #[test]
    fn a_circuit_is_named_by_the_sha256_of_its_key() {
        let wanted = "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(circuit_hash(b"abc").to_string(), wanted);
    }

    #[test]
    fn the_official_circuits_and_starks_need_no_leave() {
        check_circuit(GROTH16, Some(CircuitHash::GROTH16), &[]).unwrap();
        check_circuit(ProofMode::Plonk, Some(CircuitHash::PLONK), &[]).unwrap();
        check_circuit(ProofMode::Core, None, &[]).unwrap();
    }

    #[test]
    fn a_development_circuit_is_taken_where_its_own_key_was_given() {
        check_circuit(GROTH16, Some(OURS), &[OTHER, OURS]).unwrap();
        let refused = check_circuit(GROTH16, Some(OURS), &[]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "groth16 proofs of the development circuit 0x{} can be forged by whoever set it up: ask a server \
                 with SP1's official circuit, or in a test give this circuit's own groth16_vk.bin with \
                 --allow-dev-circuits",
                "aa".repeat(32)
            )
        );
        let refused = check_circuit(GROTH16, Some(OURS), &[OTHER, OTHER]).unwrap_err();
        let given = format!("--allow-dev-circuits, which now has {OTHER} and {OTHER}");
        assert!(refused.to_string().ends_with(&given), "{refused}");
    }

    #[test]
    fn the_official_circuit_of_another_mode_is_a_development_circuit() {
        check_circuit(GROTH16, Some(CircuitHash::PLONK), &[]).unwrap_err();
    }
}
