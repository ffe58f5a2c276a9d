//! The first words on a connection.

use std::io::Write;

use lc_core::ProgramId;
use proof_server::{
    client::{PinError, check_pins},
    engine::mock::MockEngine,
    types::{
        ClientMessage, Code, EngineKind, FrameLimits, RequestId, ServerMessage, VkeyHash,
        write_message,
    },
};

use crate::support::{ServerProcess, assert_proves, closing_failure, say_hello};

#[test]
fn a_hello_says_what_the_server_proves_and_takes() {
    let server = ServerProcess::start(&["--queue", "3", "--keepalive", "2s"]);
    let client = server.connect();
    let hello = client.hello();
    assert_eq!(hello.engine, MockEngine::info());
    assert_eq!(hello.engine.engine, EngineKind::Mock);
    assert_eq!((hello.limits.queue, hello.limits.keepalive_seconds), (3, 2));
    assert_eq!(hello.limits.max_request_bytes, FrameLimits::default().request);
}

#[test]
fn a_client_refuses_a_mock_server_unless_told_otherwise() {
    let server = ServerProcess::start(&[]);
    let client = server.connect();
    assert_eq!(check_pins(client.hello(), &[], false), Err(PinError::Mock));
    assert_eq!(check_pins(client.hello(), &[], true), Ok(()));
}

#[test]
fn a_client_that_pins_another_key_says_so_and_stops() {
    let server = ServerProcess::start(&[]);
    let mut hello = server.connect().hello().clone();
    // As a real engine would say it.
    hello.engine.engine = EngineKind::Cpu;
    let pins = hello.engine.programs.clone();
    assert_eq!(check_pins(&hello, &pins, false), Ok(()));

    let mut other = pins.clone();
    other[1].vkey = VkeyHash([9; 32]);
    let error = check_pins(&hello, &other, false).unwrap_err();
    let (program, theirs, ours) = (ProgramId::Inclusion, pins[1].vkey, other[1].vkey);
    assert_eq!(error, PinError::Vkey { program, theirs, ours });
    assert!(error.to_string().contains("upgrade the older one"), "{error}");

    hello.engine.programs.pop();
    assert_eq!(check_pins(&hello, &pins, false), Err(PinError::Missing { program }));
}

#[test]
fn a_client_of_another_version_learns_the_servers_before_it_is_refused() {
    let server = ServerProcess::start(&[]);
    let mut stream = server.raw();
    // Length 10, Hello, version 9, four bytes of whatever version 9 has there.
    stream.write_all(&[0, 0, 0, 10, 0, 0, 0, 0, 9, 0, 1, 2, 3, 4]).unwrap();
    let failure = closing_failure(stream);
    assert_eq!(failure.code, Code::Unsupported);
    assert_eq!(failure.message, "peer speaks protocol 9, this side 5: upgrade the older one");
}

#[test]
fn whatever_else_comes_first_is_refused_in_words() {
    let server = ServerProcess::start(&[]);
    let cancel = [vec![0, 0, 0, 12, 3, 0, 0, 0], vec![0; 8]].concat();
    for (bytes, says) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "message kind 1414012975 does not exist"),
        (vec![0, 0, 0, 0], "frame announces 0 bytes"),
        (cancel, "the first message must be Hello"),
        (vec![0, 0, 0, 6, 0, 0, 0, 0, 5, 0], "malformed Hello message"),
    ] {
        let mut stream = server.raw();
        stream.write_all(&bytes).unwrap();
        let failure = closing_failure(stream);
        assert_eq!(failure.code, Code::InvalidInput);
        assert!(failure.message.starts_with(says), "{failure}");
    }
    assert_proves(&server);
}

#[test]
fn a_second_hello_ends_the_connection() {
    let server = ServerProcess::start(&[]);
    let mut stream = server.raw();
    let mut reader = say_hello(&stream);
    let hello = ClientMessage::Hello(proof_server::types::ClientHello::new("again"));
    write_message(&mut stream, &hello, &FrameLimits::default()).unwrap();
    match reader.next_message().unwrap() {
        Some(ServerMessage::Failed { id: None, failure }) => {
            assert!(failure.message.starts_with("a second Hello"))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_id_that_does_not_count_up_ends_the_connection() {
    let server = ServerProcess::start(&[]);
    let mut client = server.connect();
    client.send(&ClientMessage::Status { id: RequestId(5) }).unwrap();
    assert!(matches!(client.receive().unwrap(), ServerMessage::Status { id: RequestId(5), .. }));
    client.send(&ClientMessage::Status { id: RequestId(5) }).unwrap();
    match client.receive().unwrap() {
        ServerMessage::Failed { id: None, failure } => {
            assert_eq!(failure.message, "request id 5 is not above the last one: count up");
        }
        other => panic!("{other:?}"),
    }
}
