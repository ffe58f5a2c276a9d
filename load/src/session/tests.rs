use proof_server::types::{Code, EngineKind, ProgramId, RequestName, VkeyHash};
use tokio::net::TcpListener;

use super::*;

const ID: RequestId = RequestId(1);

/// A connection to nobody in particular, with one open request.
async fn session() -> Session {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let limits = FrameLimits::default();
    let (reader, writer) = stream.into_split();
    let reader = AsyncFrameReader::new(reader, limits);
    let mut session = Session { reader, writer, limits, last_id: 1, open: BTreeMap::new() };
    session.open_request(ID, Some(ProofMode::Core));
    session
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
    assert!(matches!(told(whole).await, Ok(Step::Ended(ID, _, Final::Proof(..)))));
    assert!(matches!(told(vec![failed()]).await, Ok(Step::Ended(ID, _, Final::Failed(_)))));
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
    let client = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let (reader, writer) = stream.into_split();
        let limits = FrameLimits::default();
        let reader = AsyncFrameReader::new(reader, limits);
        let mut session = Session { reader, writer, limits, last_id: 1, open: BTreeMap::new() };
        session.fence().await
    };
    let (_stream, fenced) = tokio::join!(server, client);
    assert!(matches!(fenced, Err(Trouble::Fault(Fault::Stray { .. }))), "{fenced:?}");
}
