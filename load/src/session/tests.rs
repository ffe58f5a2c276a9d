use proof_server::types::{Code, EngineKind, ProgramId, RequestName, VkeyHash};
use tokio::net::TcpListener;

use super::*;

const ID: RequestId = RequestId(1);

/// A connection to nobody in particular, with one open request.
async fn session() -> Session {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut session = connected(listener.local_addr().unwrap()).await;
    session.open_request(ID, Some(ProofMode::Core));
    session
}

/// A connection without Hellos.
async fn connected(address: SocketAddr) -> Session {
    let (reader, writer) = TcpStream::connect(address).await.unwrap().into_split();
    let (limits, patience, open) =
        (FrameLimits::default(), Duration::from_secs(60), BTreeMap::new());
    let reader = AsyncFrameReader::new(reader, limits);
    Session { reader, writer, limits, patience, last_id: 1, open }
}

fn accepted() -> ServerMessage {
    ServerMessage::Accepted { id: ID, request: RequestName([0; 32]), joined: Joined::No }
}

fn started() -> ServerMessage {
    ServerMessage::Started { id: ID }
}

fn proof(mode: ProofMode) -> ServerMessage {
    let proof = Proof {
        program: ProgramId::Inclusion,
        mode,
        engine: EngineKind::Mock,
        circuit: None,
        vkey: VkeyHash([0; 32]),
        sp1_version: String::new(),
        public_values: Vec::new(),
        bytes: Vec::new(),
    };
    ServerMessage::Proof { id: ID, proof, stats: ProofStats::default() }
}

fn failed() -> ServerMessage {
    ServerMessage::Failed { id: Some(ID), failure: Failure::new(Code::Busy, "") }
}

/// What the last of these messages is taken for; those before it must be in order.
async fn told(messages: Vec<ServerMessage>) -> Result<Step, Fault> {
    let mut session = session().await;
    let mut last = Ok(Step::Fence);
    for message in messages {
        last.unwrap();
        last = session.place(message, Instant::now());
    }
    last
}

#[tokio::test]
async fn a_whole_story_and_one_that_fails_at_once_are_in_order() {
    let queued = ServerMessage::Queued { id: ID, position: 0, eta_seconds: None };
    // A worker was lost: the story begins anew.
    let whole =
        vec![accepted(), queued.clone(), started(), queued, started(), proof(ProofMode::Core)];
    for (story, proven) in [(whole, true), (vec![failed()], false)] {
        let Ok(Step::Ended(ID, ended)) = told(story).await else { panic!("not ended") };
        assert_eq!(matches!(ended.1, Final::Proof(..)), proven);
    }
}

#[tokio::test]
async fn a_second_answer_is_a_stray_one() {
    for second in [failed(), proof(ProofMode::Core), accepted()] {
        let message = second.name();
        let fault = told(vec![accepted(), failed(), second]).await.unwrap_err();
        assert_eq!(fault, Fault::Stray { id: ID, message });
    }
}

#[tokio::test]
async fn what_must_come_first_is_missed() {
    for (messages, why) in [
        (vec![started()], "that was not accepted"),
        (vec![accepted(), accepted()], "that was accepted already"),
        (vec![accepted(), proof(ProofMode::Core)], "that has not started"),
        (vec![accepted(), started(), proof(ProofMode::Plonk)], "that asked for another mode"),
    ] {
        let fault = told(messages).await.unwrap_err();
        assert!(fault.to_string().ends_with(why), "{fault}");
    }
}

#[tokio::test]
async fn a_second_answer_before_the_fence_is_seen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        write_message_async(&mut stream, &failed(), &FrameLimits::default()).await.unwrap();
        stream
    };
    let client = async { connected(address).await.fence().await };
    let (_stream, fenced) = tokio::join!(server, client);
    assert!(matches!(fenced, Err(Trouble::Fault(Fault::Stray { .. }))), "{fenced:?}");
}

#[tokio::test]
async fn a_request_that_stays_open_for_too_long_is_a_fault_whatever_is_said_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        for message in [accepted(), started()] {
            write_message_async(&mut stream, &message, &FrameLimits::default()).await.unwrap();
        }
        stream
    };
    let client = async {
        let mut session = connected(listener.local_addr().unwrap()).await;
        session.patience = Duration::from_millis(50);
        session.open_request(ID, Some(ProofMode::Core));
        loop {
            if let Err(trouble) = session.step().await {
                return trouble.to_string();
            }
        }
    };
    let (_stream, trouble) = tokio::join!(server, client);
    assert_eq!(trouble, "a request has no answer after 0 s");
}
