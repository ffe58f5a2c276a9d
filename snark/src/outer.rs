//! The outer proof: a SNARK that checks a wrap proof, made by gnark.
//!
//! gnark is Go, in this process. It ends the process where it does not know better, it keeps what it
//! has read (13 GB for Groth16), and its memory is bounded by `GOMEMLIMIT` and `GOGC` in the
//! environment that the process starts with. So give it a process of its own.

use std::{borrow::Borrow, fs, io, path::Path};

use bincode::Options;
use lc_stark::{Circuit, InvalidProof, ProofSystem, VerifyingKey, elsewhere};
use slop_algebra::{AbstractField, PrimeField32};
use slop_bn254::Bn254Fr;
use sp1_hypercube::{SP1WrapProof, koalabears_to_bn254};
use sp1_primitives::SP1Field;
use sp1_prover::{
    build::{build_groth16_bn254_artifacts, build_plonk_bn254_artifacts, get_vk_root},
    utils::words_to_bytes,
};
use sp1_recursion_circuit::{
    machine::SP1ShapedWitnessValues,
    utils::{koalabear_bytes_to_bn254, koalabears_proof_nonce_to_bn254},
    witness::{OuterWitness, Witnessable},
};
use sp1_recursion_compiler::config::OuterConfig;
use sp1_recursion_executor::RecursionPublicValues;
use sp1_recursion_gnark_ffi::{Groth16Bn254Prover, PlonkBn254Prover};

use crate::recursion::Wrapped;

