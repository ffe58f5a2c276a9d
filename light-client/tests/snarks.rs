//! The main job in SNARK mode over TCP: a real core proof, and then the SNARK that was recorded of the same
//! statement, because making it takes an hour of two cores (`make snark` does).
#![cfg(feature = "verify")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use lc_core::host::NativeCrypto;
use light_client::{
    Store,
    ask::{CommitteeChangeAsk, InclusionAsk},
    files,
    prove::{ProveError, Session, Terms},
    verify::{ProofChecker, ProofError, built_in_checker, verify},
};
use proof_server::{
    client::{Client, ClientError, ClientOptions, Event},
    types::{Code, Phase, Proof, ProofMode},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn recording(file: &str) -> PathBuf {
    root().join("bench/recordings/simulated").join(file)
}

fn development_key() -> Vec<u8> {
    fs::read(root().join("artifacts/snarks/groth16_vk.bin")).unwrap()
}

/// A running server; it ends with the test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// With SNARKs that were recorded.
    fn start() -> Self {
        let recorded = root().join("artifacts/snarks").display().to_string();
        Self::with(&["--recorded-snarks", &recorded])
    }

    fn with(args: &[&str]) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_light-client")).with_file_name("proof-server");
        let mut process = Command::new(binary)
            .args(["serve", "--engine", "cpu", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening ").unwrap().trim().to_owned();
        Self { process, address }
    }

    fn session(&self, checker: &dyn ProofChecker, mode: ProofMode) -> Result<Session, ProveError> {
        let terms = Terms { mode, allow_mock: false };
        Session::connect(&self.address, &ClientOptions::new("snark test"), checker, terms)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn store() -> Store {
    let meta: serde_json::Value =
        serde_json::from_slice(&fs::read(recording("meta.json")).unwrap()).unwrap();
    let network = recording("config.yaml").display().to_string();
    let word = meta["genesisValidatorsRoot"].as_str().unwrap().parse().unwrap();
    let chain = files::chain(&network, Some(word)).unwrap();
    let bootstrap = files::bootstrap(&chain, &recording("bootstrap.ssz")).unwrap();
    let checkpoint = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
    Store::bootstrap(&*network, chain, checkpoint, &bootstrap).unwrap()
}

#[test]
fn a_light_client_gets_a_snark_of_each_program_over_tcp_and_only_if_it_takes_the_circuit() {
    let server = Server::start();
    let checker = built_in_checker(vec![development_key()]).unwrap();

    let official = built_in_checker(Vec::new()).unwrap();
    let refused = server.session(&*official, ProofMode::Groth16).map(drop).unwrap_err();
    assert!(matches!(refused, ProveError::Circuit(_)), "{refused}");
    let refused = server.session(&*checker, ProofMode::Plonk).map(drop).unwrap_err();
    assert!(matches!(refused, ProveError::Unsupported { .. }), "{refused}");

    let (store, change) = committee_change(&server, &*checker);
    let inclusion = inclusion(&server, &*checker, &store);
    for proof in [&change, &inclusion] {
        let error = verify(&*official, proof, false).unwrap_err();
        assert!(matches!(error, ProofError::Circuit(_)), "{error}");
    }
    the_server_verifies_them_too(&server, &change);
}

fn committee_change(server: &Server, checker: &dyn ProofChecker) -> (Store, Proof) {
    let store = store();
    let updates = files::updates(&store.chain, &[recording("update-first.ssz")]).unwrap();
    let asked = CommitteeChangeAsk::new(&store, &updates, None).unwrap();
    let mut phases = Vec::new();
    let (next, change, delivery) = server
        .session(checker, ProofMode::Groth16)
        .unwrap()
        .committee_change(checker, &store, &asked, |event| {
            if let Event::Progress(progress) = event {
                phases.push(progress.phase);
            }
        })
        .unwrap();
    phases.dedup();
    // In the order of the work. Of phases that follow at once, as recorded ones do, only the last is told.
    let order =
        [Phase::Execute, Phase::Prove, Phase::Compress, Phase::Wrap, Phase::Outer, Phase::Verify];
    let mut due = order.iter();
    assert!(phases.iter().all(|phase| due.any(|next| next == phase)), "{phases:?}");
    assert!(phases.contains(&Phase::Prove) && phases.len() > 1, "{phases:?}");
    assert_eq!((change.newPeriod, next.period), (store.period + 1, store.period + 1));
    assert!(next.development && !next.mock);
    assert_eq!((delivery.proof.mode, delivery.proof.bytes.len()), (ProofMode::Groth16, 356));
    (next, delivery.proof)
}

fn inclusion(server: &Server, checker: &dyn ProofChecker, store: &Store) -> Proof {
    let update =
        files::finality_update(&store.chain, &recording("period-101/finality-update.json"));
    let accounts = files::account_proofs(&[recording("period-101/token.json")]).unwrap();
    let asked = InclusionAsk::new(store, &update.unwrap(), accounts).unwrap();
    let (seen, delivery) = server
        .session(checker, ProofMode::Groth16)
        .unwrap()
        .inclusion(checker, store, &asked, drop)
        .unwrap();
    assert!(seen.accounts[0].exists);
    delivery.proof
}

/// The process below `ancestor` that does a stage of a proof.
fn stage_below(ancestor: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().parse::<u32>().ok());
    let is_stage = |process: &u32| {
        let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).nth(1) == Some(b"stage")
    };
    let parent = |process: u32| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    };
    let is_below = |process: &u32| {
        std::iter::successors(Some(*process), |process| parent(*process)).any(|at| at == ancestor)
    };
    processes.filter(is_stage).find(is_below)
}

