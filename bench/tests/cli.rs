//! The binary's exit codes and words, as a script sees them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "support/made_up.rs"]
mod made_up;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use bench::document::{Document, Run};
use proof_server::types::ProofMode::Core;

fn bench(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench")).current_dir(folder).args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A folder with documents by name.
fn folder(documents: &[(&str, Document)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, document) in documents {
        document.write(&folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn a_comparison_exits_with_0_1_or_2() {
    let mut other = made_up::prove(0, &[Core], 12, 1.0);
    other.hardware.logical_cores = 64;
    let folder = folder(&[
        ("a.json", made_up::prove(0, &[Core], 12, 1.0)),
        ("slow.json", made_up::prove(1, &[Core], 12, 1.3)),
        ("other.json", other),
    ]);
    let compare = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["compare"].iter().chain(arguments).copied().collect();
        bench(folder.path(), &arguments)
    };
    assert_eq!(code(&compare(&["a.json", "a.json"])), 0);
    assert_eq!(code(&compare(&["a.json", "slow.json"])), 1);
    assert_eq!(code(&compare(&["a.json", "slow.json", "--threshold", "60%"])), 0);
    let refused = compare(&["a.json", "other.json"]);
    assert_eq!(code(&refused), 2);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.starts_with("bench: the runs cannot be compared:\n  machine, cores: A 2, B 64\n"),
        "{said}"
    );
    assert_eq!(code(&compare(&["a.json", "other.json", "--across"])), 0);
    assert_eq!(code(&compare(&["a.json", "absent.json"])), 2);
    assert_eq!(code(&compare(&["a.json", "a.json", "--threshold", "5"])), 2);
}

#[test]
fn a_report_prints_tables_and_writes_a_page() {
    let folder = folder(&[("a.json", made_up::with_errors())]);
    let output = bench(folder.path(), &["report", "a.json", "--html", "page.html"]);
    assert_eq!(code(&output), 0);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Results\n") && said.ends_with("the page is in page.html\n"), "{said}");
    assert!(
        fs::read_to_string(folder.path().join("page.html")).unwrap().starts_with("<!DOCTYPE html>")
    );
}

#[test]
fn a_report_that_cannot_be_made_says_which_file_and_why() {
    let folder = folder(&[("a.json", made_up::prove(0, &[Core], 1, 1.0))]);
    fs::write(folder.path().join("bad.json"), "{\"schema\": \"other/1\"}").unwrap();
    let said = |arguments: &[&str]| {
        let output = bench(folder.path(), arguments);
        assert_eq!(code(&output), 1);
        String::from_utf8(output.stderr).unwrap()
    };
    let bad = said(&["report", "a.json", "bad.json"]);
    assert!(bad.starts_with("bench: bad.json: at `schema`: schema \"other/1\" is not"), "{bad}");
    let absent = said(&["report", "absent.json"]);
    assert!(
        absent.contains("cannot read absent.json") && absent.contains("No such file"),
        "{absent}"
    );
    let unwritten = said(&["report", "a.json", "--html", "no-folder/page.html"]);
    assert!(unwritten.contains("cannot write no-folder/page.html"), "{unwritten}");
    let many: Vec<&str> = ["report"].into_iter().chain(["a.json"; 65]).collect();
    assert!(said(&many).contains("65 documents were given, a report takes 64"));
}

/// Half a million requests would be days of proofs: reports and comparisons of as many take seconds.
#[test]
fn a_large_document_is_reported_and_compared_in_seconds() {
    let mut document = made_up::replay(6, 2.0, 100_000);
    let Run::Replay(run) = &mut document.run else { unreachable!() };
    assert_eq!(run.samples.len(), 100_000);
    run.servers.iter_mut().for_each(|server| server.resources.clear());
    let folder = folder(&[("a.json", document)]);
    let started = std::time::Instant::now();
    assert_eq!(code(&bench(folder.path(), &["report", "a.json", "--html", "page.html"])), 0);
    assert_eq!(code(&bench(folder.path(), &["compare", "a.json", "a.json"])), 0);
    let page = fs::metadata(folder.path().join("page.html")).unwrap().len();
    assert!(page < 1 << 20, "{page} bytes: samples do not go into the page");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
