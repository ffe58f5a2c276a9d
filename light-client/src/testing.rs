//! Values for tests: a chain with small committees, a store on it, and statements that fit the store.

use lc_core::{
    BeaconBlockHeader, BlsPubkey, BlsSignature, ChainSpec, ExecutionPayloadHeader, ProgramId,
    alloy_primitives::{Address, B256, Bytes, U256, b256},
    host::{NativeCrypto, Network},
    objects::{
        LightClientFinalityUpdate, LightClientHeader, LightClientUpdate, SyncAggregate,
        SyncCommittee,
    },
    statement::{Account, AccountProof, CommitteeChange, Inclusion, Slot, StorageProof},
};
use proof_server::types::{
    CircuitHash, ElfHash, EngineKind, ProgramInfo, Proof, ProofMode, VkeyHash,
};

// `super`, not `crate`: the scenarios in `tests` use this file too.
use super::{
    statement::Statement,
    store::{Finalized, Store},
    verify::{ProofChecker, ProofError},
};

/// The period of [`store`].
pub(crate) const PERIOD: u64 = 5;

/// Periods of 64 slots, committees of 32, every fork from the start.
pub(crate) fn chain() -> ChainSpec {
    Network::Minimal.chain_spec(Some(B256::repeat_byte(9))).expect("a minimal chain")
}

pub(crate) fn committee(seed: u8) -> SyncCommittee {
    let pubkeys = (0..32).map(|member| BlsPubkey::repeat_byte(member ^ seed)).collect();
    SyncCommittee { pubkeys, aggregate_pubkey: BlsPubkey::repeat_byte(seed) }
}

/// A header with recognisable values. Its branches lead nowhere.
pub(crate) fn header(slot: u64) -> LightClientHeader {
    LightClientHeader {
        beacon: BeaconBlockHeader { slot, body_root: B256::repeat_byte(1), ..Default::default() },
        execution: ExecutionPayloadHeader {
            block_number: slot + 1000,
            block_hash: B256::repeat_byte(2),
            state_root: B256::repeat_byte(3),
            ..Default::default()
        },
        ..Default::default()
    }
}

/// At [`PERIOD`], its finalized slot in the middle of the period.
pub(crate) fn store() -> Store {
    Store {
        network: "minimal".to_owned(),
        chain: chain(),
        period: PERIOD,
        committee: committee(0x40),
        finalized: Finalized::of(&header(PERIOD * 64 + 8)),
        mock: false,
        development: false,
    }
}

fn aggregate() -> SyncAggregate {
    SyncAggregate {
        sync_committee_bits: vec![0xff, 0xff, 0x3f, 0x00],
        sync_committee_signature: BlsSignature::repeat_byte(7),
    }
}

/// The update of `period`, which nothing but its slots makes valid.
pub(crate) fn update(period: u64) -> LightClientUpdate {
    LightClientUpdate {
        attested_header: header(period * 64 + 40),
        next_sync_committee: committee(0x80 ^ period as u8),
        next_sync_committee_branch: vec![B256::repeat_byte(4); 6],
        finalized_header: header(period * 64 + 24),
        finality_branch: vec![B256::repeat_byte(5); 7],
        sync_aggregate: aggregate(),
        signature_slot: period * 64 + 41,
    }
}

pub(crate) fn finality_update(period: u64) -> LightClientFinalityUpdate {
    update(period).into()
}

/// What a proof of `update(PERIOD)` says.
pub(crate) fn change() -> CommitteeChange {
    let (store, update) = (store(), update(PERIOD));
    let finalized = Finalized::of(&update.finalized_header);
    CommitteeChange {
        chain: store.chain_root(),
        signerPeriod: PERIOD,
        signerCommittee: store.committee_root(),
        newPeriod: PERIOD + 1,
        newCommittee: update.next_sync_committee.hash_tree_root::<NativeCrypto>(),
        minParticipation: 22,
        finalizedSlot: finalized.slot,
        finalizedRoot: finalized.root,
        executionNumber: finalized.execution_number,
        executionHash: finalized.execution_hash,
        executionStateRoot: finalized.execution_state_root,
    }
}

