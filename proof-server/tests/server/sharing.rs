//! Nobody pays twice: the same request again joins what is there.

use proof_server::{
    client::{Client, ClientError},
    types::{ClientMessage, Code, Joined, ProofMode, RequestId, RequestName, ServerMessage},
};

use crate::support::{
    FOREVER, ServerProcess, ask, ask_for, inclusion, input, poll_until, receive_until, runs,
    wait_failure, wait_gone, wait_position, wait_started,
};

fn accepted(client: &mut Client, id: RequestId) -> (RequestName, Joined) {
    receive_until(client, |message| match message {
        ServerMessage::Accepted { id: of, request, joined } if *of == id => {
            Some((*request, *joined))
        }
        _ => None,
    })
}

fn proof(client: &mut Client, id: RequestId) -> Vec<u8> {
    receive_until(client, |message| match message {
        ServerMessage::Proof { id: of, proof, .. } if *of == id => {
            Some(proof.public_values.clone())
        }
        _ => None,
    })
}

#[test]
fn the_same_request_from_another_client_joins_the_running_proof() {
    let server = ServerProcess::start(&["--mock-delay", "3s"]);
    let (mut first, mut second) = (server.connect(), server.connect());
    let one = ask_for(&mut first, ProofMode::Core, input());
    let (name, joined) = accepted(&mut first, one);
    assert_eq!(joined, Joined::No);
    wait_started(&mut first, one);
    let two = ask_for(&mut second, ProofMode::Core, input());
    assert_eq!(accepted(&mut second, two), (name, Joined::Open));
    assert_eq!(proof(&mut first, one), proof(&mut second, two));
    assert_eq!(first.status().unwrap().proofs, 1, "one proof was made");
}

#[test]
fn another_mode_or_input_is_another_proof() {
    let server = ServerProcess::start(&[]);
    let mut client = server.connect();
    let names = [
        (ProofMode::Core, input()),
        (ProofMode::Compressed, input()),
        (ProofMode::Core, inclusion()),
    ]
    .map(|(mode, input)| {
        let id = ask_for(&mut client, mode, input);
        let (name, joined) = accepted(&mut client, id);
        proof(&mut client, id);
        assert_eq!(joined, Joined::No);
        name
    });
    assert_ne!(names[0], names[1]);
    assert_ne!(names[0], names[2]);
    assert_eq!(client.status().unwrap().proofs, 3);
}

#[test]
fn a_result_is_kept_for_whoever_asks_again() {
    let server = ServerProcess::start_as_is(&[]);
    server.connect().prove(ProofMode::Core, input(), |_| {}).unwrap();
    let mut client = server.connect();
    let id = ask_for(&mut client, ProofMode::Core, input());
    assert_eq!(accepted(&mut client, id).1, Joined::Kept);
    assert_eq!(proof(&mut client, id), input().check().unwrap().public_values);
    let status = client.status().unwrap();
    assert_eq!((status.proofs, status.kept), (1, 1));
}

#[test]
fn without_time_or_room_nothing_is_kept() {
    for flags in [["--keep-time", "0s"], ["--keep-bytes", "0"]] {
        let server = ServerProcess::start_as_is(&flags);
        let mut client = server.connect();
        for _ in 0..2 {
            client.prove(ProofMode::Core, input(), |_| {}).unwrap();
        }
        let status = client.status().unwrap();
        assert_eq!((status.proofs, status.kept), (2, 0), "{flags:?}");
    }
}

#[test]
fn a_client_whose_connection_broke_finds_its_proof_further_on() {
    let server = ServerProcess::start(&["--grace", "30s", "--mock-delay", "4s"]);
    let mut client = server.connect();
    let id = ask_for(&mut client, ProofMode::Core, input());
    wait_started(&mut client, id);
    let worker = server.prover();
    drop(client);

    let mut again = server.connect();
    let id = ask_for(&mut again, ProofMode::Core, input());
    assert_eq!(accepted(&mut again, id).1, Joined::Open);
    proof(&mut again, id);
    assert_eq!(server.prover(), worker, "it was never stopped");
    assert_eq!(again.status().unwrap().proofs, 1);
}

#[test]
fn a_proof_that_nobody_comes_back_for_ends_after_the_grace_period() {
    let server = ServerProcess::start(&[&["--grace", "1s"][..], &FOREVER].concat());
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let worker = server.prover();
    drop(client);
    wait_gone(worker);
    poll_until("an idle worker", || {
        server.connect().status().unwrap().workers[0].running.is_none().then_some(())
    });
}

#[test]
fn a_cancel_is_no_broken_connection_and_ends_the_job_at_once() {
    let server = ServerProcess::start(&[&["--grace", "1h"][..], &FOREVER].concat());
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let worker = server.prover();
    client.send(&ClientMessage::Cancel { id }).unwrap();
    assert_eq!(wait_failure(&mut client, id).code, Code::Cancelled);
    wait_gone(worker);
}

#[test]
fn one_of_two_clients_that_cancels_does_not_take_the_proof_from_the_other() {
    let server = ServerProcess::start(&["--mock-delay", "3s"]);
    let (mut first, mut second) = (server.connect(), server.connect());
    let one = ask_for(&mut first, ProofMode::Core, input());
    wait_started(&mut first, one);
    let two = ask_for(&mut second, ProofMode::Core, input());
    wait_started(&mut second, two);
    let worker = server.prover();
    first.send(&ClientMessage::Cancel { id: one }).unwrap();
    assert_eq!(wait_failure(&mut first, one).code, Code::Cancelled);
    proof(&mut second, two);
    assert!(runs(worker));
}

#[test]
fn a_request_that_kills_workers_is_answered_from_memory_for_a_while() {
    let server = ServerProcess::start_as_is(&["--mock-fault", "panic"]);
    let mut client = server.connect();
    for _ in 0..2 {
        match client.prove(ProofMode::Core, input(), |_| {}) {
            Err(ClientError::Failed(failure)) => assert_eq!(failure.code, Code::WorkerLost),
            other => panic!("{other:?}"),
        }
    }
    let restarts = |client: &mut Client| client.status().unwrap().worker_restarts;
    poll_until("the second restart", || (restarts(&mut client) == 2).then_some(()));
    let again = client.prove(ProofMode::Core, input(), |_| {});
    assert!(matches!(again, Err(ClientError::Failed(_))));
    assert_eq!(restarts(&mut client), 2, "both of the first time");
}

#[test]
fn one_client_cannot_fill_the_queue() {
    let server = ServerProcess::start(&[&["--queue", "4"][..], &FOREVER].concat());
    let mut client = server.connect();
    let running = ask(&mut client);
    wait_started(&mut client, running);
    for position in 1..=2 {
        let waiting = ask(&mut client);
        wait_position(&mut client, waiting, position);
    }
    let refused = ask(&mut client);
    let failure = wait_failure(&mut client, refused);
    assert_eq!(failure.code, Code::Busy);
    assert!(failure.message.starts_with("2 of your jobs wait already"), "{failure}");
    assert!(failure.retry_after_seconds.is_some());
}
