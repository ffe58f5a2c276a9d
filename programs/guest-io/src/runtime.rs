//! What stands between SP1 and `main`: entry point, memory, panics, and the calls that take input and give output.
//!
//! SP1's own runtime (sp1-zkvm) does this too, with ten times the image and a SHA-256 of the public values in software.
//!
//! Whoever proves chooses what memory outside the image holds at the start. Nothing here or in safe Rust reads a word that
//! it has not written; `.bss` is part of the image, and zero.

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::{asm, global_asm},
    cell::Cell,
    panic::PanicInfo,
};

use guest_crypto::sha256::sha256;

// Numbers of system calls, as in SP1 6.10's `SyscallCode`.
const HALT: usize = 0x00;
const WRITE: usize = 0x02;
const COMMIT: usize = 0x10;
const COMMIT_DEFERRED_PROOFS: usize = 0x1a;
const HINT_LEN: usize = 0xf0;
const HINT_READ: usize = 0xf1;

/// SP1's file descriptor of the public values.
const PUBLIC_VALUES: usize = 13;

/// The largest input, in bytes: far above 128 updates with all their hints, far below SP1's memory.
const MAX_INPUT: usize = 1 << 26;

// The stack grows down from below the image, as SP1 lays memory out.
global_asm!(
    ".section .text._start",
    ".globl _start",
    "_start:",
    ".option push",
    ".option norelax",
    "la gp, __global_pointer$",
    ".option pop",
    "li sp, {stack}",
    "call guest_main",
    stack = const 0x7800_0000,
);

/// Hands out memory after the image, once, in order. A guest runs once and briefly.
struct Bump(Cell<usize>);

// SAFETY: the zkVM has one thread.
unsafe impl Sync for Bump {}

unsafe extern "C" {
    /// First byte after the image (from the linker).
    static _end: u8;
}

// SAFETY: no byte is handed out twice, each at its alignment. Memory is not zero: `alloc_zeroed` is left to the
// trait, which writes zeros.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let free = match self.0.get() {
            0 => (&raw const _end) as usize,
            free => free,
        };
        let start = free.next_multiple_of(layout.align());
        // Cannot overflow: a layout is shorter than half of the address space, which memory ends far below.
        self.0.set(start + layout.size());
        start as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: Bump = Bump(Cell::new(0));

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    halt(1)
}

/// Ends the program. A verifier accepts no proof with another exit code than 0.
pub(crate) fn halt(exit_code: usize) -> ! {
    // SAFETY: takes no pointer, does not return.
    unsafe { asm!("ecall", in("t0") HALT, in("a0") exit_code, options(noreturn, nostack)) }
}

/// The whole input. None if there is none, too much, or no whole number of words.
pub(crate) fn read() -> Option<&'static mut [u64]> {
    let length: usize;
    // SAFETY: takes no pointer.
    unsafe { asm!("ecall", inlateout("t0") HINT_LEN => length, options(nostack)) }
    if length > MAX_INPUT || length % 8 != 0 {
        return None;
    }
    // The call writes one word more.
    let layout = Layout::array::<u64>(length / 8 + 1).ok()?;
    // SAFETY: the memory is ours from here on, and long enough. No one has touched it, as the call wants it.
    unsafe {
        let start = HEAP.alloc(layout);
        asm!("ecall", in("t0") HINT_READ, in("a0") start, in("a1") length, options(nostack));
        Some(core::slice::from_raw_parts_mut(start.cast(), length / 8))
    }
}

/// Commits to these public values and ends the program well.
pub(crate) fn commit(public_values: &[u8]) -> ! {
    let (start, length) = (public_values.as_ptr(), public_values.len());
    // SAFETY: the call reads `length` bytes.
    unsafe {
        asm!("ecall", in("t0") WRITE, in("a0") PUBLIC_VALUES, in("a1") start, in("a2") length, options(nostack));
    }
    for (number, word) in sha256(public_values).into_iter().enumerate() {
        // SP1 takes the digest's bytes as little-endian words.
        set(COMMIT, number, word.swap_bytes() as usize);
    }
    // No proofs were verified in here.
    for number in 0..8 {
        set(COMMIT_DEFERRED_PROOFS, number, 0);
    }
    halt(0)
}

fn set(call: usize, number: usize, word: usize) {
    // SAFETY: takes no pointer.
    unsafe { asm!("ecall", in("t0") call, in("a0") number, in("a1") word, options(nostack)) }
}