/// An account with two slots, and one without.
pub(crate) fn account_proofs() -> Vec<AccountProof> {
    let slot = |key| StorageProof { key: B256::repeat_byte(key), nodes: vec![] };
    let proof = |address, storage| AccountProof {
        address: Address::repeat_byte(address),
        nodes: vec![Bytes::from_static(&[0xc0])],
        storage,
    };
    vec![proof(0xa1, vec![slot(1), slot(2)]), proof(0xa2, vec![])]
}

/// What a proof of `finality_update(PERIOD)` and `account_proofs()` says.
pub(crate) fn inclusion() -> Inclusion {
    let (store, update) = (store(), finality_update(PERIOD));
    let finalized = Finalized::of(&update.finalized_header);
    let slot = |key, value| Slot { key: B256::repeat_byte(key), value: U256::from(value) };
    let absent = Account {
        account: Address::repeat_byte(0xa2),
        exists: false,
        nonce: 0,
        balance: U256::ZERO,
        storageRoot: B256::ZERO,
        codeHash: B256::ZERO,
        slots: vec![],
    };
    let present = Account {
        account: Address::repeat_byte(0xa1),
        exists: true,
        nonce: 3,
        balance: U256::MAX,
        storageRoot: B256::repeat_byte(0xd1),
        codeHash: B256::repeat_byte(0xd2),
        slots: vec![slot(1, 5), slot(2, 0)],
    };
    Inclusion {
        chain: store.chain_root(),
        signerPeriod: PERIOD,
        signerCommittee: store.committee_root(),
        participation: 22,
        attestedSlot: update.attested_header.beacon.slot,
        finalizedSlot: finalized.slot,
        finalizedRoot: finalized.root,
        executionNumber: finalized.execution_number,
        executionHash: finalized.execution_hash,
        executionStateRoot: finalized.execution_state_root,
        accounts: vec![present, absent],
    }
}

/// Takes a proof whose bytes are `valid`, in place of SP1's verifier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FakeChecker;

impl FakeChecker {
    pub(crate) const VKEY: VkeyHash = VkeyHash([0x11; 32]);
}

impl ProofChecker for FakeChecker {
    fn pins(&self) -> Vec<ProgramInfo> {
        let info =
            |program| ProgramInfo { program, elf_sha256: ElfHash([0; 32]), vkey: Self::VKEY };
        ProgramId::ALL.map(info).to_vec()
    }

    fn development_circuits(&self) -> Vec<CircuitHash> {
        Vec::new()
    }

    fn check(&self, proof: &Proof) -> Result<Vec<u8>, ProofError> {
        let valid = proof.bytes == b"valid";
        valid.then(|| proof.public_values.clone()).ok_or(ProofError::Invalid("forged".into()))
    }
}

/// [`FakeChecker`] with the key of a development circuit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllowingChecker(pub(crate) CircuitHash);

impl ProofChecker for AllowingChecker {
    fn pins(&self) -> Vec<ProgramInfo> {
        FakeChecker.pins()
    }

    fn development_circuits(&self) -> Vec<CircuitHash> {
        vec![self.0]
    }

    fn check(&self, proof: &Proof) -> Result<Vec<u8>, ProofError> {
        FakeChecker.check(proof)
    }
}

/// A development circuit: its verifying key is `abc`.
pub(crate) const DEV_CIRCUIT: CircuitHash =
    CircuitHash(b256!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").0);

/// A proof of `statement` that [`FakeChecker`] takes.
pub(crate) fn proof_of(statement: &Statement) -> Proof {
    Proof {
        program: statement.program(),
        mode: ProofMode::Core,
        engine: EngineKind::Cpu,
        circuit: None,
        vkey: FakeChecker::VKEY,
        sp1_version: "6.10.0".to_owned(),
        public_values: statement.encode(),
        bytes: b"valid".to_vec(),
    }
}

/// A Groth16 proof of `statement` by `circuit`. [`FakeChecker`] takes it if the circuit is the official one.
pub(crate) fn snark_of(statement: &Statement, circuit: CircuitHash) -> Proof {
    Proof { mode: ProofMode::Groth16, circuit: Some(circuit), ..proof_of(statement) }
}
