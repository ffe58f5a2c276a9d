//! `bench prove` with servers that prove nothing: whatever goes wrong is a row with its reason.
#![cfg(feature = "verify")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use bench::{
    document::{Document, Failure, ProveOutcome, ProveSample, Run},
    prove::{ProveArgs, ProveError, prove},
};
use clap::Parser;

#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    prove: ProveArgs,
}

fn args(args: &[&str]) -> ProveArgs {
    let mut prove = Args::parse_from([&["prove", "--mode", "stark"], args].concat()).prove;
    if prove.server_binary.is_none() {
        prove.server_binary =
            Some(Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("proof-server"));
    }
    prove
}

fn samples(args: &ProveArgs) -> Vec<ProveSample> {
    let mut told = 0;
    let document = prove(args, &mut |_| told += 1).unwrap();
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("run.json");
    document.write(&path).unwrap();
    let Run::Prove(run) = Document::read(&path).unwrap().run else { panic!("another kind of run") };
    assert_eq!(run.samples.len(), told);
    run.samples
}

fn failure(sample: &ProveSample) -> &Failure {
    match &sample.outcome {
        ProveOutcome::Failed(failure) => failure,
        ProveOutcome::Proved(_) => panic!("{sample:?}"),
    }
}

/// A program in the server's place.
fn impostor(script: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proof-server");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn a_proof_that_does_not_hold_is_a_row_and_no_result() {
    let samples = samples(&args(&["--engine", "mock", "--runs", "2", "--warm", "1"]));
    // Of each program's first request two servers, each with a cold proof and a warm one.
    assert_eq!(samples.len(), 8);
    for sample in &samples {
        let failure = failure(sample);
        assert_eq!(failure.code, "INVALID_PROOF");
        assert!(failure.reason.to_lowercase().contains("mock"), "{failure:?}");
        let phases: f64 = sample.phases.iter().map(|phase| phase.seconds.get()).sum();
        assert!((phases - sample.total_seconds.get()).abs() < 1e-6, "{sample:?}");
        assert!(sample.peak_memory_bytes.unwrap() > 1 << 20);
    }
    let places: Vec<_> = samples.iter().map(|sample| (sample.index, sample.cold)).collect();
    let once = [(0, true), (1, false), (2, true), (3, false)];
    assert_eq!(places, [once, once].concat());
    assert_eq!(samples[0].recording, "simulated/committee-change/100");
}

#[test]
fn a_server_that_refuses_is_a_row_with_its_code() {
    let flags = ["--server-flag=--max-request-bytes", "--server-flag=4KiB"];
    let samples =
        samples(&args(&[&["--engine", "mock", "--program", "inclusion"], &flags[..]].concat()));
    assert_eq!(samples.len(), 1);
    assert_ne!(failure(&samples[0]).code, "INVALID_PROOF", "{samples:?}");
}

#[test]
fn a_server_that_ends_at_once_is_a_row_with_what_it_said() {
    let (_folder, server) = impostor("echo 'no such flag' >&2; exit 64");
    let samples = samples(&args(&["--server-binary", &server, "--program", "inclusion"]));
    let failure = failure(&samples[0]);
    assert_eq!((samples.len(), failure.code.as_str()), (1, "NO_SERVER"));
    assert!(failure.reason.contains("exit status: 64"), "{failure:?}");
    assert!(failure.reason.contains("no such flag"), "{failure:?}");
}

#[test]
fn a_server_that_dies_is_a_row_and_its_warm_proofs_are_not_tried() {
    // It listens nowhere: the connection is refused, as after a crash.
    let (_folder, server) =
        impostor("echo 'listening 127.0.0.1:9'; echo 'out of memory' >&2; exit 137");
    let samples =
        samples(&args(&["--server-binary", &server, "--program", "inclusion", "--warm", "3"]));
    let failure = failure(&samples[0]);
    assert_eq!((samples.len(), failure.code.as_str()), (1, "CRASHED"));
    assert!(failure.reason.contains("exit status: 137"), "{failure:?}");
    assert!(failure.reason.contains("out of memory"), "{failure:?}");
}

#[test]
fn what_cannot_be_measured_is_said_before_anything_starts() {
    let refused = |words: &[&str]| prove(&args(words), &mut |_| panic!("a sample")).unwrap_err();
    let error = refused(&["--server-binary", "/no/such/server"]);
    assert!(matches!(error, ProveError::NoServer(_)), "{error}");
    let error = refused(&["--request", "no such request"]);
    assert!(error.to_string().contains("simulated/committee-change/100"), "{error}");
    let error = refused(&["--recording", "/no/such/folder"]);
    assert!(matches!(error, ProveError::Recording(_)), "{error}");
    let error = refused(&["--allow-dev-circuits", "/no/such/key"]);
    assert!(matches!(error, ProveError::Read { .. }), "{error}");
}
