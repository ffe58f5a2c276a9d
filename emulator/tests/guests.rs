//! The committed guests, on input that is none, and the engine's probe.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lc_emulator::{Memory, Program, Run, Syscall};
use proptest::prelude::*;

#[path = "../../stark/tests/probe/mod.rs"]
mod probe;

use probe::Probe;

const GUESTS: [&[u8]; 2] = [
    include_bytes!("../../artifacts/committee-change.elf"),
    include_bytes!("../../artifacts/inclusion.elf"),
];

/// Instructions: refusing an input takes some thousands, the probe below a million.
const LIMIT: u64 = 100_000_000;

fn assert_refuses(input: &[u8], memory: Memory) {
    for guest in GUESTS {
        let run = Program::from_elf(guest).unwrap().run(input, memory, LIMIT).unwrap();
        assert_eq!((run.exit_code, run.public_values), (1, vec![]));
    }
}

#[test]
fn guests_refuse_an_empty_input() {
    assert_refuses(&[], Memory::Zero);
    (0..8).for_each(|seed| assert_refuses(&[], Memory::Random { seed }));
}

proptest! {
    #[test]
    fn guests_refuse_garbage(seed: u64, input in prop::collection::vec(any::<u8>(), 0..4096)) {
        assert_refuses(&input, Memory::Zero);
        assert_refuses(&input, Memory::Random { seed });
    }
}

fn run_probe(probe: Probe, memory: Memory) -> Run {
    Program::from_elf(probe::ELF).unwrap().run(&probe.input(), memory, LIMIT).unwrap()
}

/// All that the probe does but FP2, whose calls are not emulated.
const BUSY: Probe =
    Probe { cycles: 10_000, fp: 101, fp2: 0, sha: 5, keccak: 4, words: 1000, fail: 0 };

#[test]
fn the_probe_commits_what_a_host_computes() {
    for memory in [Memory::Zero, Memory::Random { seed: 1 }] {
        let run = run_probe(BUSY, memory);
        assert_eq!((run.exit_code, run.public_values), (0, BUSY.public_values()));
        let calls = |call| run.syscalls.get(&call).copied();
        assert_eq!(calls(Syscall::FpMul), Some(51));
        assert_eq!(calls(Syscall::FpAdd), Some(50));
        assert_eq!(calls(Syscall::ShaCompress), Some(10));
        assert_eq!(calls(Syscall::KeccakPermute), Some(4));
    }
}

#[test]
fn the_probe_says_why_it_fails() {
    let run = run_probe(Probe { fail: 1, ..Probe::default() }, Memory::Zero);
    assert_eq!((run.exit_code, run.public_values), (1, vec![]));
    let output = String::from_utf8(run.output).unwrap();
    assert!(output.contains("the probe was told to fail"), "{output}");
}

#[test]
fn a_stripped_program_has_a_profile_of_one_line() {
    let run = run_probe(BUSY, Memory::Zero);
    let [function] = &run.profile.functions[..] else { panic!("{}", run.profile) };
    assert_eq!((function.name.as_str(), function.cycles), ("(no symbol)", run.cycles));
    assert_eq!(function.syscalls, run.syscalls);
    assert_eq!(function.touched_words, run.touched_words as u64);
    println!("{}{} image words", run.profile, run.image_words);
}
