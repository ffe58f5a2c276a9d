//! Connections that a balancer or a dying host closes without a word, and servers that ask for time.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use proof_server::types::{Code, EngineKind, Failure, Proof, RequestId, ServerMessage, VkeyHash};

use crate::{
    command::{Desk, Ended},
    server::{Peer, in_turn},
    testing::PERIOD,
};

const KEY: VkeyHash = VkeyHash([0x33; 32]);

type Script = Box<dyn FnOnce(Peer) + Send>;

fn prove(desk: &Desk, patience: u32, scripts: Vec<Script>) -> Ended {
    let server = in_turn(scripts);
    let line = format!(
        "prove committee-change --updates update --store store --allow-mock --patience {patience} --server {}",
        server.address
    );
    let ended = desk.run(&line);
    server.join();
    ended
}

fn answer(peer: &mut Peer, id: RequestId) {
    let statement = light_client::statement::Statement::CommitteeChange(crate::testing::change());
    let proof = Proof { engine: EngineKind::Mock, ..crate::testing::proof_of(&statement) };
    peer.deliver(id, proof);
}

#[test]
fn a_request_outlives_bare_closes_and_a_drain_under_one_name() {
    let desk = Desk::new();
    let (sender, names) = mpsc::channel();
    let (second, third, fourth) = (sender.clone(), sender.clone(), sender);
    let ended = prove(
        &desk,
        60,
        vec![
            // A queue at a balancer that took too long: closed before any Hello.
            Box::new(|mut peer: Peer| drop(peer.receive())),
            // A host that is killed while it proves.
            Box::new(move |mut peer| {
                second.send(peer.greet(EngineKind::Mock, KEY)).unwrap();
                let (id, ..) = peer.request();
                peer.accept(id);
            }),
            // One that goes down for a deploy.
            Box::new(move |mut peer| {
                third.send(peer.greet(EngineKind::Mock, KEY)).unwrap();
                let (id, ..) = peer.request();
                let failure = Failure::new(Code::ShuttingDown, "try another one");
                peer.send(&ServerMessage::Failed { id: Some(id), failure });
            }),
            Box::new(move |mut peer| {
                fourth.send(peer.greet(EngineKind::Mock, KEY)).unwrap();
                let (id, ..) = peer.request();
                peer.accept(id);
                answer(&mut peer, id);
                assert_eq!(peer.receive(), None, "the connection ends with its answer");
            }),
        ],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(desk.store().period, PERIOD + 1);
    let names: Vec<String> = names.iter().collect();
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    let (job, program) = names[0].split_once(' ').unwrap();
    let digits = job.strip_prefix("job=").unwrap();
    assert!(digits.len() == 16 && digits.chars().all(|c| c.is_ascii_hexdigit()), "{job}");
    assert!(program.starts_with("light-client "), "{program}");
    let tries = ended.err.lines().filter(|line| line.starts_with("trying ")).count();
    assert_eq!(tries, 3, "{ended:?}");
}

#[test]
fn patience_ends_with_the_last_reason_and_its_exit_code() {
    let desk = Desk::new();
    let busy = |seconds| -> Script {
        Box::new(move |mut peer: Peer| {
            peer.greet(EngineKind::Mock, KEY);
            let (id, ..) = peer.request();
            let failure = Failure::new(Code::Busy, "16 jobs wait already")
                .with_retry_after(Duration::from_secs(seconds));
            peer.send(&ServerMessage::Failed { id: Some(id), failure });
        })
    };
    let began = Instant::now();
    prove(&desk, 20, vec![busy(1), busy(600)]).refused(12, "BUSY: 16 jobs wait already");
    assert!(began.elapsed() >= Duration::from_secs(1), "it waits for as long as it was told");
    assert!(desk.nothing_new());
}

#[test]
fn what_cost_a_prover_its_time_or_will_never_work_is_not_asked_for_again() {
    let desk = Desk::new();
    for code in [Code::WorkerLost, Code::Timeout, Code::InvalidInput, Code::Internal] {
        let script: Script = Box::new(move |mut peer| {
            peer.greet(EngineKind::Mock, KEY);
            let (id, ..) = peer.request();
            let failure = Failure::new(code, "why");
            peer.send(&ServerMessage::Failed { id: Some(id), failure });
        });
        prove(&desk, 600, vec![script]).refused(10 + i32::from(code.number()), "why");
    }
}
