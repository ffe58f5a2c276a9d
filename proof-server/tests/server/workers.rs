//! What becomes of workers, and of the jobs they had.

use proof_server::types::{ClientMessage, Code, ProofMode, WorkerState};
use rustix::process::Signal;

use crate::support::{
    FOREVER, ServerProcess, ask, assert_proves, binary, children_in_group, failure, input,
    poll_until, runs, send, wait_failure, wait_gone, wait_started, workers_of,
};

#[test]
fn a_killed_worker_costs_its_job_and_nothing_else() {
    let server = ServerProcess::start(&["--mock-delay", "4s"]);
    let mut client = server.connect();
    for round in 1..=2 {
        let id = ask(&mut client);
        wait_started(&mut client, id);
        send(server.prover(), Signal::KILL);
        let lost = wait_failure(&mut client, id);
        assert_eq!(lost.code, Code::WorkerLost, "round {round}");
        assert!(lost.message.contains("killed (signal 9"), "{lost}");
        assert!(
            lost.message.ends_with("another is being started, send the request again"),
            "{lost}"
        );
    }
    client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    let status = client.status().unwrap();
    assert_eq!((status.worker_restarts, status.proofs, status.failures), (2, 1, 2));
}

#[test]
fn a_job_that_waits_outlives_the_worker_of_the_job_before() {
    let server = ServerProcess::start(&["--mock-delay", "4s"]);
    let (mut first, mut second) = (server.connect(), server.connect());
    let running = ask(&mut first);
    wait_started(&mut first, running);
    let waiting = ask(&mut second);
    crate::support::wait_position(&mut second, waiting, 1);
    send(server.prover(), Signal::KILL);
    assert_eq!(wait_failure(&mut first, running).code, Code::WorkerLost);
    crate::support::receive_until(&mut second, |message| {
        matches!(message, proof_server::types::ServerMessage::Proof { .. }).then_some(())
    });
}

#[test]
fn an_idle_worker_that_dies_is_replaced_before_anybody_asks() {
    let server = ServerProcess::start(&[]);
    let worker = server.prover();
    send(worker, Signal::KILL);
    poll_until("another worker", || {
        workers_of(server.pid(), "prove").into_iter().find(|pid| *pid != worker)
    });
    assert_proves(&server);
}

#[test]
fn cancelling_kills_the_worker_and_the_next_request_works() {
    let server = ServerProcess::start(&FOREVER);
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let worker = server.prover();
    client.send(&ClientMessage::Cancel { id }).unwrap();
    assert_eq!(wait_failure(&mut client, id).code, Code::Cancelled);
    wait_gone(worker);
    let next = ask(&mut client);
    wait_started(&mut client, next);
    assert_ne!(server.prover(), worker);
}

#[test]
fn a_job_over_its_time_ends_and_its_worker_with_it() {
    let server = ServerProcess::start(&["--mock-fault", "stall", "--job-timeout", "500ms"]);
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let worker = server.prover();
    let failed = wait_failure(&mut client, id);
    assert_eq!(failed.code, Code::Timeout);
    wait_gone(worker);
}

#[test]
fn a_worker_that_gives_no_sign_of_life_is_killed() {
    let server = ServerProcess::start(&["--mock-fault", "freeze", "--worker-silence", "2s"]);
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let worker = server.prover();
    let lost = wait_failure(&mut client, id);
    assert_eq!(lost.code, Code::WorkerLost);
    assert!(lost.message.starts_with("the worker gave no sign of life for 2 s"), "{lost}");
    wait_gone(worker);
}

#[test]
fn a_slow_job_with_a_living_worker_is_left_alone() {
    let server = ServerProcess::start(&["--mock-delay", "8s", "--worker-silence", "5s"]);
    assert_proves(&server);
    assert_eq!(server.connect().status().unwrap().worker_restarts, 0);
}

