//! A proof server that does what a test tells it, over the real wire.

use std::{
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use lc_core::{
    ProgramId,
    host::{CommitteeChangeInput, InclusionInput, NativeCrypto, ProgramInput},
    objects::{LightClientFinalityUpdate, LightClientUpdate, SyncCommittee},
    statement::{CommitteeChange, Inclusion},
};
use light_client::{Finalized, statement::Statement};
use proof_server::types::{
    ClientMessage, ElfHash, EngineInfo, EngineKind, FrameLimits, FrameReader, Joined, Limits,
    ModeInfo, PROTOCOL_VERSION, ProgramInfo, Proof, ProofMode, ProofStats, RequestId, RequestName,
    ServerHello, ServerMessage, VkeyHash, write_message,
};

use super::testing;

/// No test waits for longer than this for a client that does not come or speak.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server for one connection.
pub(crate) struct FakeServer {
    pub(crate) address: String,
    script: JoinHandle<()>,
}

impl FakeServer {
    /// Accepts one connection and has `script` talk to it.
    pub(crate) fn start(script: impl FnOnce(Peer) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let script = thread::spawn(move || script(accept(&listener)));
        Self { address, script }
    }

    /// Waits for the script's end, and fails with it.
    pub(crate) fn join(self) {
        self.script.join().expect("the script of the server ended well");
    }
}

fn accept(listener: &TcpListener) -> Peer {
    listener.set_nonblocking(true).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let writer = stream.try_clone().unwrap();
                return Peer { reader: FrameReader::new(stream, FrameLimits::default()), writer };
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(2));
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no client came within {PATIENCE:?}");
}

/// The client's end of the line.
pub(crate) struct Peer {
    reader: FrameReader<TcpStream, ClientMessage>,
    pub(crate) writer: TcpStream,
}

impl Peer {
    pub(crate) fn receive(&mut self) -> Option<ClientMessage> {
        self.reader.next_message().unwrap()
    }

    pub(crate) fn send(&mut self, message: &ServerMessage) {
        write_message(&mut self.writer, message, &FrameLimits::default()).unwrap();
    }

    /// Exchanges the Hellos as a server with this engine and key.
    pub(crate) fn greet(&mut self, engine: EngineKind, vkey: VkeyHash) -> String {
        self.greet_as(&hello_of(engine, vkey))
    }

    /// Exchanges the Hellos; who the client says it is.
    pub(crate) fn greet_as(&mut self, ours: &ServerHello) -> String {
        let hello = self.receive();
        let Some(ClientMessage::Hello(hello)) = hello else { panic!("{hello:?}") };
        self.send(&ServerMessage::Hello(ours.clone()));
        hello.client
    }

    /// Exchanges the Hellos, and fails the test if the client then asks for anything.
    pub(crate) fn expect_no_request(mut self, ours: &ServerHello) {
        self.greet_as(ours);
        assert_eq!(self.receive(), None);
    }

    /// Waits for a request.
    pub(crate) fn request(&mut self) -> (RequestId, ProofMode, ProgramInput) {
        match self.receive() {
            Some(ClientMessage::Prove { id, mode, input }) => (id, mode, input),
            other => panic!("{other:?} where Prove was due"),
        }
    }

    /// Accepts a request at once and starts it.
    pub(crate) fn accept(&mut self, id: RequestId) {
        self.send(&ServerMessage::Accepted {
            id,
            request: RequestName([7; 32]),
            joined: Joined::No,
        });
        self.send(&ServerMessage::Started { id });
    }

    pub(crate) fn deliver(&mut self, id: RequestId, proof: Proof) {
        let stats = ProofStats { cycles: 3_368_467, shards: 7, ..ProofStats::default() };
        self.send(&ServerMessage::Proof { id, proof, stats });
    }

    /// Answers one request as `engine` would, after `spoil` had its way with the proof.
    pub(crate) fn serve(
        self,
        engine: EngineKind,
        vkey: VkeyHash,
        spoil: impl FnOnce(&mut Statement, &mut Proof),
    ) {
        self.serve_as(&hello_of(engine, vkey), spoil);
    }

