//! Runs a program and cuts its trace into shards: everything that must be known before the first
//! shard is proven.
//!
//! Kept of each shard are only its memory reads (16 bytes each); its events and tables are made
//! when its turn comes.

use std::{sync::Arc, time::Duration};

use hashbrown::HashSet;
use sp1_core_executor::{
    CompressedMemory, CompressedPages, CycleResult, ExecutionError, ExecutionRecord, Program,
    SP1CoreOpts, SplicedMinimalTrace, SplicingVMEnum, events::MemoryRecord,
};
use sp1_core_machine::utils::emit_globals;
use sp1_jit::{MinimalTrace, TraceChunk};

use super::guest::{self, Chunks, GuestError};

/// Distinguishes proofs of one program on one input. Nothing here needs that, so it is constant,
/// and proofs can be compared.
pub(super) const NONCE: [u32; 4] = [0; 4];

/// The memory reads of one shard.
pub(super) type Splice = SplicedMinimalTrace<TraceChunk>;

/// A finished run, cut into shards. Holds no shared memory and no process any more.
pub(super) struct Spliced {
    /// In the order of execution.
    pub(super) splices: Vec<Splice>,
    /// Holds only the events that initialize and finalize memory: they go where there is room,
    /// after the last shard.
    pub(super) globals: ExecutionRecord,
    /// What the program committed.
    pub(super) public_values: Vec<u8>,
    /// Instructions that it ran.
    pub(super) cycles: u64,
}

/// Runs `program` on `witness` and cuts its trace.
pub(super) fn execute(
    program: &Arc<Program>,
    witness: &[u8],
    opts: &SP1CoreOpts,
    limit: Duration,
) -> Result<Spliced, GuestError> {
    let mut cutter = Cutter {
        program,
        opts,
        splices: Vec::new(),
        addresses: HashSet::new(),
        pages: HashSet::new(),
        end: None,
    };
    let chunks =
        Chunks { entries: opts.minimal_trace_chunk_threshold, slots: opts.trace_chunk_slots };
    // The copy frees the executor's slot: keeping chunks in the ring would stop it.
    let run = guest::run(program, witness, opts, chunks, limit, |chunk| cutter.cut(chunk.into()))?;

    let registers = cutter
        .end
        .ok_or_else(|| ExecutionError::Other("the trace ends before the program".into()))?;
    let mut globals = ExecutionRecord::new(program.clone(), NONCE, opts.global_dependencies_opt);
    emit_globals(&run, &mut globals, registers, cutter.addresses, cutter.pages);
    let (cycles, public_values) = (run.global_clk(), run.public_values_stream().clone());
    Ok(Spliced { splices: cutter.splices, globals, public_values, cycles })
}

struct Cutter<'a> {
    program: &'a Arc<Program>,
    opts: &'a SP1CoreOpts,
    splices: Vec<Splice>,
    addresses: HashSet<u64>,
    pages: HashSet<u64>,
    /// The registers when the program halted.
    end: Option<[MemoryRecord; 32]>,
}

impl Cutter<'_> {
    /// Cuts one chunk where its shards are full. A chunk's end also ends a shard.
    fn cut(&mut self, chunk: TraceChunk) -> Result<(), ExecutionError> {
        let (mut addresses, mut pages) = (CompressedMemory::new(), CompressedPages::new());
        let (program, opts) = (self.program.clone(), self.opts.clone());
        let mut vm = SplicingVMEnum::new(&chunk, program, &mut addresses, &mut pages, NONCE, opts);
        let reads = chunk.num_mem_reads() as usize;
        let mut current = SplicedMinimalTrace::new_full_trace(chunk.clone());
        loop {
            let halted = match vm.execute()? {
                CycleResult::ShardBoundary => false,
                CycleResult::Done(true) => true,
                other => {
                    return Err(ExecutionError::Other(format!("a shard ended with {other:?}")));
                }
            };
            let next = if halted { None } else { vm.splice(chunk.clone()) };
            current.set_last_clk(vm.clk());
            current.set_last_mem_reads_idx(if halted { reads } else { reads - vm.mem_reads_len() });
            match next {
                Some(next) => self.splices.push(std::mem::replace(&mut current, next)),
                None => break self.splices.push(current),
            }
        }
        self.end = vm.is_done().then(|| vm.registers());
        drop(vm);
        self.addresses.extend(addresses.is_set());
        self.pages.extend(pages.is_set());
        Ok(())
    }
}
