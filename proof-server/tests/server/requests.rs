//! What becomes of a request.

use std::time::{Duration, Instant};

use lc_core::ProgramId;
use proof_server::{
    client::Event,
    types::{
        ClientMessage, Code, EngineKind, Proof, ProofMode, ServerMessage, VkeyHash, WorkerState,
    },
};

use crate::support::{
    FOREVER, ServerProcess, ask, failure, inclusion, input, receive_until, too_few_signers,
    wait_failure, wait_started,
};

#[test]
fn a_proof_is_announced_step_by_step_and_says_what_the_native_check_found() {
    let server = ServerProcess::start(&["--mock-delay", "100ms"]);
    let mut client = server.connect();
    for input in [input(), inclusion()] {
        let mut events = Vec::new();
        let (proof, stats) =
            client.prove(ProofMode::Compressed, input.clone(), |event| events.push(event)).unwrap();
        assert_eq!(proof.program, input.program());
        assert_eq!((proof.mode, proof.engine), (ProofMode::Compressed, EngineKind::Mock));
        assert_eq!(proof.public_values, input.check().unwrap().public_values);
        assert!(stats.prove_us >= 100_000 && stats.peak_worker_bytes > 1 << 20, "{stats:?}");

        assert!(matches!(events[0], Event::Accepted { .. }), "{events:?}");
        let started = events.iter().position(|event| *event == Event::Started).expect("Started");
        let progress =
            events.iter().position(|event| matches!(event, Event::Progress(_))).expect("Progress");
        assert!(started < progress, "{events:?}");
        assert!(
            events[1..started].iter().all(|event| matches!(event, Event::Queued { .. })),
            "{events:?}"
        );
    }
}

#[test]
fn an_invalid_input_is_refused_in_milliseconds_with_the_check_named() {
    let server = ServerProcess::start(&FOREVER);
    let mut other = server.connect();
    let running = ask(&mut other);
    wait_started(&mut other, running);

    // The worker is busy for an hour, so only the native check can have answered.
    let began = Instant::now();
    let refused = failure(server.connect().prove(ProofMode::Core, too_few_signers(), |_| {}));
    assert_eq!(refused.code, Code::InvalidInput);
    assert_eq!(refused.check.as_deref(), Some("Participation"));
    assert!(refused.message.contains("21 of 32 members signed"), "{refused}");
    // A release build takes some milliseconds; this is for a debug build on a busy machine.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn an_input_that_does_not_decode_is_refused_with_the_part_named() {
    let server = ServerProcess::start(&[]);
    let mut change = crate::support::committee_change();
    change.updates[0] = change.updates[0].slice(..100);
    let input = lc_core::host::ProgramInput::CommitteeChange(change);
    let refused = failure(server.connect().prove(ProofMode::Core, input, |_| {}));
    assert_eq!((refused.code, refused.check), (Code::InvalidInput, None));
    assert!(
        refused.message.starts_with("the update number 0 does not decode"),
        "{}",
        refused.message
    );
}

#[test]
fn one_connection_carries_several_requests() {
    let server = ServerProcess::start(&[]);
    let mut client = server.connect();
    let ids = [ask(&mut client), ask(&mut client), ask(&mut client)];
    let mut proven = Vec::new();
    while proven.len() < ids.len() {
        proven.push(receive_until(&mut client, |message| match message {
            ServerMessage::Proof { id, .. } => Some(*id),
            _ => None,
        }));
    }
    // They are checked side by side, so their order in the queue is not promised.
    proven.sort_unstable();
    assert_eq!(proven, ids);
}

#[test]
fn a_waiting_client_hears_something_in_each_keepalive_interval() {
    let server = ServerProcess::start(&[&["--keepalive", "200ms"][..], &FOREVER].concat());
    let (mut first, mut second) = (server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let waiting = ask(&mut second);
    for (client, id) in [(&mut first, running), (&mut second, waiting)] {
        let mut repeated = 0;
        let began = Instant::now();
        while repeated < 5 {
            let message = client.receive().unwrap();
            assert_eq!(message.request(), Some(id));
            let alive = matches!(
                message,
                ServerMessage::Progress { .. } | ServerMessage::Queued { position: 1, .. }
            );
            repeated += u32::from(alive);
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "5 signs of life took {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn a_proof_is_verified_by_the_server_only_if_it_holds() {
    let server = ServerProcess::start(&[]);
    let mut client = server.connect();
    let (proof, _) = client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    assert_eq!(client.verify(proof.clone(), |_| {}).unwrap(), proof.public_values);

    type Spoil = fn(&mut Proof);
    let twins: [(&str, Spoil); 4] = [
        ("does not hold", |proof| proof.bytes[0] ^= 1),
        ("does not hold", |proof| proof.public_values[0] ^= 1),
        ("does not hold", |proof| proof.mode = ProofMode::Plonk),
        ("is for key", |proof| proof.vkey = VkeyHash([0; 32])),
    ];
    for (says, spoil) in twins {
        let mut proof = proof.clone();
        spoil(&mut proof);
        let refused = failure(client.verify(proof, |_| {}));
        assert_eq!(refused.code, Code::InvalidInput);
        assert!(refused.message.contains(says), "{refused}");
    }
}

#[test]
fn a_proof_is_verified_while_the_prover_is_busy() {
    let server = ServerProcess::start(&[]);
    let (proof, _) = server.connect().prove(ProofMode::Core, input(), |_| {}).unwrap();
    let server = ServerProcess::start(&FOREVER);
    let mut client = server.connect();
    let running = ask(&mut client);
    wait_started(&mut client, running);
    server.connect().verify(proof, |_| {}).unwrap();
    assert!(client.status().unwrap().workers[0].running.is_some());
}

#[test]
fn status_says_what_the_server_is_doing() {
    let server = ServerProcess::start(&FOREVER);
    let mut client = server.connect();
    let idle = client.status().unwrap();
    assert_eq!(
        (idle.workers[0].state, &idle.workers[0].running, idle.queued, idle.connections),
        (WorkerState::Idle, &None, 0, 1)
    );

    let running = ask(&mut client);
    wait_started(&mut client, running);
    let mut other = server.connect();
    let waiting = ask(&mut other);
    crate::support::wait_position(&mut other, waiting, 1);
    let busy = server.connect().status().unwrap();
    assert_eq!(
        (busy.workers[0].state, busy.queued, busy.connections, busy.proofs),
        (WorkerState::Busy, 1, 3, 0)
    );
    let job = busy.workers[0].running.clone().unwrap();
    assert_eq!(job.program, ProgramId::CommitteeChange);
}

#[test]
fn cancelling_a_request_that_does_not_run_changes_nothing() {
    let server = ServerProcess::start(&[]);
    let mut client = server.connect();
    client.send(&ClientMessage::Cancel { id: proof_server::types::RequestId(77) }).unwrap();
    client.prove(ProofMode::Core, input(), |_| {}).unwrap();
}

#[test]
fn a_prover_that_says_something_else_than_the_native_check_is_not_believed() {
    let server = ServerProcess::start(&["--mock-fault", "wrong-values"]);
    let worker = server.prover();
    let mut client = server.connect();
    let id = ask(&mut client);
    let refused = wait_failure(&mut client, id);
    assert_eq!(refused.code, Code::Internal);
    assert!(
        refused.message.contains("other public values than the native check found"),
        "{refused}"
    );
    crate::support::wait_gone(worker);
}
