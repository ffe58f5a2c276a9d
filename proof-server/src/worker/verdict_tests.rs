use lc_core::ProgramId;

use super::*;
use crate::jobs::Payload;
use crate::types::{ElfHash, EngineKind, ModeInfo, ProgramInfo, ProofMode, ProofStats, VkeyHash};

const VKEY: VkeyHash = VkeyHash([7; 32]);

fn engine() -> EngineInfo {
    EngineInfo {
        engine: EngineKind::Cpu,
        sp1_version: "6.10.0".into(),
        programs: vec![ProgramInfo {
            program: ProgramId::Inclusion,
            elf_sha256: ElfHash([1; 32]),
            vkey: VKEY,
        }],
        modes: vec![ModeInfo::offered(ProofMode::Core, None)],
    }
}

fn proof() -> Proof {
    Proof {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        engine: EngineKind::Cpu,
        circuit: None,
        vkey: VKEY,
        sp1_version: "6.10.0".into(),
        public_values: vec![1, 2],
        bytes: vec![3],
    }
}

fn task() -> Task {
    Task::Prove {
        program: ProgramId::Inclusion,
        mode: ProofMode::Core,
        payload: Payload::Witness(vec![9]),
        public_values: vec![1, 2],
    }
}

fn proved(proof: Proof) -> FromWorker {
    FromWorker::Proved { proof, stats: ProofStats::default(), spans: Vec::new() }
}

#[test]
fn the_proof_that_was_asked_for_is_kept() {
    let verdict = judge(&task(), Some(&engine()), proved(proof()));
    assert!(matches!(verdict, Verdict::Keep(Ok(Success::Proof { proof: p, .. })) if p == proof()));
}

#[test]
fn a_proof_of_anything_else_is_refused_and_its_worker_replaced() {
    type Spoil = fn(&mut Proof);
    let twins: [(&str, Spoil); 6] = [
        ("another program", |proof| proof.program = ProgramId::CommitteeChange),
        ("another mode", |proof| proof.mode = ProofMode::Compressed),
        ("another engine", |proof| proof.engine = EngineKind::Mock),
        ("another circuit", |proof| proof.circuit = Some(crate::types::CircuitHash::GROTH16)),
        ("another key", |proof| proof.vkey.0[31] ^= 1),
        ("other public values", |proof| proof.public_values[0] ^= 1),
    ];
    for (what, spoil) in twins {
        let mut proof = proof();
        spoil(&mut proof);
        let Verdict::Replace(failure) = judge(&task(), Some(&engine()), proved(proof)) else {
            panic!("{what} was let through")
        };
        assert_eq!(failure.code, Code::Internal);
        assert!(failure.message.contains(what), "{}", failure.message);
    }
    assert!(matches!(judge(&task(), None, proved(proof())), Verdict::Replace(_)));
}

#[test]
fn a_verification_counts_only_for_the_proof_that_was_sent() {
    let task = Task::Verify { proof: proof() };
    let verified = |public_values| FromWorker::Verified {
        program: ProgramId::Inclusion,
        vkey: VKEY,
        public_values,
    };
    assert!(matches!(judge(&task, None, verified(vec![1, 2])), Verdict::Keep(Ok(_))));
    assert!(matches!(judge(&task, None, verified(vec![1, 3])), Verdict::Replace(_)));
    assert!(matches!(judge(&task, None, proved(proof())), Verdict::Replace(_)));
}

#[test]
fn a_fault_of_the_prover_costs_the_worker_and_a_fault_of_the_request_does_not() {
    for faulty in [false, true] {
        let failure = Failure::new(Code::Internal, "the prover failed");
        let answer = FromWorker::Failed {
            failure: failure.clone(),
            detail: "secret".into(),
            faulty,
            gpu: None,
        };
        match judge(&task(), Some(&engine()), answer) {
            Verdict::Keep(Err(got)) => assert!(!faulty && got == failure),
            Verdict::Replace(got) => assert!(faulty && got == failure),
            Verdict::Keep(Ok(_)) => panic!("a failure is no success"),
        }
    }
}
