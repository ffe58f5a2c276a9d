//! Against the real `proof-server` with its mock engine: both binaries, no script in between.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::command::{Ended, Workplace};

/// The shipped recording.
const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/recordings/simulated");

/// A running server; it ends with the test.
struct Server {
    process: Child,
    address: String,
    log: PathBuf,
}

impl Server {
    /// None, with a notice, where this build has no server.
    fn start(place: &Workplace, delay: &str) -> Option<Self> {
        let binary = Path::new(env!("CARGO_BIN_EXE_light-client")).with_file_name("proof-server");
        if !binary.exists() {
            eprintln!("skipped: no {}; build the whole workspace", binary.display());
            return None;
        }
        let log = place.path("server.log");
        let mut process = Command::new(binary)
            .args(["serve", "--engine", "mock", "--listen", "127.0.0.1:0", "--mock-delay", delay])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening ").unwrap().trim().to_owned();
        Some(Self { process, address, log })
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The process that proves now: the last that said it was ready.
    fn worker(&self) -> String {
        let log = self.log();
        let pid = log.rsplit("pid=").next().unwrap().split_whitespace().next().unwrap();
        pid.trim_matches(|c: char| !c.is_ascii_digit()).to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn bootstrapped() -> Workplace {
    let place = Workplace::new();
    let meta: Value =
        serde_json::from_slice(&fs::read(format!("{RECORDING}/meta.json")).unwrap()).unwrap();
    let root = |name: &str| meta[name].as_str().unwrap().to_owned();
    let ended = place.run(&format!(
        "bootstrap --network {RECORDING}/config.yaml --genesis-validators-root {} --checkpoint {} \
         --bootstrap {RECORDING}/bootstrap.ssz --store store",
        root("genesisValidatorsRoot"),
        root("trustedBlockRoot"),
    ));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    place
}

fn change(server: &Server, updates: &str) -> String {
    format!(
        "prove committee-change --server {} --store store --updates {updates} --allow-mock",
        server.address
    )
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

#[test]
fn two_statements_are_asked_for_answered_and_used() {
    let place = bootstrapped();
    let Some(server) = Server::start(&place, "0s") else { return };
    let changed = place.run(&change(&server, &format!("{RECORDING}/update-first.ssz")));
    assert_eq!(changed.code, Some(0), "{changed:?}");
    assert!(changed.out.contains("store      period 100 -> 101"), "{changed:?}");
    let files = format!("{RECORDING}/period-101");
    let included = place.run(&format!(
        "prove inclusion --server {} --store store --finality-update {files}/finality-update.json \
         --account-proof {files}/token.json {files}/absent.json --allow-mock",
        server.address
    ));
    assert_eq!(included.code, Some(0), "{included:?}");
    assert!(included.out.contains("    holds  nothing: proven absent\n"), "{included:?}");
    assert!(included.out.contains("does not exist\n"), "{included:?}");
}

#[test]
fn each_mode_can_be_asked_for_and_what_comes_is_of_that_mode() {
    let place = bootstrapped();
    let Some(server) = Server::start(&place, "0s") else { return };
    let change = change(&server, &format!("{RECORDING}/update-first.ssz"));
    assert_eq!(place.run(&change).code, Some(0));
    for (flag, mode) in
        [("stark", "core"), ("compressed", "compressed"), ("snark", "groth16"), ("plonk", "plonk")]
    {
        let included = place.run(&format!(
            "prove inclusion --server {} --store store --mode {flag} --allow-mock --json \
             --finality-update {RECORDING}/period-101/finality-update.json \
             --account-proof {RECORDING}/period-101/token.json",
            server.address
        ));
        assert_eq!(included.json()["mode"], mode);
    }
}

#[test]
fn a_bad_update_is_refused_by_the_server_with_the_failed_check() {
    let place = bootstrapped();
    let Some(server) = Server::start(&place, "0s") else { return };
    let mut update = fs::read(format!("{RECORDING}/update-first.ssz")).unwrap();
    // The last variable part is the finalized header's: its execution branch hangs on the body root.
    let last = update.len() - 1;
    update[last] ^= 1;
    fs::write(place.path("bad"), update).unwrap();
    let ended = place.run(&change(&server, "bad"));
    assert_eq!(ended.code, Some(11), "{ended:?}");
    assert!(
        ended.err.contains("INVALID_INPUT") && ended.err.contains("update number 0"),
        "{ended:?}"
    );
    assert_eq!(place.run("status --store store --json").json()["period"], 100);
}

#[test]
fn a_killed_worker_costs_time_and_nothing_else() {
    let place = bootstrapped();
    let Some(server) = Server::start(&place, "3s") else { return };
    let line = change(&server, &format!("{RECORDING}/update-first.ssz"));
    let client = started(&place, &line);
    kill("-KILL", &server.worker());
    let ended = Ended::of(client.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(place.run("status --store store --json").json()["period"], 101);
}

#[test]
fn ctrl_c_ends_the_job_on_the_server_too() {
    let place = bootstrapped();
    let Some(server) = Server::start(&place, "30s") else { return };
    let line = change(&server, &format!("{RECORDING}/update-first.ssz"));
    let client = started(&place, &line);
    kill("-INT", &client.id().to_string());
    let ended = Ended::of(client.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130), "{ended:?}");
    // The client waits for the server's answer, which comes after the log line.
    assert!(server.log().contains("CANCELLED"), "{}", server.log());
}

/// A client whose job a worker has begun.
fn started(place: &Workplace, line: &str) -> Child {
    let mut client =
        place.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(client.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("started ") {
        assert!(stderr.read_line(&mut seen).unwrap() > 0, "the client ended: {seen}");
    }
    // Nobody reads the rest; it is a few lines and fits the pipe.
    client.stderr = Some(stderr.into_inner());
    client
}
