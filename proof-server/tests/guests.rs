//! The guests in SP1's executor against the native code: the same verdict on the same bytes. No proofs here.
#![cfg(feature = "cpu")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "inputs/mod.rs"]
mod inputs;

use inputs::shared::spec_vectors::{Applied, applied_updates};
use lc_core::{
    ProgramId,
    host::{Checked, ProgramInput},
    words::{Words, to_bytes},
};
use lc_emulator::{Memory, Program};
use proof_server::{
    artifacts,
    execute::{GuestError, execute},
    guest_input::guest_input,
};
use simulator::{Chain, Preset, mutations};

/// Instructions that no witness here comes near.
const LIMIT: u64 = 1 << 28;

/// Cycles and gas of the committed ELFs on each recording; a change may add 1 %. Deterministic; `make profile` says where cycles go.
const COSTS: [(&str, u64, u64); 7] = [
    ("mainnet Deneb, 1 period", 97_809, 258_880),
    ("mainnet Deneb, 2 periods", 187_237, 476_383),
    ("mainnet Deneb, 8 periods", 728_968, 1_803_549),
    ("mainnet Electra, 1 period", 100_492, 271_895),
    ("mainnet Electra, 3 periods", 293_647, 771_072),
    ("mainnet Fulu, 1 period", 102_686, 281_608),
    ("mainnet Deneb, 1 account, 1 slot", 164_295, 427_868),
];

#[test]
fn the_guests_agree_with_the_native_checks_on_every_recording_and_cost_no_more_than_they_did() {
    for (name, input) in inputs::recorded() {
        let Checked { program, witness, public_values } = input.check().unwrap();
        let seen = execute(program, &witness).unwrap();
        assert_eq!(seen.public_values, public_values, "{name}");
        println!("{program}, {name}: {} cycles, {} gas", seen.cycles, seen.gas);
        let (_, cycles, gas) = COSTS.into_iter().find(|cost| cost.0 == name).unwrap();
        assert!(seen.cycles <= cycles + cycles / 100, "{name}: {} cycles", seen.cycles);
        assert!(seen.gas <= gas + gas / 100, "{name}: {} gas", seen.gas);
    }
}

#[test]
fn each_absent_signer_costs_at_most_1500_cycles_with_its_place_in_the_committee() {
    let chain = Chain::builder().preset(Preset::Mainnet).build().unwrap();
    let cycles = |participants| {
        let first = chain.first_period();
        let update = chain.update(first).participants(participants).build();
        let input = chain.committee_change_input(first, &[update]);
        let witness = input.witness().unwrap();
        execute(ProgramId::CommitteeChange, &to_bytes(&witness.encode())).unwrap().cycles
    };
    let [all, one, fewest] = [512, 511, 342].map(cycles);
    println!("512 of 512 signed: {all} cycles, 511: {one}, 342: {fewest}");
    assert!(fewest - all <= 1500 * 170, "{} cycles each", (fewest - all) / 170);
}

/// Every update of the specification's suites that the store applies because it is final, as a committee change.
#[test]
fn the_guest_has_the_native_verdict_on_every_update_that_the_specification_s_store_applies() {
    let (mut accepted, mut refused) = (0, 0);
    for vectors in inputs::shared::all_vectors() {
        for Applied { name, committee_change, .. } in applied_updates(&vectors) {
            let Some(ProgramInput::CommitteeChange(input)) = committee_change else { continue };
            let witness = input.witness().unwrap();
            let seen = execute(ProgramId::CommitteeChange, &to_bytes(&witness.encode()));
            match (ProgramInput::CommitteeChange(input).check(), seen) {
                (Ok(checked), Ok(seen)) => {
                    assert_eq!(seen.public_values, checked.public_values, "{name}");
                    accepted += 1;
                }
                (Err(_), Err(GuestError::Refused { .. })) => refused += 1,
                (native, seen) => panic!("{name}: natively {native:?}, in the guest {seen:?}"),
            }
        }
    }
    println!("{accepted} accepted, {refused} refused by both");
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}

