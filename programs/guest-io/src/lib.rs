//! What every guest does around its checks: start, read one input, then commit one statement or refuse.

#![no_std]
#![cfg(target_os = "zkvm")]

extern crate alloc;

#[expect(unsafe_code, reason = "system calls, and the memory behind them")]
mod runtime;

use alloc::vec::Vec;

use lc_core::words::Words;

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
/// The input is words: n, n words of hints for [`guest_crypto`], and the witness as
/// [`Words`] reads it. If it is not, or if a check fails, the program ends with exit code 1 and
/// commits nothing. It does not say why: whoever sent the input has run the same checks outside, where text costs nothing.
pub fn run<W: Words<'static>, E>(verify: impl FnOnce(&W) -> Result<Vec<u8>, E>) -> ! {
    match statement(verify) {
        Some(statement) => runtime::commit(&statement),
        None => runtime::halt(1),
    }
}

fn statement<W: Words<'static>, E>(
    verify: impl FnOnce(&W) -> Result<Vec<u8>, E>,
) -> Option<Vec<u8>> {
    let (count, rest) = runtime::read()?.split_first_mut()?;
    let (hints, witness) = rest.split_at_mut_checked(usize::try_from(*count).ok()?)?;
    guest_crypto::hints::provide(hints);
    verify(&W::decode(witness)?).ok()
}
