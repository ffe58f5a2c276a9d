//! SNARKs: which circuits' proofs are asked for and taken, and that those of development circuits never pass for
//! others.

use std::fs;

use light_client::{
    Store, StoreFile,
    ask::CommitteeChangeAsk,
    files,
    prove::{ProveError, Session, Terms},
    statement::Statement,
    verify::{ProofChecker, ProofError},
};
use proof_server::{
    client::ClientOptions,
    types::{CircuitHash, EngineKind, ModeInfo, Proof, ProofMode, ServerHello, VkeyHash},
};

use crate::{
    command::{Desk, Ended},
    server::{FakeServer, Peer, hello_with},
    testing::{
        AllowingChecker, DEV_CIRCUIT, FakeChecker, PERIOD, chain, change, snark_of, store, update,
    },
};

const GROTH16: ProofMode = ProofMode::Groth16;
/// Verifying key of [`DEV_CIRCUIT`].
const DEV_KEY: &str = "abc";
const OTHER: CircuitHash = CircuitHash([0xbb; 32]);

/// A server whose Groth16 circuit is this one.
fn server(engine: EngineKind, circuit: CircuitHash) -> ServerHello {
    let vkey = FakeChecker::VKEY;
    hello_with(engine, vkey, ModeInfo::offered(GROTH16, Some(circuit)))
}

/// Through the library: one committee change, proven by Groth16.
fn asked_of(
    checker: &dyn ProofChecker,
    script: impl FnOnce(Peer) + Send + 'static,
) -> Result<(Store, Proof), ProveError> {
    let server = FakeServer::start(script);
    let asked = CommitteeChangeAsk::new(&store(), &[update(PERIOD)], None).unwrap();
    let (options, terms) = (ClientOptions::new("test"), Terms { mode: GROTH16, allow_mock: false });
    let proven = Session::connect(&server.address, &options, checker, terms)
        .and_then(|session| session.committee_change(checker, &store(), &asked, drop));
    server.join();
    proven.map(|(store, _, delivery)| (store, delivery.proof))
}

#[test]
fn a_proof_of_the_official_circuit_leaves_no_mark() {
    let hello = server(EngineKind::Cpu, CircuitHash::GROTH16);
    let (after, proof) =
        asked_of(&FakeChecker, move |peer| peer.serve_as(&hello, |_, _| ())).unwrap();
    assert_eq!((after.period, after.development, after.mock), (PERIOD + 1, false, false));
    assert_eq!((proof.mode, proof.circuit), (GROTH16, Some(CircuitHash::GROTH16)));
}

#[test]
fn a_proof_of_a_development_circuit_that_was_allowed_marks_the_store() {
    let hello = server(EngineKind::Cpu, DEV_CIRCUIT);
    let checker = AllowingChecker(DEV_CIRCUIT);
    let (after, _) = asked_of(&checker, move |peer| peer.serve_as(&hello, |_, _| ())).unwrap();
    assert_eq!((after.period, after.development, after.mock), (PERIOD + 1, true, false));
}

#[test]
fn a_server_with_a_development_circuit_that_was_not_allowed_gets_no_request() {
    for checker in [&FakeChecker as &dyn ProofChecker, &AllowingChecker(OTHER)] {
        let hello = server(EngineKind::Cpu, DEV_CIRCUIT);
        let error = asked_of(checker, move |peer| peer.expect_no_request(&hello)).unwrap_err();
        let ProveError::Circuit(refused) = error else { panic!("{error}") };
        assert_eq!(
            (refused.circuit, refused.allowed),
            (DEV_CIRCUIT, checker.development_circuits())
        );
    }
}

#[test]
fn a_server_that_does_not_make_such_proofs_gets_no_request_and_its_reason_is_told() {
    let why = ModeInfo::unsupported(GROTH16, "give --circuits".to_owned());
    let hello = hello_with(EngineKind::Cpu, FakeChecker::VKEY, why);
    let error = asked_of(&FakeChecker, move |peer| peer.expect_no_request(&hello)).unwrap_err();
    assert_eq!(error.to_string(), "the server does not make groth16 proofs: give --circuits");
}

#[test]
fn a_proof_of_another_circuit_than_the_server_said_is_refused() {
    let hello = server(EngineKind::Cpu, CircuitHash::GROTH16);
    let other = |_: &mut Statement, proof: &mut Proof| proof.circuit = Some(DEV_CIRCUIT);
    let error = asked_of(&FakeChecker, move |peer| peer.serve_as(&hello, other)).unwrap_err();
    assert!(matches!(error, ProveError::Proof(ProofError::Circuit(_))), "{error}");
}