#[test]
fn a_stage_that_is_killed_fails_its_proof_with_the_reason_and_the_server_goes_on() {
    let server = Server::with(&[]);
    let checker = built_in_checker(Vec::new()).unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let killer = {
        let (process, ended) = (server.process.id(), Arc::clone(&ended));
        thread::spawn(move || {
            let mut killed = BTreeSet::new();
            while !ended.load(Ordering::Relaxed) {
                if let Some(stage) = stage_below(process) {
                    // It may be gone by now, from the last time round.
                    let kill = Command::new("kill").args(["-KILL", &stage.to_string()]).output();
                    if kill.unwrap().status.success() {
                        killed.insert(stage);
                    }
                }
                thread::sleep(Duration::from_millis(20));
            }
            killed.len()
        })
    };
    let store = store();
    let updates = files::updates(&store.chain, &[recording("update-first.ssz")]).unwrap();
    let asked = CommitteeChangeAsk::new(&store, &updates, None).unwrap();
    let failed = server
        .session(&*checker, ProofMode::Compressed)
        .unwrap()
        .committee_change(&*checker, &store, &asked, drop)
        .map(drop)
        .unwrap_err();
    ended.store(true, Ordering::Relaxed);
    // A worker whose prover failed is replaced, and its job is tried once more.
    assert_eq!(killer.join().unwrap(), 2, "{failed}");
    let ProveError::Client(ClientError::Failed(failure)) = failed else { panic!("{failed}") };
    assert_eq!(failure.code, Code::Internal, "{failure}");
    let mut client = Client::connect(&server.address, &ClientOptions::new("snark test")).unwrap();
    assert!(client.status().is_ok());
}

fn the_server_verifies_them_too(server: &Server, proof: &Proof) {
    let mut client = Client::connect(&server.address, &ClientOptions::new("snark test")).unwrap();
    assert_eq!(client.verify(proof.clone(), drop).unwrap(), proof.public_values);
    let mut forged = proof.clone();
    forged.bytes[200] ^= 1;
    match client.verify(forged, drop).map(drop).unwrap_err() {
        ClientError::Failed(failure) => assert_eq!(failure.code, Code::InvalidInput, "{failure}"),
        other => panic!("{other}"),
    }
}
