//! Real SNARKs of both programs, checked by SP1's own verifier contract for the development circuit that they were
//! made with (`artifacts/snarks`): nothing stands in for anything.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::{SolError, SolValue};
use lc_contracts::{
    CallError, EthereumLightClient as Contract, LightClient, Recorded, SP1Verifier, Setup,
};
use lc_core::statement::{CommitteeChange, Inclusion};

struct Scene {
    client: LightClient,
    change: Recorded<CommitteeChange>,
    inclusion: Recorded<Inclusion>,
}

/// A light client that trusts the committee from which the recorded change starts, and asks SP1's verifier.
fn scene() -> Scene {
    let (change, inclusion) = (Recorded::committee_change(), Recorded::inclusion());
    let client = setup(&change, &inclusion).deploy().unwrap();
    Scene { client, change, inclusion }
}

fn setup(change: &Recorded<CommitteeChange>, inclusion: &Recorded<Inclusion>) -> Setup {
    Setup {
        verifier_code: SP1Verifier::BYTECODE.clone(),
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
    let mut scene = scene();
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
    let mut scene = scene();
    scene.update().unwrap();
    let period = scene.change.statement.newPeriod;
    let known = Contract::AlreadyKnown { newPeriod: period, latestPeriod: period };
    assert_eq!(scene.update().unwrap_err(), CallError::of(&known));
}

#[test]
fn an_inclusion_by_a_committee_that_is_not_known_yet_is_refused() {
    let mut scene = scene();
    let period = scene.inclusion.statement.signerPeriod;
    assert_eq!(scene.prove().unwrap_err(), CallError::of(&Contract::UnknownCommittee { period }));
    scene.update().unwrap();
    scene.prove().unwrap();
}

#[test]
fn real_proofs_are_refused_on_another_chain_after_another_committee_and_when_stale() {
    let (change, inclusion) = (Recorded::committee_change(), Recorded::inclusion());
    let other = B256::repeat_byte(0x11);
    let refused = |change_setup: fn(&mut Setup, B256)| {
        let mut setup = setup(&change, &inclusion);
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

    let mut scene = scene();
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
    let (change, inclusion) = (Recorded::committee_change(), Recorded::inclusion());
    let mut setup = setup(&change, &inclusion);
    setup.pins.committeeChangeVkey = inclusion.vkey;
    let mut client = setup.deploy().unwrap();
    let error = client.update(&change.public_values, change.proof.clone()).unwrap_err();
    assert_eq!(error, CallError::of(&SP1Verifier::ProofInvalid {}));
}

#[test]
fn a_change_anywhere_in_a_proof_is_refused_with_the_verifiers_own_error() {
    let mut scene = scene();
    let Recorded { public_values, proof, .. } = scene.change.clone();
    let mut refused = |at: usize| {
        let mut forged = proof.to_vec();
        forged[at] ^= 1;
        let error = scene.client.update(&public_values, forged.into());
        match error.unwrap_err() {
            CallError::Reverted(data) => data,
            other => panic!("byte {at}: {other}"),
        }
    };
    let selector = |data: &Bytes| <[u8; 4]>::try_from(&data[..4]).unwrap();
    assert_eq!(selector(&refused(0)), SP1Verifier::WrongVerifierSelector::SELECTOR);
    assert_eq!(selector(&refused(4 + 31)), SP1Verifier::InvalidExitCode::SELECTOR);
    assert_eq!(selector(&refused(4 + 32 + 31)), SP1Verifier::InvalidVkRoot::SELECTOR);
    // The nonce and each of the proof's eight words: points off the curve, or on it and wrong.
    for word in 2..11 {
        let data = refused(4 + 32 * word + 31);
        assert!(
            [SP1Verifier::ProofInvalid::SELECTOR, SP1Verifier::PublicInputNotInField::SELECTOR]
                .contains(&selector(&data)),
            "word {word}: {data}"
        );
    }
    scene.update().unwrap();
}

#[test]
fn a_proof_that_is_cut_short_is_refused() {
    let mut scene = scene();
    let Recorded { public_values, proof, .. } = scene.change.clone();
    for length in [0, 3, 4, 100, proof.len() - 1] {
        let error = scene.client.update(&public_values, proof.slice(..length)).unwrap_err();
        assert!(matches!(error, CallError::Reverted(_)), "{length} bytes: {error}");
    }
    scene.update().unwrap();
}

#[test]
fn public_values_that_were_not_proven_are_refused() {
    let mut scene = scene();
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
        assert_eq!(error, CallError::of(&SP1Verifier::ProofInvalid {}));
    }
    scene.update().unwrap();

    let mut forged = scene.inclusion.statement.clone();
    forged.accounts[0].balance += U256::from(1);
    let proof = scene.inclusion.proof.clone();
    let error = scene.client.prove_inclusion(0, &forged.abi_encode(), proof).unwrap_err();
    assert_eq!(error, CallError::of(&SP1Verifier::ProofInvalid {}));
}

/// What a Groth16 proof costs on chain, verification and storage together. `contracts/README.md` and
/// `docs/performance.md` have these figures: change them there as well.
#[test]
fn an_update_and_an_inclusion_with_their_verification_cost_what_the_readme_says() {
    let mut scene = scene();
    let Recorded { public_values, proof, .. } = &scene.change;
    let update = scene.client.update(public_values, proof.clone()).unwrap().gas;
    let account = scene.inclusion.statement.accounts[0].clone();
    let Recorded { public_values, proof, .. } = &scene.inclusion;
    let call = Contract::proveStorageCall {
        account: account.account,
        key: account.slots[0].key,
        notBefore: 0,
        publicValues: public_values.clone(),
        proof: proof.clone(),
    };
    let storage = scene.client.evm.read(scene.client.address, &call).unwrap().gas;
    println!("first update: {update} gas, proveStorage: {storage} gas");
    let later = later_update();
    println!("later update: {later} gas");
    assert!(later <= 300_000, "{later}");
    for (measured, expected) in [(update, UPDATE), (later, LATER), (storage, STORAGE)] {
        assert!(measured.abs_diff(expected) * 100 <= expected, "{measured}, {expected} expected");
    }
}

/// The recorded update's gas where it is not the first one: the words that it writes are taken. One change is
/// recorded, so they are filled by hand.
fn later_update() -> u64 {
    let mut scene = scene();
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

/// Gas of the recorded update's transaction, the first after the deployment: the head's words are new.
const UPDATE: u64 = 360_772;
/// Gas of every later one.
const LATER: u64 = 292_372;
/// Gas of a transaction that does nothing but ask for one recorded slot.
const STORAGE: u64 = 274_020;
