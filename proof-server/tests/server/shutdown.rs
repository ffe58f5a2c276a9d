//! The end of a server, asked for or not.

use std::{net::TcpListener, time::Instant};

use proof_server::{
    client::{Client, ClientError},
    types::{Code, ServerMessage},
};
use rustix::process::Signal;

use crate::support::{
    FOREVER, PATIENCE, ServerProcess, ask, poll_until, receive_until, wait_failure, wait_gone,
    wait_position, wait_started, workers_of,
};

#[test]
fn a_server_asked_to_end_tells_its_clients_kills_its_worker_and_exits_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = ServerProcess::start(&[&["--drain-timeout", "0s"][..], &FOREVER].concat());
        let (mut first, mut second, idle) = (server.connect(), server.connect(), server.connect());
        let running = ask(&mut first);
        wait_started(&mut first, running);
        let waiting = ask(&mut second);
        wait_position(&mut second, waiting, 1);
        let worker = server.prover();

        let began = Instant::now();
        server.signal(signal);
        assert_eq!(wait_failure(&mut first, running).code, Code::ShuttingDown);
        assert_eq!(wait_failure(&mut second, waiting).code, Code::ShuttingDown);
        for mut client in [first, second, idle] {
            match client.receive() {
                Ok(proof_server::types::ServerMessage::Failed { id: None, failure }) => {
                    assert_eq!(failure.code, Code::ShuttingDown);
                }
                other => panic!("{other:?}"),
            }
            assert!(matches!(client.receive(), Err(ClientError::Closed)));
        }
        assert!(server.wait().success());
        wait_gone(worker);
        assert!(began.elapsed() < PATIENCE / 4, "took {:?}", began.elapsed());
        TcpListener::bind(server.address).expect("the port is free again");
    }
}

#[test]
fn a_server_asked_to_end_finishes_what_runs_and_takes_nothing_else() {
    let mut server = ServerProcess::start(&["--mock-delay", "3s"]);
    let (mut first, mut second, mut idle) = (server.connect(), server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let waiting = ask(&mut second);
    wait_position(&mut second, waiting, 1);

    server.signal(Signal::TERM);
    assert_eq!(wait_failure(&mut second, waiting).code, Code::ShuttingDown);
    for client in [&mut second, &mut idle] {
        let code = closed_with(client);
        assert_eq!(code, Code::ShuttingDown, "it has nothing to wait for");
    }
    assert!(server.try_connect().is_err(), "it does not listen any more");
    receive_until(&mut first, |message| {
        matches!(message, ServerMessage::Proof { .. }).then_some(())
    });
    assert_eq!(closed_with(&mut first), Code::ShuttingDown);
    assert!(server.wait().success());
}

#[test]
fn a_running_job_that_outlasts_the_drain_time_ends_with_the_server() {
    let mut server = ServerProcess::start(&[&["--drain-timeout", "500ms"][..], &FOREVER].concat());
    let mut client = server.connect();
    let running = ask(&mut client);
    wait_started(&mut client, running);
    server.signal(Signal::TERM);
    assert_eq!(wait_failure(&mut client, running).code, Code::ShuttingDown);
    assert!(server.wait().success());
}

#[test]
fn a_second_signal_ends_what_runs_at_once() {
    let mut server = ServerProcess::start(&FOREVER);
    let (mut client, mut idle) = (server.connect(), server.connect());
    let running = ask(&mut client);
    wait_started(&mut client, running);
    let worker = server.prover();
    server.signal(Signal::TERM);
    assert_eq!(closed_with(&mut idle), Code::ShuttingDown, "it drains");
    assert!(crate::support::runs(worker), "and the job goes on");
    server.signal(Signal::TERM);
    assert_eq!(wait_failure(&mut client, running).code, Code::ShuttingDown);
    assert!(server.wait().success());
    wait_gone(worker);
}

/// The code with which the server closes a connection.
fn closed_with(client: &mut Client) -> Code {
    loop {
        match client.receive().unwrap() {
            ServerMessage::Failed { id: None, failure } => return failure.code,
            ServerMessage::Failed { id: Some(id), failure } => panic!("{id}: {failure}"),
            _ => {}
        }
    }
}

#[test]
fn a_client_that_does_not_leave_cannot_hold_the_server_up() {
    let mut server = ServerProcess::start(&[]);
    let stuck = server.raw();
    let _shaken = crate::support::say_hello(&stuck);
    let silent = server.raw();
    server.signal(Signal::TERM);
    assert!(server.wait().success());
    drop((stuck, silent));
}

#[test]
fn a_killed_server_leaves_no_worker_not_even_one_that_proves() {
    let mut server = ServerProcess::start(&FOREVER);
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let worker = server.prover();
    assert_eq!(workers_of(server.pid(), "prove"), [worker]);

    server.signal(Signal::KILL);
    server.wait();
    wait_gone(worker);
    assert!(matches!(
        poll_until("the end of the stream", || client.receive().err()),
        ClientError::Closed | ClientError::Frame(_)
    ));
}

#[test]
fn a_killed_server_leaves_no_idle_worker_and_none_that_is_starting() {
    let mut server = ServerProcess::start(&[]);
    let worker = server.prover();
    server.signal(Signal::KILL);
    server.wait();
    wait_gone(worker);

    let (mut starting, worker) = starting_server();
    starting.kill().unwrap();
    starting.wait().unwrap();
    wait_gone(worker);
}

/// A server whose worker never gets ready, and that worker.
fn starting_server() -> (std::process::Child, u32) {
    let starting = crate::support::binary()
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--engine",
            "mock",
            "--mock-fault",
            "start-stall",
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let worker =
        poll_until("a starting worker", || workers_of(starting.id(), "prove").first().copied());
    (starting, worker)
}

#[test]
fn a_server_that_is_still_starting_can_be_ended() {
    let (mut starting, worker) = starting_server();
    crate::support::send(starting.id(), Signal::TERM);
    let status = poll_until("the server's end", || starting.try_wait().unwrap());
    assert!(status.success());
    wait_gone(worker);
}
