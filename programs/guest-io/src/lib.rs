//! What every guest does around its checks: start, read one input, then commit one statement or refuse.

#![no_std]
#![cfg(target_os = "zkvm")]

extern crate alloc;

#[expect(unsafe_code, reason = "system calls, and the memory behind them")]
mod runtime;

use alloc::vec::Vec;

use lc_core::decode::Decode;

/// Defines a guest's entry point: `main` in a crate without one.
#[macro_export]
macro_rules! entrypoint {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn guest_main() -> ! {
            $main()
        }
    };
}

/// Runs a guest: takes the input apart, decodes the witness and commits the bytes that `verify` makes of it.
///
/// The input is `u64` little-endian n, n words of hints for [`guest_crypto`], and the witness as
/// [`Decode`] reads it. If it is not, or if a check fails, the program ends with exit code 1 and
/// commits nothing. It does not say why: whoever sent the input has run the same checks outside, where text costs nothing.
pub fn run<W: Decode, E>(verify: impl FnOnce(&W) -> Result<Vec<u8>, E>) -> ! {
    match statement(verify) {
        Some(statement) => runtime::commit(&statement),
        None => runtime::halt(1),
    }
}

fn statement<W: Decode, E>(
    verify: impl FnOnce(&W) -> Result<Vec<u8>, E>,
) -> Option<Vec<u8>> {
    let (count, rest) = runtime::read()?.split_first_chunk_mut::<8>()?;
    let hint_bytes = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(8)?;
    let (hints, witness) = rest.split_at_mut_checked(hint_bytes)?;
    guest_crypto::hints::provide(words(hints)?);
    verify(&W::decode(witness)?).ok()
}

/// Bytes as the words that they are: the input begins at a word, and so do the hints in it.
#[expect(unsafe_code, reason = "hints are used in place")]
fn words(bytes: &'static mut [u8]) -> Option<&'static mut [u64]> {
    // SAFETY: any bytes are integers.
    let (before, words, after) = unsafe { bytes.align_to_mut() };
    (before.is_empty() && after.is_empty()).then_some(words)
}
