//! What operators see: health, metrics and the log.

use std::process::Output;

use proof_server::types::{ClientMessage, Code, ProofMode};
use rustix::process::Signal;

use crate::support::{
    FOREVER, ServerProcess, ask, binary, failure, input, poll_until, send, too_few_signers,
    wait_failure, wait_started,
};

const PORT: [&str; 2] = ["--metrics", "127.0.0.1:0"];

#[test]
fn a_server_that_can_serve_says_so_and_one_that_drains_does_not() {
    let mut server = ServerProcess::start(&[&PORT[..], &FOREVER].concat());
    assert_eq!(server.get("/healthz").0, 200);
    assert_eq!(server.get("/readyz").0, 200);
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    assert_eq!(server.get("/readyz").0, 200, "busy is no reason to send nobody here");

    server.signal(Signal::TERM);
    let (status, reason) =
        poll_until("a drain", || Some(server.get("/readyz")).filter(|a| a.0 != 200));
    assert_eq!((status, reason.trim()), (503, "drain: the server is going down"));
    assert_eq!(server.get("/healthz").0, 200);
    server.signal(Signal::TERM);
    assert_eq!(wait_failure(&mut client, id).code, Code::ShuttingDown);
    assert!(server.wait().success());
}

/// What the command says that containers run for their health.
fn health(metrics: &str) -> Output {
    binary().arg("health").env("PROOF_SERVER_METRICS", metrics).output().unwrap()
}

#[test]
fn the_health_command_says_what_readyz_says() {
    let mut server = ServerProcess::start(&[&PORT[..], &FOREVER].concat());
    let metrics = server.operators().to_string();
    let output = health(&metrics);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"ready\n"[..]));

    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    server.signal(Signal::TERM);
    let output =
        poll_until("a drain", || Some(health(&metrics)).filter(|output| !output.status.success()));
    assert_eq!(output.status.code(), Some(69));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text, "error: not ready: drain: the server is going down\n");
    server.signal(Signal::TERM);
    wait_failure(&mut client, id);
    assert!(server.wait().success());

    let output = health(&metrics);
    assert_eq!(output.status.code(), Some(69));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with(&format!("error: nothing answers on {metrics}")), "{text}");
}

#[test]
fn a_worker_that_keeps_dying_backs_off_and_turns_readiness_off_with_the_reason() {
    let server = ServerProcess::start(&PORT);
    assert_eq!(server.get("/readyz").0, 200);
    let (status, reason) = poll_until("not ready", || {
        let worker = crate::support::workers_of(server.pid(), "prove");
        worker.first().inspect(|worker| send(**worker, Signal::KILL));
        Some(server.get("/readyz")).filter(|answer| answer.0 != 200)
    });
    assert_eq!(status, 503);
    // Killed once it was ready, or before.
    assert!(reason.starts_with("prover: ") && reason.contains("signal 9"), "{reason}");
    assert!(server.log().contains("worker lost"));
    // It serves again once a job is done well.
    poll_until("a proof", || server.connect().prove(ProofMode::Core, input(), |_| {}).ok());
    assert_eq!(server.get("/readyz").0, 200);
}

#[test]
fn every_request_is_counted_once_by_how_it_ended() {
    let server = ServerProcess::start(&[&PORT[..], &["--mock-delay", "40ms"]].concat());
    let mut client = server.connect();
    client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    failure(client.prove(ProofMode::Core, too_few_signers(), |_| {}));
    let labels = |code: &str| {
        format!(
            "proof_server_request_outcomes_total{{code=\"{code}\",mode=\"core\",program=\"committee-change\",task=\"prove\"}}"
        )
    };
    assert_eq!(server.metric(&labels("OK")), 1.0);
    assert_eq!(server.metric(&labels("INVALID_INPUT")), 1.0);
    assert_eq!(server.metric(&labels("BUSY")), 0.0);
    let subject = "{mode=\"core\",program=\"committee-change\",task=\"prove\"}";
    assert_eq!(server.metric(&format!("proof_server_requests_total{subject}")), 2.0);
    assert_eq!(server.metric(&format!("proof_server_requests_in_flight{subject}")), 0.0);
    assert_eq!(server.metric(&format!("proof_server_job_seconds_count{subject}")), 1.0);
    assert!(server.metric(&format!("proof_server_job_seconds_sum{subject}")) >= 0.04);
    let phase = "{mode=\"core\",phase=\"prove\",program=\"committee-change\"}";
    assert_eq!(server.metric(&format!("proof_server_phase_seconds_count{phase}")), 1.0);
    assert_eq!(server.metric("proof_server_connections"), 1.0);
    assert!(server.metric("proof_server_received_bytes_total") > 1000.0);
    poll_until("the worker's memory", || {
        let bytes =
            server.metric("proof_server_worker_resident_bytes{task=\"prove\",worker=\"0\"}");
        (bytes > 1e6).then_some(())
    });
}

