//! The library's side: what makes a request end well, and what does not.

use std::{
    io::Write,
    sync::{Mutex, mpsc},
    time::Duration,
};

use light_client::{
    ask::{CommitteeChangeAsk, InclusionAsk},
    decide::Refusal,
    prove::{ProveError, Session, Terms},
    statement::Statement,
    verify::{ProofChecker, ProofError},
};
use proof_server::{
    client::{ClientError, ClientOptions, Event, PinError},
    types::{
        CircuitHash, EngineKind, Failure, Phase, ProgramInfo, Progress, Proof, ProofMode,
        ServerMessage, VkeyHash,
    },
};

use crate::{
    server::{FakeServer, Peer},
    testing::{FakeChecker, PERIOD, account_proofs, change, finality_update, store, update},
};

const KEY: VkeyHash = FakeChecker::VKEY;

fn connect(server: &FakeServer, allow_mock: bool) -> Result<Session, ProveError> {
    let terms = Terms { mode: ProofMode::Core, allow_mock };
    Session::connect(&server.address, &ClientOptions::new("test"), &FakeChecker, terms)
}

/// Asks for one committee change of a server that runs `script`.
fn prove(
    allow_mock: bool,
    script: impl FnOnce(Peer) + Send + 'static,
) -> Result<(light_client::Store, Vec<Event>), ProveError> {
    let server = FakeServer::start(script);
    let asked = CommitteeChangeAsk::new(&store(), &[update(PERIOD)], None).unwrap();
    let mut events = Vec::new();
    let proven = connect(&server, allow_mock).and_then(|session| {
        let on_event = |event| events.push(event);
        session.committee_change(&FakeChecker, &store(), &asked, on_event)
    });
    server.join();
    proven.map(|(store, ..)| (store, events))
}

/// As a server of the pinned programs answers, with the proof spoilt.
fn spoilt(spoil: impl FnOnce(&mut Statement, &mut Proof) + Send + 'static) -> ProveError {
    prove(false, |peer| peer.serve(EngineKind::Cpu, KEY, spoil)).unwrap_err()
}

#[test]
fn a_proof_of_what_was_asked_advances_the_store() {
    let (after, events) = prove(false, |mut peer| {
        peer.greet(EngineKind::Cpu, KEY);
        let (id, ..) = peer.request();
        peer.accept(id);
        let progress = Progress { phase: Phase::Prove, done: 1, total: 2 };
        peer.send(&ServerMessage::Progress { id, progress });
        peer.deliver(id, crate::testing::proof_of(&Statement::CommitteeChange(change())));
    })
    .unwrap();
    assert_eq!(after.period, PERIOD + 1);
    assert_eq!(after.committee, update(PERIOD).next_sync_committee);
    assert!(!after.mock && !after.development);
    assert_eq!(events.len(), 3, "accepted, started, progress: {events:?}");
}

#[test]
fn a_proof_that_does_not_verify_is_refused() {
    let error = spoilt(|_, proof| proof.bytes = b"forged".to_vec());
    assert!(matches!(error, ProveError::Proof(ProofError::Invalid(_))), "{error}");
    let error = spoilt(|_, proof| proof.public_values.truncate(32));
    assert!(matches!(error, ProveError::Proof(ProofError::PublicValues(_))), "{error}");
}

#[test]
fn a_proof_that_verifies_and_says_something_else_is_refused() {
    let error = spoilt(|statement, _| {
        let Statement::CommitteeChange(change) = statement else { panic!("{statement:?}") };
        change.executionStateRoot.0[0] ^= 1;
    });
    let ProveError::Refused(Refusal::Word { value, .. }) = error else { panic!("{error}") };
    assert_eq!(value, "executionStateRoot");
}

#[test]
fn a_proof_of_another_program_or_mode_is_refused() {
    let other = Statement::Inclusion(crate::testing::inclusion());
    let error = spoilt(move |_, proof| *proof = crate::testing::proof_of(&other));
    assert!(matches!(error, ProveError::OtherProof { .. }), "{error}");
    let error = spoilt(|_, proof| proof.mode = ProofMode::Groth16);
    let text = error.to_string();
    assert!(text.contains("a groth16 proof of committee-change, asked for was a core"), "{text}");
}

#[test]
fn a_mock_proof_from_a_server_that_claims_a_real_engine_is_refused() {
    let error = spoilt(|_, proof| proof.engine = EngineKind::Mock);
    assert!(matches!(error, ProveError::Proof(ProofError::Mock)), "{error}");
}

