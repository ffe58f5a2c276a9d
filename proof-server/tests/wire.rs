//! The bytes on the wire, pinned: `tests/golden` holds one frame of each kind, `docs/protocol.md` shows them.
//!
//! Both are remade with `PROOF_SERVER_BLESS=1 cargo test -p proof-server --test wire`. A difference that
//! nobody meant is a break of the protocol; one that somebody meant needs another `PROTOCOL_VERSION`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

use std::{fmt::Write, fs, path::PathBuf, sync::Mutex};

use lc_core::{
    ChainSpec, Fork, ForkEntry, ProgramId,
    alloy_primitives::{Address, B256, Bytes, hex},
    host::{CommitteeChangeInput, InclusionInput, ProgramInput},
    statement::{AccountProof, StorageProof},
};
use proof_server::types::{
    CircuitHash, ClientHello, ClientMessage, Code, ElfHash, EngineInfo, EngineKind, Failure,
    FrameLimits, FrameReader, Joined, Limits, Message, ModeInfo, PROTOCOL_VERSION, Phase,
    ProgramInfo, Progress, Proof, ProofMode, ProofStats, RequestId, RequestName, RunningJob,
    ServerHello, ServerMessage, StatusReport, VkeyHash, WorkerReport, WorkerState, encode,
    frame::decode,
};
use proptest::prelude::*;

const ID: RequestId = RequestId(0x0102_0304_0506_0708);

fn chain() -> ChainSpec {
    ChainSpec {
        genesis_validators_root: B256::repeat_byte(0x11),
        slots_per_epoch: 8,
        epochs_per_sync_committee_period: 8,
        sync_committee_size: 32,
        forks: vec![ForkEntry { fork: Fork::Deneb, version: [4, 0, 0, 1], epoch: 0 }],
    }
}

fn committee_change() -> ProgramInput {
    ProgramInput::CommitteeChange(CommitteeChangeInput {
        chain: chain(),
        signer_period: 1347,
        committee: Bytes::from_static(b"committee"),
        updates: vec![Bytes::from_static(b"first"), Bytes::from_static(b"second")],
        execution_header: None,
    })
}

fn inclusion() -> ProgramInput {
    let slot =
        StorageProof { key: B256::repeat_byte(0x22), nodes: vec![Bytes::from_static(b"leaf")] };
    let nodes = vec![Bytes::from_static(b"root"), Bytes::from_static(b"leaf")];
    ProgramInput::Inclusion(InclusionInput {
        chain: chain(),
        signer_period: 1347,
        committee: Bytes::from_static(b"committee"),
        finality_update: Bytes::from_static(b"update"),
        accounts: vec![AccountProof {
            address: Address::repeat_byte(0x33),
            nodes,
            storage: vec![slot],
        }],
        execution_header: Some(Bytes::from_static(b"header")),
    })
}

fn proof() -> Proof {
    Proof {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        engine: EngineKind::Cpu,
        circuit: None,
        vkey: VkeyHash([0x44; 32]),
        sp1_version: "6.10.0".into(),
        public_values: b"values".to_vec(),
        bytes: b"proof".to_vec(),
    }
}

fn client_messages() -> Vec<(&'static str, ClientMessage)> {
    vec![
        (
            "client-hello",
            ClientMessage::Hello(ClientHello {
                protocol: PROTOCOL_VERSION,
                client: "light-client 0.1.0".into(),
            }),
        ),
        (
            "prove-committee-change",
            ClientMessage::Prove { id: ID, mode: ProofMode::Core, input: committee_change() },
        ),
        (
            "prove-inclusion",
            ClientMessage::Prove { id: ID, mode: ProofMode::Groth16, input: inclusion() },
        ),
        ("verify", ClientMessage::Verify { id: ID, proof: snark() }),
        ("cancel", ClientMessage::Cancel { id: ID }),
        ("status", ClientMessage::Status { id: ID }),
    ]
}

fn snark() -> Proof {
    let circuit = Some(CircuitHash([0x77; 32]));
    Proof { mode: ProofMode::Groth16, circuit, ..proof() }
}

fn server_hello() -> ServerHello {
    let program = |program, byte| ProgramInfo {
        program,
        elf_sha256: ElfHash([byte; 32]),
        vkey: VkeyHash([byte + 1; 32]),
    };
    ServerHello {
        protocol: PROTOCOL_VERSION,
        server: "proof-server 0.1.0".into(),
        engine: EngineInfo {
            engine: EngineKind::Cpu,
            sp1_version: "6.10.0".into(),
            programs: vec![
                program(ProgramId::CommitteeChange, 0x55),
                program(ProgramId::Inclusion, 0x66),
            ],
            modes: vec![
                ModeInfo::offered(ProofMode::Core, None),
                ModeInfo::offered(ProofMode::Groth16, Some(CircuitHash([0x77; 32]))),
                ModeInfo::unsupported(ProofMode::Plonk, "no circuit".into()),
            ],
        },
        limits: Limits {
            max_request_bytes: 8 << 20,
            max_proof_bytes: 64 << 20,
            max_requests: 16,
            queue: 16,
            job_timeout_seconds: 3600,
            keepalive_seconds: 10,
            grace_seconds: 30,
        },
    }
}