#[test]
fn what_waits_and_what_gets_nowhere_is_seen_by_its_age() {
    let limit = ["--mock-fault", "stall", "--worker-memory", "256MiB"];
    let server = ServerProcess::start(&[&PORT[..], &limit].concat());
    let of_worker = |name: &str, task: &str| {
        server.metric(&format!("proof_server_worker_{name}{{task=\"{task}\",worker=\"0\"}}"))
    };
    let oldest = || server.metric("proof_server_queue_oldest_seconds{task=\"prove\"}");
    assert_eq!(of_worker("memory_limit_bytes", "prove"), f64::from(256 << 20));
    assert_eq!(of_worker("memory_limit_bytes", "verify"), f64::from(256 << 20));
    assert_eq!((of_worker("progress_age_seconds", "prove"), oldest()), (0.0, 0.0));

    let mut clients = [server.connect(), server.connect()];
    let [running, waiting] = clients.each_mut().map(ask);
    wait_started(&mut clients[0], running);
    poll_until("an old job", || (oldest() > 1.0).then_some(()));
    assert!(of_worker("progress_age_seconds", "prove") > 1.0);
    assert_eq!(of_worker("progress_age_seconds", "verify"), 0.0);

    clients[1].send(&ClientMessage::Cancel { id: waiting }).unwrap();
    poll_until("an empty queue", || (oldest() == 0.0).then_some(()));
    clients[0].send(&ClientMessage::Cancel { id: running }).unwrap();
    poll_until("no job", || (of_worker("progress_age_seconds", "prove") == 0.0).then_some(()));
}

#[test]
fn a_job_that_goes_on_says_so_by_its_age() {
    // Four steps of a second each.
    let server = ServerProcess::start(&[&PORT[..], &["--mock-delay", "6s"]].concat());
    let mut client = server.connect();
    let id = ask(&mut client);
    wait_started(&mut client, id);
    let started = std::time::Instant::now();
    let age =
        || server.metric("proof_server_worker_progress_age_seconds{task=\"prove\",worker=\"0\"}");
    let mut oldest: f64 = 0.0;
    while started.elapsed().as_secs() < 4 {
        oldest = oldest.max(age());
    }
    assert!((0.5..3.0).contains(&oldest), "{oldest} s old within four seconds of a job");
}

#[test]
fn workers_that_die_are_counted_by_why() {
    let server = ServerProcess::start(&PORT);
    let restarts = |reason: &str| {
        server.metric(&format!(
            "proof_server_worker_restarts_total{{reason=\"{reason}\",task=\"prove\"}}"
        ))
    };
    assert_eq!(restarts("signal"), 0.0);
    send(server.prover(), Signal::KILL);
    poll_until("a restart", || (restarts("signal") == 1.0).then_some(()));
    assert_eq!(restarts("oom"), 0.0);
}

#[test]
fn frames_and_connections_that_are_refused_are_counted() {
    use std::io::Write;
    let server = ServerProcess::start(&[&PORT[..], &["--max-connections", "1"]].concat());
    let mut stream = server.raw();
    stream.write_all(&[0, 0, 0, 0]).unwrap();
    crate::support::closing_failure(stream);
    let frames = "proof_server_frames_refused_total{reason=\"too_short\"}";
    assert_eq!(server.metric(frames), 1.0);
    let _one = poll_until("a free place", || server.try_connect().ok());
    failure(server.try_connect());
    assert_eq!(server.metric("proof_server_connections_refused_total{reason=\"limit\"}"), 1.0);
}

#[test]
fn the_log_has_one_line_a_request_with_the_name_that_the_client_was_told() {
    let server = ServerProcess::start(&["--log-format", "json"]);
    let mut client = server.connect();
    let mut name = None;
    client
        .prove(ProofMode::Core, input(), |event| {
            if let proof_server::client::Event::Accepted { request, .. } = event {
                name = Some(request.to_string());
            }
        })
        .unwrap();
    failure(client.prove(ProofMode::Core, too_few_signers(), |_| {}));
    let log = server.log();
    let lines: Vec<serde_json::Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let answered: Vec<_> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert_eq!(answered.len(), 2, "{log}");
    assert_eq!(answered[0]["outcome"], "OK");
    assert_eq!(answered[0]["span"]["request"].as_str(), name.as_deref(), "{log}");
    assert_eq!(answered[0]["span"]["program"], "committee-change");
    assert!(answered[0]["total_ms"].is_u64() && answered[0]["prove_ms"].is_u64());
    assert_eq!(answered[1]["outcome"], "INVALID_INPUT");
}