#[test]
fn a_server_with_another_key_gets_no_request() {
    let server = FakeServer::start(|mut peer| {
        peer.greet(EngineKind::Cpu, VkeyHash([0x22; 32]));
        assert_eq!(peer.receive(), None);
    });
    let error = connect(&server, true).unwrap_err();
    assert!(matches!(error, ProveError::Pin(PinError::Vkey { .. })), "{error}");
    server.join();
}

#[test]
fn a_mock_server_is_refused_unless_allowed_and_then_marks_the_store() {
    let server = FakeServer::start(|mut peer| {
        peer.greet(EngineKind::Mock, KEY);
        assert_eq!(peer.receive(), None);
    });
    let error = connect(&server, false).unwrap_err();
    assert!(matches!(error, ProveError::Pin(PinError::Mock)), "{error}");
    server.join();
    let (after, _) = prove(true, |peer| peer.serve(EngineKind::Mock, KEY, |_, _| ())).unwrap();
    assert!(after.mock);
}

#[test]
fn an_inclusion_as_asked_is_given_and_any_other_refused() {
    let ask = || InclusionAsk::new(&store(), &finality_update(PERIOD), account_proofs()).unwrap();
    let prove = |spoil: fn(&mut Statement, &mut Proof)| {
        let server = FakeServer::start(move |peer| peer.serve(EngineKind::Cpu, KEY, spoil));
        let session = connect(&server, false).unwrap();
        let proven = session.inclusion(&FakeChecker, &store(), &ask(), |_| ());
        server.join();
        proven.map(|(inclusion, _)| inclusion)
    };
    assert_eq!(prove(|_, _| ()).unwrap(), crate::testing::inclusion());
    let error = prove(|statement, _| {
        let Statement::Inclusion(inclusion) = statement else { panic!("{statement:?}") };
        inclusion.accounts.swap(0, 1);
    });
    assert!(matches!(error, Err(ProveError::Refused(Refusal::Address { .. }))), "{error:?}");
}

#[test]
fn a_failure_is_given_as_the_server_sent_it() {
    let sent = Failure::new(proof_server::types::Code::WorkerLost, "the prover was killed");
    let error = prove(false, move |mut peer| {
        peer.greet(EngineKind::Cpu, KEY);
        let (id, ..) = peer.request();
        peer.accept(id);
        peer.send(&ServerMessage::Failed { id: Some(id), failure: sent });
    })
    .unwrap_err();
    let ProveError::Client(ClientError::Failed(failure)) = error else { panic!("{error}") };
    assert_eq!(failure.to_string(), "WORKER_LOST: the prover was killed");
}

#[test]
fn a_server_that_goes_away_in_the_middle_of_a_frame_is_noticed() {
    let error = prove(false, |mut peer| {
        peer.greet(EngineKind::Cpu, KEY);
        peer.request();
        peer.writer.write_all(&[0, 0, 1, 0, 5, 0]).unwrap();
    })
    .unwrap_err();
    assert!(matches!(error, ProveError::Client(ClientError::Frame(_))), "{error}");
}

/// Verifies nothing before the server has seen the connection end.
struct Patient(Mutex<mpsc::Receiver<()>>);

impl ProofChecker for Patient {
    fn pins(&self) -> Vec<ProgramInfo> {
        FakeChecker.pins()
    }

    fn development_circuits(&self) -> Vec<CircuitHash> {
        Vec::new()
    }

    fn check(&self, proof: &Proof) -> Result<Vec<u8>, ProofError> {
        let ended = self.0.lock().unwrap().recv_timeout(Duration::from_secs(10));
        ended.expect("the connection ends before its proof is verified");
        FakeChecker.check(proof)
    }
}

#[test]
fn a_connection_ends_with_its_answer_whoever_still_has_a_handle_to_it() {
    let (ended, has_ended) = mpsc::channel();
    let server = FakeServer::start(move |mut peer| {
        peer.greet(EngineKind::Cpu, KEY);
        let (id, ..) = peer.request();
        peer.accept(id);
        peer.deliver(id, crate::testing::proof_of(&Statement::CommitteeChange(change())));
        assert_eq!(peer.receive(), None);
        ended.send(()).unwrap();
    });
    let asked = CommitteeChangeAsk::new(&store(), &[update(PERIOD)], None).unwrap();
    let session = connect(&server, false).unwrap();
    let handle = session.client().canceller().unwrap();
    let checker = Patient(Mutex::new(has_ended));
    session.committee_change(&checker, &store(), &asked, |_| ()).unwrap();
    server.join();
    drop(handle);
}
