//! The blocking client over TLS, with a server that does what a test tells it.

use lc_core::ProgramId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    task::{JoinHandle, spawn_blocking},
};

use super::{torn::torn, *};
use crate::{
    client::{Client, ClientError, ClientOptions},
    types::{
        ClientMessage, Code, EngineInfo, EngineKind, Failure, FrameLimits, Joined, Limits,
        PROTOCOL_VERSION, Proof, ProofMode, RequestId, RequestName, ServerHello, ServerMessage,
        StatusReport, VkeyHash,
        frame::encode,
        frame_async::{AsyncFrameReader, write_message_async},
    },
};

/// The server's end, in frames.
struct Peer {
    identity: Option<ClientIdentity>,
    reader: AsyncFrameReader<ReadHalf<TlsStream>, ClientMessage>,
    writer: WriteHalf<TlsStream>,
}

impl Peer {
    async fn accept(listener: &TcpListener, server: &ServerTls) -> Result<Self, TlsAcceptError> {
        let (stream, identity) = server.accept(listener.accept().await.unwrap().0).await?;
        let (reader, writer) = split(stream);
        let reader = AsyncFrameReader::new(reader, FrameLimits::default());
        Ok(Self { identity, reader, writer })
    }

    async fn receive(&mut self) -> Option<ClientMessage> {
        self.reader.next_message().await.unwrap()
    }

    async fn send(&mut self, message: &ServerMessage) {
        write_message_async(&mut self.writer, message, &FrameLimits::default()).await.unwrap();
    }

    async fn greet(&mut self) {
        let hello = self.receive().await;
        assert!(matches!(hello, Some(ClientMessage::Hello(_))), "{hello:?}");
        self.send(&ServerMessage::Hello(hello_of_server())).await;
    }
}

fn hello_of_server() -> ServerHello {
    ServerHello {
        protocol: PROTOCOL_VERSION,
        server: "test-server 0".into(),
        engine: EngineInfo {
            engine: EngineKind::Mock,
            sp1_version: "0".into(),
            programs: vec![],
            modes: vec![],
        },
        limits: Limits {
            max_request_bytes: 8 << 20,
            max_proof_bytes: 64 << 20,
            max_requests: 1,
            queue: 1,
            job_timeout_seconds: 1,
            keepalive_seconds: 5,
            grace_seconds: 0,
        },
    }
}

fn report() -> StatusReport {
    StatusReport {
        uptime_seconds: 1,
        connections: 1,
        workers: Vec::new(),
        worker_restarts: 0,
        queued: 0,
        secondary: None,
        kept: 0,
        proofs: 0,
        failures: 0,
    }
}

/// Of a size that takes many records.
fn proof() -> Proof {
    Proof {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        engine: EngineKind::Mock,
        circuit: None,
        vkey: VkeyHash([4; 32]),
        sp1_version: "0".into(),
        public_values: vec![],
        bytes: (0..1_000_003_u32).map(|n| n as u8).collect(),
    }
}

fn options(tls: Option<ClientTls>) -> ClientOptions {
    ClientOptions { tls, connect_timeout: PATIENCE, ..ClientOptions::new("test") }
}

/// Connects from a thread of its own.
fn dial(port: u16, options: ClientOptions) -> JoinHandle<Result<Client, ClientError>> {
    spawn_blocking(move || Client::connect(&format!("localhost:{port}"), &options))
}

#[tokio::test]
async fn a_whole_conversation_survives_records_torn_into_pieces() {
    let desk = Desk::new();
    desk.issue("bridge", &leaf("bridge", &[]));
    let (server, client) = (desk.strict_server(), desk.client_as("bridge"));
    let (listener, address) = listen().await;
    let port = torn(address, 1009, Duration::ZERO).port();
    let values: Vec<u8> = (0..300_007_u32).map(|n| (n / 3) as u8).collect();
    let expected = values.clone();
    let talk = spawn_blocking(move || {
        let mut client = Client::connect(&format!("localhost:{port}"), &options(Some(client)))?;
        assert_eq!(client.hello(), &hello_of_server());
        assert_eq!(client.status()?, report());
        let mut seen = 0;
        assert_eq!(client.verify(proof(), |_| seen += 1)?, expected);
        assert_eq!(seen, 2);
        let refused = client.status().unwrap_err();
        assert!(matches!(refused, ClientError::Failed(Failure { code: Code::Busy, .. })));
        Ok::<_, ClientError>(client.status())
    });
    let mut peer = Peer::accept(&listener, &server).await.unwrap();
    assert_eq!(peer.identity.take().unwrap().name, "bridge");
    peer.greet().await;
    assert_eq!(peer.receive().await, Some(ClientMessage::Status { id: RequestId(1) }));
    peer.send(&ServerMessage::Status { id: RequestId(1), report: report() }).await;
    let id = RequestId(2);
    assert_eq!(peer.receive().await, Some(ClientMessage::Verify { id, proof: proof() }));
    peer.send(&ServerMessage::Accepted { id, request: RequestName([7; 32]), joined: Joined::No })
        .await;
    peer.send(&ServerMessage::Started { id }).await;
    let Proof { program, vkey, .. } = proof();
    peer.send(&ServerMessage::Verified { id, program, vkey, public_values: values }).await;
    let id = RequestId(3);
    assert_eq!(peer.receive().await, Some(ClientMessage::Status { id }));
    let failure = Failure::new(Code::Busy, "busy");
    peer.send(&ServerMessage::Failed { id: Some(id), failure }).await;
    peer.receive().await.unwrap();
    drop(peer);
    let last = timeout(PATIENCE, talk).await.unwrap().unwrap().unwrap().unwrap_err();
    assert!(matches!(last, ClientError::Closed), "a lost connection is the end: {last:?}");
}

