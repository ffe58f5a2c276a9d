//! Checks SNARKs: the proofs of SP1's Groth16 and PLONK circuits, as contracts take them.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use sha2::{Digest, Sha256};
use sp1_verifier::{
    GROTH16_VK_BYTES, PLONK_VK_BYTES, PlonkVerifier, VK_ROOT_BYTES, hash_public_inputs,
};

use crate::{InvalidProof, VerifyingKey, groth16, verifier::panic_message};

/// A kind of SNARK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofSystem {
    /// 356 bytes, and the cheapest to check; needs a set-up for its circuit.
    Groth16,
    /// Some 960 bytes; its set-up is the same for every circuit.
    Plonk,
}

/// The verifying key of a circuit that checks wrap proofs.
#[derive(Clone, PartialEq, Eq)]
pub struct Circuit {
    system: ProofSystem,
    key: Vec<u8>,
}

/// Largest verifying key that is read: SP1's are 492 bytes and 34 KB.
const MAX_KEY: usize = 1 << 20;

/// Bytes of a SNARK before what gnark made: four of the circuit's key's hash, then exit code, root of
/// the recursion keys and nonce.
const PREFIX: usize = SELECTOR + 3 * 32;
const SELECTOR: usize = 4;

/// Longest SNARK that is looked at.
const MAX_PROOF: usize = 1 << 14;

impl Circuit {
    /// The circuit of SP1's release, whose set-up was a ceremony.
    #[must_use]
    pub fn official(system: ProofSystem) -> Self {
        let key = match system {
            ProofSystem::Groth16 => GROTH16_VK_BYTES.to_vec(),
            ProofSystem::Plonk => PLONK_VK_BYTES.to_vec(),
        };
        Self { system, key }
    }

    /// The circuit with this verifying key, as gnark writes it. `None` for a file that is no key by
    /// its size; one that is none by its content verifies nothing.
    #[must_use]
    pub fn from_key(system: ProofSystem, key: Vec<u8>) -> Option<Self> {
        (!key.is_empty() && key.len() <= MAX_KEY).then_some(Self { system, key })
    }

    /// Which kind of SNARK it makes.
    #[must_use]
    pub fn system(&self) -> ProofSystem {
        self.system
    }

    /// SHA-256 of its verifying key, of which each proof begins with four bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.key).into()
    }

    /// Whether it is that of SP1's release. Whoever set up another one can prove anything with it.
    #[must_use]
    pub fn is_official(&self) -> bool {
        *self == Self::official(self.system)
    }

    /// Checks that `proof` proves: the program of `key` ran, ended with success and committed
    /// `public_values`. `proof` is what SP1's contracts take. Groth16 takes some milliseconds, PLONK
    /// most of a second.
    ///
    /// # Errors
    ///
    /// [`InvalidProof`], whatever the bytes are; never a panic. A SNARK says only whether it holds,
    /// so public values of another proof are [`InvalidProof::Refused`].
    pub fn verify(
        &self,
        key: &VerifyingKey,
        public_values: &[u8],
        proof: &[u8],
    ) -> Result<(), InvalidProof> {
        self.verify_program(&key.hash(), public_values, proof)
    }

    fn verify_program(
        &self,
        program: &[u8; 32],
        public_values: &[u8],
        proof: &[u8],
    ) -> Result<(), InvalidProof> {
        if !(PREFIX..=MAX_PROOF).contains(&proof.len()) {
            let length = proof.len();
            return Err(InvalidProof::Malformed(format!("{length} bytes are no SNARK of SP1")));
        }
        let (prefix, points) = proof.split_at(PREFIX);
        let (selector, words) = prefix.split_at(SELECTOR);
        let &[exit_code, root, nonce]: &[[u8; 32]] = words.as_chunks().0 else {
            unreachable!("the prefix has three words")
        };
        if *selector != self.hash()[..SELECTOR] {
            let (theirs, ours) = (hex(selector), hex(&self.hash()[..SELECTOR]));
            return Err(InvalidProof::Refused(format!(
                "it was made with the circuit {theirs}…, not {ours}…"
            )));
        }
        if exit_code != [0; 32] {
            return Err(InvalidProof::Refused("the program did not end with success".to_owned()));
        }
        if root != *VK_ROOT_BYTES {
            return Err(InvalidProof::Refused("it is of another version of SP1".to_owned()));
        }
        // Written for well-formed points; what strangers send must not end the process.
        catch_unwind(AssertUnwindSafe(|| match self.system {
            ProofSystem::Groth16 => {
                let inputs = [*program, hash_public_inputs(public_values), exit_code, root, nonce];
                groth16::verify(&self.key, &inputs, points).map_err(str::to_owned)
            }
            ProofSystem::Plonk => {
                let program = format!("0x{}", hex(program));
                PlonkVerifier::verify(proof, public_values, &program, &self.key)
                    .map_err(|error| error.to_string())
            }
        }))
        .unwrap_or_else(|panic| Err(panic_message(&*panic)))
        .map_err(InvalidProof::Refused)
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Circuit({:?} {})", self.system, hex(&self.hash()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "circuit_tests.rs"]
mod tests;
