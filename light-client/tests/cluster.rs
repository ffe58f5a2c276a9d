//! The engine `cluster` over TCP: a server whose proofs are made elsewhere, by a stand-in for the cluster that makes
//! real ones.
#![cfg(feature = "verify")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use lc_cluster_stand_in::{Outcome, ProofFromNetwork, SP1Proof, SP1PublicValues, Script, StandIn};
use lc_core::ProgramId;
use lc_stark::prove::{CoreProver, Machine, ShardPlan, set_up};
use light_client::{
    ask::CommitteeChangeAsk,
    files,
    prove::{ProveError, Session, Terms},
    verify::{ProofChecker, built_in_checker},
};
use proof_server::{
    artifacts,
    client::{ClientError, ClientOptions},
    types::{Code, EngineKind, Failure, ProofMode},
};
use serving::{Server, binary, recording, store};
use tempfile::TempDir;

/// A server that asks the cluster at `endpoint`, and the folder of its key: each of its workers reads it.
fn server_before(endpoint: &str, flags: &[&str]) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, format!("0x{}\n", "11".repeat(32))).unwrap();
    let key = key.to_str().unwrap();
    let own = ["--cluster-endpoint", endpoint, "--cluster-key", key];
    (Server::start("cluster", &[&own, flags].concat()), folder)
}

/// Asks for a committee change: the engine that the proof names and the period it leads to.
fn ask(server: &Server, mode: ProofMode) -> Result<(EngineKind, u64), ProveError> {
    let checker = built_in_checker(Vec::new()).unwrap();
    let (checker, store): (&dyn ProofChecker, _) = (&*checker, store());
    let updates = files::updates(&store.chain, &[recording("update-first.ssz")]).unwrap();
    let asked = CommitteeChangeAsk::new(&store, &updates, None).unwrap();
    let terms = Terms { mode, allow_mock: false };
    Session::connect(&server.address, &ClientOptions::new("cluster test"), checker, terms)?
        .committee_change(checker, &store, &asked, drop)
        .map(|(next, _, delivery)| (delivery.proof.engine, next.period))
}

fn failure(outcome: Result<(EngineKind, u64), ProveError>) -> Failure {
    match outcome.unwrap_err() {
        ProveError::Client(ClientError::Failed(failure)) => failure,
        other => panic!("{other}"),
    }
}

fn script(outcome: Outcome) -> Script {
    Script { unavailable: 1, token: None, waits: 1, outcome }
}

/// What the cluster would make, made here.
fn real_core_proof(_: &[u8], input: &[u8]) -> ProofFromNetwork {
    let program = ProgramId::CommitteeChange;
    let keys = set_up([(artifacts::elf(program), Some(artifacts::outline(program)))]).unwrap();
    let prover = CoreProver::new(ShardPlan::for_machine(Machine::of_this_process())).unwrap();
    let made = prover.prove(&keys[0], input, &mut drop).unwrap();
    ProofFromNetwork {
        proof: bincode::deserialize(&made.bytes).unwrap(),
        public_values: SP1PublicValues::from(&made.public_values),
        sp1_version: proof_server::SP1_VERSION.to_owned(),
    }
}

#[test]
fn a_light_client_gets_a_real_proof_that_a_cluster_made() {
    let cluster = StandIn::start(script(Outcome::Proof(Box::new(real_core_proof))));
    let (server, _key) = server_before(&cluster.url(), &[]);
    let (engine, period) = ask(&server, ProofMode::Core).unwrap();
    assert_eq!((engine, period), (EngineKind::Cluster, store().period + 1));
    assert_eq!(cluster.programs(), 2);
    let [request] = cluster.requests().try_into().unwrap();
    assert!((90_000..110_000).contains(&request.cycle_limit), "{}", request.cycle_limit);
}

/// A proof of nothing, in the form of one.
fn forged(_: &[u8], input: &[u8]) -> ProofFromNetwork {
    ProofFromNetwork {
        proof: SP1Proof::Core(Vec::new()),
        public_values: SP1PublicValues::from(input),
        sp1_version: proof_server::SP1_VERSION.to_owned(),
    }
}

#[test]
fn a_proof_that_does_not_hold_never_reaches_the_client() {
    let cluster = StandIn::start(script(Outcome::Proof(Box::new(forged))));
    let (server, _key) = server_before(&cluster.url(), &[]);
    let failure = failure(ask(&server, ProofMode::Core));
    assert_eq!(failure.code, Code::Internal, "{failure}");
    assert!(failure.message.contains("verify the proof that came back"), "{failure}");
}

#[test]
fn what_a_cluster_gives_up_or_does_not_do_in_time_is_unavailable_and_the_server_goes_on() {
    let cluster = StandIn::start(script(Outcome::Unfulfillable));
    let (server, _key) = server_before(&cluster.url(), &[]);
    for _ in 0..2 {
        let failure = failure(ask(&server, ProofMode::Groth16));
        assert_eq!(failure.code, Code::Unavailable, "{failure}");
        assert!(failure.message.contains("gave the request up"), "{failure}");
    }
    let cluster = StandIn::start(script(Outcome::Never));
    let (server, _key) = server_before(&cluster.url(), &["--job-timeout", "4s"]);
    let failure = failure(ask(&server, ProofMode::Core));
    assert_eq!(failure.code, Code::Unavailable, "{failure}");
}

#[test]
fn a_server_whose_cluster_is_not_there_does_not_start_and_says_why() {
    let output = Command::new(binary())
        .args(["serve", "--engine", "cluster", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("give --cluster-endpoint") && text.contains("--cluster-key FILE"),
        "{text}"
    );

    let gone = StandIn::start(script(Outcome::Never)).url();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "11".repeat(32)).unwrap();
    let mut server = Command::new(binary())
        .args([
            "serve",
            "--engine",
            "cluster",
            "--listen",
            "127.0.0.1:0",
            "--cluster-endpoint",
            &gone,
        ])
        .arg("--cluster-key")
        .arg(&key)
        .args(["--worker-start-timeout", "3s"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ended = (0..200).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        server.try_wait().unwrap()
    });
    let _ = server.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(70));
}
