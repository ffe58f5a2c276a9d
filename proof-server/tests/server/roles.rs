//! A primary and its secondary.

use std::net::TcpListener;

use lc_core::ProgramId;
use proof_server::types::{ClientMessage, Code, EngineKind, ProofMode, ServerMessage};
use rustix::process::Signal;

use crate::support::{
    FOREVER, ServerProcess, ask, ask_for, binary, failure, inclusion, input, poll_until,
    receive_until, wait_failure, wait_position, wait_started,
};

fn secondary(flags: &[&str]) -> ServerProcess {
    ServerProcess::start(&[&["--role", "secondary"][..], flags].concat())
}

fn primary(secondary: &ServerProcess, flags: &[&str]) -> ServerProcess {
    let address = secondary.address.to_string();
    let own = ["--role", "primary", "--secondary", &address];
    let server = ServerProcess::start(&[&own[..], flags].concat());
    poll_until("the secondary", || {
        (server.connect().status().unwrap().secondary == Some(true)).then_some(())
    });
    server
}

#[test]
fn a_primary_passes_inclusion_on_with_every_step_and_proves_committee_changes_itself() {
    let second = secondary(&["--mock-delay", "400ms"]);
    let first = primary(&second, &[]);
    let mut client = first.connect();
    assert_eq!(client.hello().engine.programs.len(), 2);
    let mut kinds = Vec::new();
    let (proof, _) = client
        .prove(ProofMode::Core, inclusion(), |event| kinds.push(std::mem::discriminant(&event)))
        .unwrap();
    assert_eq!((proof.program, proof.engine), (ProgramId::Inclusion, EngineKind::Mock));
    assert_eq!(proof.public_values, inclusion().check().unwrap().public_values);
    kinds.dedup();
    assert!(kinds.len() >= 4, "accepted, queued, started, progress");
    client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    assert_eq!(second.connect().status().unwrap().proofs, 1);
    assert_eq!(client.status().unwrap().proofs, 1);
}

#[test]
fn a_secondary_proves_inclusion_alone() {
    let server = secondary(&[]);
    let mut client = server.connect();
    let programs: Vec<_> = client.hello().engine.programs.iter().map(|info| info.program).collect();
    assert_eq!(programs, [ProgramId::Inclusion]);
    assert_eq!(failure(client.prove(ProofMode::Core, input(), |_| {})).code, Code::Unsupported);
    client.prove(ProofMode::Core, inclusion(), |_| {}).unwrap();
}

#[test]
fn both_proofs_run_at_the_same_time() {
    let second = secondary(&FOREVER);
    let first = primary(&second, &FOREVER);
    let mut client = first.connect();
    let change = ask(&mut client);
    wait_started(&mut client, change);
    let other = ask_for(&mut client, ProofMode::Core, inclusion());
    wait_started(&mut client, other);
    assert!(second.connect().status().unwrap().workers[0].running.is_some());
}

#[test]
fn a_cancel_and_a_place_in_the_queue_pass_through() {
    let second = secondary(&FOREVER);
    let first = primary(&second, &[]);
    let mut client = first.connect();
    let running = ask_for(&mut client, ProofMode::Core, inclusion());
    wait_started(&mut client, running);
    let waiting = ask_for(&mut client, ProofMode::Plonk, inclusion());
    wait_position(&mut client, waiting, 1);
    let worker = second.prover();
    client.send(&ClientMessage::Cancel { id: running }).unwrap();
    assert_eq!(wait_failure(&mut client, running).code, Code::Cancelled);
    crate::support::wait_gone(worker);
    wait_started(&mut client, waiting);
}

