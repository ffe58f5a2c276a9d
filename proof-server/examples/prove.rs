//! What a proof of recorded input costs on this machine, without a server: `make profile-proof` prints seconds of each
//! step and peak memory; with `RUST_LOG=debug` also what SP1's own spans say.
#![allow(clippy::unwrap_used, reason = "a failure shows by panicking")]

#[path = "../tests/inputs/mod.rs"]
mod inputs;

use std::{env, fs, time::Instant};

use proof_server::{
    engine::{
        Engine,
        cpu::{CpuEngine, CpuOptions},
    },
    types::ProofMode,
};
use tracing_subscriber::fmt::format::FmtSpan;

fn main() {
    let wanted = env::args().nth(1).expect("usage: prove WORD-OF-A-RECORDING'S-NAME");
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(std::io::stderr)
        .init();
    let begun = Instant::now();
    let mut engine = CpuEngine::start(&CpuOptions::default()).unwrap();
    println!("ready after {:.1} s, {}", begun.elapsed().as_secs_f64(), peak());
    let mut recorded = inputs::recorded();
    recorded.retain(|(name, _)| name.contains(&wanted));
    assert!(!recorded.is_empty(), "no recording at hand has {wanted:?} in its name");
    for (name, input) in recorded {
        let checked = input.check().unwrap();
        let begun = Instant::now();
        let proven = engine
            .prove(checked.program, ProofMode::Core, &checked.witness, &mut |progress| {
                println!("{:.1} s: {progress:?}, {}", begun.elapsed().as_secs_f64(), peak());
            })
            .unwrap();
        println!(
            "{name}: {:.1} s, {} cycles, {} shards, {} bytes; {}",
            begun.elapsed().as_secs_f64(),
            proven.cycles,
            proven.shards,
            proven.proof.bytes.len(),
            peak(),
        );
    }
}

/// Peak memory of this process so far.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
    format!("peak {}", peak.trim())
}
