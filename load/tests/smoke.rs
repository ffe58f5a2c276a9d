//! The tool against the real server, for seconds in place of minutes. What takes longer is in `make load` and
//! `make chaos`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// The server that was built beside this test.
fn server() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_load")).with_file_name("proof-server");
    assert!(
        binary.exists(),
        "there is no {}: build it first, with `cargo build --release --workspace` or `-p proof-server`",
        binary.display()
    );
    binary
}

/// Runs the tool; gives its figures if it ends well.
fn run(arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("figures.json");
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(arguments)
        .args(["--json".as_ref(), json.as_os_str(), "--server".as_ref(), server().as_os_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{}\n{out}\n{err}", output.status)
}

#[test]
fn every_request_of_many_clients_is_answered_once_beside_hostile_peers() {
    let figures = run(&[
        "run",
        "--requests",
        "400",
        "--clients",
        "50",
        "--hostile",
        "8",
        "--correctness-only",
    ]);
    assert_eq!(figures["codes"]["OK"], 400);
    assert!(figures["overhead"]["p99_ms"].as_f64().unwrap() > 0.0, "{figures:#}");
    assert!(!figures["attacks"].as_object().unwrap().is_empty(), "{figures:#}");
}

#[test]
fn killed_processes_and_broken_connections_cost_no_request_its_answer() {
    let figures = run(&["chaos", "--minutes", "0.2"]);
    assert!(figures["proven"].as_u64().unwrap() > 0, "{figures:#}");
}

#[test]
fn a_secondary_that_comes_and_goes_costs_no_request_its_answer() {
    let figures = run(&["chaos", "--minutes", "0.2", "--roles"]);
    assert!(figures["events"]["the secondary is killed"].as_u64().unwrap() > 0, "{figures:#}");
}

#[test]
fn without_a_server_it_says_what_to_build() {
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["run", "--requests", "1", "--clients", "1", "--server", "/nowhere/proof-server"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("load: there is no /nowhere/proof-server: build it with `cargo build"),
        "{error}"
    );
}