fn report(running: Option<RunningJob>) -> StatusReport {
    StatusReport {
        uptime_seconds: 86_400,
        connections: 2,
        workers: vec![WorkerReport {
            state: if running.is_some() { WorkerState::Busy } else { WorkerState::Idle },
            running,
        }],
        worker_restarts: 1,
        queued: 3,
        secondary: None,
        kept: 2,
        proofs: 40,
        failures: 5,
    }
}

fn server_messages() -> Vec<(&'static str, ServerMessage)> {
    let progress = Progress { phase: Phase::Prove, done: 1, total: 3 };
    let request = RequestName([0x77; 32]);
    let running = RunningJob {
        request,
        program: ProgramId::CommitteeChange,
        mode: ProofMode::Core,
        seconds: 30,
        progress: Some(progress),
    };
    let invalid = Failure::new(Code::InvalidInput, "341 of 512").with_check("Participation");
    let busy = Failure {
        retry_after_seconds: Some(10),
        ..Failure::new(Code::Busy, "16 jobs wait already")
    };
    let stats = ProofStats {
        queue_us: 1_250,
        prove_us: 32_500_000,
        peak_worker_bytes: 2_330_000_000,
        cycles: 68_173,
        shards: 1,
    };
    let verified = ServerMessage::Verified {
        id: ID,
        program: ProgramId::Inclusion,
        vkey: VkeyHash([0x44; 32]),
        public_values: b"values".to_vec(),
    };
    vec![
        ("server-hello", ServerMessage::Hello(server_hello())),
        ("accepted", ServerMessage::Accepted { id: ID, request, joined: Joined::Open }),
        ("queued", ServerMessage::Queued { id: ID, position: 2, eta_seconds: Some(90) }),
        ("queued-without-eta", ServerMessage::Queued { id: ID, position: 1, eta_seconds: None }),
        ("started", ServerMessage::Started { id: ID }),
        ("progress", ServerMessage::Progress { id: ID, progress }),
        ("proof", ServerMessage::Proof { id: ID, proof: proof(), stats }),
        ("verified", verified),
        ("failed", ServerMessage::Failed { id: Some(ID), failure: invalid }),
        ("failed-connection", ServerMessage::Failed { id: None, failure: busy }),
        ("status-report", ServerMessage::Status { id: ID, report: report(Some(running)) }),
        ("status-report-idle", ServerMessage::Status { id: ID, report: report(None) }),
    ]
}

fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn blessing() -> bool {
    std::env::var_os("PROOF_SERVER_BLESS").is_some_and(|value| !value.is_empty())
}

/// 32 bytes a line.
fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(|line| hex::encode(line) + "\n").collect()
}

/// Compares `made` with what is kept in `file`, or keeps it.
fn assert_kept(file: &str, made: &str) {
    let path = path(file);
    if blessing() {
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(made, kept, "{file} differs: see tests/golden/README.md");
}

fn assert_golden<M: Message + PartialEq + std::fmt::Debug>(name: &str, message: &M) {
    let limits = FrameLimits::default();
    let frame = encode(message, &limits).unwrap();
    assert_kept(&format!("tests/golden/{name}.hex"), &hex_lines(&frame));
    assert_eq!(
        FrameReader::<_, M>::new(&frame[..], limits).next_message().unwrap().as_ref(),
        Some(message),
        "{name}"
    );
    for end in 4..frame.len() {
        assert!(decode::<M>(&frame[4..end], &limits).is_err(), "{name} cut at {end}");
    }
}

#[test]
fn each_message_has_the_bytes_that_are_kept() {
    assert_all_golden();
}

fn assert_all_golden() {
    // One test at a time: while blessing, this writes what the others read.
    static KEEPING: Mutex<()> = Mutex::new(());
    let _keeping = KEEPING.lock();
    for (name, message) in client_messages() {
        assert_golden(name, &message);
    }
    for (name, message) in server_messages() {
        assert_golden(name, &message);
    }
    assert_kept("tests/golden/proof-file.hex", &hex_lines(&proof().to_file().unwrap()));
}

#[test]
fn every_kind_of_message_and_no_other_file_is_kept() {
    let kinds = |bodies: Vec<Vec<u8>>| -> std::collections::BTreeSet<u8> {
        bodies.iter().map(|frame| frame[4]).collect()
    };
    let limits = FrameLimits::default();
    let client =
        kinds(client_messages().iter().map(|(_, m)| encode(m, &limits).unwrap()).collect());
    let server =
        kinds(server_messages().iter().map(|(_, m)| encode(m, &limits).unwrap()).collect());
    assert_eq!(
        (client.len(), server.len()),
        (ClientMessage::KINDS.len(), ServerMessage::KINDS.len())
    );

    assert_all_golden();
    let mut wanted: Vec<String> = names().map(|name| format!("{name}.hex")).collect();
    wanted.extend(["README.md".to_owned(), "proof-file.hex".to_owned()]);
    wanted.sort();
    let mut found: Vec<String> = fs::read_dir(path("tests/golden"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, wanted);
}

fn names() -> impl Iterator<Item = &'static str> {
    let client: Vec<_> = client_messages().into_iter().map(|(name, _)| name).collect();
    let server: Vec<_> = server_messages().into_iter().map(|(name, _)| name).collect();
    client.into_iter().chain(server)
}

/// The table of kinds as the documentation has it, from the code.
fn kinds_table<M: Message>() -> String {
    let (mut table, limits) = (
        "| kind | message | cap |\n|---|---|---|\n".to_owned(),
        FrameLimits { request: 1, proof: 2 },
    );
    for (number, name) in (0_u32..).zip(M::KINDS) {
        let cap = match M::cap(number, &limits) {
            1 => "`max_request_bytes`".to_owned(),
            2 => "`max_proof_bytes`".to_owned(),
            bytes => format!("{} KiB", bytes >> 10),
        };
        let _ = writeln!(table, "| {number} | {name} | {cap} |");
    }
    table
}

fn codes_table() -> String {
    let mut table = "| number | code | try again |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        let again = if code.is_retryable() { "yes" } else { "no" };
        let _ = writeln!(table, "| {} | {} | {again} |", code.number(), code.name());
    }
    table
}

