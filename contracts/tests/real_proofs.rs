//! Real SNARKs of both programs, Groth16 and PLONK, checked by SP1's own verifier contracts for the development circuits
//! that they were made with (`artifacts/snarks`): nothing stands in for anything.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::{Revert, SolError, SolValue};
use lc_contracts::{
    CallError, EthereumLightClient as Contract, LightClient, ProofSystem, Recorded, SP1Verifier,
    SP1VerifierPlonk, Setup,
};
use lc_core::statement::{CommitteeChange, Inclusion};

const SYSTEMS: [ProofSystem; 2] = [ProofSystem::Groth16, ProofSystem::Plonk];

struct Scene {
    client: LightClient,
    change: Recorded<CommitteeChange>,
    inclusion: Recorded<Inclusion>,
}

/// A light client that trusts the committee from which the recorded change starts, and asks SP1's verifier.
fn scene(system: ProofSystem) -> Scene {
    let (change, inclusion) = recorded(system);
    let client = setup(system).deploy().unwrap();
    Scene { client, change, inclusion }
}

fn recorded(system: ProofSystem) -> (Recorded<CommitteeChange>, Recorded<Inclusion>) {
    (Recorded::committee_change(system), Recorded::inclusion(system))
}

fn setup(system: ProofSystem) -> Setup {
    let (change, inclusion) = recorded(system);
    Setup {
        verifier_code: system.verifier_code(),
        pins: Contract::Pins {
            chain: change.statement.chain,
            committeeChangeVkey: change.vkey,
            inclusionVkey: inclusion.vkey,
        },
        checkpoint: Contract::Checkpoint {
            period: change.statement.signerPeriod,
            committee: change.statement.signerCommittee,
        },
        rules: Contract::Rules { slotsPerPeriod: 8192, minParticipation: 0 },
        guardian: alloy_primitives::Address::ZERO,
        change_delay: 0,
    }
}

impl Scene {
    fn update(&mut self) -> Result<(), CallError> {
        let Recorded { public_values, proof, .. } = &self.change;
        self.client.update(public_values, proof.clone()).map(drop)
    }

    fn prove(&mut self) -> Result<Contract::Inclusion, CallError> {
        let Recorded { public_values, proof, .. } = &self.inclusion;
        self.client.prove_inclusion(0, public_values, proof.clone())
    }
}

#[test]
fn a_real_proof_brings_the_next_committee_and_a_second_one_a_slot_in_its_state() {
    SYSTEMS.into_iter().for_each(brings_the_next_committee_and_a_slot);
}

fn brings_the_next_committee_and_a_slot(system: ProofSystem) {
    let mut scene = scene(system);
    let change = scene.change.statement.clone();
    scene.update().unwrap();
    assert_eq!(scene.client.latest_period(), change.newPeriod);
    assert_eq!(scene.client.committee(change.newPeriod), change.newCommittee);
    assert_eq!(scene.client.head().executionStateRoot, change.executionStateRoot);

    let account = scene.inclusion.statement.accounts[0].clone();
    assert!(account.exists);
    for slot in &account.slots {
        let Recorded { public_values, proof, .. } = &scene.inclusion;
        let call = Contract::proveStorageCall {
            account: account.account,
            key: slot.key,
            notBefore: scene.inclusion.statement.finalizedSlot,
            publicValues: public_values.clone(),
            proof: proof.clone(),
        };
        let found = scene.client.read(&call).unwrap();
        assert_eq!(found.value, slot.value);
        assert_eq!(found.header.executionStateRoot, scene.inclusion.statement.executionStateRoot);
    }
    assert!(account.slots.iter().any(|slot| slot.value.is_zero()));
    assert!(account.slots.iter().any(|slot| !slot.value.is_zero()));
}

#[test]
fn a_replayed_proof_is_refused() {
    for system in SYSTEMS {
        let mut scene = scene(system);
        scene.update().unwrap();
        let period = scene.change.statement.newPeriod;
        let known = Contract::AlreadyKnown { newPeriod: period, latestPeriod: period };
        assert_eq!(scene.update().unwrap_err(), CallError::of(&known));
    }
}

#[test]
fn a_proof_of_the_other_system_is_refused_by_its_selector() {
    for [system, other] in [SYSTEMS, [SYSTEMS[1], SYSTEMS[0]]] {
        let mut scene = scene(system);
        scene.change.proof = Recorded::committee_change(other).proof;
        let CallError::Reverted(data) = scene.update().unwrap_err() else { panic!("{system:?}") };
        assert_eq!(data[..4], SP1Verifier::WrongVerifierSelector::SELECTOR, "{system:?}");
    }
}