#[test]
fn a_prover_that_panics_costs_its_job_its_worker_and_nothing_else() {
    let server = ServerProcess::start(&["--mock-fault", "panic"]);
    let mut client = server.connect();
    for _ in 0..2 {
        let id = ask(&mut client);
        let lost = wait_failure(&mut client, id);
        assert_eq!(lost.code, Code::WorkerLost);
        assert!(lost.message.starts_with("the worker exited with code 101"), "{lost}");
    }
}

#[test]
fn a_fault_of_the_prover_is_internal_and_its_worker_is_replaced() {
    let server = ServerProcess::start(&["--mock-fault", "fail"]);
    let worker = server.prover();
    let failed = failure(server.connect().prove(ProofMode::Core, input(), |_| {}));
    assert_eq!(failed.code, Code::Internal);
    assert_eq!(
        failed.message, "the prover failed while it was to prove shard 1 of 4",
        "no internals for strangers"
    );
    wait_gone(worker);
}

#[test]
fn while_no_worker_starts_requests_are_refused_and_later_they_work() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let server = ServerProcess::start(&["--mock-gate", gate.to_str().unwrap()]);
    let mut client = server.connect();
    std::fs::write(&gate, "").unwrap();
    send(server.prover(), Signal::KILL);
    let refused =
        poll_until("a refusal", || match client.prove(ProofMode::Core, input(), |_| {}) {
            Err(proof_server::client::ClientError::Failed(failure))
                if failure.code == Code::Unavailable =>
            {
                Some(failure)
            }
            _ => None,
        });
    assert!(refused.message.starts_with("the worker does not start: try again in"), "{refused}");
    assert!(refused.retry_after_seconds.is_some());
    assert_eq!(client.status().unwrap().worker, WorkerState::Starting);

    std::fs::remove_file(&gate).unwrap();
    poll_until("a proof", || client.prove(ProofMode::Core, input(), |_| {}).ok());
}

#[test]
fn a_server_whose_first_worker_does_not_start_says_why_and_ends() {
    for (fault, says) in [
        ("start", "the first worker does not start: the worker ended before it was ready"),
        ("start-stall", "the first worker does not start: the worker did not get ready within"),
    ] {
        let output = binary()
            .args(["serve", "--listen", "127.0.0.1:0", "--engine", "mock", "--mock-fault", fault])
            .args(["--worker-start-timeout", "2s"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(70), "{fault}");
        assert!(output.stdout.is_empty(), "it never listened");
        let log = String::from_utf8(output.stderr).unwrap();
        let last = log.lines().last().unwrap();
        assert!(last.starts_with(&format!("error: {says}")), "{log}");
    }
}

#[test]
fn a_worker_is_the_first_that_the_kernel_kills_and_has_a_group_of_its_own() {
    let server = ServerProcess::start(&[]);
    let worker = server.prover();
    let score = |pid| {
        std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj"))
            .unwrap()
            .trim()
            .parse::<i32>()
            .unwrap()
    };
    assert_eq!(score(worker), 1000);
    assert!(score(server.pid()) < 1000);
    let stat = std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap();
    let group: u32 =
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap().parse().unwrap();
    assert_eq!(group, worker);
}

#[test]
fn what_a_worker_started_ends_with_it_however_it_ends() {
    type End = fn(&mut ServerProcess, &mut proof_server::client::Client, u32);
    let ends: [(&str, End); 4] = [
        ("the job is cancelled", |_, client, _| {
            client.send(&ClientMessage::Cancel { id: proof_server::types::RequestId(1) }).unwrap();
        }),
        ("the worker alone is killed", |_, _, worker| send(worker, Signal::KILL)),
        ("the server is asked to end", |server, _, _| server.signal(Signal::TERM)),
        ("the server is killed", |server, _, _| server.signal(Signal::KILL)),
    ];
    for (how, end) in ends {
        let mut server = ServerProcess::start(&["--mock-fault", "child"]);
        let mut client = server.connect();
        let id = ask(&mut client);
        wait_started(&mut client, id);
        let worker = server.prover();
        let child = poll_until("a child", || children_in_group(worker).first().copied());
        end(&mut server, &mut client, worker);
        poll_until(how, || (!runs(child) && !runs(worker)).then_some(()));
    }
}
