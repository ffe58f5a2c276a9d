//! Bounds on what a decoder allocates: an input must not make anyone reserve what it only announces.

#![expect(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, counting for each thread what is held and the most that was.
#[derive(Debug)]
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// Bytes that the thread allocated, less those that it freed: those of other threads count as well, so it may be negative.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends frees when its counters are gone.
    let held = HELD.try_with(|held| {
        held.set(held.get() + change);
        held.get()
    });
    if let Ok(held) = held {
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held)));
    }
}

// SAFETY: the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Runs `decode`, which must never hold more than `limit` bytes that it allocated.
///
/// # Panics
/// If it does.
pub fn within<T>(limit: usize, decode: impl FnOnce() -> T) -> T {
    let before = HELD.get();
    PEAK.set(before);
    let value = decode();
    let most = PEAK.get() - before;
    assert!(most <= limit.cast_signed(), "{most} bytes were held at once, {limit} at most may be");
    value
}

/// 128 KiB for messages and for the buffers that parsers begin with (YAML's take half of it), and `factor`
/// bytes for each that was given.
#[must_use]
pub const fn proportional(factor: usize, given: usize) -> usize {
    (128 << 10) + factor * given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_freed_before_the_end_counts() {
        within(1 << 20, || drop(vec![1u8; 1 << 20]));
        let over = std::panic::catch_unwind(|| within(1 << 20, || drop(vec![1u8; (1 << 20) + 1])));
        assert!(over.is_err());
    }

    #[test]
    fn what_was_held_before_does_not_count() {
        let before = vec![1u8; 1 << 20];
        within(1000, || drop(before));
    }
}
