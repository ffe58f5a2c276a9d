//! `bench replay` against real server processes with the mock engine, and against one that lies.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod liar;

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use bench::document::{Document, Load, ReplayOutcome, ReplayRun, Run};
use liar::{Liar, Lie};
use proof_server_load::server::{Launch, Server};
use tempfile::TempDir;

/// A server process that ends with the test. Results are not kept, so that every answer is a proof of its own.
struct Running {
    server: Option<Server>,
    runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

impl Running {
    fn start(flags: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let flags = format!("--keep-time 0s {flags}");
        let launch = Launch {
            binary: Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("proof-server"),
            flags: flags.split_whitespace().map(str::to_owned).collect(),
            temporary: folder.path().to_owned(),
            log: folder.path().join("log"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(&launch, 0)).unwrap();
        Self { server: Some(server), runtime, _folder: folder }
    }

    fn address(&self) -> String {
        self.server.as_ref().unwrap().address().to_string()
    }

    fn kill(&mut self) {
        let _inside = self.runtime.enter();
        self.server = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/simulated")
}

/// A run of the tool; its document's folder goes with it.
struct Replay {
    child: Child,
    folder: TempDir,
}

impl Replay {
    fn start(servers: &[String], flags: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_bench"))
            .args(["replay", "--server", &servers.join(","), "--recordings"])
            .arg(recording())
            .arg("--out")
            .arg(folder.path().join("run.json"))
            .args(flags.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    fn end(self) -> Ended {
        let output = self.child.wait_with_output().unwrap();
        let path = self.folder.path().join("run.json");
        let document = path.exists().then(|| Document::read(&path).unwrap());
        Ended { output, document }
    }
}

struct Ended {
    output: Output,
    document: Option<Document>,
}

impl Ended {
    /// What it printed, for people.
    fn text(&self) -> String {
        let Output { status, stdout, stderr } = &self.output;
        let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(bytes));
        format!("{status}\n{out}\n{err}")
    }

    fn code(&self) -> i32 {
        self.output.status.code().unwrap()
    }

    fn run(&self) -> &ReplayRun {
        match &self.document.as_ref().unwrap_or_else(|| panic!("{}", self.text())).run {
            Run::Replay(run) => run,
            Run::Prove(_) => panic!("a replay was run"),
        }
    }

    fn proved(&self) -> usize {
        let is_proved = |outcome: &ReplayOutcome| matches!(outcome, ReplayOutcome::Proved { .. });
        self.run().samples.iter().filter(|sample| is_proved(&sample.outcome)).count()
    }

    fn verified(&self) -> usize {
        self.run().samples.iter().filter(|sample| sample.verified == Some(true)).count()
    }

    fn failures(&self) -> Vec<&str> {
        let code = |outcome: &'_ ReplayOutcome| match outcome {
            ReplayOutcome::Failed(failure) => Some(failure.code.clone()),
            ReplayOutcome::Proved { .. } => None,
        };
        let mut codes: Vec<String> =
            self.run().samples.iter().filter_map(|sample| code(&sample.outcome)).collect();
        codes.dedup();
        codes.into_iter().map(|code| &*code.leak()).collect()
    }
}

fn replay(servers: &[String], flags: &str) -> Ended {
    Replay::start(servers, flags).end()
}

#[test]
fn a_closed_loop_has_a_row_for_every_request_and_verifies_a_sample() {
    let server = Running::start("--workers 2 --mock-delay 20ms");
    let ended = replay(&[server.address()], "--requests 40 --clients 4 --sample-verify 7");
    assert_eq!(ended.code(), 0, "{}", ended.text());
    let run = ended.run();
    assert_eq!(run.load, Load::Closed { clients: 4 });
    assert_eq!((run.samples.len(), ended.proved(), ended.verified()), (40, 40, 7));
    // Every recorded request was made, under its own name.
    let document = ended.document.as_ref().unwrap();
    for fixture in &document.fixtures {
        let of_it = run.samples.iter().filter(|sample| sample.recording == fixture.name).count();
        assert!((1..=3).contains(&of_it), "{}: {of_it}", fixture.name);
        assert!(fixture.name.starts_with("simulated/"), "{}", fixture.name);
    }
    for sample in &run.samples {
        // A free client asks at once.
        let late = sample.start_seconds.get() - sample.intended_start_seconds.get();
        assert!(late < 0.1, "{sample:?}");
        assert!(sample.prove_us.unwrap() >= 20_000, "{sample:?}");
        assert!(sample.total_us >= sample.prove_us.unwrap(), "{sample:?}");
    }
    let points = &run.servers[0].resources;
    assert!(points.iter().all(|point| point.busy_workers.unwrap() <= 2), "{points:?}");
    assert!(!points.is_empty(), "the server was watched");
    assert!(document.note.as_ref().unwrap().contains("MOCK"), "{:?}", document.note);
    let text = ended.text();
    assert!(
        text.contains("40 requests in ") && text.contains("verified: 7 of 40 proofs, 7 hold"),
        "{text}"
    );
}

#[test]
fn an_open_loops_requests_have_waited_since_they_were_due() {
    let server = Running::start("--workers 1 --mock-delay 100ms");
    let flags = "--requests 20 --rate 50 --clients 1 --program inclusion --mode compressed";
    let ended = replay(&[server.address()], flags);
    assert_eq!(ended.code(), 0, "{}", ended.text());
    let run = ended.run();
    assert!(matches!(run.load, Load::Open { .. }));
    assert_eq!(ended.proved(), 20);
    assert!(run.samples.iter().all(|sample| sample.program == "inclusion"));
    // One client needs two seconds for what was due in less than one.
    let last = run.samples.iter().max_by_key(|sample| sample.total_us).unwrap();
    assert!(last.total_us > 700_000, "{last:?}");
    let late = last.start_seconds.get() - last.intended_start_seconds.get();
    assert!(late > 0.6, "{last:?}");
}

#[test]
fn two_servers_share_the_clients() {
    let servers = [Running::start("--mock-delay 20ms"), Running::start("--mock-delay 20ms")];
    let addresses = servers.each_ref().map(Running::address);
    let ended = replay(&addresses, "--requests 32 --clients 4");
    assert_eq!(ended.code(), 0, "{}", ended.text());
    for address in &addresses {
        let of_it = ended.run().samples.iter().filter(|sample| sample.server == *address).count();
        assert!(of_it >= 8, "{address}: {of_it}");
    }
}

#[test]
fn a_server_that_is_killed_costs_retries_and_no_request() {
    let [mut dying, other] =
        [Running::start("--mock-delay 50ms"), Running::start("--mock-delay 50ms")];
    let addresses = [dying.address(), other.address()];
    let replay = Replay::start(&addresses, "--requests 120 --clients 4");
    std::thread::sleep(Duration::from_millis(1500));
    dying.kill();
    let ended = replay.end();
    assert_eq!(ended.code(), 0, "{}", ended.text());
    assert_eq!((ended.run().samples.len(), ended.proved()), (120, 120), "{}", ended.text());
    let retries: u32 = ended.run().samples.iter().map(|sample| sample.retries).sum();
    assert!(retries >= 1, "{}", ended.text());
    assert!(
        ended.text().contains(&format!("error CONNECTION of {}", addresses[0])),
        "{}",
        ended.text()
    );
}

#[test]
fn without_retries_a_killed_servers_requests_are_rows_with_the_reason() {
    let mut server = Running::start("--mock-delay 300ms");
    let replay = Replay::start(&[server.address()], "--requests 14 --clients 2 --retries 0");
    std::thread::sleep(Duration::from_millis(1500));
    server.kill();
    let ended = replay.end();
    // Each of the rest waits longer for a server that does not come back; none is left out.
    assert_eq!(ended.run().samples.len(), 14, "{}", ended.text());
    assert!(ended.proved() > 0 && ended.proved() < 14, "{}", ended.text());
    assert!(ended.failures().iter().all(|code| *code == "CONNECTION"), "{:?}", ended.failures());
}

#[test]
fn a_busy_server_is_asked_again_when_it_says_so() {
    let server = Running::start("--workers 1 --queue 1 --mock-delay 150ms");
    let ended = replay(&[server.address()], "--requests 14 --clients 6");
    assert_eq!((ended.run().samples.len(), ended.proved()), (14, 14), "{}", ended.text());
    let retried: Vec<_> = ended.run().samples.iter().filter(|sample| sample.retries > 0).collect();
    assert!(!retried.is_empty(), "{}", ended.text());
    // BUSY asks for a second at least.
    assert!(retried.iter().all(|sample| sample.total_us > 1_000_000), "{retried:#?}");
    assert!(ended.text().contains("error BUSY of "), "{}", ended.text());
}

#[test]
fn ctrl_c_ends_a_run_with_what_was_measured_so_far() {
    let server = Running::start("--mock-delay 300ms");
    let replay = Replay::start(&[server.address()], "--duration 1h --clients 2 --rate 20");
    std::thread::sleep(Duration::from_millis(2500));
    let began = Instant::now();
    let interrupted =
        Command::new("kill").args(["-INT", &replay.child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let ended = replay.end();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(ended.code(), 130, "{}", ended.text());
    assert!(ended.proved() > 0 && ended.failures().is_empty(), "{}", ended.text());
    let note = ended.document.as_ref().unwrap().note.clone().unwrap();
    assert!(note.contains("requests were due and had not begun"), "{note}");
}

#[test]
fn a_server_that_is_not_there_is_an_error_at_once() {
    let server = Running::start("");
    let began = Instant::now();
    let ended = replay(&[server.address(), "127.0.0.1:1".to_owned()], "--requests 5");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(ended.code(), 1, "{}", ended.text());
    let text = ended.text();
    assert!(
        text.contains("bench: 127.0.0.1:1: no connection to 127.0.0.1:1: check the address"),
        "{text}"
    );
    assert!(ended.document.is_none());
}

#[test]
fn servers_that_speak_tls_are_measured_by_who_trusts_their_ca() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    let key =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path("key.pem"));
    key.unwrap().write_all(made.signing_key.serialize_pem().as_bytes()).unwrap();
    let server =
        Running::start(&format!("--tls-cert {} --tls-key {}", path("cert.pem"), path("key.pem")));
    let address = [server.address()];
    let ended = replay(&address, &format!("--requests 4 --tls-ca {}", path("cert.pem")));
    assert_eq!((ended.code(), ended.proved()), (0, 4), "{}", ended.text());
    let ended = replay(&address, "--requests 4");
    assert!(ended.text().contains("this server speaks TLS: give the CA"), "{}", ended.text());
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_remedy() {
    let server = Running::start("");
    let address = server.address();
    for (flags, says) in [
        ("--requests 5 --recordings /nowhere", "cannot read /nowhere/SHA256SUMS: check the path"),
        ("--requests 5 --server A", "a server is named twice"),
        ("--requests 5 --clients 1 --server B", "1 clients for 2 servers"),
        ("--requests 5 --out /nowhere/run.json", "cannot write /nowhere/run.json"),
        ("--requests 5 --tls-ca /nowhere/ca.pem", "/nowhere/ca.pem"),
        ("--duration 1ms --rate 0.001", "no request is due in that time"),
    ] {
        let flags = flags.replace(" A", &format!(" {address}")).replace(" B", " 127.0.0.1:1");
        let folder = TempDir::new().unwrap();
        let mut arguments = vec!["replay".to_owned(), "--server".to_owned(), address.clone()];
        arguments.extend(flags.split_whitespace().map(str::to_owned));
        if !flags.contains("--recordings") {
            arguments.extend(["--recordings".to_owned(), recording().display().to_string()]);
        }
        let output = Command::new(env!("CARGO_BIN_EXE_bench"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{flags}: {error}");
        assert!(error.starts_with("bench: ") && error.contains(says), "{flags}: {error}");
    }
}

#[test]
fn a_proof_of_something_else_is_a_row_and_no_good_run() {
    let liar = Liar::start(Lie::OtherValues);
    let ended = replay(&[liar.address()], "--requests 3 --clients 1 --program inclusion");
    assert_eq!(ended.code(), 1, "{}", ended.text());
    assert_eq!((ended.run().samples.len(), ended.proved()), (3, 0));
    assert_eq!(ended.failures(), ["WRONG_ANSWER"]);
}

#[test]
fn a_proof_that_does_not_hold_is_found_by_verifying_it() {
    let liar = Liar::start(Lie::OtherBytes);
    let address = [liar.address()];
    let ended = replay(&address, "--requests 3 --clients 1 --program inclusion");
    assert_eq!(ended.code(), 1, "{}", ended.text());
    assert_eq!((ended.proved(), ended.verified()), (3, 0));
    assert!(ended.text().contains("verified: 3 of 3 proofs, 0 hold"), "{}", ended.text());
    // Who does not look does not know.
    let ended = replay(&address, "--requests 3 --clients 1 --program inclusion --sample-verify 0");
    assert_eq!(ended.code(), 0, "{}", ended.text());
    assert!(ended.run().samples.iter().all(|sample| sample.verified.is_none()));
}