#[test]
fn an_inclusion_by_a_committee_that_is_not_known_yet_is_refused() {
    let mut scene = scene(ProofSystem::Groth16);
    let period = scene.inclusion.statement.signerPeriod;
    assert_eq!(scene.prove().unwrap_err(), CallError::of(&Contract::UnknownCommittee { period }));
    scene.update().unwrap();
    scene.prove().unwrap();
}

#[test]
fn real_proofs_are_refused_on_another_chain_after_another_committee_and_when_stale() {
    SYSTEMS.into_iter().for_each(refused_elsewhere_and_later);
}

fn refused_elsewhere_and_later(system: ProofSystem) {
    let change = Recorded::committee_change(system);
    let other = B256::repeat_byte(0x11);
    let refused = |change_setup: fn(&mut Setup, B256)| {
        let mut setup = setup(system);
        change_setup(&mut setup, other);
        let mut client = setup.deploy().unwrap();
        client.update(&change.public_values, change.proof.clone()).unwrap_err()
    };
    let statement = &change.statement;
    let error = refused(|setup, other| setup.pins.chain = other);
    let wrong = Contract::WrongChain { chain: statement.chain, expected: other };
    assert_eq!(error, CallError::of(&wrong));
    let error = refused(|setup, other| setup.checkpoint.committee = other);
    let wrong = Contract::WrongCommittee {
        period: statement.signerPeriod,
        committee: statement.signerCommittee,
        expected: other,
    };
    assert_eq!(error, CallError::of(&wrong));
    let error = refused(|setup, _| setup.checkpoint.period -= 1);
    let unknown = Contract::UnknownCommittee { period: statement.signerPeriod };
    assert_eq!(error, CallError::of(&unknown));
    let error = refused(|setup, _| setup.rules.minParticipation = 10_000);
    let few = Contract::TooFewSigners { signers: statement.minParticipation, required: 10_000 };
    assert_eq!(error, CallError::of(&few));

    let mut scene = scene(system);
    scene.update().unwrap();
    let Recorded { public_values, proof, statement, .. } = &scene.inclusion;
    let not_before = statement.finalizedSlot + 1;
    let stale =
        Contract::StaleSlot { finalizedSlot: statement.finalizedSlot, notBefore: not_before };
    let error = scene.client.prove_inclusion(not_before, public_values, proof.clone());
    assert_eq!(error.unwrap_err(), CallError::of(&stale));
}

#[test]
fn under_another_programs_key_no_proof_holds() {
    for system in SYSTEMS {
        let (change, inclusion) = recorded(system);
        let mut setup = setup(system);
        setup.pins.committeeChangeVkey = inclusion.vkey;
        let mut client = setup.deploy().unwrap();
        let error = client.update(&change.public_values, change.proof.clone()).unwrap_err();
        assert_eq!(error, not_proven(system));
    }
}

/// What SP1's verifier says of a well-formed proof that does not hold.
fn not_proven(system: ProofSystem) -> CallError {
    match system {
        ProofSystem::Groth16 => CallError::of(&SP1Verifier::ProofInvalid {}),
        ProofSystem::Plonk => CallError::of(&SP1VerifierPlonk::InvalidProof {}),
    }
}

#[test]
fn a_change_anywhere_in_a_proof_is_refused_with_the_verifiers_own_error() {
    let groth16 =
        [SP1Verifier::ProofInvalid::SELECTOR, SP1Verifier::PublicInputNotInField::SELECTOR];
    // gnark's contract for PLONK says in words what is no point and no field element.
    let plonk = [SP1VerifierPlonk::InvalidProof::SELECTOR, Revert::SELECTOR];
    for (system, errors) in SYSTEMS.into_iter().zip([groth16, plonk]) {
        let mut scene = scene(system);
        let Recorded { public_values, proof, .. } = scene.change.clone();
        let mut refused = |at: usize| {
            let mut forged = proof.to_vec();
            forged[at] ^= 1;
            let error = scene.client.update(&public_values, forged.into());
            match error.unwrap_err() {
                CallError::Reverted(data) => <[u8; 4]>::try_from(&data[..4]).unwrap(),
                other => panic!("{system:?}, byte {at}: {other}"),
            }
        };
        assert_eq!(refused(0), SP1Verifier::WrongVerifierSelector::SELECTOR);
        assert_eq!(refused(4 + 31), SP1Verifier::InvalidExitCode::SELECTOR);
        assert_eq!(refused(4 + 32 + 31), SP1Verifier::InvalidVkRoot::SELECTOR);
        // The nonce and each of the proof's words: points off the curve, or on it and wrong.
        for word in 2..(proof.len() - 4) / 32 {
            let selector = refused(4 + 32 * word + 31);
            assert!(errors.contains(&selector), "{system:?}, word {word}: {selector:02x?}");
        }
        scene.update().unwrap();
    }
}

