//! What is committed under `artifacts/` is what the programs' source and SP1 make of it, and how it
//! is made.
#![cfg(feature = "cpu")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use lc_core::ProgramId;
use lc_stark::prove::set_up;
use proof_server::{
    artifacts::{Artifacts, Manifest, Sample, WriteError, elf, outline, write},
    engine::{
        Engine, EngineError,
        cpu::{CpuEngine, CpuOptions},
    },
    types::{EngineKind, ProofMode},
};

/// A program of the same toolchain that does what its input says; the last of its seven numbers
/// makes it fail.
const PROBE: &[u8] = include_bytes!("../../stark/tests/fixtures/probe.elf");

#[test]
fn elf_files_and_keys_are_those_of_the_manifest() {
    // Hashes the ELF files, makes their keys and holds both to the manifest.
    // With too little memory for any mode but core.
    let options = CpuOptions { memory: Some(8 << 30), ..CpuOptions::default() };
    let mut engine = CpuEngine::start(&options).unwrap();
    let info = engine.describe();
    let offered: Vec<_> = info.offered().map(|info| info.mode).collect();
    assert_eq!((info.engine, &offered[..]), (EngineKind::Cpu, &[ProofMode::Core][..]));
    assert_eq!(info.modes.len(), ProofMode::ALL.len());
    let artifacts = Artifacts::embedded().unwrap();
    for (entry, made) in artifacts.entries().zip(&info.programs) {
        assert_eq!((entry.program, entry.vkey), (made.program, made.vkey));
        assert_eq!(entry.sha256, made.elf_sha256);
        assert_eq!(entry.sp1_version, info.sp1_version);
    }
    let snark = engine.prove(ProgramId::Inclusion, ProofMode::Groth16, &[], &mut |_| {});
    assert!(matches!(snark, Err(EngineError::Unsupported { .. })), "{snark:?}");
    let nonsense = engine.prove(ProgramId::Inclusion, ProofMode::Core, &[1, 2, 3], &mut |_| {});
    assert!(matches!(nonsense, Err(EngineError::Rejected { .. })), "{nonsense:?}");
}

#[test]
fn keys_made_without_their_outlines_are_those_of_the_manifest_and_have_these_outlines() {
    let artifacts = Artifacts::embedded().unwrap();
    for entry in artifacts.entries() {
        let keys = set_up([(elf(entry.program), None)]).unwrap().remove(0);
        assert_eq!(keys.verifying().hash(), entry.vkey.0, "{}", entry.program);
        assert_eq!(keys.outline(), outline(entry.program), "{}", entry.program);
    }
}

#[test]
fn a_programs_keys_are_right_whatever_outline_comes_with_it() {
    let wanted = Artifacts::embedded().unwrap().vkey(ProgramId::Inclusion);
    let other = outline(ProgramId::CommitteeChange);
    for outline in [other, &other[1..], b""] {
        let keys = set_up([(elf(ProgramId::Inclusion), Some(outline))]).unwrap().remove(0);
        assert_eq!(keys.verifying().hash(), wanted.0, "{} bytes", outline.len());
    }
    // Only its first nodes are held to the program; the key tells of the others.
    let mut tampered = outline(ProgramId::Inclusion).to_vec();
    *tampered.last_mut().unwrap() ^= 1;
    let keys = set_up([(elf(ProgramId::Inclusion), Some(&tampered[..]))]).unwrap().remove(0);
    assert_ne!(keys.verifying().hash(), wanted.0);
}

fn folder_with(program: ProgramId, elf: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(format!("{program}.elf")), elf).unwrap();
    dir
}

/// The probe told to do nothing, or to fail, and what it commits if it does not.
fn sample(fail: u32) -> Sample {
    let mut public_values = vec![0; 72];
    (public_values[8], public_values[16], public_values[24]) = (5, 5, 7);
    let input = [0, 0, 0, 0, 0, 0, fail].into_iter().flat_map(u32::to_le_bytes);
    Sample {
        program: ProgramId::Inclusion,
        recording: "nothing".into(),
        input: input.collect(),
        public_values,
    }
}

fn written(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn artifacts_are_written_with_key_hash_and_cost() {
    let dir = folder_with(ProgramId::Inclusion, PROBE);
    let manifest = write(dir.path(), "rustc 0", &[sample(0)]).unwrap();
    assert_eq!(
        written(dir.path()),
        ["inclusion.elf", "inclusion.outline", "inclusion.vk", "manifest.json"]
    );
    let text = fs::read_to_string(dir.path().join("manifest.json")).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
    let [entry] = &manifest.programs[..] else { panic!("{manifest:?}") };
    let key = fs::read(dir.path().join(&entry.vk)).unwrap();
    assert_eq!(lc_stark::VerifyingKey::from_bytes(&key).unwrap().hash(), entry.vkey.0);
    assert_eq!((entry.toolchain.as_str(), entry.recording.as_str()), ("rustc 0", "nothing"));
    assert!(entry.cycles > 0 && entry.gas > 0, "{entry:?}");
}

#[test]
fn nothing_is_written_for_a_program_that_refuses_its_sample() {
    let dir = folder_with(ProgramId::Inclusion, PROBE);
    let error = write(dir.path(), "rustc 0", &[sample(1)]).unwrap_err();
    assert_eq!(error.to_string(), "the program inclusion does not run on nothing");
    assert_eq!(written(dir.path()), ["inclusion.elf"]);
}

#[test]
fn nothing_is_written_for_a_program_that_says_something_else_than_the_native_check() {
    let dir = folder_with(ProgramId::Inclusion, PROBE);
    let other = Sample { public_values: vec![1], ..sample(0) };
    let error = write(dir.path(), "rustc 0", &[other]).unwrap_err();
    assert!(matches!(error, WriteError::PublicValues { .. }), "{error}");
    assert_eq!(written(dir.path()), ["inclusion.elf"]);
}

#[test]
fn a_folder_without_programs_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = write(dir.path(), "rustc 0", &[sample(0)]).unwrap_err();
    assert!(error.to_string().contains("inclusion.elf could not be read"), "{error}");
}
