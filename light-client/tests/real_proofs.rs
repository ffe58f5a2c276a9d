//! The main job with nothing mocked: a server with the CPU engine, a light client on TCP, one STARK of each
//! program over real input, checked against values that neither of them computed.
//!
//! One test, one after the other: each proof takes all cores and many gigabytes.
#![cfg(feature = "verify")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod serving;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use lc_core::{
    alloy_primitives::B256,
    host::{NativeCrypto, eth_get_proof::EthGetProof},
    statement::{CommitteeChange, Inclusion},
};
use light_client::{
    Store,
    ask::{CommitteeChangeAsk, InclusionAsk},
    files,
    prove::{ProveError, Session, Terms},
    verify::{ProofChecker, built_in_checker, verify},
};
use proof_server::{
    client::{ClientError, ClientOptions, Event},
    types::{Code, Phase, Proof, ProofMode},
};
use serving::Server;

/// Real data: mainnet's where it lies beside the repository, else the simulator's.
struct Recording {
    network: String,
    genesis_validators_root: Option<B256>,
    /// The bootstrap from which the committee change starts, and its update.
    change: (PathBuf, PathBuf),
    /// A node's own account of the committee after it: another bootstrap, or `meta.json`.
    new_committee: B256,
    /// How the inclusion's committee is come by: a bootstrap, or none where the change leads to it.
    inclusion_bootstrap: Option<PathBuf>,
    finality_update: PathBuf,
    account_proof: PathBuf,
}

impl Recording {
    fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mainnet = root.join("../shared/recordings");
        if mainnet.exists() {
            return Self::mainnet(&mainnet);
        }
        eprintln!(
            "SKIPPED: mainnet, ../shared/recordings is not beside the repository; simulated data instead"
        );
        Self::simulated(&root.join("bench/recordings/simulated"))
    }

    fn mainnet(root: &Path) -> Self {
        let (electra, inclusion) =
            (root.join("mainnet-electra"), root.join("mainnet-deneb-inclusion"));
        let chain = files::chain("mainnet", None).unwrap();
        let after = files::bootstrap(&chain, &electra.join("1601/lcb.ssz")).unwrap();
        Self {
            network: "mainnet".into(),
            genesis_validators_root: None,
            change: (electra.join("1600/lcb.ssz"), electra.join("1600/lcu.ssz")),
            new_committee: after.current_sync_committee.hash_tree_root::<NativeCrypto>(),
            inclusion_bootstrap: Some(inclusion.join("BootstrapDeneb.json")),
            finality_update: inclusion.join("FinalityUpdateDeneb.json"),
            account_proof: inclusion.join("EthGetProof.json"),
        }
    }

    fn simulated(root: &Path) -> Self {
        let meta: serde_json::Value =
            serde_json::from_slice(&fs::read(root.join("meta.json")).unwrap()).unwrap();
        let word = |value: &serde_json::Value| value.as_str().unwrap().parse().unwrap();
        Self {
            network: root.join("config.yaml").display().to_string(),
            genesis_validators_root: Some(word(&meta["genesisValidatorsRoot"])),
            change: (root.join("bootstrap.ssz"), root.join("update-first.ssz")),
            new_committee: word(&meta["committeeChanges"][0]["newCommittee"]),
            inclusion_bootstrap: None,
            finality_update: root.join("period-101/finality-update.json"),
            account_proof: root.join("period-101/token.json"),
        }
    }

    /// A store that trusts the bootstrap's own root.
    fn store(&self, bootstrap: &Path) -> Store {
        let chain = files::chain(&self.network, self.genesis_validators_root).unwrap();
        let bootstrap = files::bootstrap(&chain, bootstrap).unwrap();
        let checkpoint = bootstrap.header.beacon.hash_tree_root::<NativeCrypto>();
        Store::bootstrap(&*self.network, chain, checkpoint, &bootstrap).unwrap()
    }
}

/// A server that keeps nothing, so that each proof is made.
struct Prover(Server);

impl Prover {
    fn start() -> Self {
        Self(Server::start("cpu", &["--keep-time", "0s"]))
    }

    fn session(&self, checker: &dyn ProofChecker) -> Session {
        let options = ClientOptions::new("real-proofs test");
        let terms = Terms { mode: ProofMode::Core, allow_mock: false };
        Session::connect(&self.0.address, &options, checker, terms).unwrap()
    }