    /// The same as the server that `hello` describes.
    pub(crate) fn serve_as(
        mut self,
        hello: &ServerHello,
        spoil: impl FnOnce(&mut Statement, &mut Proof),
    ) {
        self.greet_as(hello);
        let engine = &hello.engine;
        let (id, mode, input) = self.request();
        self.accept(id);
        let mut statement = statement(&input);
        let mut proof = testing::proof_of(&statement);
        (proof.engine, proof.mode) = (engine.engine, mode);
        proof.vkey = engine.program(proof.program).unwrap().vkey;
        proof.circuit = engine.mode(mode).and_then(|info| info.circuit);
        let honest = statement.clone();
        spoil(&mut statement, &mut proof);
        if statement != honest {
            proof.public_values = statement.encode();
        }
        self.deliver(id, proof);
    }
}

/// The Hello of a server that makes this kind of proof, or says why not, and STARKs.
pub(crate) fn hello_with(engine: EngineKind, vkey: VkeyHash, mode: ModeInfo) -> ServerHello {
    let mut hello = hello_of(engine, vkey);
    hello.engine.modes.push(mode);
    hello
}

pub(crate) fn hello_of(engine: EngineKind, vkey: VkeyHash) -> ServerHello {
    let info = |program| ProgramInfo { program, elf_sha256: ElfHash([0; 32]), vkey };
    ServerHello {
        protocol: PROTOCOL_VERSION,
        server: "fake-server 0".to_owned(),
        engine: EngineInfo {
            engine,
            sp1_version: "6.10.0".to_owned(),
            programs: ProgramId::ALL.map(info).to_vec(),
            modes: vec![ModeInfo::offered(ProofMode::Core, None)],
        },
        limits: Limits {
            max_request_bytes: 8 << 20,
            max_proof_bytes: 64 << 20,
            max_requests: 1,
            queue: 1,
            job_timeout_seconds: 60,
            keepalive_seconds: 15,
            grace_seconds: 30,
        },
    }
}

/// What the guest would commit for this input, as far as it can be read off: the test's objects are signed by nobody.
fn statement(input: &ProgramInput) -> Statement {
    match input {
        ProgramInput::CommitteeChange(input) => Statement::CommitteeChange(change(input)),
        ProgramInput::Inclusion(input) => Statement::Inclusion(inclusion(input)),
    }
}

fn change(input: &CommitteeChangeInput) -> CommitteeChange {
    let spec = &input.chain;
    let updates = input.updates.iter().map(|ssz| LightClientUpdate::from_ssz(spec, ssz).unwrap());
    let updates: Vec<_> = updates.collect();
    let last = updates.last().unwrap();
    let finalized = Finalized::of(&last.finalized_header);
    let participants = updates.iter().map(|update| update.sync_aggregate.participants());
    let committee = SyncCommittee::from_ssz(spec, &input.committee).unwrap();
    CommitteeChange {
        chain: spec.hash_tree_root::<NativeCrypto>(),
        signerPeriod: input.signer_period,
        signerCommittee: committee.hash_tree_root::<NativeCrypto>(),
        newPeriod: input.signer_period + updates.len() as u64,
        newCommittee: last.next_sync_committee.hash_tree_root::<NativeCrypto>(),
        minParticipation: participants.min().unwrap(),
        finalizedSlot: finalized.slot,
        finalizedRoot: finalized.root,
        executionNumber: finalized.execution_number,
        executionHash: finalized.execution_hash,
        executionStateRoot: finalized.execution_state_root,
    }
}

fn inclusion(input: &InclusionInput) -> Inclusion {
    let update = LightClientFinalityUpdate::from_ssz(&input.chain, &input.finality_update).unwrap();
    Inclusion {
        participation: update.sync_aggregate.participants(),
        attestedSlot: update.attested_header.beacon.slot,
        ..testing::inclusion()
    }
}

/// A server that has one connection after another, each with a script of its own.
pub(crate) fn in_turn(scripts: Vec<Box<dyn FnOnce(Peer) + Send>>) -> FakeServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let script = thread::spawn(move || {
        for script in scripts {
            script(accept(&listener));
        }
    });
    FakeServer { address, script }
}
