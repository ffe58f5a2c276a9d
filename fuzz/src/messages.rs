//! Messages out of a fuzzer's bytes: every kind, with fields of any value.

use lc_core::{
    alloy_primitives::{Address, B256, Bytes},
    host::{CommitteeChangeInput, InclusionInput, Network, ProgramInput},
    statement::{AccountProof, StorageProof},
};
use proof_server::types::{
    CircuitHash, ClientHello, ClientMessage, Code, EngineKind, Failure, Joined, Phase, ProgramId,
    Progress, Proof, ProofMode, ProofStats, RequestId, RequestName, RunningJob, ServerMessage,
    StatusReport, VkeyHash, WorkerReport, WorkerState,
};

use crate::input::Input;

pub(crate) fn client(input: &mut Input<'_>) -> ClientMessage {
    let id = id(input);
    match input.below(5) {
        0 => ClientMessage::Hello(ClientHello::new(text(input))),
        1 => ClientMessage::Prove { id, mode: mode(input), input: request(input) },
        2 => ClientMessage::Verify { id, proof: proof(input) },
        3 => ClientMessage::Cancel { id },
        _ => ClientMessage::Status { id },
    }
}

/// But Hello, of which the golden bytes are enough: its first field decides all.
pub(crate) fn server(input: &mut Input<'_>) -> ServerMessage {
    let id = id(input);
    match input.below(8) {
        0 => ServerMessage::Accepted {
            id,
            request: RequestName(input.array()),
            joined: [Joined::No, Joined::Open, Joined::Kept][input.below(3)],
        },
        1 => {
            ServerMessage::Queued { id, position: word(input), eta_seconds: optional(input, word) }
        }
        2 => ServerMessage::Started { id },
        3 => ServerMessage::Progress { id, progress: progress(input) },
        4 => ServerMessage::Proof { id, proof: proof(input), stats: ProofStats::default() },
        5 => ServerMessage::Verified {
            id,
            program: program(input),
            vkey: VkeyHash(input.array()),
            public_values: bytes(input),
        },
        6 => {
            let failure = Failure::new(Code::from(input.u16()), text(input));
            let check = optional(input, text);
            ServerMessage::Failed {
                id: optional(input, |_| id),
                failure: Failure { check, ..failure },
            }
        }
        _ => ServerMessage::Status { id, report: report(input) },
    }
}

fn id(input: &mut Input<'_>) -> RequestId {
    RequestId(u64::from_le_bytes(input.array()))
}

fn word(input: &mut Input<'_>) -> u32 {
    u32::from_le_bytes(input.array())
}

fn optional<T>(input: &mut Input<'_>, of: impl Fn(&mut Input<'_>) -> T) -> Option<T> {
    (input.below(2) == 1).then(|| of(input))
}

fn bytes(input: &mut Input<'_>) -> Vec<u8> {
    let count = usize::from(input.u16());
    input.bytes(count).to_vec()
}

fn text(input: &mut Input<'_>) -> String {
    String::from_utf8_lossy(&bytes(input)).into_owned()
}

fn list<T>(input: &mut Input<'_>, of: impl Fn(&mut Input<'_>) -> T) -> Vec<T> {
    (0..input.below(4)).map(|_| of(input)).collect()
}

fn mode(input: &mut Input<'_>) -> ProofMode {
    ProofMode::ALL[input.below(ProofMode::ALL.len())]
}

fn program(input: &mut Input<'_>) -> ProgramId {
    ProgramId::ALL[input.below(ProgramId::ALL.len())]
}

fn progress(input: &mut Input<'_>) -> Progress {
    let phases =
        [Phase::Execute, Phase::Prove, Phase::Compress, Phase::Wrap, Phase::Verify, Phase::Outer];
    Progress { phase: phases[input.below(6)], done: word(input), total: word(input) }
}

fn circuit(input: &mut Input<'_>) -> CircuitHash {
    CircuitHash(input.array())
}

fn proof(input: &mut Input<'_>) -> Proof {
    let engines = [EngineKind::Mock, EngineKind::Cpu, EngineKind::Cuda, EngineKind::Cluster];
    Proof {
        program: program(input),
        mode: mode(input),
        engine: engines[input.below(4)],
        circuit: optional(input, circuit),
        vkey: VkeyHash(input.array()),
        sp1_version: text(input),
        public_values: bytes(input),
        bytes: bytes(input),
    }
}

fn ssz(input: &mut Input<'_>) -> Bytes {
    bytes(input).into()
}

fn request(input: &mut Input<'_>) -> ProgramInput {
    let chain = Network::Mainnet.chain_spec(None).expect("it is known");
    let (signer_period, committee) = (u64::from(word(input)), ssz(input));
    let execution_header = optional(input, ssz);
    if input.below(2) == 0 {
        let updates = list(input, ssz);
        let input =
            CommitteeChangeInput { chain, signer_period, committee, updates, execution_header };
        return ProgramInput::CommitteeChange(input);
    }
    let finality_update = ssz(input);
    let accounts = list(input, |input| AccountProof {
        address: Address::from(input.array()),
        nodes: list(input, ssz),
        storage: list(input, |input| StorageProof {
            key: B256::from(input.array()),
            nodes: list(input, ssz),
        }),
    });
    ProgramInput::Inclusion(InclusionInput {
        chain,
        signer_period,
        committee,
        finality_update,
        accounts,
        execution_header,
    })
}

fn report(input: &mut Input<'_>) -> StatusReport {
    let states =
        [WorkerState::Starting, WorkerState::Idle, WorkerState::Busy, WorkerState::Stopped];
    StatusReport {
        uptime_seconds: u64::from(word(input)),
        connections: word(input),
        workers: list(input, |input| WorkerReport {
            state: states[input.below(4)],
            running: optional(input, |input| RunningJob {
                request: RequestName(input.array()),
                program: program(input),
                mode: mode(input),
                seconds: word(input),
                progress: optional(input, progress),
            }),
        }),
        worker_restarts: word(input),
        queued: word(input),
        secondary: optional(input, |input| input.below(2) == 1),
        kept: word(input),
        proofs: u64::from(word(input)),
        failures: u64::from(word(input)),
    }
}