fn vectors() -> String {
    let mut text = String::new();
    for name in names().chain(["proof-file"]) {
        let hex = fs::read_to_string(path(&format!("tests/golden/{name}.hex"))).unwrap();
        let _ = write!(text, "`{name}`\n\n```text\n{hex}```\n\n");
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// `document` with the text between the marks of `part` replaced.
fn with_part(document: &str, part: &str, text: &str) -> String {
    let (begin, end) =
        (format!("<!-- {part}: made by tests/wire.rs -->\n"), format!("<!-- end of {part} -->"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("no mark {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no mark {end}"));
    format!("{before}{begin}\n{text}\n{end}{after}")
}

#[test]
fn the_documentation_shows_the_kinds_codes_and_bytes_of_the_code() {
    assert_all_golden();
    let file = "../docs/protocol.md";
    let mut document = fs::read_to_string(path(file)).unwrap();
    for (part, text) in [
        ("client kinds", kinds_table::<ClientMessage>()),
        ("server kinds", kinds_table::<ServerMessage>()),
        ("codes", codes_table()),
        ("vectors", vectors()),
    ] {
        document = with_part(&document, part, &text);
    }
    assert_kept(file, &document);
}

#[test]
fn the_worked_example_of_the_documentation_is_the_cancel_frame() {
    let frame = encode(&ClientMessage::Cancel { id: ID }, &FrameLimits::default()).unwrap();
    assert_eq!(frame, [0, 0, 0, 12, 3, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1]);
}

proptest! {
    #[test]
    fn what_is_sent_arrives(
        id in any::<u64>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        text in any::<String>(),
        number in any::<u32>(),
        maybe in proptest::option::of(any::<u32>()),
        code in any::<u16>(),
    ) {
        let id = RequestId(id);
        let proof = Proof { public_values: bytes.clone(), bytes: bytes.clone(), sp1_version: text.clone(), ..proof() };
        let mut input = inclusion();
        if let ProgramInput::Inclusion(inclusion) = &mut input {
            inclusion.committee = bytes.clone().into();
            inclusion.signer_period = number.into();
        }
        for message in [
            ClientMessage::Hello(ClientHello::new(text.clone())),
            ClientMessage::Prove { id, mode: ProofMode::Plonk, input },
            ClientMessage::Verify { id, proof: proof.clone() },
        ] {
            assert_arrives(&message);
        }
        let failure = Failure { check: maybe.map(|_| text.clone()), retry_after_seconds: maybe, ..Failure::new(code.into(), text) };
        for message in [
            ServerMessage::Queued { id, position: number, eta_seconds: maybe },
            ServerMessage::Proof { id, proof, stats: ProofStats { cycles: id.0, shards: number, ..ProofStats::default() } },
            ServerMessage::Failed { id: maybe.map(|_| id), failure },
        ] {
            assert_arrives(&message);
        }
    }
}

fn assert_arrives<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
    let limits = FrameLimits::default();
    let frame = encode(message, &limits).unwrap();
    let mut reader = FrameReader::<_, M>::new(&frame[..], limits);
    assert_eq!(reader.next_message().unwrap().as_ref(), Some(message));
    assert!(reader.next_message().unwrap().is_none());
}