    /// The server's children: its worker, once it has one.
    fn workers(&self) -> Vec<u32> {
        let pid = self.0.process.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let mut all: Vec<u32> =
            children.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        // A child belongs to the thread that started it.
        for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let children = fs::read_to_string(task.unwrap().path().join("children"));
            all.extend(
                children
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(|pid| pid.parse::<u32>().unwrap()),
            );
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// As an operator does; nothing of it may be left.
    fn stop(mut self) {
        let workers = self.workers();
        assert!(!workers.is_empty(), "a server has a worker");
        signal("TERM", self.0.process.id());
        assert!(self.0.process.wait().unwrap().success());
        for worker in workers {
            wait_until("the worker has ended", || !Path::new(&format!("/proc/{worker}")).exists());
        }
    }
}

fn signal(name: &str, pid: u32) {
    assert!(
        Command::new("kill")
            .args([format!("-{name}"), pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_light_client_gets_a_real_stark_of_each_program_over_tcp() {
    let recording = Recording::find();
    let checker = built_in_checker(Vec::new()).unwrap();
    let server = Prover::start();
    let store = recording.store(&recording.change.0);

    a_killed_worker_is_reported_and_replaced(&server, &*checker, &recording, &store);
    let (store, change) = committee_change(&server, &*checker, &recording, &store);
    refuses_anything_but_this_proof(&*checker, &change);
    let store = match &recording.inclusion_bootstrap {
        Some(bootstrap) => recording.store(bootstrap),
        None => store,
    };
    inclusion(&server, &*checker, &recording, &store);
    server.stop();
}

fn ask(recording: &Recording, store: &Store) -> CommitteeChangeAsk {
    let updates = files::updates(&store.chain, std::slice::from_ref(&recording.change.1)).unwrap();
    CommitteeChangeAsk::new(store, &updates, None).unwrap()
}

/// The workers of both attempts die in the middle of a proof, as if the kernel took them for their memory.
fn a_killed_worker_is_reported_and_replaced(
    server: &Prover,
    checker: &dyn ProofChecker,
    recording: &Recording,
    store: &Store,
) {
    let (mut killed, mut armed) = (0, false);
    let asked = ask(recording, store);
    let lost = server.session(checker).committee_change(checker, store, &asked, |event| {
        armed |= event == Event::Started;
        let proving = matches!(&event, Event::Progress(progress) if progress.phase == Phase::Prove);
        if proving && std::mem::take(&mut armed) {
            server.workers().iter().for_each(|pid| signal("KILL", *pid));
            killed += 1;
        }
    });
    assert_eq!(killed, 2, "both workers were proving");
    match lost.map(drop).unwrap_err() {
        ProveError::Client(ClientError::Failed(failure)) => {
            assert_eq!(failure.code, Code::WorkerLost, "{failure:?}");
        }
        other => panic!("{other:?}"),
    }
}

fn committee_change(
    server: &Prover,
    checker: &dyn ProofChecker,
    recording: &Recording,
    store: &Store,
) -> (Store, Proof) {
    let asked = ask(recording, store);
    let mut progress = Vec::new();
    let (next, change, delivery): (Store, CommitteeChange, _) = server
        .session(checker)
        .committee_change(checker, store, &asked, |event| progress.push(format!("{event:?}")))
        .unwrap();
    println!(
        "committee-change: {:?} in all, verified in {:?}, {:?}, {} bytes",
        delivery.waited,
        delivery.verified_in,
        delivery.stats,
        delivery.proof.bytes.len()
    );
    assert_eq!(change.newCommittee, recording.new_committee);
    assert_eq!((change.signerPeriod, change.newPeriod), (store.period, store.period + 1));
    assert_eq!((next.period, next.committee_root()), (change.newPeriod, recording.new_committee));
    assert!(!next.mock && !next.development);
    assert!(progress.iter().any(|event| event.contains("Progress")), "{progress:?}");
    (next, delivery.proof)
}

/// One proof proves one thing: no other public values, no other program, no other bytes.
fn refuses_anything_but_this_proof(checker: &dyn ProofChecker, proof: &Proof) {
    drop(verify(checker, proof, false).unwrap());
    let changed = |change: fn(&mut Proof)| {
        let mut other = proof.clone();
        change(&mut other);
        other
    };
    for (what, forged) in [
        ("public values", changed(|proof| proof.public_values[31] ^= 1)),
        (
            "a byte of the proof",
            changed(|proof| {
                let middle = proof.bytes.len() / 2;
                proof.bytes[middle] ^= 1;
            }),
        ),
        ("its end cut off", changed(|proof| proof.bytes.truncate(proof.bytes.len() - 1))),
        ("bytes after its end", changed(|proof| proof.bytes.push(0))),
        ("the program's name", changed(|proof| proof.program = lc_core::ProgramId::Inclusion)),
        ("the key", changed(|proof| proof.vkey.0[0] ^= 1)),
        ("the mode", changed(|proof| proof.mode = ProofMode::Compressed)),
    ] {
        assert!(verify(checker, &forged, false).is_err(), "accepted with a change of {what}");
    }
}

fn inclusion(server: &Prover, checker: &dyn ProofChecker, recording: &Recording, store: &Store) {
    let update = files::finality_update(&store.chain, &recording.finality_update).unwrap();
    let accounts = files::account_proofs(std::slice::from_ref(&recording.account_proof)).unwrap();
    let asked = InclusionAsk::new(store, &update, accounts).unwrap();
    let (seen, delivery): (Inclusion, _) =
        server.session(checker).inclusion(checker, store, &asked, drop).unwrap();
    println!(
        "inclusion: {:?} in all, verified in {:?}, {:?}, {} bytes",
        delivery.waited,
        delivery.verified_in,
        delivery.stats,
        delivery.proof.bytes.len()
    );
    // What the node claims, which nothing relied on.
    let claimed = EthGetProof::from_json(&fs::read(&recording.account_proof).unwrap()).unwrap();
    let [account] = &seen.accounts[..] else { panic!("{seen:?}") };
    assert!(account.exists);
    assert_eq!(account.account, claimed.address);
    let claims: serde_json::Value =
        serde_json::from_slice(&fs::read(&recording.account_proof).unwrap()).unwrap();
    let claims = claims.get("result").unwrap_or(&claims);
    assert_eq!(format!("{:#x}", account.nonce), claims["nonce"].as_str().unwrap());
    assert_eq!(format!("{:#x}", account.balance), claims["balance"].as_str().unwrap());
    for (slot, claim) in account.slots.iter().zip(claims["storageProof"].as_array().unwrap()) {
        assert_eq!(format!("{:#x}", slot.value), claim["value"].as_str().unwrap());
    }
    assert!(account.slots.iter().any(|slot| slot.value.is_zero()), "an absent slot was asked for");
    assert_eq!(seen.executionStateRoot, update.finalized_header.execution.state_root);
}
