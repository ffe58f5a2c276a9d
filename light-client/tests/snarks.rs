//! The main job in SNARK mode over TCP: a real core proof, and then the SNARK that was recorded of the same
//! statement, because making it takes an hour of two cores (`make snark` does).
#![cfg(feature = "verify")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

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
use serving::{Server, recording, root, store};

/// The key of the circuit that the recorded SNARKs of `mode` are of.
fn development_key(mode: ProofMode) -> Vec<u8> {
    fs::read(root().join(format!("artifacts/snarks/{mode}_vk.bin"))).unwrap()
}

/// A server with SNARKs that were recorded.
fn recorded() -> Server {
    let snarks = root().join("artifacts/snarks").display().to_string();
    Server::start("cpu", &["--recorded-snarks", &snarks])
}

fn session(
    server: &Server,
    checker: &dyn ProofChecker,
    mode: ProofMode,
) -> Result<Session, ProveError> {
    let terms = Terms { mode, allow_mock: false };
    Session::connect(&server.address, &ClientOptions::new("snark test"), checker, terms)
}

#[test]
fn a_light_client_gets_a_snark_of_each_program_over_tcp_and_only_if_it_takes_the_circuit() {
    let server = recorded();
    let official = built_in_checker(Vec::new()).unwrap();
    for (mode, bytes) in [(ProofMode::Groth16, 356), (ProofMode::Plonk, 964)] {
        let checker = built_in_checker(vec![development_key(mode)]).unwrap();
        let refused = session(&server, &*official, mode).map(drop).unwrap_err();
        assert!(matches!(refused, ProveError::Circuit(_)), "{refused}");

        let (store, change) = committee_change(&server, &*checker, mode);
        let inclusion = inclusion(&server, &*checker, &store, mode);
        for proof in [&change, &inclusion] {
            assert_eq!((proof.mode, proof.bytes.len()), (mode, bytes));
            let error = verify(&*official, proof, false).unwrap_err();
            assert!(matches!(error, ProofError::Circuit(_)), "{error}");
        }
        the_server_verifies_them_too(&server, &change);
    }
    let refused = session(&server, &*official, ProofMode::Compressed).map(drop).unwrap_err();
    assert!(matches!(refused, ProveError::Unsupported { .. }), "{refused}");
}

fn committee_change(
    server: &Server,
    checker: &dyn ProofChecker,
    mode: ProofMode,
) -> (Store, Proof) {
    let store = store();
    let updates = files::updates(&store.chain, &[recording("update-first.ssz")]).unwrap();
    let asked = CommitteeChangeAsk::new(&store, &updates, None).unwrap();
    let mut phases = Vec::new();
    let (next, change, delivery) = session(server, checker, mode)
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
    (next, delivery.proof)
}

fn inclusion(server: &Server, checker: &dyn ProofChecker, store: &Store, mode: ProofMode) -> Proof {
    let update =
        files::finality_update(&store.chain, &recording("period-101/finality-update.json"));
    let accounts = files::account_proofs(&[recording("period-101/token.json")]).unwrap();
    let asked = InclusionAsk::new(store, &update.unwrap(), accounts).unwrap();
    let (seen, delivery) =
        session(server, checker, mode).unwrap().inclusion(checker, store, &asked, drop).unwrap();
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
    let server = Server::start("cpu", &[] as &[&str]);
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
    let failed = session(&server, &*checker, ProofMode::Compressed)
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
