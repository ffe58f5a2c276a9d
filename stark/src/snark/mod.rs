//! Checks SNARKs: the proofs of SP1's Groth16 and PLONK circuits, as contracts take them.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use sha2::{Digest, Sha256};
use sp1_verifier::{GROTH16_VK_BYTES, PLONK_VK_BYTES, VK_ROOT_BYTES, hash_public_inputs};

use self::encoding::read_field;
use crate::{InvalidProof, VerifyingKey, verifier::panic_message};

mod encoding;
mod groth16;
mod plonk;

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

/// What can be wrong with a proof or its circuit's key, in both systems.
const NO_KEY: &str = "the circuit's file is no verifying key";
const NO_PROOF: &str = "it does not consist of points and numbers as such a proof does";
const OTHER_INPUTS: &str = "the circuit has another number of public inputs";
const WRONG: &str = "it proves nothing of this program with these public values";

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
    /// `public_values`. `proof` is what SP1's contracts take. Some milliseconds.
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
        let inputs = [*program, hash_public_inputs(public_values), exit_code, root, nonce];
        self.verify_inputs(&inputs, points).map_err(InvalidProof::Refused)
    }

    /// Checks what gnark made, against the circuit's own public inputs.
    fn verify_inputs(&self, inputs: &[[u8; 32]], points: &[u8]) -> Result<(), String> {
        let inputs: Option<Vec<_>> = inputs.iter().map(|input| read_field(input)).collect();
        let inputs = inputs.ok_or("a public input is no element of the field")?;
        let verify = match self.system {
            ProofSystem::Groth16 => groth16::verify,
            ProofSystem::Plonk => plonk::verify,
        };
        // The arithmetic is another crate's; what strangers send must not end the process.
        catch_unwind(AssertUnwindSafe(|| verify(&self.key, &inputs, points)))
            .map_err(|panic| panic_message(&*panic))?
            .map_err(str::to_owned)
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
mod tests;