#[test]
fn a_proof_that_is_cut_short_is_refused() {
    for system in SYSTEMS {
        let mut scene = scene(system);
        let Recorded { public_values, proof, .. } = scene.change.clone();
        for length in [0, 3, 4, 100, proof.len() - 1] {
            let error = scene.client.update(&public_values, proof.slice(..length)).unwrap_err();
            assert!(matches!(error, CallError::Reverted(_)), "{length} bytes: {error}");
        }
        scene.update().unwrap();
    }
}

#[test]
fn public_values_that_were_not_proven_are_refused() {
    SYSTEMS.into_iter().for_each(takes_only_what_was_proven);
}

fn takes_only_what_was_proven(system: ProofSystem) {
    let mut scene = scene(system);
    let forge = |change: fn(&mut CommitteeChange)| {
        let mut forged = scene.change.statement.clone();
        change(&mut forged);
        Bytes::from(forged.abi_encode())
    };
    // Each of what a forger would want, all well formed.
    let forged = [
        forge(|change| change.newCommittee = B256::repeat_byte(0x22)),
        forge(|change| change.finalizedRoot = B256::repeat_byte(0x22)),
        forge(|change| change.executionStateRoot = B256::repeat_byte(0x22)),
        forge(|change| change.executionNumber += 1),
        forge(|change| change.minParticipation += 1),
    ];
    let proof = scene.change.proof.clone();
    for public_values in forged {
        let error = scene.client.update(&public_values, proof.clone()).unwrap_err();
        assert_eq!(error, not_proven(system));
    }
    scene.update().unwrap();

    let mut forged = scene.inclusion.statement.clone();
    forged.accounts[0].balance += U256::from(1);
    let proof = scene.inclusion.proof.clone();
    let error = scene.client.prove_inclusion(0, &forged.abi_encode(), proof).unwrap_err();
    assert_eq!(error, not_proven(system));
}

/// What proofs cost on chain, verification and storage together. `contracts/README.md` and `docs/performance.md` have these
/// figures: change them there as well.
#[test]
fn an_update_and_an_inclusion_with_their_verification_cost_what_the_readme_says() {
    for (system, [first, later, storage]) in SYSTEMS.into_iter().zip([GROTH16, PLONK]) {
        let mut scene = scene(system);
        let Recorded { public_values, proof, .. } = &scene.change;
        let first_seen = scene.client.update(public_values, proof.clone()).unwrap().gas;
        let account = scene.inclusion.statement.accounts[0].clone();
        let Recorded { public_values, proof, .. } = &scene.inclusion;
        let call = Contract::proveStorageCall {
            account: account.account,
            key: account.slots[0].key,
            notBefore: 0,
            publicValues: public_values.clone(),
            proof: proof.clone(),
        };
        let storage_seen = scene.client.evm.read(scene.client.address, &call).unwrap().gas;
        let later_seen = later_update(system);
        println!(
            "{system:?}: first update {first_seen} gas, later {later_seen}, proveStorage {storage_seen}"
        );
        let seen = [(first_seen, first), (later_seen, later), (storage_seen, storage)];
        for (seen, expected) in seen {
            assert!(seen.abs_diff(expected) * 100 <= expected, "{seen}, {expected} expected");
        }
    }
    assert!(GROTH16[1] <= 300_000);
}

/// The recorded update's gas where it is not the first one: the words that it writes are taken. One change is
/// recorded, so they are filled by hand.
fn later_update(system: ProofSystem) -> u64 {
    let mut scene = scene(system);
    for word in HEAD {
        assert_eq!(scene.client.evm.write(scene.client.address, word, U256::ONE), U256::ZERO);
    }
    let head = scene.client.head();
    let one = B256::from(U256::ONE);
    assert_eq!((head.root, head.executionHash, head.executionStateRoot), (one, one, one));
    let Recorded { public_values, proof, .. } = &scene.change;
    scene.client.update(public_values, proof.clone()).unwrap().gas
}

/// Where the committee before the last one and the head's three hashes are in the contract's storage.
const HEAD: std::ops::RangeInclusive<u64> = 9..=12;

/// Gas of the recorded update's transaction, the first after the deployment (the head's words are new), of every later
/// one, and of a transaction that does nothing but ask for one recorded slot.
const GROTH16: [u64; 3] = [360_772, 292_372, 274_020];
const PLONK: [u64; 3] = [436_285, 367_885, 349_478];
