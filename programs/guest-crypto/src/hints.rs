//! Hint words for the signatures that a guest will check, in that order.

use core::cell::Cell;

/// A guest has one thread.
struct Queue(Cell<&'static mut [u64]>);

#[expect(unsafe_code, reason = "no threads")]
// SAFETY: the zkVM has one thread.
unsafe impl Sync for Queue {}

static QUEUE: Queue = Queue(Cell::new(&mut []));

/// Provides the words, in place of those that are left.
pub fn provide(words: &'static mut [u64]) {
    QUEUE.0.set(words);
}

/// The next `count` words. None if there are fewer.
pub(crate) fn take(count: usize) -> Option<&'static mut [u64]> {
    let (taken, rest) = QUEUE.0.take().split_at_mut_checked(count)?;
    QUEUE.0.set(rest);
    Some(taken)
}
