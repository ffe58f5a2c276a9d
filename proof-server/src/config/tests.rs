use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
}

fn load(flags: &[&str]) -> Result<Config, ConfigError> {
    let args = ["proof-server", "--engine", "mock"].into_iter().chain(flags.iter().copied());
    Config::load(&Cli::try_parse_from(args).unwrap().serve, LogArgs::default(), Vec::new())
}

#[test]
fn the_defaults_are_a_valid_configuration() {
    let config = load(&[]).unwrap();
    assert_eq!(config.listen, "127.0.0.1:7600".parse().unwrap());
    assert_eq!(config.frames, FrameLimits::default());
    assert!(config.keepalive <= MAX_KEEPALIVE);
    assert_eq!(config.limits().keepalive_seconds, 10);
    assert_eq!(config.limits().job_timeout_seconds, 3600);
}

#[test]
fn each_setting_out_of_range_is_refused_with_its_flag_and_range() {
    for (flag, value, says) in [
        ("--listen", "localhost", "--listen: `localhost` is no address: give IP:PORT"),
        ("--queue", "0", "--queue: `0` is not usable: give a number from 1 to 10000"),
        ("--queue", "many", "--queue: `many` is not usable"),
        ("--max-connections", "0", "--max-connections: `0`"),
        ("--max-connections-per-address", "no", "--max-connections-per-address: `no`"),
        ("--max-queued-per-client", "0", "--max-queued-per-client: `0`"),
        ("--workers", "65", "--workers: `65` is not usable: give a number from 1 to 64"),
        ("--worker-memory", "1MiB", "--worker-memory: `1MiB` is out of range"),
        ("--keep-bytes", "some", "--keep-bytes: `some` is no size"),
        ("--keep-time", "2", "--keep-time: `2` is no duration"),
        ("--grace", "25h", "--grace: `25h` is out of range"),
        ("--request-timeout", "1ms", "--request-timeout: `1ms` is out of range"),
        ("--drain-timeout", "x", "--drain-timeout: `x` is no duration"),
        ("--metrics", "9090", "--metrics: `9090` is no address: give IP:PORT"),
        ("--role", "boss", "--role: `boss` is not known: give standalone or primary or secondary"),
        ("--tls-key", "k.pem", "--tls-key: needs its other half: give --tls-cert too"),
        ("--tls-client-ca", "ca.pem", "--tls-client-ca: client certificates need TLS"),
        ("--max-requests", "1001", "give a number from 1 to 1000"),
        (
            "--max-request-bytes",
            "1KiB",
            "--max-request-bytes: `1KiB` is out of range: give 65536 to 1073741824 bytes",
        ),
        ("--max-request-bytes", "8MB", "--max-request-bytes: `8MB` is no size"),
        ("--max-proof-bytes", "5GiB", "--max-proof-bytes: `5GiB` is out of range"),
        (
            "--handshake-timeout",
            "0s",
            "--handshake-timeout: `0s` is out of range: give 100ms to 86400s",
        ),
        ("--frame-timeout", "25h", "--frame-timeout: `25h` is out of range"),
        ("--idle-timeout", "5", "--idle-timeout: `5` is no duration"),
        ("--keepalive", "16s", "--keepalive: `16s` is out of range: give 100ms to 15s"),
        ("--job-timeout", "1ms", "--job-timeout: `1ms` is out of range"),
        ("--worker-start-timeout", "x", "--worker-start-timeout: `x` is no duration"),
        ("--worker-silence", "1s", "--worker-silence: `1s` is out of range: give 1.5s to"),
        ("--mock-delay", "slow", "--mock-delay: `slow` is no duration"),
    ] {
        let error = load(&[flag, value]).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{error}");
        assert!(error.to_string().starts_with(says) || error.to_string().contains(says), "{error}");
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let error = load(&["--queue", "0", "--keepalive", "1m", "--listen", "here"]).unwrap_err();
    assert_eq!(error.faults().len(), 3, "{error}");
    assert_eq!(error.to_string().lines().count(), 3);
}

#[test]
fn plain_text_is_spoken_on_loopback_only_unless_allowed() {
    for local in ["127.0.0.1:0", "127.8.8.8:1", "[::1]:0"] {
        load(&["--listen", local]).unwrap();
    }
    for open in ["0.0.0.0:7600", "10.0.0.1:7600", "[::]:7600"] {
        let error = load(&["--listen", open]).unwrap_err();
        assert!(error.to_string().contains("add --allow-plaintext"), "{error}");
        load(&["--listen", open, "--allow-plaintext"]).unwrap();
    }
}

#[test]
fn with_tls_any_address_may_be_listened_on() {
    let tls = ["--listen", "0.0.0.0:7600", "--tls-cert", "c.pem", "--tls-key", "k.pem"];
    let config = load(&tls).unwrap();
    assert_eq!(config.tls.unwrap().client_ca, None);
}

#[test]
fn a_client_has_half_of_the_queue_and_a_secondarys_only_client_all_of_it() {
    assert_eq!(load(&["--queue", "5"]).unwrap().max_queued_per_client, 3);
    assert_eq!(load(&["--queue", "5", "--role", "secondary"]).unwrap().max_queued_per_client, 5);
    let own = load(&["--queue", "5", "--max-queued-per-client", "1"]).unwrap();
    assert_eq!(own.max_queued_per_client, 1);
}

#[test]
fn a_primary_has_a_secondary_and_nobody_else_has() {
    let two = ["--role", "primary", "--secondary", "prover-2.internal:7600"];
    let secondary = load(&two).unwrap().secondary.unwrap();
    assert_eq!((secondary.address.as_str(), secondary.tls), ("prover-2.internal:7600", None));
    for (flags, says) in [
        (&["--role", "primary"][..], "give the other server with --secondary HOST:PORT"),
        (&["--secondary", "a:1"], "a standalone has none"),
        (&["--role", "secondary", "--secondary", "a:1"], "a secondary has none"),
        (&["--role", "primary", "--secondary", ":1"], "`:1` is no address"),
        (&["--role", "primary", "--secondary", "a:port"], "`a:port` is no address"),
    ] {
        let error = load(flags).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = load(&[&two[..], &["--secondary-tls-cert", "c.pem"]].concat()).unwrap_err();
    assert!(error.to_string().contains("give --secondary-tls-key too"), "{error}");
}

#[test]
fn short_intervals_are_rounded_up_for_clients() {
    assert_eq!(load(&["--keepalive", "250ms"]).unwrap().limits().keepalive_seconds, 1);
    assert_eq!(load(&["--keepalive", "1001ms"]).unwrap().limits().keepalive_seconds, 2);
}

#[test]
fn the_mock_engines_behaviour_reaches_the_worker() {
    let config = load(&["--mock-delay", "5s", "--mock-fault", "stall"]).unwrap();
    assert_eq!(config.engine_args, ["--mock-delay", "5s", "--mock-fault", "stall"]);
}
