//! System calls, one `ecall` each: SP1 takes the number in t0 and arguments from a0 on, and changes no register but t0,
//! where some return a value.

#![expect(unsafe_code, reason = "system calls")]

use core::arch::asm;

/// Numbers, as in SP1 6.10's `SyscallCode`.
pub(crate) const SHA_EXTEND: usize = 0x0030_0105;
pub(crate) const SHA_COMPRESS: usize = 0x0001_0106;
pub(crate) const KECCAK_PERMUTE: usize = 0x0001_0109;
pub(crate) const FP_ADD: usize = 0x0001_0120;
pub(crate) const FP_SUB: usize = 0x0001_0121;
pub(crate) const FP_MUL: usize = 0x0001_0122;
pub(crate) const POSEIDON2: usize = 0x0000_0133;

/// Calls a circuit.
///
/// # Safety
/// `a` and `b` are what the call of this number takes: pointers to 8-aligned words, of which those that it writes
/// have been written before.
#[inline(always)]
pub(crate) unsafe fn call(number: usize, a: usize, b: usize) {
    // SAFETY: as the caller says. Registers are left as they are, memory counts as changed.
    unsafe { asm!("ecall", in("t0") number, in("a0") a, in("a1") b, options(nostack)) }
}
