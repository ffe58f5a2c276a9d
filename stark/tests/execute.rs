//! Running programs without proving them.
#![cfg(feature = "prove")]

mod probe;

use std::time::{Duration, Instant};

use lc_stark::prove::{Execution, GuestError, RUN_LIMIT, execute};
use probe::{ELF, Probe};

const SOME: Probe = Probe { cycles: 1000, fp: 21, fp2: 9, sha: 5, keccak: 3, words: 100, fail: 0 };

fn run(probe: Probe) -> Result<Execution, GuestError> {
    execute(ELF, &probe.input(), RUN_LIMIT)
}

#[test]
fn a_program_commits_what_it_must_and_its_calls_are_counted() {
    let run = run(SOME).unwrap();
    assert_eq!(run.public_values, SOME.public_values());
    let count = |name: &str| run.syscalls.get(name).copied().unwrap_or(0);
    assert_eq!(count("BLS12381_FP_MUL"), 11);
    assert_eq!(count("BLS12381_FP_ADD"), 10);
    assert_eq!(count("BLS12381_FP2_MUL"), 5);
    assert_eq!(count("BLS12381_FP2_ADD"), 4);
    assert_eq!(count("KECCAK_PERMUTE"), 3);
    // Two blocks for each 64 bytes hashed; the entry point hashes the public values besides.
    assert!(count("SHA_COMPRESS") >= 10, "{:?}", run.syscalls);
    assert_eq!(count("UINT256_MUL"), 0);
}

#[test]
fn more_work_takes_more_cycles_and_more_gas() {
    let (less, more) = (run(SOME).unwrap(), run(Probe { cycles: 100_000, ..SOME }).unwrap());
    assert!(more.cycles > less.cycles + 99_000, "{} and {}", less.cycles, more.cycles);
    assert!(more.gas > less.gas && less.gas > 0, "{} and {}", less.gas, more.gas);
}

#[test]
fn a_program_that_panics_is_refused_with_its_last_words() {
    let error = run(Probe { fail: 1, ..SOME }).unwrap_err();
    assert!(matches!(error, GuestError::Refused { exit_code: 1, .. }), "{error:?}");
    assert!(error.to_string().ends_with("the probe was told to fail"), "{error}");
}

#[test]
fn an_input_of_another_length_is_refused() {
    let error = execute(ELF, &[0; 27], RUN_LIMIT).unwrap_err();
    assert!(matches!(error, GuestError::Refused { .. }), "{error:?}");
}

#[test]
fn a_program_that_does_not_end_is_killed_and_the_next_one_runs() {
    let (limit, begun) = (Duration::from_secs(1), Instant::now());
    let endless = Probe { cycles: u32::MAX, ..SOME };
    let error = execute(ELF, &endless.input(), limit).unwrap_err();
    assert!(matches!(error, GuestError::Endless { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(run(SOME).unwrap().public_values, SOME.public_values());
}

#[test]
fn a_file_that_is_no_program_is_refused() {
    let error = execute(b"#!/bin/sh", &[], RUN_LIMIT).unwrap_err();
    assert!(matches!(error, GuestError::Elf(_)), "{error:?}");
}
