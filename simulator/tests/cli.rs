//! The command line: help that is enough, mistakes in one line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn simulator(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulator")).args(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_names_every_command_and_option() {
    let help = simulator(&["--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("record"));
    let help = String::from_utf8(simulator(&["record", "--help"]).stdout).unwrap();
    let options = [
        "--out <DIR>",
        "--replace",
        "--seed <NUMBER>",
        "--preset",
        "--periods <COUNT>",
        "--trie-depth",
    ];
    for option in options {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn a_mistake_is_one_line_and_exit_2() {
    let cases: [(&[&str], &str); 5] = [
        (&[], "a command is wanted: record (see `simulator --help`)"),
        (&["rekord"], "unrecognized subcommand 'rekord' (see `simulator --help`)"),
        (
            &["record"],
            "the following required arguments were not provided: --out <DIR> (see `simulator --help`)",
        ),
        (
            &["record", "--out", "x", "--periods", "0"],
            "invalid value '0' for '--periods <COUNT>': 0 is not in 1..=128 (see `simulator --help`)",
        ),
        (
            &["record", "--out", "x", "--preset", "large"],
            "invalid value 'large' for '--preset <PRESET>' [possible values: mainnet, minimal] (see `simulator --help`)",
        ),
    ];
    for (args, wanted) in cases {
        let output = simulator(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(stderr(&output), format!("simulator: {wanted}\n"));
    }
}

#[test]
fn a_recording_is_written_once_and_what_is_in_the_way_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let out = temp.path().join("recording");
    let out = out.to_str().unwrap();
    let args = ["record", "--out", out, "--preset", "minimal", "--periods", "2", "--seed", "5"];
    let output = simulator(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, format!("{out}: 2 updates of the minimal preset, seed 5\n"));
    let output = simulator(&args);
    assert_eq!(output.status.code(), Some(1));
    let wanted = format!(
        "simulator: {out} exists: name another folder, or pass --replace if it is an older recording\n"
    );
    assert_eq!(stderr(&output), wanted);
}