/// SP1's executor starts with memory that is zero; a prover may start with any. It also runs programs that
/// cannot be proven; the emulator does not.
#[test]
fn the_guests_say_the_same_whatever_memory_holds_at_the_start() {
    let programs =
        ProgramId::ALL.map(|program| Program::from_elf(artifacts::elf(program)).unwrap());
    let recorded = inputs::recorded().into_iter().map(|(_, input)| {
        let Checked { program, witness, public_values } = input.check().unwrap();
        (program, witness, public_values)
    });
    let gloas = mutations::valid_gloas(&mutations::gloas_chain());
    let simulated = mutations::valid(&mutations::chain()).into_iter().chain(gloas).map(|witness| {
        let public_values = execute(witness.program(), &witness.to_bytes()).unwrap().public_values;
        (witness.program(), witness.to_bytes(), public_values)
    });
    for (program, witness, public_values) in recorded.chain(simulated) {
        let input = guest_input(program, &witness);
        for memory in [Memory::Zero, Memory::Random { seed: 1 }, Memory::Random { seed: 2 }] {
            let run = programs[program as usize].run(&input, memory, LIMIT).unwrap();
            assert_eq!((run.exit_code, &run.public_values), (0, &public_values), "{program}");
        }
    }
}

#[test]
fn the_guests_give_no_output_for_any_wrong_witness_whatever_memory_holds_at_the_start() {
    let programs =
        ProgramId::ALL.map(|program| Program::from_elf(artifacts::elf(program)).unwrap());
    for mutation in mutations::all(&mutations::chain()) {
        let program = mutation.witness.program();
        let input = guest_input(program, &mutation.witness.to_bytes());
        for seed in 1..=3 {
            let memory = Memory::Random { seed };
            let run = programs[program as usize].run(&input, memory, LIMIT).unwrap();
            assert_eq!(run.exit_code, 1, "{}", mutation.name);
            assert!(run.public_values.is_empty(), "{}", mutation.name);
        }
    }
}

/// Each hint word of a signature that is checked, wrong: nothing comes out.
#[test]
fn a_guest_refuses_wrong_hints_for_a_right_signature() {
    let [_, witness] = mutations::valid(&mutations::chain());
    let program = Program::from_elf(artifacts::elf(witness.program())).unwrap();
    let input = guest_input(witness.program(), &witness.to_bytes());
    let hints = u64::from_le_bytes(*input.first_chunk().unwrap()) as usize;
    // The first ten elements are the statement: the guest writes over whatever comes.
    for word in (1 + 10 * 6..1 + hints).step_by(7) {
        let mut forged = input.clone();
        forged[8 * word] ^= 1;
        let run = program.run(&forged, Memory::Random { seed: 5 }, LIMIT).unwrap();
        assert_eq!((run.exit_code, run.public_values.len()), (1, 0), "word {word}");
    }
}

#[test]
fn the_guests_accept_the_simulator_s_valid_witnesses() {
    for witness in mutations::valid(&mutations::chain()) {
        let seen = execute(witness.program(), &witness.to_bytes()).unwrap();
        assert!(!seen.public_values.is_empty());
    }
}

#[test]
fn the_guests_give_no_output_for_any_wrong_witness() {
    for mutation in mutations::all(&mutations::chain()) {
        let error = mutation.witness.verify().expect_err(mutation.name);
        assert!((mutation.is_expected)(&error), "{}: {error:?}", mutation.name);
        match execute(mutation.witness.program(), &mutation.witness.to_bytes()) {
            Err(GuestError::Refused { .. }) => {}
            other => panic!("{}: {other:?}", mutation.name),
        }
    }
}

#[test]
fn the_guests_refuse_a_witness_that_is_cut_or_goes_on() {
    for witness in mutations::valid(&mutations::chain()) {
        let bytes = witness.to_bytes();
        for wrong in [
            &bytes[..bytes.len() - 1],
            &bytes[..bytes.len() - 8],
            &[],
            &[&bytes[..], &[0]].concat(),
            &[&bytes[..], &[0; 8]].concat(),
        ] {
            let seen = execute(witness.program(), wrong);
            assert!(matches!(seen, Err(GuestError::Refused { .. })), "{seen:?}");
        }
    }
}

#[test]
fn a_guest_refuses_the_witness_of_another_program() {
    let [change, inclusion] = mutations::valid(&mutations::chain());
    for (program, witness) in
        [(ProgramId::Inclusion, change), (ProgramId::CommitteeChange, inclusion)]
    {
        let seen = execute(program, &witness.to_bytes());
        assert!(matches!(seen, Err(GuestError::Refused { .. })), "{program}: {seen:?}");
    }
}
