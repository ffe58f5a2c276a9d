//! What strangers can make the server do: little.

use std::io::Write;

use proof_server::{
    client::ClientError,
    types::{ClientMessage, Code, FrameError, FrameLimits, ProofMode, RequestId, write_message},
};

use crate::support::{
    FOREVER, ServerProcess, ask, assert_proves, closing_failure, committee_change, failure, input,
    poll_until, say_hello, wait_failure, wait_started,
};

/// Resident memory of a process in bytes.
fn resident(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn a_forged_length_is_refused_at_once_and_costs_no_memory() {
    let server = ServerProcess::start(&[]);
    let before = resident(server.pid());
    for kind in 0_u8..5 {
        let mut stream = server.raw();
        say_hello(&stream);
        stream.write_all(&[0xff, 0xff, 0xff, 0xff, kind, 0, 0, 0]).unwrap();
        let failure = closing_failure(stream);
        assert_eq!(failure.code, Code::InvalidInput);
        assert!(
            failure.message.contains("frame of 4294967295 bytes, this side takes"),
            "{failure}"
        );
    }
    let grown = resident(server.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "grew by {grown} bytes");
    assert_proves(&server);
}

#[test]
fn a_large_frame_before_hello_is_refused() {
    let server = ServerProcess::start(&[]);
    let mut stream = server.raw();
    // A Prove of 1 MiB, well within the cap of its kind after the handshake.
    stream.write_all(&[0, 16, 0, 0, 1, 0, 0, 0]).unwrap();
    assert!(closing_failure(stream).message.contains("this side takes 4096"));
}

#[test]
fn a_client_that_never_says_hello_is_let_go() {
    let server = ServerProcess::start(&["--handshake-timeout", "200ms"]);
    for bytes in [&[][..], &[0, 0], &[0, 0, 0, 20, 0, 0, 0, 0, 1]] {
        let mut stream = server.raw();
        stream.write_all(bytes).unwrap();
        let failure = closing_failure(stream);
        assert_eq!(failure.code, Code::Timeout);
        assert!(failure.message.starts_with("no Hello within 200ms"), "{failure}");
    }
}

#[test]
fn a_frame_that_trickles_is_cut_off() {
    let server = ServerProcess::start(&["--frame-timeout", "300ms"]);
    let mut stream = server.raw();
    say_hello(&stream);
    stream.write_all(&[0, 0, 1, 0, 1, 0, 0, 0]).unwrap();
    // Bytes keep coming, so only the time of the whole frame can end this.
    let writer = stream.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        poll_until("a refused write", || (&writer).write_all(&[0]).err());
    });
    let failure = closing_failure(stream);
    assert_eq!(failure.code, Code::Timeout);
    assert!(failure.message.starts_with("a frame took longer than 300ms"), "{failure}");
    trickle.join().unwrap();
}

#[test]
fn an_idle_connection_is_closed_and_one_with_a_job_is_not() {
    let server = ServerProcess::start(&["--idle-timeout", "1s", "--mock-delay", "4s"]);
    let mut busy = server.connect();
    let stream = server.raw();
    say_hello(&stream);
    let asked =
        std::thread::spawn(move || busy.prove(ProofMode::Core, input(), |_| {}).map(|_| ()));
    let failure = closing_failure(stream);
    assert_eq!(failure.code, Code::Timeout);
    assert!(failure.message.starts_with("no request for 1s"), "{failure}");
    asked.join().unwrap().unwrap();
}

#[test]
fn one_connection_too_many_is_told_busy_until_another_ends() {
    let server = ServerProcess::start(&["--max-connections", "2"]);
    let first = server.connect();
    let _second = server.connect();
    let refused = failure(server.try_connect());
    assert_eq!(refused.code, Code::Busy);
    assert_eq!(refused.retry_after_seconds, Some(10));
    assert_eq!(refused.message, "2 connections are open already: try again in 10 s");
    drop(first);
    poll_until("a free connection", || server.try_connect().ok());
}

#[test]
fn one_request_too_many_on_a_connection_is_told_busy_and_the_others_go_on() {
    let server = ServerProcess::start(&[&["--max-requests", "1"][..], &FOREVER].concat());
    let mut client = server.connect();
    let first = ask(&mut client);
    wait_started(&mut client, first);
    let second = ask(&mut client);
    let refused = wait_failure(&mut client, second);
    assert_eq!(refused.code, Code::Busy);
    assert!(refused.message.starts_with("1 requests are open on this connection"), "{refused}");
    assert!(client.status().unwrap().workers[0].running.is_some());
}

#[test]
fn a_request_over_the_servers_limit_is_not_even_sent() {
    let server = ServerProcess::start(&["--max-request-bytes", "64KiB"]);
    let mut input = committee_change();
    let update = input.updates[0].clone();
    input.updates = vec![update; 100];
    let input = lc_core::host::ProgramInput::CommitteeChange(input);
    let error = server.connect().prove(ProofMode::Core, input.clone(), |_| {}).unwrap_err();
    assert!(
        matches!(error, ClientError::Frame(FrameError::TooLarge { limit: 65536, .. })),
        "{error:?}"
    );

    // Nor is it taken from a client that does not care.
    let mut stream = server.raw();
    say_hello(&stream);
    let message = ClientMessage::Prove { id: RequestId(1), mode: ProofMode::Core, input };
    let _ = write_message(&mut stream, &message, &FrameLimits::default());
    let failure = closing_failure(stream);
    assert_eq!(failure.code, Code::InvalidInput);
    assert!(failure.message.contains("this side takes 65536"), "{failure}");
}

#[test]
fn a_client_that_takes_no_answers_is_cut_off_and_costs_no_memory() {
    let server = ServerProcess::start(&["--frame-timeout", "500ms"]);
    let before = resident(server.pid());
    let mut stream = server.raw();
    say_hello(&stream);
    // Requests whose answers are larger than they, until the server closes.
    let limits = FrameLimits::default();
    let mut id = 0;
    poll_until("the end of the connection", || {
        for _ in 0..1000 {
            id += 1;
            let message = ClientMessage::Status { id: RequestId(id) };
            if write_message(&mut stream, &message, &limits).is_err() {
                return Some(());
            }
        }
        None
    });
    let grown = resident(server.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "grew by {grown} bytes");
    assert_proves(&server);
}