/// Why there is no SNARK.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OuterError {
    /// What was given is no wrap proof.
    #[error("what is to be proven further is no wrap proof: {0}")]
    Input(String),
    /// A file of the circuit cannot be read.
    #[error("cannot read {file} of the circuit: run `proof-server circuits check`")]
    Circuit {
        /// The file.
        file: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// gnark gave something that is no proof.
    #[error("gnark's proof cannot be read: {0}")]
    Gnark(#[from] elsewhere::Unasked),
    /// The proof that was made does not hold.
    #[error("the proof that was made does not verify: the circuit's files do not belong together")]
    Invalid(#[from] InvalidProof),
    /// The circuit could not be built.
    #[error("the circuit could not be built: {0}")]
    Build(String),
}

/// The files of a circuit, each in its directory.
#[must_use]
pub const fn files(system: ProofSystem) -> CircuitFiles {
    match system {
        ProofSystem::Groth16 => CircuitFiles {
            verifying_key: "groth16_vk.bin",
            proving_key: "groth16_pk.bin",
            circuit: "groth16_circuit.bin",
            contracts: &["Groth16Verifier.sol", "SP1VerifierGroth16.sol"],
        },
        ProofSystem::Plonk => CircuitFiles {
            verifying_key: "plonk_vk.bin",
            proving_key: "plonk_pk.bin",
            circuit: "plonk_circuit.bin",
            contracts: &["PlonkVerifier.sol", "SP1VerifierPlonk.sol"],
        },
    }
}

/// Names as gnark's side of SP1 has them.
#[derive(Debug, Clone, Copy)]
pub struct CircuitFiles {
    /// What proofs are checked against.
    pub verifying_key: &'static str,
    /// What proofs are made with.
    pub proving_key: &'static str,
    /// The compiled constraints.
    pub circuit: &'static str,
    /// The verifier for contracts.
    pub contracts: &'static [&'static str],
}

/// Makes a SNARK of `public_values` by the program of `key` from a wrap proof, with the circuit in
/// `directory`, and verifies it. Minutes. Gives it as SP1's contracts take it.
///
/// # Errors
///
/// [`OuterError`]. A circuit whose files are damaged may end the process.
pub fn prove(
    system: ProofSystem,
    directory: &Path,
    key: &VerifyingKey,
    public_values: &[u8],
    wrapped: &[u8],
) -> Result<Vec<u8>, OuterError> {
    let file = files(system).verifying_key;
    let circuit = fs::read(directory.join(file))
        .map_err(|source| OuterError::Circuit { file: file.to_owned(), source })?;
    let circuit = Circuit::from_key(system, circuit)
        .ok_or_else(|| OuterError::Build(format!("{file} is no verifying key")))?;

    let witness = witness(decode(wrapped)?);
    let encoded = match system {
        ProofSystem::Groth16 => Groth16Bn254Prover::new().prove(witness, directory).encoded_proof,
        ProofSystem::Plonk => PlonkBn254Prover::new().prove(witness, directory).encoded_proof,
    };
    let encoded = elsewhere::snark(&encoded)?;
    // Exit code, root of the recursion keys and nonce come first in it, then the proof's points.
    let proof = [&circuit.hash()[..4], &encoded].concat();
    circuit.verify(key, public_values, &proof)?;
    Ok(proof)
}

/// Builds a circuit with a set-up of its own in `directory`, whose name must contain `dev`, around
/// the wrap proof `template`. An hour or more, tens of gigabytes. Whoever can read this process'
/// memory meanwhile can forge proofs, so it is for development only.
///
/// # Errors
///
/// [`OuterError::Input`], [`OuterError::Build`].
pub fn build_development(
    system: ProofSystem,
    directory: &Path,
    template: &[u8],
) -> Result<(), OuterError> {
    let SP1WrapProof { vk, proof } = decode(template)?;
    let built = match system {
        ProofSystem::Groth16 => build_groth16_bn254_artifacts(&vk, &proof, directory),
        ProofSystem::Plonk => build_plonk_bn254_artifacts(&vk, &proof, directory),
    };
    built.map_err(|error| OuterError::Build(error.to_string()))?;
    for contract in files(system).contracts {
        mend(&directory.join(contract)).map_err(|error| OuterError::Build(error.to_string()))?;
    }
    Ok(())
}

/// SP1 6.10.0 writes the root of its recursion keys with a byte too many into the contract, which no compiler takes.
fn mend(contract: &Path) -> io::Result<()> {
    let source = fs::read_to_string(contract)?;
    let root = get_vk_root();
    fs::write(contract, source.replace(&format!("0x00{root}"), &format!("0x{root}")))
}

fn decode(wrapped: &[u8]) -> Result<Wrapped, OuterError> {
    let options =
        bincode::DefaultOptions::new().with_fixint_encoding().with_limit(wrapped.len() as u64);
    options.deserialize(wrapped).map_err(|error| OuterError::Input(error.to_string()))
}

/// What the circuit is given.
fn witness(proof: Wrapped) -> OuterWitness<OuterConfig> {
    let values = proof.proof.public_values.clone();
    let values: &RecursionPublicValues<SP1Field> = values.as_slice().borrow();
    let digest: [SP1Field; 32] = words_to_bytes(&values.committed_value_digest)
        .try_into()
        .expect("eight words are 32 bytes");
    let mut witness = OuterWitness::default();
    let input =
        SP1ShapedWitnessValues { vks_and_proofs: vec![(proof.vk, proof.proof)], is_complete: true };
    Witnessable::<OuterConfig>::write(&input, &mut witness);
    witness.write_committed_values_digest(koalabear_bytes_to_bn254(&digest));
    witness.write_vkey_hash(koalabears_to_bn254(&values.sp1_vk_digest));
    let exit_code = values.exit_code.as_canonical_u32();
    witness.write_exit_code(Bn254Fr::from_canonical_u32(exit_code));
    witness.write_vk_root(koalabears_to_bn254(&values.vk_root));
    witness.write_proof_nonce(koalabears_proof_nonce_to_bn254(&values.proof_nonce));
    witness
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_has_the_root_as_the_32_bytes_that_it_is() {
        let root = get_vk_root();
        assert_eq!(root.len(), 64);
        let path = std::env::temp_dir().join(format!("lc-snark-{}.sol", std::process::id()));
        for written in [format!("return 0x00{root};"), format!("return 0x{root};")] {
            fs::write(&path, written).unwrap();
            mend(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("return 0x{root};"));
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_wrap_proof_is_refused() {
        let error = build_development(ProofSystem::Groth16, Path::new("nowhere-dev"), b"no proof");
        assert!(matches!(error, Err(OuterError::Input(_))));
    }
}
