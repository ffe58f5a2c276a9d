//! Runs a guest program as a proof of it would have it, for tests and profiles.
//!
//! SP1's executor is the wrong judge of two things:
//!
//! - It starts with all memory zero. A proof fixes only the words of the ELF image; what every other word holds at
//!   the start is up to whoever proves. Here such words can be random ([`Memory::Random`]), so that a program that
//!   reads what it has not written shows it.
//! - It runs programs to their end that have no proof, and says nothing. Here such a run ends with a [`Fault`] that
//!   names what no circuit accepts, and where.
//!
//! None of SP1's code runs here: what its circuits compute comes from other libraries. What they demand was read in
//! SP1 6.10.0, [`Reason`] lists it. A [`Run`] counts what proofs are paid in, by function: instructions, system calls
//! and words touched for the first time.
//!
//! Left out: system calls that none of our programs makes, SP1's hooks, unconstrained blocks and untrusted programs.

mod alu;
mod calls;
mod elf;
mod fault;
mod instruction;
mod machine;
mod memory;
mod precompiles;
mod profile;
mod syscall;

pub use elf::{ElfError, Program};
pub use fault::{Fault, Reason};
pub use memory::Memory;
pub use profile::{Function, Profile, Run};
pub use syscall::Syscall;
