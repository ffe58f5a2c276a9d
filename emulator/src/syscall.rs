//! System calls by number and name.

use std::fmt;

/// A system call of SP1, by the name that SP1 has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Syscall {
    /// Ends the program.
    Halt,
    /// Writes to a file descriptor.
    Write,
    /// Sets a word of the public values' SHA-256.
    Commit,
    /// Sets a word of the digest of proofs that the program verified.
    CommitDeferredProofs,
    /// Length of the input.
    HintLen,
    /// Takes the input to memory.
    HintRead,
    /// Expands a block of SHA-256 to its schedule.
    ShaExtend,
    /// The rounds of SHA-256.
    ShaCompress,
    /// Keccak-f\[1600\].
    KeccakPermute,
    /// Addition in the base field of BLS12-381.
    FpAdd,
    /// Subtraction in the base field of BLS12-381.
    FpSub,
    /// Multiplication in the base field of BLS12-381.
    FpMul,
    /// The Poseidon2 permutation of 16 elements of KoalaBear.
    Poseidon2,
}

/// Numbers and names, as in SP1 6.10's `SyscallCode`.
const ALL: [(Syscall, u64, &str); 13] = [
    (Syscall::Halt, 0x00, "HALT"),
    (Syscall::Write, 0x02, "WRITE"),
    (Syscall::Commit, 0x10, "COMMIT"),
    (Syscall::CommitDeferredProofs, 0x1a, "COMMIT_DEFERRED_PROOFS"),
    (Syscall::HintLen, 0xf0, "HINT_LEN"),
    (Syscall::HintRead, 0xf1, "HINT_READ"),
    (Syscall::ShaExtend, 0x30_0105, "SHA_EXTEND"),
    (Syscall::ShaCompress, 0x01_0106, "SHA_COMPRESS"),
    (Syscall::KeccakPermute, 0x01_0109, "KECCAK_PERMUTE"),
    (Syscall::FpAdd, 0x01_0120, "BLS12381_FP_ADD"),
    (Syscall::FpSub, 0x01_0121, "BLS12381_FP_SUB"),
    (Syscall::FpMul, 0x01_0122, "BLS12381_FP_MUL"),
    (Syscall::Poseidon2, 0x0133, "POSEIDON2"),
];

impl Syscall {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        ALL.iter().find(|(_, of_call, _)| *of_call == number).map(|(call, ..)| *call)
    }
}

impl fmt::Display for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, _, name) = ALL[*self as usize];
        f.pad(name)
    }
}
