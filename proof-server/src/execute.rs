//! Runs this release's programs without proving.

use lc_core::ProgramId;
use lc_stark::prove::{self, RUN_LIMIT};
pub use lc_stark::prove::{Execution, GuestError};

use crate::{artifacts, guest_input::guest_input};

/// Runs `program` on `witness`, as [`lc_core::host::input::Checked::witness`] has it: the same
/// checks as a proof, with what proving would cost. Blocking, some seconds.
///
/// # Errors
///
/// [`GuestError::Refused`] if the program finds fault with the witness, else what kept it from
/// running.
pub fn execute(program: ProgramId, witness: &[u8]) -> Result<Execution, GuestError> {
    prove::execute(artifacts::elf(program), &guest_input(program, witness), RUN_LIMIT)
}
