//! Makes the records of the shards, one at a time and in the order in which they can be made.
//!
//! A core shard's record has its instructions and the cheap precompiles. Events of the other
//! precompiles are set aside and fill shards of their own, a kind each; memory is initialized and
//! finalized in the last core shard if it has room, else in shards after it. So their number is
//! known only at the end.

use std::{collections::VecDeque, sync::Arc, vec};

use sp1_core_executor::{ExecutionError, ExecutionRecord, Program, SP1CoreOpts, SplitOpts};
use sp1_core_machine::{executor::trace_chunk, riscv::RiscvAir};
use sp1_hypercube::{Machine, MachineRecord};
use sp1_primitives::SP1Field;

use super::splices::{NONCE, Splice, Spliced};

/// The records of a run's shards. Only those of one step are in memory: a core shard's, and those
/// it completed.
pub(super) struct Records<'a> {
    program: Arc<Program>,
    machine: &'a Machine<SP1Field, RiscvAir<SP1Field>>,
    opts: &'a SP1CoreOpts,
    split: SplitOpts,
    splices: vec::IntoIter<Splice>,
    globals: ExecutionRecord,
    set_aside: ExecutionRecord,
    ready: VecDeque<ExecutionRecord>,
}

impl<'a> Records<'a> {
    pub(super) fn new(
        program: &Arc<Program>,
        machine: &'a Machine<SP1Field, RiscvAir<SP1Field>>,
        opts: &'a SP1CoreOpts,
        spliced: Spliced,
    ) -> Self {
        Self {
            program: program.clone(),
            machine,
            opts,
            split: SplitOpts::new(
                opts,
                program.instructions.len(),
                program.enable_untrusted_programs,
            ),
            splices: spliced.splices.into_iter(),
            globals: spliced.globals,
            set_aside: empty(program, opts),
            ready: VecDeque::new(),
        }
    }

    /// Records still to come, as far as it is known.
    pub(super) fn left(&self) -> usize {
        self.splices.len() + self.ready.len()
    }

    /// Traces the next core shard and adds it, and the shards that it completes, to those that are
    /// ready.
    fn trace(&mut self, splice: Splice) -> Result<(), ExecutionError> {
        let blank = empty(&self.program, self.opts);
        let (halted, mut record, _) =
            trace_chunk::<SP1Field>(self.program.clone(), self.opts.clone(), splice, NONCE, blank)?;
        self.set_aside.append(&mut record.defer(&self.opts.retained_events_presets));
        let mut memory = Vec::new();
        if halted {
            // Split apart from the precompiles: in a record with both, SP1's function gives memory a
            // shard of its own. No rule of the proof asks for that, and a shard costs half a minute.
            let fits = self.memory_fits_into(&record);
            memory = self.globals.split(true, &mut record, fits, &self.split);
        }
        let precompiles = self.set_aside.split(halted, &mut record, false, &self.split);
        self.ready.push_back(record);
        self.ready.extend(precompiles);
        self.ready.extend(memory);
        Ok(())
    }

    /// Whether the memory events can share the last core shard, as SP1 decides it.
    fn memory_fits_into(&self, record: &ExecutionRecord) -> bool {
        let most = self.split.combine_memory_threshold;
        record.estimated_trace_area <= self.split.pack_trace_threshold
            && self.globals.global_memory_initialize_events.len() <= most
            && self.globals.global_memory_finalize_events.len() <= most
    }
}

impl Iterator for Records<'_> {
    type Item = Result<ExecutionRecord, ExecutionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() {
            let splice = self.splices.next()?;
            if let Err(error) = self.trace(splice) {
                return Some(Err(error));
            }
        }
        let mut record = self.ready.pop_front()?;
        self.machine.generate_dependencies(std::iter::once(&mut record), None);
        Some(Ok(record))
    }
}

fn empty(program: &Arc<Program>, opts: &SP1CoreOpts) -> ExecutionRecord {
    ExecutionRecord::new(program.clone(), NONCE, opts.global_dependencies_opt)
}
