//! The SNARKs that were made once and are kept in `artifacts/snarks`: they are of this release's programs, they
//! hold, and nothing else does.
#![cfg(feature = "verify")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use proof_server::{
    artifacts::Artifacts,
    engine::{Verifier, VerifyError},
    types::{CircuitHash, ProgramId, Proof, ProofMode},
    verify::ProofVerifier,
};
use sha2::{Digest, Sha256};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts/snarks")
}

fn file(name: &str) -> Vec<u8> {
    fs::read(directory().join(name)).unwrap()
}

fn manifest() -> serde_json::Value {
    serde_json::from_slice(&file("manifest.json")).unwrap()
}

/// The modes of which there are proofs, with the bytes that such a proof has.
const MODES: [(ProofMode, usize); 2] = [(ProofMode::Groth16, 356), (ProofMode::Plonk, 964)];

/// The proofs of a mode's circuit, in the order of the programs.
fn proofs_of(mode: ProofMode) -> Vec<Proof> {
    let manifest = manifest();
    let files = manifest["circuits"][mode.name()]["proofs"].as_array().unwrap();
    let read = |entry: &serde_json::Value| {
        Proof::from_file(&file(entry["file"].as_str().unwrap())).unwrap()
    };
    let proofs: Vec<Proof> = files.iter().map(read).collect();
    assert!(proofs.iter().map(|proof| proof.program).eq(ProgramId::ALL));
    proofs
}

fn proofs() -> impl Iterator<Item = Proof> {
    MODES.into_iter().flat_map(|(mode, _)| proofs_of(mode))
}

/// Takes the recorded development circuits' proofs.
fn verifier() -> ProofVerifier {
    let keys = ["groth16_vk.bin", "plonk_vk.bin"].map(file);
    ProofVerifier::new().unwrap().with_development_circuits(keys.to_vec())
}

#[test]
fn the_recorded_snarks_are_of_this_releases_programs() {
    let artifacts = Artifacts::embedded().unwrap();
    for proof in proofs() {
        let program = proof.program;
        assert_eq!(
            proof.vkey,
            artifacts.vkey(program),
            "the program {program} has changed: run `make snark-fixtures` and commit artifacts/snarks"
        );
    }
    let manifest = manifest();
    for entry in artifacts.entries() {
        let recorded = &manifest["programs"][entry.program.name()];
        assert_eq!(recorded["sha256"], entry.sha256.to_string(), "{}", entry.program);
        assert_eq!(recorded["vkey"], entry.vkey.to_string(), "{}", entry.program);
    }
}

#[test]
fn their_manifest_names_every_file_with_its_hash() {
    let manifest = manifest();
    let named = manifest["files"].as_object().unwrap();
    let mut there: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["manifest.json", "README.md"].contains(&name.as_str()))
        .collect();
    there.sort_unstable();
    assert!(there.iter().eq(named.keys()), "{there:?}");
    for (name, hash) in named {
        let found = CircuitHash(Sha256::digest(file(name)).into());
        assert_eq!(format!("0x{}", hash.as_str().unwrap()), found.to_string(), "{name}");
    }
}

#[test]
fn both_programs_snarks_verify_with_the_development_circuits_keys() {
    let verifier = verifier();
    let manifest = manifest();
    for (mode, bytes) in MODES {
        let circuit = &manifest["circuits"][mode.name()]["verifying_key_sha256"];
        for proof in proofs_of(mode) {
            assert_eq!((proof.mode, proof.bytes.len()), (mode, bytes), "{}", proof.program);
            let hash = format!("0x{}", circuit.as_str().unwrap());
            assert_eq!(proof.circuit.unwrap().to_string(), hash, "{mode}, {}", proof.program);
            assert!(proof.is_development());
            assert_eq!(verifier.verify(&proof).unwrap().0, proof.public_values);
        }
    }
}

#[test]
fn without_that_key_they_are_refused_as_forgeable() {
    let official = ProofVerifier::new().unwrap();
    for proof in proofs() {
        let error = official.verify(&proof).unwrap_err();
        assert!(matches!(error, VerifyError::DevelopmentCircuit { .. }), "{error}");
        // Not even if they say that they are of the official circuit, or of none.
        let official_circuit = proof.mode.official_circuit();
        assert!(official_circuit.is_some(), "{}", proof.mode);
        for circuit in [official_circuit, None] {
            let error = official.verify(&Proof { circuit, ..proof.clone() }).unwrap_err();
            assert!(matches!(error, VerifyError::Invalid { .. }), "{error}");
        }
    }
}

#[test]
fn a_change_of_any_byte_of_a_snark_is_refused() {
    let verifier = verifier();
    for (mode, _) in MODES {
        let proof = proofs_of(mode).remove(0);
        for at in 0..proof.bytes.len() {
            let mut forged = proof.clone();
            forged.bytes[at] ^= 1;
            let error = verifier.verify(&forged).unwrap_err();
            assert!(matches!(error, VerifyError::Invalid { .. }), "{mode}, byte {at}: {error}");
        }
    }
}

#[test]
fn a_snark_that_is_cut_short_or_goes_on_is_refused() {
    let verifier = verifier();
    for (mode, _) in MODES {
        let proof = proofs_of(mode).remove(0);
        for length in (0..proof.bytes.len()).step_by(7) {
            let mut cut = proof.clone();
            cut.bytes.truncate(length);
            verifier.verify(&cut).unwrap_err();
        }
        for more in [1, 32, 1 << 20] {
            let mut longer = proof.clone();
            longer.bytes.resize(longer.bytes.len() + more, 0);
            assert!(verifier.verify(&longer).is_err(), "{mode}, {more} bytes more");
        }
    }
}

#[test]
fn a_snark_proves_its_own_public_values_and_no_other_programs() {
    let verifier = verifier();
    for (mode, _) in MODES {
        let [proof, other] = proofs_of(mode).try_into().unwrap();
        // Every one of them, a word at a time.
        for at in (0..proof.public_values.len()).step_by(31) {
            let mut forged = proof.clone();
            forged.public_values[at] ^= 1;
            assert!(verifier.verify(&forged).is_err(), "{mode}, public values' byte {at}");
        }
        let forged = Proof { bytes: other.bytes.clone(), ..proof.clone() };
        assert!(verifier.verify(&forged).is_err(), "{mode}: the other program's proof");
        let forged = Proof { program: other.program, vkey: other.vkey, ..proof.clone() };
        assert!(verifier.verify(&forged).is_err(), "{mode}: under the other program's key");
        let others = ProofMode::ALL.into_iter().filter(|other| *other != mode);
        for mode in others {
            let forged = Proof { mode, ..proof.clone() };
            assert!(verifier.verify(&forged).is_err(), "{mode}");
        }
    }
}
