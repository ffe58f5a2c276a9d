//! Ctrl-C and SIGTERM.

use std::{
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use proof_server::types::{ClientMessage, Code, EngineKind, Failure, ServerMessage, VkeyHash};

use crate::{
    command::{Desk, Ended},
    server::FakeServer,
    testing::store,
};

fn a_signal_cancels(signal: &str, code: i32, answers: bool) {
    let desk = Desk::new();
    let (accepted, is_accepted) = mpsc::channel();
    let server = FakeServer::start(move |mut peer| {
        peer.greet(EngineKind::Mock, VkeyHash([0; 32]));
        let (id, ..) = peer.request();
        peer.accept(id);
        accepted.send(()).unwrap();
        assert_eq!(peer.receive(), Some(ClientMessage::Cancel { id }));
        if answers {
            let failure = Failure::new(Code::Cancelled, "cancelled by the client");
            peer.send(&ServerMessage::Failed { id: Some(id), failure });
        }
        assert_eq!(peer.receive(), None, "the client goes");
    });
    let line = format!(
        "prove committee-change --updates update --store store --out a.proof --allow-mock --server {}",
        server.address
    );
    let client = desk.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    is_accepted.recv_timeout(Duration::from_secs(20)).unwrap();
    let id = client.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    let ended = Ended::of(client.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.err.ends_with("interrupted: the request is cancelled, nothing was changed\n"));
    server.join();
    assert_eq!(desk.store(), store());
    assert!(!desk.path("a.proof").exists() && !desk.path("a.proof.lc-tmp").exists());
}

#[test]
fn ctrl_c_cancels_the_request_and_exits_130() {
    a_signal_cancels("-INT", 130, true);
}

#[test]
fn a_request_to_terminate_cancels_too_and_exits_143() {
    a_signal_cancels("-TERM", 143, true);
}

#[test]
fn a_server_that_does_not_answer_the_cancel_is_not_waited_for() {
    a_signal_cancels("-INT", 130, false);
}
