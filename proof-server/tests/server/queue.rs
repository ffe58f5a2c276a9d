//! Several clients, one prover.

use proof_server::types::{ClientMessage, Code, ProofMode, ServerMessage};

use crate::support::{
    FOREVER, ServerProcess, ask, ask_for, failure, inclusion, input, poll_until, receive_until,
    wait_failure, wait_position, wait_started,
};

#[test]
fn two_clients_see_their_places_in_the_queue_and_move_up() {
    let server = ServerProcess::start(&FOREVER);
    let (mut first, mut second, mut third) = (server.connect(), server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let next = ask(&mut second);
    wait_position(&mut second, next, 1);
    let last = ask(&mut third);
    wait_position(&mut third, last, 2);

    first.send(&ClientMessage::Cancel { id: running }).unwrap();
    wait_started(&mut second, next);
    wait_position(&mut third, last, 1);
}

#[test]
fn a_full_queue_is_busy_and_says_when_to_come_back() {
    let server = ServerProcess::start(&[&["--queue", "1"][..], &FOREVER].concat());
    let (mut first, mut second) = (server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let waiting = ask(&mut second);
    wait_position(&mut second, waiting, 1);

    let refused = failure(server.connect().prove(ProofMode::Core, input(), |_| {}));
    assert_eq!(refused.code, Code::Busy);
    assert_eq!(refused.message, "1 jobs wait already: try again in 10 s");
    assert_eq!(refused.retry_after_seconds, Some(10));
    assert!(refused.code.is_retryable());

    second.send(&ClientMessage::Cancel { id: waiting }).unwrap();
    assert_eq!(wait_failure(&mut second, waiting).code, Code::Cancelled);
    let mut third = server.connect();
    let taken = ask(&mut third);
    wait_position(&mut third, taken, 1);
}

#[test]
fn a_client_that_leaves_gives_up_its_place_and_its_running_job() {
    let server = ServerProcess::start(&FOREVER);
    let (mut first, mut second, mut third) = (server.connect(), server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let waiting = ask(&mut second);
    wait_position(&mut second, waiting, 1);
    let last = ask(&mut third);
    wait_position(&mut third, last, 2);
    let prover = server.prover();

    drop(second);
    wait_position(&mut third, last, 1);
    assert_eq!(server.prover(), prover, "the running job goes on");

    drop(first);
    wait_started(&mut third, last);
    assert_ne!(server.prover(), prover, "nobody waited for it: its worker was killed");
}

#[test]
fn after_the_first_proof_the_queue_has_an_estimate() {
    let server = ServerProcess::start(&["--mock-delay", "2s"]);
    server.connect().prove(ProofMode::Core, input(), |_| {}).unwrap();
    let (mut first, mut second) = (server.connect(), server.connect());
    let running = ask_for(&mut first, ProofMode::Core, input());
    wait_started(&mut first, running);
    let waiting = ask_for(&mut second, ProofMode::Core, inclusion());
    let eta = receive_until(&mut second, |message| match message {
        ServerMessage::Queued { id, position: 1, eta_seconds } if *id == waiting => {
            Some(*eta_seconds)
        }
        _ => None,
    });
    assert!(eta.is_some_and(|seconds| seconds <= 20), "{eta:?}");
}

#[test]
fn a_request_over_its_time_ends_with_its_job_queued_or_running_and_others_go_on() {
    let server = ServerProcess::start(&[&["--request-timeout", "2s"][..], &FOREVER].concat());
    let (mut first, mut second) = (server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let worker = server.prover();
    let waiting = ask(&mut second);
    for (client, id) in [(&mut first, running), (&mut second, waiting)] {
        let failure = wait_failure(client, id);
        assert_eq!(failure.code, Code::Timeout);
        assert!(failure.message.starts_with("the request took longer than the 2 s"), "{failure}");
    }
    crate::support::wait_gone(worker);
    let next = ask(&mut second);
    wait_started(&mut second, next);
}

#[test]
fn a_cancelled_job_in_the_queue_never_starts() {
    let server = ServerProcess::start(&FOREVER);
    let (mut first, mut second) = (server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let waiting = ask(&mut second);
    wait_position(&mut second, waiting, 1);
    second.send(&ClientMessage::Cancel { id: waiting }).unwrap();
    assert_eq!(wait_failure(&mut second, waiting).code, Code::Cancelled);
    poll_until("an empty queue", || (second.status().unwrap().queued == 0).then_some(()));
    assert!(second.status().unwrap().workers[0].running.is_some());
}
