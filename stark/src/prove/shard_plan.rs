//! How large a shard may be: the one knob that decides how much memory a proof takes.
//!
//! A proof is cut into shards, proven one after the other. Each costs a fixed time, so few large
//! ones are faster; each must fit in memory, so they cannot be too large.

use std::collections::HashSet;

use sp1_core_executor::{
    ELEMENT_THRESHOLD, GAS_TRACE_CHUNK_THRESHOLD, HEIGHT_THRESHOLD, MINIMAL_TRACE_CHUNK_THRESHOLD,
    RetainedEventsPreset, SP1CoreOpts, ShardingThreshold,
};

use super::machine::Machine;

/// Memory that a core proof takes whatever its size, with the keys of two programs, in bytes. Measured
/// on two cores: 2.0 GB at 19.3 million cells, 3.6 GB at 33.4 million, 8.0 GB at 91.7
/// million, 8.4 GB at 113.7 million.
const FIXED_BYTES: u64 = 1_200_000_000;

/// Memory for each core, in bytes: a thread of the prover runs on each and allocates from an arena of
/// its own, which glibc extends by 64 MiB at a time. Counted into the fit at two cores, an allowance
/// beyond.
const BYTES_PER_CORE: u64 = 64 << 20;

/// Memory per trace cell of the largest shard, in bytes. From the same measurements.
const BYTES_PER_CELL: u64 = 80;

/// The part of the available memory that proving may take, in percent: two workers fit on one machine,
/// as primary and secondary do, with room for what the fit does not see (the server, the executor's
/// shared memory). Of 24 GiB it is under the 12 GiB that a proof of this project may take.
const SHARE_PERCENT: u64 = 45;

/// Smallest shard planned for, in cells: below it the tables that every shard has are most of the
/// work. Takes 3.9 GB.
const MIN_CELLS: u64 = 1 << 25;

/// Largest shard, in cells: SP1's own default. Takes 33 GB.
const MAX_CELLS: u64 = ELEMENT_THRESHOLD;

/// Trace chunks that the executor may be ahead of us. We copy each as it comes, so a second one is
/// all that it can use; SP1's default of five would take 1.4 GiB of /dev/shm.
const TRACE_CHUNK_SLOTS: usize = 2;

/// Most resident memory of the executor process, in bytes; above it SP1 kills it. Our programs
/// touch some megabytes, the trace ring has 0.6 GB: beyond 4 GiB something runs away.
const EXECUTOR_BYTES: u64 = 4 << 30;

/// Shard size chosen for one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardPlan {
    /// Most trace cells in one shard.
    pub max_cells: u64,
    /// Memory expected at the peak of a proof that fills its largest shard, in bytes.
    pub peak_bytes: u64,
    /// Whether the machine has the memory for it. If not, proofs that fill a shard may be killed.
    pub fits: bool,
}

impl ShardPlan {
    /// The largest shards that fit into `machine`. Pure.
    #[must_use]
    pub fn for_machine(machine: Machine) -> Self {
        let fixed = FIXED_BYTES + machine.cores as u64 * BYTES_PER_CORE;
        let budget = machine.available_bytes / 100 * SHARE_PERCENT;
        let max_cells = (budget.saturating_sub(fixed) / BYTES_PER_CELL).clamp(MIN_CELLS, MAX_CELLS);
        let peak_bytes = fixed + max_cells * BYTES_PER_CELL;
        Self { max_cells, peak_bytes, fits: peak_bytes <= machine.available_bytes }
    }

    /// The same with shards of at most `max_cells`, whatever the machine has: to try it out.
    #[must_use]
    pub fn with_max_cells(self, max_cells: u64) -> Self {
        let without_cells = self.peak_bytes - self.max_cells * BYTES_PER_CELL;
        Self { max_cells, peak_bytes: without_cells + max_cells * BYTES_PER_CELL, ..self }
    }

    /// The plan as SP1 takes it. Every field is set: [`SP1CoreOpts::default`] would read the
    /// environment.
    pub(super) fn core_opts(&self) -> SP1CoreOpts {
        SP1CoreOpts {
            sharding_threshold: ShardingThreshold {
                element_threshold: self.max_cells,
                height_threshold: HEIGHT_THRESHOLD,
            },
            minimal_trace_chunk_threshold: MINIMAL_TRACE_CHUNK_THRESHOLD,
            trace_chunk_slots: TRACE_CHUNK_SLOTS,
            memory_limit: EXECUTOR_BYTES,
            gas_trace_chunk_threshold: GAS_TRACE_CHUNK_THRESHOLD,
            gas_trace_chunk_slots: 1,
            retained_events_presets: retained_in_core_shards(),
            // The rest are SP1's defaults; `shard_size` only pre-allocates where SP1 runs the
            // shards itself.
            shard_size: 1 << 24,
            global_dependencies_opt: false,
            recompute_gkr_trace: false,
            drop_ldes: false,
            full_size_shards: false,
        }
    }
}

/// Precompiles proven beside the instructions instead of in shards of their own: SP1's default
/// choice.
fn retained_in_core_shards() -> HashSet<RetainedEventsPreset> {
    HashSet::from([
        RetainedEventsPreset::Bls12381Field,
        RetainedEventsPreset::Bn254Field,
        RetainedEventsPreset::Sha256,
        RetainedEventsPreset::Poseidon2,
        RetainedEventsPreset::U256Ops,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn plan(cores: usize, gib: u64) -> ShardPlan {
        ShardPlan::for_machine(Machine {
            cores,
            available_bytes: gib * GIB,
            total_bytes: gib * GIB,
        })
    }

    #[test]
    fn shards_grow_with_memory_and_shrink_with_cores() {
        let rows = [
            // cores, GiB available, fits, millions of cells in a shard
            (2, 0, false, 33),
            (2, 3, false, 33),
            (2, 8, true, 33),
            (2, 16, true, 79),
            (2, 23, true, 122),
            (16, 23, true, 110),
            (2, 64, true, 369),
            (64, 512, true, 402),
        ];
        for (cores, gib, fits, millions) in rows {
            let plan = plan(cores, gib);
            let seen = (plan.fits, plan.max_cells / 1_000_000);
            assert_eq!(seen, (fits, millions), "{cores} cores, {gib} GiB: {plan:?}");
        }
    }

    #[test]
    fn a_proof_on_the_reference_machine_stays_under_12_gib() {
        assert!(plan(2, 24).peak_bytes < 12 * GIB, "{:?}", plan(2, 24));
    }

    #[test]
    fn the_plan_sets_every_option_that_the_environment_would() {
        let plan = plan(2, 24);
        let opts = plan.core_opts();
        assert_eq!(opts.sharding_threshold.element_threshold, plan.max_cells);
        assert_eq!(opts.retained_events_presets, SP1CoreOpts::default().retained_events_presets);
        assert_eq!(opts.trace_chunk_slots, TRACE_CHUNK_SLOTS);
        assert_eq!(opts.memory_limit, EXECUTOR_BYTES);
    }

    #[test]
    fn another_shard_size_moves_the_expected_peak() {
        let small = plan(2, 24).with_max_cells(MIN_CELLS);
        assert_eq!((small.max_cells, small.peak_bytes), (MIN_CELLS, plan(2, 0).peak_bytes));
    }
}
