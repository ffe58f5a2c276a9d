//! A server that speaks the protocol and does not prove what it was asked for.

use std::{
    net::{TcpListener, TcpStream},
    thread,
};

use proof_server::{
    engine::mock::MockEngine,
    types::{
        ClientMessage, EngineKind, FrameLimits, FrameReader, Joined, Limits, PROTOCOL_VERSION,
        Proof, ProofStats, RequestName, ServerHello, ServerMessage, write_message,
    },
};

/// What is wrong with its proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// They are of other public values.
    OtherValues,
    /// They are no proofs.
    OtherBytes,
}

/// The server; it ends with the process.
pub(crate) struct Liar {
    address: String,
}

impl Liar {
    pub(crate) fn start(lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                // Ends when the client leaves, with an error or without one.
                thread::spawn(move || serve(stream, lie));
            }
        });
        Self { address }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }
}

fn serve(mut stream: TcpStream, lie: Lie) {
    let limits = FrameLimits::default();
    let mut reader = FrameReader::new(stream.try_clone().unwrap(), limits);
    let mut send = |message| write_message(&mut stream, &message, &limits);
    while let Ok(Some(message)) = reader.next_message() {
        let ClientMessage::Prove { id, mode, input } = message else {
            send(ServerMessage::Hello(hello())).unwrap();
            continue;
        };
        let checked = input.check().unwrap();
        let mut public_values = checked.public_values;
        if lie == Lie::OtherValues {
            public_values[0] ^= 1;
        }
        let info = MockEngine::info();
        let proof = Proof {
            program: checked.program,
            mode,
            engine: EngineKind::Mock,
            circuit: None,
            vkey: info.program(checked.program).unwrap().vkey,
            sp1_version: info.sp1_version,
            public_values,
            bytes: b"no proof".to_vec(),
        };
        let request = RequestName([7; 32]);
        let stats = ProofStats::default();
        for message in [
            ServerMessage::Accepted { id, request, joined: Joined::No },
            ServerMessage::Started { id },
            ServerMessage::Proof { id, proof, stats },
        ] {
            send(message).unwrap();
        }
    }
}

fn hello() -> ServerHello {
    ServerHello {
        protocol: PROTOCOL_VERSION,
        server: "liar".to_owned(),
        engine: MockEngine::info(),
        limits: Limits {
            max_request_bytes: 8 << 20,
            max_proof_bytes: 64 << 20,
            max_requests: 1,
            queue: 1,
            job_timeout_seconds: 60,
            keepalive_seconds: 5,
            grace_seconds: 0,
        },
    }
}
