//! `proof-server circuits`, as an operator types it.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use proof_server::circuits::Snark;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    support::{OTHER_KEY, Place, archive, files},
    web::{Hosted, Web},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn circuits(args: &[&str]) -> Command {
    // A shell switches Ctrl-C off for what it starts in the background, these tests perhaps.
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_proof-server")]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PROOF_SERVER_") {
            command.env_remove(name);
        }
    }
    command.arg("circuits").args(args);
    command
}

fn run(place: &Path, args: &[&str]) -> Output {
    circuits(args).env("PROOF_SERVER_CIRCUITS", place).output().unwrap()
}

fn done(place: &Path, args: &[&str]) -> String {
    let output = run(place, args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one line that says why a command failed.
fn refused(place: &Path, args: &[&str], code: i32) -> String {
    let output = run(place, args);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("error: "), "{text}");
    last.to_owned()
}

fn folder(place: &Place) -> String {
    place.folder(&files(Snark::Groth16, OTHER_KEY)).display().to_string()
}

#[test]
fn a_development_circuit_is_installed_listed_and_checked() {
    let place = Place::new();
    let source = folder(&place);
    let text = done(place.path(), &["install", "--from", &source, "--development"]);
    assert!(
        text.starts_with("installed the groth16 development circuit, 297.9 KiB, in "),
        "{text}"
    );
    assert!(text.ends_with("it is for tests: whoever made its keys can forge proofs\n"), "{text}");

    let text = done(place.path(), &["list"]);
    let key = proof_server::circuits::FileHash::of(OTHER_KEY);
    assert!(text.contains(&format!("groth16  DEV       297.9 KiB  key {key}\n")), "{text}");
    assert!(
        text.contains(
            "plonk    official  missing: run `proof-server circuits install --mode plonk`\n"
        ),
        "{text}"
    );

    let text = done(place.path(), &["check"]);
    assert_eq!(text, "groth16 development: all files are as they were installed\n");
}

#[test]
fn a_damaged_circuit_is_found_by_check_with_its_file_and_what_to_do() {
    let place = Place::new();
    done(place.path(), &["install", "--from", &folder(&place), "--development"]);
    let file = place.path().join("v6.1.0-groth16-dev/groth16_circuit.bin");
    let mut content = fs::read(&file).unwrap();
    content[17] ^= 1;
    fs::write(&file, content).unwrap();
    let text = refused(place.path(), &["check", "--mode", "snark"], 65);
    assert!(
        text.contains("groth16_circuit.bin has SHA-256 ")
            && text.ends_with("run `proof-server circuits install --mode groth16 --development --from SOURCE --replace`"),
        "{text}"
    );
    fs::write(&file, b"short").unwrap();
    let text = refused(place.path(), &["check"], 65);
    assert!(text.contains("has 5 bytes where 5000 were installed"), "{text}");
    let text = done(place.path(), &["list"]);
    assert!(text.contains("groth16  DEV       ") && text.contains("has 5 bytes where"), "{text}");
}

#[test]
fn a_check_of_what_is_not_installed_fails_with_the_command_that_installs_it() {
    let place = Place::new();
    for (args, mode) in [(&["check"][..], "groth16"), (&["check", "--mode", "plonk"], "plonk")] {
        let text = refused(place.path(), args, 66);
        assert!(
            text.ends_with(&format!("run `proof-server circuits install --mode {mode}`")),
            "{text}"
        );
    }
}

#[test]
fn a_key_that_is_not_sp1s_is_refused_unless_asked_for() {
    let place = Place::new();
    let text = refused(place.path(), &["install", "--from", &folder(&place)], 65);
    assert!(
        text.contains(
            "the official key has 4388a21c687fdd5f218d7e3d13190cac4c5355818d3605fd5fb811df468ee696"
        ),
        "{text}"
    );
    assert!(place.names().is_empty());
}

#[test]
fn wrong_flags_are_named_with_what_to_give() {
    let place = Place::new();
    let source = folder(&place);
    for (args, code, says) in [
        (
            &["install", "--mode", "core"][..],
            64,
            "core proofs need no circuit: give groth16 or plonk",
        ),
        (&["install", "--mode", "GROTH16"], 64, "give groth16 (or snark), or plonk"),
        (&["check", "--mode", "compressed"], 64, "compressed proofs need no circuit"),
        (&["install", "--from", "ftp://host/a"], 64, "--from: `ftp://host/a` is no address"),
        (&["install", "--from", "/no/such"], 66, "--from: there is no `/no/such`: give a folder"),
        (&["install", "--sha256", "12"], 64, "`12` is not 32 bytes of hex"),
        (
            &["install", "--from", &source, "--sha256", &"1".repeat(64)],
            64,
            "--sha256 is of an archive, and --from names a folder",
        ),
        (&["remove"], 64, "unrecognized subcommand 'remove'"),
    ] {
        let text = refused(place.path(), args, code);
        assert!(text.contains(says), "{text}");
    }
    done(place.path(), &["install", "--from", &source, "--development"]);
    let text = refused(place.path(), &["install", "--from", &source, "--development"], 64);
    assert!(text.contains("is installed already: add --replace"), "{text}");
    done(place.path(), &["install", "--from", &source, "--development", "--replace"]);
}

#[test]
fn circuits_are_kept_with_the_users_data_unless_a_folder_is_named() {
    let place = Place::new();
    let from = |name: &str, value: &Path, args: &[&str]| {
        let mut command = circuits(args);
        command.env_remove("XDG_DATA_HOME").env_remove("HOME").env(name, value);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let (_, text) = from("XDG_DATA_HOME", place.path(), &["list"]);
    assert_eq!(
        first(text),
        format!("circuits in {}/proof-server/circuits", place.path().display())
    );
    let (_, text) = from("HOME", place.path(), &["list"]);
    assert!(first(text).ends_with("/.local/share/proof-server/circuits"));
    let (_, text) = from("HOME", place.path(), &["list", "--circuits", "/there"]);
    assert_eq!(first(text), "circuits in /there");
    // An empty variable counts as unset.
    assert_eq!(from("PROOF_SERVER_CIRCUITS", Path::new(""), &["list"]), (Some(64), String::new()));
}

/// A server whose first answer stops after 100,000 bytes and hangs.
fn slow() -> Web {
    let file = Hosted { content: archive(&files(Snark::Groth16, OTHER_KEY)), etag: "\"one\"" };
    Web::start(move |request, count| match count {
        0 => file.reply_up_to(request, 100_000).hang(),
        _ => file.reply(request),
    })
}

/// Installs from there, until the first part has come.
fn half(place: &Path, web: &Web) -> Child {
    let child = circuits(&["install", "--from", &web.url(), "--development"])
        .env("PROOF_SERVER_CIRCUITS", place)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let part = place.join(".download-v6.1.0-groth16.tar.gz.part");
    let began = Instant::now();
    while fs::metadata(&part).map_or(0, |found| found.len()) < 100_000 {
        assert!(began.elapsed() < PATIENCE, "no part came");
        thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn ctrl_c_leaves_no_half_circuit_and_the_next_command_goes_on() {
    let place = Place::new();
    let web = slow();
    let mut child = half(place.path(), &web);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(
        place.names(),
        [".download-v6.1.0-groth16.tar.gz.json", ".download-v6.1.0-groth16.tar.gz.part"]
    );
    done(place.path(), &["install", "--from", &web.url(), "--development"]);
    assert_eq!(web.ranges(), [None, Some(100_000)]);
    assert_eq!(place.names(), ["v6.1.0-groth16-dev"]);
    done(place.path(), &["check"]);
}

#[test]
fn a_second_installer_says_that_there_is_one_and_ends() {
    let place = Place::new();
    let web = slow();
    let mut child = half(place.path(), &web);
    let text = refused(place.path(), &["install", "--from", &folder(&place)], 69);
    assert!(text.contains("another process installs circuits in "), "{text}");
    // To look at them is no installation.
    done(place.path(), &["list"]);
    child.kill().unwrap();
    child.wait().unwrap();
    done(place.path(), &["install", "--from", &folder(&place), "--development"]);
}

#[test]
fn a_download_that_fails_says_how_to_go_on() {
    let web = Web::start(|_, _| crate::web::Reply::status("503 Service Unavailable"));
    let place = Place::new();
    let args = ["install", "--from", &web.url(), "--retries", "1", "--retry-pause", "1ms"];
    let text = refused(place.path(), &args, 69);
    assert!(
        text.contains(
            "the server answered with status 503: check the address, or give --from FILE"
        ),
        "{text}"
    );
    assert_eq!(web.requests().len(), 2);
}

#[test]
fn help_says_what_there_is_and_where_it_comes_from() {
    let help = |args: &[&str]| String::from_utf8(circuits(args).output().unwrap().stdout).unwrap();
    let text = help(&["--help"]);
    for part in ["install", "list", "check", "Examples:", "whoever made its keys can forge proofs"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let text = help(&["install", "--help"]);
    for part in [
        "--circuits",
        "PROOF_SERVER_CIRCUITS",
        "--mode",
        "--from",
        "--sha256",
        "--development",
        "--replace",
        &Snark::Groth16.official_url(),
        &Snark::Plonk.official_url(),
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("--retry-pause"));
}
