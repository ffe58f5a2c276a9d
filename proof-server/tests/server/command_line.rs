//! Flags and environment: bad ones are named in one line, before anything starts.

use std::process::Output;

use crate::support::binary;

fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    binary().args(args).envs(env.iter().copied()).output().unwrap()
}

fn refused(args: &[&str], env: &[(&str, &str)]) -> String {
    let output = run(args, env);
    assert_eq!(output.status.code(), Some(64), "{args:?} {output:?}");
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.lines().all(|line| line.starts_with("error: ")), "{text}");
    text
}

const SERVE: [&str; 3] = ["serve", "--engine", "mock"];

#[test]
fn a_bad_flag_is_named_in_one_line_with_what_to_do() {
    for (args, says) in [
        (&["serve", "--engine", "abacus"][..], "--engine: `abacus` is not known: give"),
        (
            &["serve", "--engine", "mock", "--listen", "0.0.0.0:1"],
            "add --allow-plaintext where the network is private",
        ),
        (&["serve", "--engine", "mock", "--que", "3"], "unexpected argument '--que'"),
        (&["serve", "--engine", "mock", "--log", "=,="], "--log: `=,=` is no filter"),
        (
            &["serve", "--engine", "mock", "--log-format", "xml"],
            "invalid value 'xml' for '--log-format <FORMAT>'",
        ),
        (&["prove"], "unrecognized subcommand 'prove'"),
        (&[], "no command given: see `proof-server --help`"),
    ] {
        let text = refused(args, &[]);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_bad_environment_is_named_by_its_flag_and_every_fault_at_once() {
    let text = refused(&SERVE, &[("PROOF_SERVER_QUEUE", "none"), ("PROOF_SERVER_KEEPALIVE", "1m")]);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("--queue: `none` is not usable")
            && text.contains("--keepalive: `1m` is out of range"),
        "{text}"
    );
}

#[test]
fn flags_win_over_the_environment_and_an_empty_variable_counts_as_unset() {
    let text =
        refused(&[&SERVE[..], &["--queue", "zero"]].concat(), &[("PROOF_SERVER_QUEUE", "none")]);
    assert!(text.contains("`zero`") && !text.contains("`none`"), "{text}");
    let text = refused(
        &[&SERVE[..], &["--idle-timeout", "x"]].concat(),
        &[("PROOF_SERVER_QUEUE", ""), ("PROOF_SERVER_LISTEN", "")],
    );
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["serve", "--engine", "mock", "--listen", &address], &[]);
    assert_eq!(output.status.code(), Some(69));
    let log = String::from_utf8(output.stderr).unwrap();
    let last = log.lines().last().unwrap();
    assert!(
        last.starts_with(&format!(
            "error: cannot listen on {address}: choose another --listen address or port"
        )),
        "{log}"
    );
}

#[test]
fn a_worker_started_by_hand_says_that_nobody_needs_to() {
    let output = binary()
        .args(["worker", "--task", "prove", "--engine", "mock"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(70));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.contains(
            "standard input is not a server's socket: `proof-server serve` starts workers"
        ),
        "{log}"
    );
}

#[test]
fn help_lists_the_commands_and_what_a_user_needs() {
    let help = |args: &[&str]| String::from_utf8(run(args, &[]).stdout).unwrap();
    let top = help(&["--help"]);
    assert!(top.contains("serve") && top.contains("execute") && !top.contains("worker"), "{top}");
    let serve = help(&["serve", "--help"]);
    for part in ["--listen", "PROOF_SERVER_LISTEN", "--allow-plaintext", "Examples:", "SIGTERM"] {
        assert!(serve.contains(part), "{part} in {serve}");
    }
    assert!(!serve.contains("--mock-fault"));
    let execute = help(&["execute", "inclusion", "--help"]);
    for part in [
        "--network",
        "--bootstrap",
        "--finality-update",
        "--account-proof",
        "--json",
        "eth_getProof",
    ] {
        assert!(execute.contains(part), "{part} in {execute}");
    }
}

#[test]
fn logs_are_json_lines_where_that_is_asked_for() {
    let output = run(
        &[
            "serve",
            "--engine",
            "mock",
            "--mock-fault",
            "start",
            "--log-format",
            "json",
            "--listen",
            "127.0.0.1:0",
        ],
        &[],
    );
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = log.lines().filter(|line| !line.starts_with("error: ")).collect();
    assert!(!lines.is_empty(), "{log}");
    for line in lines {
        let object: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(object["level"].is_string(), "{line}");
    }
}

/// What `serve` says about a settings file with this text.
fn with_file(text: &str, flags: &[&str], env: &[(&str, &str)]) -> std::process::Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    let path = file.path().to_str().unwrap();
    run(&[&["serve", "--config", path], flags].concat(), env)
}

#[test]
fn a_settings_file_sets_what_flags_and_environment_do_not() {
    // A fault in each, so that what counts shows.
    let file = "engine = \"mock\"\nqueue = 0\nkeepalive = \"1h\"\nallow-plaintext = true\nlisten = \"here\"\n";
    let says = |flags: &[&str], env: &[(&str, &str)]| {
        String::from_utf8(with_file(file, flags, env).stderr).unwrap()
    };
    let log = says(&[], &[]);
    for fault in ["--queue: `0`", "--keepalive: `1h`", "--listen: `here`"] {
        assert!(log.contains(fault), "{log}");
    }
    let log = says(&["--queue", "none"], &[("PROOF_SERVER_KEEPALIVE", "2h")]);
    assert!(log.contains("--queue: `none`") && log.contains("--keepalive: `2h`"), "{log}");
    let log = says(&["--keepalive", "3h"], &[("PROOF_SERVER_KEEPALIVE", "2h")]);
    assert!(log.contains("--keepalive: `3h`"), "{log}");
}

#[test]
fn every_fault_of_a_settings_file_is_told_at_once_with_the_others() {
    let output = with_file(
        "engine = \"mock\"\nline = 3\nworkers = [1]\nmock-fault = \"panic\"\n",
        &["--grace", "x"],
        &[],
    );
    assert_eq!(output.status.code(), Some(64));
    let log = String::from_utf8(output.stderr).unwrap();
    for fault in [
        "there is no setting `line`",
        "`workers` is of type array",
        "there is no setting `mock-fault`",
        "--grace: `x` is no duration",
    ] {
        assert!(log.contains(fault), "{log}");
    }
}

#[test]
fn a_settings_file_that_is_none_is_named() {
    let missing = run(&["serve", "--config", "/nowhere.toml", "--engine", "mock"], &[]);
    let log = String::from_utf8(missing.stderr).unwrap();
    assert!(log.contains("--config: cannot read /nowhere.toml"), "{log}");
    let broken = with_file("queue = = 3", &["--engine", "mock"], &[]);
    assert_eq!(broken.status.code(), Some(64));
    assert!(String::from_utf8(broken.stderr).unwrap().contains("is no TOML"));
}

#[test]
fn more_connections_than_the_process_may_have_files_are_refused() {
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 1000; exec \"$0\" serve --engine mock --listen 127.0.0.1:0 --max-connections 5000"])
        .arg(crate::support::binary().get_program())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("give 744 at most, or raise the limit"), "{log}");
}
