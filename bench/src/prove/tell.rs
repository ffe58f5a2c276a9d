//! What the person at the terminal sees.

use std::process::ExitCode;

use super::{ProveArgs, prove};
use crate::document::{ProveOutcome, ProveSample};

/// What a shell gets for a run in which a proof failed, or none could be tried.
const FAILED: u8 = 1;

/// Makes the proofs, says of each what it took, and writes the document.
#[must_use]
pub fn run(args: &ProveArgs) -> ExitCode {
    let mut failed = false;
    let result = prove(args, &mut |sample| {
        failed |= matches!(sample.outcome, ProveOutcome::Failed(_));
        println!("{}", line(sample));
    });
    let written = result.map_err(|error| text(&error)).and_then(|document| {
        let Some(out) = &args.out else { return Ok(()) };
        document.write(out).map_err(|error| text(&error))?;
        println!("written to {}", out.display());
        Ok(())
    });
    if let Err(error) = written {
        eprintln!("prove: {error}");
        return ExitCode::from(FAILED);
    }
    if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}

fn text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// One attempt.
fn line(sample: &ProveSample) -> String {
    let what = format!(
        "{} {} {}",
        sample.recording,
        sample.mode,
        if sample.cold { "cold" } else { "warm" }
    );
    let seconds = sample.total_seconds.get();
    let memory =
        sample.peak_memory_bytes.map_or(String::new(), |bytes| format!(", peak {}", size(bytes)));
    let phases: Vec<String> = sample
        .phases
        .iter()
        .map(|phase| format!("{} {:.1}", phase.name, phase.seconds.get()))
        .collect();
    let phases = phases.join(", ");
    match &sample.outcome {
        ProveOutcome::Proved(proved) => format!(
            "{what}: {seconds:.1} s ({phases}){memory}, {}, verified in {:.1} ms",
            size(proved.proof_bytes),
            proved.verify_seconds.get() * 1e3
        ),
        ProveOutcome::Failed(failure) => {
            format!(
                "{what}: {} after {seconds:.1} s ({phases}){memory}: {}",
                failure.code, failure.reason
            )
        }
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000_000 => format!("{:.2} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
