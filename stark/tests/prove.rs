//! One real proof of several shards, with precompiles in shards of their own, and what becomes of
//! it when it is changed. About two minutes on two cores.
#![cfg(feature = "prove")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod probe;

use std::sync::LazyLock;

use bincode::Options;
use lc_stark::{
    CoreVerifier, InvalidProof, VerifyingKey,
    prove::{
        CoreProof, CoreProver, GuestError, Keys, Machine, ProveError, ShardPlan, Step, set_up,
    },
};
use probe::{ELF, Probe};
use sp1_verifier::SP1Proof;

/// Fills two shards of [`MAX_CELLS`] with instructions, and has each kind of precompile.
const PROBE: Probe =
    Probe { cycles: 16_000, fp: 500, fp2: 40, sha: 20, keccak: 4, words: 2000, fail: 0 };

/// Shards smaller than any plan's, so that the proof of a small program has several.
const MAX_CELLS: u64 = 10_000_000;

struct Setting {
    prover: CoreProver,
    keys: Keys,
}

static SETTING: LazyLock<Setting> = LazyLock::new(|| {
    let plan = ShardPlan::for_machine(Machine::of_this_process()).with_max_cells(MAX_CELLS);
    let prover = CoreProver::new(plan).unwrap();
    let keys = set_up([(ELF, None)]).unwrap().remove(0);
    Setting { prover, keys }
});

static PROVEN: LazyLock<(CoreProof, Vec<Step>)> = LazyLock::new(|| {
    let mut steps = Vec::new();
    let proof = SETTING.prover.prove(&SETTING.keys, &PROBE.input(), &mut |step| steps.push(step));
    (proof.unwrap(), steps)
});

static VERIFIER: LazyLock<CoreVerifier> = LazyLock::new(CoreVerifier::new);

/// What the verifier says to `bytes` beside the right key and public values.
fn verdict(bytes: &[u8]) -> Result<(), InvalidProof> {
    VERIFIER.verify(SETTING.keys.verifying(), &PROBE.public_values(), bytes)
}

fn options() -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding()
}

#[test]
fn a_proof_of_several_shards_and_precompile_shards_holds() {
    let (proof, _) = &*PROVEN;
    assert_eq!(proof.public_values, PROBE.public_values());
    assert!(proof.cycles > 200_000, "{proof:?}");
    assert_eq!(verdict(&proof.bytes), Ok(()));
}

#[test]
fn progress_goes_shard_by_shard_and_learns_of_precompile_shards_on_the_way() {
    let (proof, steps) = &*PROVEN;
    assert_eq!((steps.first(), steps.last()), (Some(&Step::Execute), Some(&Step::Verify)));
    let counts: Vec<(usize, usize)> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Prove { done, total } => Some((*done, *total)),
            _ => None,
        })
        .collect();
    assert_eq!(steps.len(), counts.len() + 2);
    assert!(counts.iter().enumerate().all(|(index, (done, _))| index == *done), "{counts:?}");
    assert!(counts.is_sorted_by_key(|(_, total)| *total), "{counts:?}");
    assert_eq!(counts.last(), Some(&(proof.shards, proof.shards)));
    let core_shards = counts[0].1;
    // FP2 additions, FP2 multiplications and Keccak permutations cannot share a shard.
    assert!(core_shards >= 2 && proof.shards >= core_shards + 3, "{counts:?}");
}

#[test]
fn a_program_that_refuses_its_input_is_not_proven() {
    let mut steps = Vec::new();
    let refused = Probe { fail: 1, ..PROBE }.input();
    let error =
        SETTING.prover.prove(&SETTING.keys, &refused, &mut |step| steps.push(step)).unwrap_err();
    assert!(
        matches!(error, ProveError::Guest(GuestError::Refused { exit_code: 1, .. })),
        "{error:?}"
    );
    assert_eq!(steps, [Step::Execute]);
}

#[test]
fn a_proof_does_not_hold_for_other_public_values() {
    let mut others = PROBE.public_values();
    others[0] ^= 1;
    let verdict =
        |values: &[u8]| VERIFIER.verify(SETTING.keys.verifying(), values, &PROVEN.0.bytes);
    assert_eq!(verdict(&others), Err(InvalidProof::PublicValues));
    assert_eq!(verdict(&[]), Err(InvalidProof::PublicValues));
}

#[test]
fn a_proof_does_not_hold_for_the_key_of_another_program() {
    let key = SETTING.keys.verifying();
    let mut other = key.to_bytes();
    other[0] ^= 1;
    let other = VerifyingKey::from_bytes(&other).unwrap();
    assert_ne!(other.hash(), key.hash());
    let verdict = VERIFIER.verify(&other, &PROBE.public_values(), &PROVEN.0.bytes);
    assert!(matches!(verdict, Err(InvalidProof::Refused(_))), "{verdict:?}");
}

#[test]
fn a_key_reads_back_from_its_bytes_and_from_nothing_else() {
    let key = SETTING.keys.verifying();
    let bytes = key.to_bytes();
    assert_eq!(VerifyingKey::from_bytes(&bytes).unwrap().hash(), key.hash());
    for end in 0..bytes.len() {
        assert!(VerifyingKey::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
    }
    let error = VerifyingKey::from_bytes(&[&bytes[..], &[0]].concat()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "these bytes are no SP1 verifying key: make it again from the program"
    );
}

#[test]
fn bytes_cut_off_or_added_are_malformed() {
    let bytes = &PROVEN.0.bytes;
    let cuts = (0..64).chain([bytes.len() / 2, bytes.len() - 1]);
    for end in cuts {
        assert!(matches!(verdict(&bytes[..end]), Err(InvalidProof::Malformed(_))), "cut at {end}");
    }
    assert!(matches!(verdict(&[&bytes[..], &[0]].concat()), Err(InvalidProof::Malformed(_))));
}

#[test]
fn shards_left_out_doubled_or_out_of_order_are_refused() {
    let SP1Proof::Core(shards) = options().deserialize(&PROVEN.0.bytes).unwrap() else {
        panic!("no core proof")
    };
    let last = shards.len() - 1;
    let changed = [
        ("the first left out", shards[1..].to_vec()),
        ("the last left out", shards[..last].to_vec()),
        ("the first doubled", [&shards[..1], &shards].concat()),
        ("reversed", shards.iter().rev().cloned().collect()),
        ("none", Vec::new()),
    ];
    for (how, shards) in changed {
        let verdict = verdict(&options().serialize(&SP1Proof::Core(shards)).unwrap());
        assert!(verdict.is_err(), "{how}");
    }
}

#[test]
fn a_proof_with_any_bit_changed_is_refused() {
    let bytes = &PROVEN.0.bytes;
    // Spread over the proof, a prime apart from any of its own strides; the head has every count
    // and flag.
    let spread = (0..16).map(|i| i * 999_983 % bytes.len());
    for at in (0..24).chain(spread) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(verdict(&changed).is_err(), "bit {} of byte {at}", at % 8);
    }
}
