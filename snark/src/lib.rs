//! From an SP1 core proof (a STARK for each shard) to one STARK of constant size, and from there to
//! a SNARK that contracts can afford.
//!
//! ```text
//! core shards -> normalize -> compose -> (compressed) -> shrink -> wrap -> Groth16 or PLONK
//! ```
//!
//! [`Recursion`] makes everything up to the wrap proof; with the feature `gnark`, `outer` makes the
//! SNARK. SP1's own prover keeps all of it in one process and sets up six recursion programs when it
//! starts, most of which a proof has no use for. Here each step sets up what it needs and lets go of
//! it, so that each can be given a process of its own and all of the memory it had comes back.

#[cfg(feature = "gnark")]
pub mod outer;
mod outer_tree;
mod programs;
mod recursion;
mod step;

pub use recursion::{Recursion, RecursionError, Step};
