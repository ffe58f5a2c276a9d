//! Runs a program in SP1's executor: the first step of a proof, and all of an execution.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sp1_core_executor::{ExecutionError, OutputConsumers, Program, SP1CoreOpts};
use sp1_core_executor_runner::MinimalExecutorRunner;
use sp1_jit::TraceChunkRaw;
use tokio::sync::watch;

use super::{
    shared_memory::{self, SharedMemoryFull},
    temporary::{self, NotExecutable},
    watchdog::Watchdog,
};

/// Longest a program may run, natively. Ours take under a second for each million cycles even
/// without SP1's native executor; a hundred chained updates are 340 million cycles at most.
pub const RUN_LIMIT: Duration = Duration::from_secs(180);

/// One executor at a time: each takes its own part of `/dev/shm`, and the watchdog kills every one
/// of this process.
static EXECUTOR: Mutex<()> = Mutex::new(());

/// Why a program has no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// The ELF file is not an SP1 program.
    #[error("the ELF file is no SP1 program: rebuild it with `make artifacts`")]
    Elf(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The program ended without success: its input breaks a rule that it checks.
    #[error("the program ended with exit code {exit_code}{}", said(.stderr))]
    Refused {
        /// 1 for a panic.
        exit_code: u32,
        /// The last 2 KiB that it wrote to its standard error, if anything.
        stderr: String,
    },
    /// It did not end in time.
    #[error("the program did not end within {} s and was killed", .limit.as_secs())]
    Endless {
        /// The limit.
        limit: Duration,
    },
    /// No shared memory to run it.
    #[error(transparent)]
    SharedMemory(#[from] SharedMemoryFull),
    /// SP1's executor cannot be started.
    #[error(transparent)]
    Temporary(#[from] NotExecutable),
    /// The executor failed.
    #[error("SP1's executor failed; if it was killed, give the machine more memory")]
    Executor(#[from] ExecutionError),
}

/// What a program wrote last, as the end of a sentence. Rust's panics write their message twice.
fn said(stderr: &str) -> String {
    let mut lines: Vec<_> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.dedup();
    if lines.is_empty() { String::new() } else { format!(": {}", lines.join("; ")) }
}

/// How often a run hands over its trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunks {
    /// Memory reads in one chunk.
    pub(super) entries: u64,
    /// Chunks that the executor may be ahead.
    pub(super) slots: usize,
}

/// Reads an ELF file as an SP1 program.
pub(super) fn load_program(elf: &[u8]) -> Result<Arc<Program>, GuestError> {
    Program::from(elf).map(Arc::new).map_err(|error| GuestError::Elf(error.into()))
}

/// Runs `program` with `witness` as its only input and hands each chunk of its trace to `each`,
/// while it runs on. Returns the finished run, which holds public values, hints and the final
/// memory, and shared memory until it is dropped.
pub(super) fn run(
    program: &Arc<Program>,
    witness: &[u8],
    opts: &SP1CoreOpts,
    chunks: Chunks,
    limit: Duration,
    mut each: impl FnMut(TraceChunkRaw) -> Result<(), ExecutionError>,
) -> Result<MinimalExecutorRunner, GuestError> {
    let _one_at_a_time = EXECUTOR.lock().unwrap_or_else(PoisonError::into_inner);
    shared_memory::check()?;
    temporary::check()?;
    let (stderr, last_words) = watch::channel(String::new());
    let mut runner = MinimalExecutorRunner::new(
        program.clone(),
        false,
        Some(chunks.entries),
        opts.memory_limit,
        chunks.slots,
    );
    runner.set_output_consumers(OutputConsumers { stdout: None, stderr: Some(stderr) });
    runner.with_input(witness);

    let watchdog = Watchdog::after(limit);
    loop {
        match runner.try_execute_chunk() {
            Ok(Some(chunk)) => each(chunk)?,
            Ok(None) => break,
            Err(_) if watchdog.has_bitten() => return Err(GuestError::Endless { limit }),
            Err(error) => {
                // A full /dev/shm shows as a bus error of the child, so look while its files are
                // there.
                shared_memory::check()?;
                return Err(error.into());
            }
        }
    }
    match runner.exit_code() {
        0 => Ok(runner),
        exit_code => Err(GuestError::Refused { exit_code, stderr: last_words.borrow().clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_a_program_make_one_line() {
        let refused =
            |stderr: &str| GuestError::Refused { exit_code: 1, stderr: stderr.into() }.to_string();
        assert_eq!(refused(""), "the program ended with exit code 1");
        assert_eq!(
            refused("\nrefused: x\nrefused: x\n"),
            "the program ended with exit code 1: refused: x"
        );
        assert_eq!(refused("a\nb\n"), "the program ended with exit code 1: a; b");
    }

    #[test]
    fn bytes_that_are_no_program_are_refused_with_the_remedy() {
        let error = load_program(b"not an ELF").unwrap_err();
        assert!(error.to_string().contains("make artifacts"), "{error}");
    }

    #[test]
    fn an_endless_run_is_reported_with_its_limit() {
        let error = GuestError::Endless { limit: RUN_LIMIT };
        assert_eq!(error.to_string(), "the program did not end within 180 s and was killed");
    }
}