#[tokio::test]
async fn a_request_is_cancelled_from_another_thread_while_its_answer_is_waited_for() {
    let desk = Desk::new();
    let (server, client) = (desk.server(), desk.client());
    let (listener, address) = listen().await;
    let dialled = dial(address.port(), options(Some(client)));
    let mut peer = Peer::accept(&listener, &server).await.unwrap();
    peer.greet().await;
    let mut client = dialled.await.unwrap().unwrap();
    let mut canceller = client.canceller().unwrap();
    let waiting = spawn_blocking(move || client.status());
    peer.receive().await.unwrap();
    spawn_blocking(move || canceller.cancel()).await.unwrap().unwrap();
    let id = RequestId(1);
    let cancel = timeout(PATIENCE, peer.receive()).await.unwrap();
    assert_eq!(cancel, Some(ClientMessage::Cancel { id }));
    let failure = Failure::new(Code::Cancelled, "as asked");
    peer.send(&ServerMessage::Failed { id: Some(id), failure }).await;
    assert!(matches!(waiting.await.unwrap(), Err(ClientError::Failed(_))));
}

/// What a client says when it cannot connect, while `server` does its part.
async fn fails(
    tls: Option<ClientTls>,
    connect_timeout: Duration,
    server: impl Future<Output = ()>,
    listening: SocketAddr,
) -> ClientError {
    let options = ClientOptions { connect_timeout, ..options(tls) };
    let dialled = dial(listening.port(), options);
    let both = async { tokio::join!(dialled, server) };
    timeout(PATIENCE, both).await.unwrap().0.unwrap().unwrap_err()
}

#[tokio::test]
async fn a_client_without_the_certificate_that_is_wanted_is_told_when_it_connects() {
    let desk = Desk::new();
    let server = desk.strict_server();
    let (listener, address) = listen().await;
    let accept = async {
        Peer::accept(&listener, &server).await.map(|_| ()).unwrap_err();
    };
    let error = fails(Some(desk.client()), PATIENCE, accept, address).await;
    assert!(text(&error).contains("--tls-cert and --tls-key"), "{}", text(&error));
    assert!(matches!(error, ClientError::Tls(TlsPeerError::WantsCertificate)));
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_server_says_why() {
    let desk = Desk::new();
    let server = desk.server();
    desk.write("ca.pem", &Ca::new("another").pem());
    let (listener, address) = listen().await;
    let accept = async {
        Peer::accept(&listener, &server).await.map(|_| ()).unwrap_err();
    };
    let error = fails(Some(desk.client()), PATIENCE, accept, address).await;
    assert!(matches!(error, ClientError::Tls(TlsPeerError::Untrusted { .. })), "{error:?}");
}

/// Takes a connection, reads what comes first, says `word` and waits for the other side to close.
async fn say(listener: &TcpListener, word: &[u8]) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = [0; 4096];
    assert!(matches!(stream.read(&mut heard).await, Ok(1..)));
    stream.write_all(word).await.unwrap();
    stream.shutdown().await.unwrap();
    while matches!(stream.read(&mut heard).await, Ok(1..)) {}
}

#[tokio::test]
async fn a_client_that_was_told_nothing_about_tls_recognises_it() {
    let (listener, address) = listen().await;
    // As other servers than ours answer plain text: an alert, of 7 bytes, or an older version's.
    for alert in [[0x15, 3, 3, 0, 2, 2, 10], [0x15, 3, 1, 0, 2, 2, 70]] {
        let error = fails(None, PATIENCE, say(&listener, &alert), address).await;
        assert_eq!(
            text(&error),
            "the server speaks TLS: give the CA of its certificate with --tls-ca"
        );
    }
}

#[tokio::test]
async fn a_client_that_speaks_tls_recognises_plain_text_silence_and_a_closed_door() {
    let desk = Desk::new();
    let (listener, address) = listen().await;
    let failed = ServerMessage::Failed { id: None, failure: Failure::new(Code::Busy, "full") };
    let failed = encode(&failed, &FrameLimits::default()).unwrap();
    let tls = || Some(desk.client());
    let error = fails(tls(), PATIENCE, say(&listener, &failed), address).await;
    assert!(matches!(error, ClientError::Tls(TlsPeerError::PlainText)), "{error:?}");
    let error = fails(tls(), PATIENCE, say(&listener, &[]), address).await;
    assert!(matches!(error, ClientError::Tls(TlsPeerError::Closed)), "{error:?}");
    // The system takes the connection, nobody answers it.
    let error = fails(tls(), Duration::from_millis(200), async {}, address).await;
    assert!(matches!(error, ClientError::Tls(TlsPeerError::Silent { .. })), "{error:?}");
    let said = text(&error);
    assert!(said.contains("check that the server speaks TLS at this address"), "{said}");
}
