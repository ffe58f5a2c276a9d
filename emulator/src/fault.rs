//! Why a program could not be run, or its run not be proven.

use crate::{
    memory::{END, LOWEST},
    precompiles::POSEIDON2_MODULUS,
    syscall::Syscall,
};

/// A run that no proof can have, and where it went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {pc:#x} in {function}: {reason}")]
pub struct Fault {
    /// Address of the instruction.
    pub pc: u64,
    /// The function that it is part of.
    pub function: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What SP1 6.10 does not execute, or its circuits do not accept.
///
/// Of the reasons from [`Untouched`](Self::Untouched) on, SP1's executor knows nothing. They are held against a run
/// only when it ends with exit code 0, as no other run is ever proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// An instruction without a circuit.
    #[error("instruction {word:#010x}, wanted one of RV64IM: SP1 has no circuit for others")]
    Instruction {
        /// The instruction.
        word: u32,
    },
    /// A jump to where no instruction is.
    #[error("jumped to {to:#x}, wanted an address divisible by 4 within {start:#x}..{end:#x}")]
    Jump {
        /// Where to.
        to: u64,
        /// First address of the program's instructions.
        start: u64,
        /// Address after them.
        end: u64,
    },
    /// The program still runs.
    #[error("still running after {limit} instructions: raise the limit if it is not in a loop")]
    Endless {
        /// The limit.
        limit: u64,
    },
    /// An address not divisible by the size of what is accessed.
    #[error("address {address:#x}, wanted one divisible by {bytes}")]
    Misaligned {
        /// The address.
        address: u64,
        /// The size.
        bytes: u64,
    },
    /// An address that SP1 does not have.
    #[error("address {address:#x}, wanted one within {LOWEST:#x}..{END:#x}")]
    Address {
        /// The address.
        address: u64,
    },
    /// A system call of which this emulator knows nothing.
    #[error("system call {number:#x}, wanted one that the emulator has: see `Syscall`")]
    UnknownCall {
        /// The number in t0.
        number: u64,
    },
    /// An argument that must be zero.
    #[error("{call} with {argument:#x} in a1, wanted 0")]
    Argument {
        /// The call.
        call: Syscall,
        /// The argument.
        argument: u64,
    },
    /// WRITE to what the emulator does not have.
    #[error("WRITE to file descriptor {descriptor}, wanted 1, 2 or 13: hooks are not emulated")]
    Descriptor {
        /// The file descriptor.
        descriptor: u64,
    },
    /// WRITE of an absurd length.
    #[error("WRITE of {length} bytes, wanted at most {limit}")]
    WriteLength {
        /// The length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// HINT_READ when the input was read already.
    #[error("HINT_READ, wanted only one: the whole input was read before")]
    InputExhausted,
    /// HINT_READ of another length than the input's.
    #[error("HINT_READ of {asked} bytes, wanted {length}: all of the input")]
    InputLength {
        /// The length that the program gave.
        asked: u64,
        /// The length of the input.
        length: u64,
    },
    /// HINT_READ onto memory in use.
    #[error("HINT_READ onto the word at {address:#x}, wanted untouched words outside the image")]
    HintOnUsed {
        /// The word.
        address: u64,
    },
    /// COMMIT or COMMIT_DEFERRED_PROOFS of what is no word of a digest.
    #[error("{call} of {word:#x} at index {index}, wanted 32 bits at an index below 8")]
    CommitWord {
        /// The call.
        call: Syscall,
        /// The index.
        index: u64,
        /// The word.
        word: u64,
    },
    /// An exit code that is no field element.
    #[error("exit code {exit_code}, wanted one below {POSEIDON2_MODULUS}")]
    ExitCode {
        /// The exit code.
        exit_code: u64,
    },
    /// A word that only a system call's circuit touched.
    #[error(
        "{call} touches the word at {address:#x} that no instruction loads or stores, wanted it \
         stored first: SP1's prover initializes no other (its verifier says `global cumulative \
         sum is not zero`)"
    )]
    Untouched {
        /// The call.
        call: Syscall,
        /// The word.
        address: u64,
    },
    /// An operand outside of a circuit's domain.
    #[error("{call} with an operand at {address:#x}, wanted {wanted}")]
    Operand {
        /// The call.
        call: Syscall,
        /// Where the operand is.
        address: u64,
        /// The circuit's domain.
        wanted: &'static str,
    },
    /// Two digests committed.
    #[error("COMMIT of {word:#010x} at index {index}, wanted {committed:#010x}, committed before")]
    Recommitted {
        /// The index.
        index: u64,
        /// The word now.
        word: u32,
        /// The word before.
        committed: u32,
    },
    /// A digest that is not of the public values.
    #[error("committed the digest {committed}, wanted {wanted}: the SHA-256 of the public values")]
    Digest {
        /// In hexadecimal, with dashes for words that were not committed.
        committed: String,
        /// In hexadecimal.
        wanted: String,
    },
    /// Proofs verified in the program, or never said that there are none.
    #[error(
        "COMMIT_DEFERRED_PROOFS {seen}, wanted 0 at an index below 8: nothing else is emulated"
    )]
    Deferred {
        /// What it committed to, if anything.
        seen: String,
    },
}
