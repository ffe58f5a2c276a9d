//! Runs programs without proving: the same checks as a proof, in a second, with what it costs.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use sp1_core_executor::{ExecutionReport, GasEstimatingVMEnum, Program};

use super::{
    guest::{self, Chunks, GuestError},
    machine::Machine,
    shard_plan::ShardPlan,
    splices::NONCE,
};

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// What it committed.
    pub public_values: Vec<u8>,
    /// Instructions it ran.
    pub cycles: u64,
    /// SP1's measure of what proving it costs.
    pub gas: u64,
    /// How often it called each of SP1's precompiles and other system calls, by SP1's name of it.
    pub syscalls: BTreeMap<String, u64>,
}

/// Runs the program in the ELF file `elf` on `witness`, its only input, for at most `limit`.
/// Blocking.
///
/// # Errors
///
/// [`GuestError::Refused`] if the program finds fault with the witness, else what kept it from
/// running.
pub fn execute(elf: &[u8], witness: &[u8], limit: Duration) -> Result<Execution, GuestError> {
    let program = guest::load_program(elf)?;
    let opts = ShardPlan::for_machine(Machine::of_this_process()).core_opts();
    // SP1 counts gas per chunk of this size. Its ring looks large (2.2 GiB) but only what is
    // written takes memory.
    let chunks =
        Chunks { entries: opts.gas_trace_chunk_threshold, slots: opts.gas_trace_chunk_slots };
    let mut report = ExecutionReport::default();
    let run = guest::run(&program, witness, &opts, chunks, limit, |chunk| {
        report +=
            GasEstimatingVMEnum::new(&chunk, program.clone(), NONCE, opts.clone()).execute()?;
        Ok(())
    })?;
    Ok(Execution {
        public_values: run.public_values_stream().clone(),
        cycles: run.global_clk(),
        gas: report.gas().unwrap_or_default(),
        syscalls: calls(&report),
    })
}

/// A program that is ready to run: for whoever has proofs made elsewhere, and must know before whether
/// the program takes its input.
pub struct Runnable(Arc<Program>);

/// What a program did, without what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it committed.
    pub public_values: Vec<u8>,
    /// Instructions it ran.
    pub cycles: u64,
}

impl Runnable {
    /// Reads an ELF file.
    ///
    /// # Errors
    ///
    /// [`GuestError::Elf`].
    pub fn load(elf: &[u8]) -> Result<Self, GuestError> {
        guest::load_program(elf).map(Self)
    }

    /// Runs it on `witness`, its only input, for at most `limit`. Blocking.
    ///
    /// # Errors
    ///
    /// As [`execute`]'s.
    pub fn run(&self, witness: &[u8], limit: Duration) -> Result<Run, GuestError> {
        let opts = ShardPlan::for_machine(Machine::of_this_process()).core_opts();
        let chunks =
            Chunks { entries: opts.minimal_trace_chunk_threshold, slots: opts.trace_chunk_slots };
        let run = guest::run(&self.0, witness, &opts, chunks, limit, |_| Ok(()))?;
        Ok(Run { public_values: run.public_values_stream().clone(), cycles: run.global_clk() })
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runnable").finish_non_exhaustive()
    }
}

fn calls(report: &ExecutionReport) -> BTreeMap<String, u64> {
    let called = report.syscall_counts.iter().filter(|(_, count)| **count > 0);
    called.map(|(code, count)| (code.to_string(), *count)).collect()
}