/// As the command: MOCK proofs that name a circuit, since this build may have no verifier for real ones.
fn mock_of(circuit: CircuitHash) -> impl FnOnce(Peer) + Send {
    move |peer| peer.serve_as(&server(EngineKind::Mock, circuit), |_, _| ())
}

fn no_request(hello: ServerHello) -> impl FnOnce(Peer) + Send {
    move |peer| peer.expect_no_request(&hello)
}

const CHANGE: &str = "committee-change --updates update --mode snark --allow-mock";

fn desk() -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("groth16_vk.bin"), DEV_KEY).unwrap();
    desk
}

fn as_it_was(desk: &Desk) {
    fs::remove_file(desk.path("groth16_vk.bin")).unwrap();
    assert!(desk.nothing_new());
}

/// The lines that begin with `label`.
fn lines<'a>(text: &'a str, label: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.split_whitespace().next() == Some(label)).collect()
}

#[test]
fn a_mode_that_the_server_does_not_make_ends_the_command_as_unsupported() {
    let desk = desk();
    let why = "it needs 60 GB of memory,\nthis host has 8".to_owned();
    let hello =
        hello_with(EngineKind::Mock, VkeyHash([1; 32]), ModeInfo::unsupported(GROTH16, why));
    let says =
        "error: the server does not make groth16 proofs: it needs 60 GB of memory, this host has 8";
    desk.prove(CHANGE, no_request(hello)).refused(16, says);
    let hello = hello_with(EngineKind::Mock, VkeyHash([1; 32]), ModeInfo::offered(GROTH16, None));
    desk.prove("committee-change --updates update --mode plonk --allow-mock", no_request(hello))
        .refused(16, "the server does not make plonk proofs: it makes core and groth16, ask");
    as_it_was(&desk);
}

#[test]
fn a_server_with_a_development_circuit_is_none_that_may_be_used_without_its_key() {
    let desk = desk();
    let hello = server(EngineKind::Mock, DEV_CIRCUIT);
    let ended = desk.prove(CHANGE, no_request(hello.clone()));
    ended.refused(69, &format!("the development circuit {DEV_CIRCUIT} can be forged"));
    ended.refused(69, "--allow-dev-circuits");

    // Any other file is the key of another circuit.
    let line = format!("{CHANGE} --allow-dev-circuits update");
    desk.prove(&line, no_request(hello)).refused(69, "--allow-dev-circuits, which now has 0x");
    as_it_was(&desk);
}

#[test]
fn a_proof_of_a_development_circuit_is_shouted_about_wherever_it_is_shown() {
    let desk = desk();
    let allowed = "--allow-dev-circuits groth16_vk.bin";
    let ended = desk.prove(&format!("{CHANGE} {allowed} --out change.proof"), mock_of(DEV_CIRCUIT));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let note = "DEV        groth16 proofs can be forged by whoever set up the server's circuit";
    assert_eq!(lines(&ended.err, "DEV"), [note], "{ended:?}");
    let circuit = format!("{DEV_CIRCUIT}, DEV: whoever set it up can forge proofs");
    assert_eq!(lines(&ended.out, "circuit"), [format!("circuit    {circuit}")], "{ended:?}");
    assert!(ended.out.contains(" s: groth16, 5 bytes, 3,368,467 cycles, 7 shards, "), "{ended:?}");

    let circuit_line = format!("{:<19}{circuit}", "circuit");
    for line in
        ["show change.proof".to_owned(), format!("verify change.proof --allow-mock {allowed}")]
    {
        let shown = desk.run(&line);
        assert_eq!(lines(&shown.out, "circuit"), [&circuit_line], "{shown:?}");
        let json = desk.run(&format!("{line} --json")).json();
        assert_eq!((&json["mode"], &json["development"]), (&"groth16".into(), &true.into()));
        assert_eq!(json["circuit"], DEV_CIRCUIT.to_string());
    }
}