#[test]
fn what_the_secondary_refuses_is_told_as_it_said_it() {
    let second = secondary(&[&["--queue", "1"][..], &FOREVER].concat());
    let first = primary(&second, &[]);
    let mut client = first.connect();
    for mode in [ProofMode::Core, ProofMode::Compressed] {
        let id = ask_for(&mut client, mode, inclusion());
        receive_until(&mut client, |message| match message {
            ServerMessage::Started { id: of }
            | ServerMessage::Queued { id: of, position: 1, .. } => (*of == id).then_some(()),
            _ => None,
        });
    }
    let refused = ask_for(&mut client, ProofMode::Plonk, inclusion());
    let failure = wait_failure(&mut client, refused);
    assert_eq!(failure.code, Code::Busy);
    assert!(failure.message.starts_with("1 jobs wait already"), "{failure}");
}

#[test]
fn while_the_secondary_is_away_inclusion_is_unavailable_at_once_and_committee_changes_go_on() {
    let mut second = secondary(&FOREVER);
    let first = primary(&second, &["--metrics", "127.0.0.1:0"]);
    assert_eq!(first.metric("proof_server_secondary_up"), 1.0);
    let mut client = first.connect();
    let running = ask_for(&mut client, ProofMode::Core, inclusion());
    wait_started(&mut client, running);
    second.signal(Signal::KILL);
    second.wait();
    let lost = wait_failure(&mut client, running);
    assert_eq!(lost.code, Code::Unavailable);
    assert!(lost.retry_after_seconds.is_some());
    let refused = failure(client.prove(ProofMode::Core, inclusion(), |_| {}));
    assert_eq!(refused.code, Code::Unavailable);
    assert!(refused.message.starts_with("the server that proves inclusion is away"), "{refused}");
    client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    assert_eq!(first.metric("proof_server_secondary_up"), 0.0);
    assert_eq!(first.get("/readyz").0, 200, "it can serve half of what it is for");

    // Back on its port: the connection is made again.
    let listen = second.address.to_string();
    let back = ServerProcess::start_at(&listen, &["--role", "secondary"]);
    poll_until("inclusion", || client.prove(ProofMode::Core, inclusion(), |_| {}).ok());
    assert_eq!(back.connect().status().unwrap().proofs, 1);
}

#[test]
fn a_proof_goes_on_over_a_connection_that_broke() {
    // A relay in the middle, whose connections can be cut.
    let second = secondary(&["--grace", "30s", "--mock-delay", "4s"]);
    let cut = crate::support::Wire::to(second.address);
    let address = cut.address.to_string();
    let first = ServerProcess::start(&["--role", "primary", "--secondary", &address]);
    let mut client = first.connect();
    poll_until("the secondary", || {
        (client.status().unwrap().secondary == Some(true)).then_some(())
    });
    let id = ask_for(&mut client, ProofMode::Core, inclusion());
    wait_started(&mut client, id);
    cut.cut();
    receive_until(&mut client, |message| {
        matches!(message, ServerMessage::Proof { .. }).then_some(())
    });
    assert_eq!(second.connect().status().unwrap().proofs, 1, "it was made once");
}

#[test]
fn a_primary_starts_and_serves_without_its_secondary() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = ServerProcess::start(&["--role", "primary", "--secondary", &nobody]);
    let mut client = server.connect();
    client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    let refused = failure(client.prove(ProofMode::Core, inclusion(), |_| {}));
    assert_eq!(refused.code, Code::Unavailable);
    assert_eq!(client.status().unwrap().secondary, Some(false));
}

#[test]
fn roles_that_do_not_fit_are_refused_with_what_is_missing() {
    for (flags, says) in [
        (&["--role", "primary"][..], "give the other server with --secondary HOST:PORT"),
        (&["--secondary", "127.0.0.1:1"], "a standalone has none: leave it out"),
        (&["--role", "primary", "--secondary", "here"], "`here` is no address: give HOST:PORT"),
    ] {
        let output = binary()
            .args(["serve", "--listen", "127.0.0.1:0", "--engine", "mock"])
            .args(flags)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64));
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(log.contains(says), "{log}");
    }
}
