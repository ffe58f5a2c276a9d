//! What becomes of workers, and of the jobs they had.

use proof_server::types::{ClientMessage, Code, Phase, ProofMode, ServerMessage, WorkerState};
use rustix::process::Signal;

use crate::support::{
    FOREVER, ServerProcess, ask, assert_proves, binary, children_in_group, failure, input,
    poll_until, receive_until, runs, send, wait_failure, wait_gone, wait_position, wait_started,
    workers_of,
};

#[test]
fn a_job_whose_worker_is_killed_once_is_made_by_the_next_one() {
    let server = ServerProcess::start(&["--mock-delay", "3s"]);
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let worker = server.prover();
    send(worker, Signal::KILL);
    // It is told: back to the queue, then with a worker again.
    wait_position(&mut client, id, 0);
    wait_started(&mut client, id);
    assert_ne!(server.prover(), worker);
    receive_until(&mut client, |message| {
        matches!(message, ServerMessage::Proof { .. }).then_some(())
    });
    let status = client.status().unwrap();
    assert_eq!((status.worker_restarts, status.proofs, status.failures), (1, 1, 0));
}

#[test]
fn a_worker_may_be_killed_at_any_phase() {
    let server = ServerProcess::start(&["--mock-delay", "4s"]);
    let mut client = server.connect();
    // Before its first job, too.
    let idle = server.prover();
    send(idle, Signal::KILL);
    for phase in [Phase::Execute, Phase::Prove, Phase::Verify] {
        let id = ask(&mut client);
        receive_until(&mut client, |message| match message {
            ServerMessage::Progress { progress, .. } if progress.phase == phase => Some(()),
            _ => None,
        });
        send(server.prover(), Signal::KILL);
        wait_position(&mut client, id, 0);
        receive_until(&mut client, |message| {
            matches!(message, ServerMessage::Proof { .. }).then_some(())
        });
    }
    let status = client.status().unwrap();
    assert_eq!((status.worker_restarts, status.proofs, status.failures), (4, 3, 0));
}

#[test]
fn a_job_that_costs_two_workers_is_lost_and_later_ones_are_served() {
    let server = ServerProcess::start(&["--mock-delay", "3s"]);
    let (mut client, mut other) = (server.connect(), server.connect());
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let waiting = ask(&mut other);
    wait_position(&mut other, waiting, 1);
    send(server.prover(), Signal::KILL);
    wait_started(&mut client, id);
    send(server.prover(), Signal::KILL);
    let lost = wait_failure(&mut client, id);
    assert_eq!(lost.code, Code::WorkerLost);
    assert!(lost.message.contains("killed (signal 9"), "{lost}");
    assert!(
        lost.message.ends_with("another is being started, send the request again later"),
        "{lost}"
    );
    receive_until(&mut other, |message| {
        matches!(message, ServerMessage::Proof { .. }).then_some(())
    });
    let status = client.status().unwrap();
    assert_eq!((status.worker_restarts, status.proofs, status.failures), (2, 1, 1));
}

#[test]
fn a_worker_over_its_memory_is_killed_and_its_job_not_tried_again() {
    let server = ServerProcess::start(&["--mock-fault", "hoard", "--worker-memory", "256MiB"]);
    let mut client = server.connect();
    let id = ask(&mut client);
    let lost = wait_failure(&mut client, id);
    assert_eq!(lost.code, Code::WorkerLost);
    assert!(lost.message.contains("over the 256 MiB that this server allows a proof"), "{lost}");
    let restarts =
        |client: &mut proof_server::client::Client| client.status().unwrap().worker_restarts;
    poll_until("another worker", || (restarts(&mut client) == 1).then_some(()));
    let status = client.status().unwrap();
    assert_eq!((status.failures, status.worker_restarts), (1, 1), "one worker, not two");
}

#[test]
fn a_worker_within_its_memory_is_left_alone() {
    let server = ServerProcess::start(&["--mock-delay", "3s", "--worker-memory", "256MiB"]);
    assert_proves(&server);
    assert_eq!(server.connect().status().unwrap().worker_restarts, 0);
}

#[test]
fn several_workers_prove_at_once() {
    let server = ServerProcess::start(&[&["--workers", "3"][..], &FOREVER].concat());
    let mut clients = [(); 4].map(|()| server.connect());
    let ids = clients.each_mut().map(ask);
    for (client, id) in clients.iter_mut().zip(ids).take(3) {
        wait_started(client, id);
    }
    wait_position(&mut clients[3], ids[3], 3);
    let status = clients[0].status().unwrap();
    assert!(status.workers.iter().all(|worker| worker.running.is_some()), "{status:?}");
    assert_eq!((status.workers.len(), workers_of(server.pid(), "prove").len()), (3, 3));
    // One of them dies, and the others go on.
    let workers = workers_of(server.pid(), "prove");
    send(workers[0], Signal::KILL);
    poll_until("another worker", || {
        let now = workers_of(server.pid(), "prove");
        (now.len() == 3 && now != workers).then_some(())
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
    assert_eq!(client.status().unwrap().workers[0].state, WorkerState::Starting);

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
        let mut server =
            ServerProcess::start(&["--mock-fault", "child", "--drain-timeout", "500ms"]);
        let mut client = server.connect();
        let id = ask(&mut client);
        wait_started(&mut client, id);
        let worker = server.prover();
        let child = poll_until("a child", || children_in_group(worker).first().copied());
        end(&mut server, &mut client, worker);
        poll_until(how, || (!runs(child) && !runs(worker)).then_some(()));
    }
}