#[test]
fn an_official_circuit_and_a_stark_are_shown_as_such() {
    let desk = desk();
    let ended = desk.prove(&format!("{CHANGE} --out change.proof"), mock_of(CircuitHash::GROTH16));
    assert!(lines(&ended.err, "DEV").is_empty(), "{ended:?}");
    let official = format!("circuit    {}, SP1's official one", CircuitHash::GROTH16);
    assert_eq!(lines(&ended.out, "circuit"), [official], "{ended:?}");
    let status = desk.run("status --store store");
    assert!(lines(&status.out, "DEV").is_empty(), "{status:?}");

    let mut proof = files::proof(&desk.path("change.proof")).unwrap();
    proof.circuit = None;
    files::write_proof(&desk.path("unnamed.proof"), &proof).unwrap();
    let shown = desk.run("show unnamed.proof");
    let unnamed = format!("{:<19}not named, so SP1's official one", "circuit");
    assert_eq!(lines(&shown.out, "circuit"), [unnamed], "{shown:?}");

    proof.mode = ProofMode::Compressed;
    files::write_proof(&desk.path("stark.proof"), &proof).unwrap();
    assert!(lines(&desk.run("show stark.proof").out, "circuit").is_empty());
    let json = desk.run("show stark.proof --json").json();
    assert_eq!((&json["mode"], &json["development"]), (&"compressed".into(), &false.into()));
    assert!(json["circuit"].is_null(), "{json:#}");
}

#[test]
fn a_file_with_a_proof_of_a_development_circuit_verifies_only_with_its_key() {
    let desk = desk();
    let snark = snark_of(&Statement::CommitteeChange(change()), DEV_CIRCUIT);
    files::write_proof(&desk.path("change.proof"), &snark).unwrap();
    let says = format!("groth16 proofs of the development circuit {DEV_CIRCUIT} can be forged");
    desk.run("verify change.proof").refused(76, &says);
    desk.run("verify change.proof --allow-mock").refused(76, &says);
    let other = desk.run("verify change.proof --allow-dev-circuits update");
    other.refused(76, "--allow-dev-circuits, which now has 0x");
    // With its key it gets as far as a verifier, and is no proof.
    let allowed = desk.run("verify change.proof --allow-dev-circuits groth16_vk.bin");
    assert!(!allowed.err.contains("can be forged"), "{allowed:?}");
    assert!(matches!(allowed.code, Some(70 | 76)), "{allowed:?}");
}

#[test]
fn a_store_advanced_by_proofs_of_a_development_circuit_is_not_taken_for_a_sound_one() {
    let desk = desk();
    let line = format!("{CHANGE} --allow-dev-circuits groth16_vk.bin");
    assert_eq!(desk.prove(&line, mock_of(DEV_CIRCUIT)).code, Some(0));
    let after = desk.store();
    assert_eq!((after.period, after.development), (PERIOD + 1, true));
    let status = desk.run("status --store store");
    let says = "DEV        advanced by proofs of a development circuit, which can be forged: for tests only";
    assert_eq!(lines(&status.out, "DEV"), [says]);
    assert_eq!(desk.run("status --store store --json").json()["development"], true);

    // Whatever comes next, also a STARK of a real server.
    fs::write(desk.path("next"), update(PERIOD + 1).to_ssz(&chain())).unwrap();
    let next =
        "prove committee-change --server 127.0.0.1:9 --store store --updates next --allow-mock";
    desk.run(next).refused(65, "advanced by proofs of a development circuit");
    let next = "committee-change --updates next --allow-mock --allow-dev-circuits groth16_vk.bin";
    let stark = desk.prove(next, |peer| {
        peer.serve_as(&server(EngineKind::Mock, DEV_CIRCUIT), |_, _| ());
    });
    assert_eq!(stark.code, Some(0), "{stark:?}");
    assert!(desk.store().development, "the mark stays");
}

#[test]
fn each_mark_of_a_store_needs_its_own_leave() {
    let desk = desk();
    let write = |mock, development| {
        let (file, store) = StoreFile::open(&desk.path("store")).unwrap();
        file.save(&Store { mock, development, ..store }).unwrap();
    };
    let ask = |flags: &str| -> Ended {
        desk.run(&format!(
            "prove committee-change --server 127.0.0.1:1 --store store --updates update {flags}"
        ))
    };
    write(true, false);
    ask("--allow-dev-circuits groth16_vk.bin").refused(65, "advanced by MOCK proofs");
    write(false, true);
    ask("--allow-mock").refused(65, "advanced by proofs of a development circuit");
    write(true, true);
    ask("--allow-mock --allow-dev-circuits groth16_vk.bin").refused(69, "no connection");
}
