//! What the smallest proof takes. A process of its own, because peak memory is counted for a
//! process.
#![cfg(all(feature = "prove", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod probe;

use lc_stark::prove::{CoreProver, Machine, ShardPlan, set_up};
use probe::{ELF, Probe};

/// Most resident memory of this process so far, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_trivial_program_is_proven_in_under_2_5_gb() {
    let prover = CoreProver::new(ShardPlan::for_machine(Machine::of_this_process())).unwrap();
    let keys = set_up([(ELF, None)]).unwrap();
    let trivial = Probe { cycles: 10, ..Probe::default() };
    let proof = prover.prove(&keys[0], &trivial.input(), &mut |_| {}).unwrap();
    assert_eq!((proof.shards, proof.public_values), (1, trivial.public_values()));
    assert!(peak_bytes() < 2_500_000_000, "{} bytes", peak_bytes());
}
