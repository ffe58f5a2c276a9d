//! The process that proves, seen from both ends.
//!
//! An SP1 prover cannot be cancelled, may be killed for memory and starts a child of its own. So it
//! lives in a worker process with its own process group: the supervisor starts, watches, kills and
//! replaces it from the server's side, [`process`] is what runs inside. They talk over one Unix socket
//! on the worker's standard input; standard output stays free for what the prover's libraries print.

mod decide;
mod handle;
mod health;
mod memory;
pub(crate) mod message;
pub mod process;
pub mod spans;
pub(crate) mod supervisor;
mod verdict;
mod view;

pub(crate) use handle::{Worker, WorkerCommand};
pub(crate) use health::Health;
#[cfg(feature = "snark")]
pub(crate) use memory::own_peak;
pub(crate) use spans::ProverSpan;
pub(crate) use supervisor::{Instruments, Lane, LaneConfig, Presence};
pub(crate) use verdict::mismatch;
pub(crate) use view::LaneView;
