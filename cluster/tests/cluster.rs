//! What a cluster says and what it leaves unsaid, with one that speaks the SDK's messages.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use lc_cluster::{Access, Cluster, ClusterError, Endpoint, Order, Program, Stage};
use lc_cluster_stand_in::{Outcome, Script, StandIn};
use lc_stark::{
    VerifyingKey,
    elsewhere::{Kind, Made},
};
use sp1_sdk::{SP1PublicValues, network::proto::base_types::ProofMode};
use sp1_verifier::{Groth16Bn254Proof, ProofFromNetwork, SP1Proof};

static ELF: &[u8] = include_bytes!("../../artifacts/committee-change.elf");
const KEY: &[u8] = include_bytes!("../../artifacts/committee-change.vk");

fn script(outcome: Outcome) -> Script {
    Script { unavailable: 0, token: None, waits: 1, outcome }
}

fn groth16(_: &[u8], input: &[u8]) -> ProofFromNetwork {
    ProofFromNetwork {
        proof: SP1Proof::Groth16(Groth16Bn254Proof {
            public_inputs: Default::default(),
            encoded_proof: "0aff".to_owned(),
            raw_proof: String::new(),
            groth16_vkey_hash: [0; 32],
        }),
        public_values: SP1PublicValues::from(input),
        sp1_version: "6.10.0".to_owned(),
    }
}

fn access(endpoint: &str) -> Access {
    Access {
        endpoint: endpoint.parse().unwrap(),
        key: "11".repeat(32),
        token: None,
        identity: None,
    }
}

fn register(cluster: &Cluster) -> Result<Program, ClusterError> {
    cluster.register(ELF, &VerifyingKey::from_bytes(KEY).unwrap())
}

const ORDER: Order<'static> =
    Order { kind: Kind::Groth16, input: b"input", cycles: 1234, limit: Duration::from_secs(60) };

/// What comes of an order, and the stages that were told.
fn ordered(script: Script, order: Order<'_>) -> (StandIn, Result<Made, ClusterError>, Vec<Stage>) {
    let stand_in = StandIn::start(script);
    let cluster = Cluster::new(&access(&stand_in.url())).unwrap();
    let program = register(&cluster).unwrap();
    let mut stages = Vec::new();
    let made = cluster.prove(&program, order, &mut |stage| stages.push(stage));
    (stand_in, made, stages)
}

fn refused(outcome: Outcome) -> ClusterError {
    ordered(script(outcome), ORDER).1.unwrap_err()
}

#[test]
fn a_proof_is_requested_waited_for_and_fetched() {
    let (stand_in, made, stages) = ordered(script(Outcome::Proof(Box::new(groth16))), ORDER);
    let made = made.unwrap();
    assert_eq!((made.bytes, made.public_values), (vec![0x0a, 0xff], b"input".to_vec()));
    assert_eq!(stages, [Stage::Requested, Stage::Assigned]);

    let [request] = stand_in.requests().try_into().unwrap();
    assert_eq!(request.mode, i32::from(ProofMode::Groth16));
    assert_eq!(request.cycle_limit, 1234);
    assert_eq!(request.vk_hash.len(), 32);
    assert_eq!(stand_in.last_input().as_deref(), Some(&b"input"[..]));
}

#[test]
fn a_program_is_registered_once_however_many_servers_ask() {
    let stand_in = StandIn::start(script(Outcome::Never));
    for _ in 0..2 {
        register(&Cluster::new(&access(&stand_in.url())).unwrap()).unwrap();
    }
    assert_eq!(stand_in.programs(), 1);
}

#[test]
fn a_cluster_that_restarts_is_asked_again() {
    let script = Script { unavailable: 2, ..script(Outcome::Proof(Box::new(groth16))) };
    assert!(ordered(script, ORDER).1.is_ok());
}

#[test]
fn credentials_that_are_missing_or_wrong_are_named() {
    let token = Some("right".to_owned());
    let stand_in = StandIn::start(Script { token: token.clone(), ..script(Outcome::Never) });
    let with = |token| Cluster::new(&Access { token, ..access(&stand_in.url()) }).unwrap();
    for token in [None, Some("wrong".to_owned())] {
        let error = register(&with(token)).unwrap_err();
        assert!(matches!(error, ClusterError::Credentials(_)), "{error}");
    }
    register(&with(token)).unwrap();
}

#[test]
fn a_request_that_the_cluster_gives_up_is_worth_another_try_and_one_it_cannot_run_is_not() {
    for outcome in [Outcome::Unfulfillable, Outcome::Expired] {
        let error = refused(outcome);
        assert!(matches!(error, ClusterError::GivenUp(_)) && error.is_passing(), "{error}");
    }
    let error = refused(Outcome::Unexecutable);
    assert!(matches!(error, ClusterError::Unexecutable) && !error.is_passing(), "{error}");
}

#[test]
fn what_is_no_proof_or_one_of_another_kind_is_refused() {
    let error = refused(Outcome::Bytes(b"no proof".to_vec()));
    assert!(matches!(error, ClusterError::Answer(_)), "{error}");
    let order = Order { kind: Kind::Core, ..ORDER };
    let error =
        ordered(script(Outcome::Proof(Box::new(groth16))), order).1.unwrap_err().to_string();
    assert_eq!(error, "the cluster answered with a Groth16 proof");
}

#[test]
fn a_proof_that_does_not_come_is_given_up_at_the_limit() {
    let order = Order { limit: Duration::from_secs(3), ..ORDER };
    let (_, made, stages) = ordered(script(Outcome::Never), order);
    let error = made.unwrap_err();
    assert!(matches!(error, ClusterError::Late(limit) if limit == order.limit), "{error}");
    assert_eq!(stages.first(), Some(&Stage::Requested));
}

#[test]
fn an_endpoint_where_nobody_listens_is_unreachable_by_the_limit() {
    let stand_in = StandIn::start(script(Outcome::Never));
    let cluster = Cluster::new(&access(&stand_in.url())).unwrap();
    let program = register(&cluster).unwrap();
    drop(stand_in);
    let order = Order { limit: Duration::from_secs(3), ..ORDER };
    let error = cluster.prove(&program, order, &mut |_| ()).unwrap_err();
    assert!(error.is_passing(), "{error}");
}

#[test]
fn the_names_of_sp1s_own_services_need_no_address() {
    for name in ["hosted", "mainnet"] {
        let endpoint: Endpoint = name.parse().unwrap();
        assert_eq!(endpoint.to_string(), name);
        Cluster::new(&Access { endpoint, ..access("http://unused") }).unwrap();
    }
}
