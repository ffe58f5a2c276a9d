//! Runs and proves programs on the CPU.

mod commitment;
mod execution;
mod guest;
mod keys;
mod machine;
mod poseidon2;
mod prover;
mod records;
mod shard_plan;
mod shared_memory;
mod splices;
mod temporary;
mod tree;
mod watchdog;

pub use commitment::Committer;
pub use execution::{Execution, Run, Runnable, execute};
pub use guest::{GuestError, RUN_LIMIT};
pub use keys::{Keys, set_up};
pub use machine::Machine;
pub use prover::{CoreProof, CoreProver, ProveError, Step};
pub use shard_plan::ShardPlan;
pub use shared_memory::{
    SharedMemoryFull, check as check_shared_memory, sweep as sweep_shared_memory,
};
pub use temporary::{NotExecutable, check as check_temporary_folder};
