//! What every guest does around its checks: read one witness, then commit one statement or refuse.

use std::fmt::Display;

use bincode::Options;
use serde::de::DeserializeOwned;

/// Runs a guest: decodes the input buffer to a witness and commits the bytes that `verify` makes of it.
///
/// The input is bincode with fixed-width integers and nothing after its end, as the host writes it. If it is not, or
/// if a check fails, the program ends with exit code 1 and commits nothing; the reason goes to file descriptor 2,
/// which the executor hands to whoever asked for the proof.
pub fn run<W, E>(verify: impl FnOnce(&W) -> Result<Vec<u8>, E>)
where
    W: DeserializeOwned,
    E: Display,
{
    let input = sp1_zkvm::io::read_vec();
    let format = bincode::DefaultOptions::new().with_fixint_encoding();
    let witness = match format.deserialize(&input) {
        Ok(witness) => witness,
        Err(error) => refuse("the witness does not decode", &error),
    };
    match verify(&witness) {
        Ok(statement) => sp1_zkvm::io::commit_slice(&statement),
        Err(error) => refuse("refused", &error),
    }
}

/// Ends the program as a panic does, but says why once and without the panic's own words.
///
/// The error's own text only: walking its sources would put every error's `Debug` code into the image (36 kB), and
/// the server names the failed check natively before it proves.
fn refuse(what: &str, error: &dyn Display) -> ! {
    sp1_zkvm::io::write(STDERR, format!("{what}: {error}").as_bytes());
    halt()
}

/// SP1's file descriptor of a guest's error output.
const STDERR: u32 = 2;

#[expect(unsafe_code, reason = "system call")]
fn halt() -> ! {
    // SAFETY: the call takes no pointer and does not return. 1 is the exit code of a panic; a verifier accepts
    // no proof with another exit code than 0.
    unsafe { sp1_lib::syscall_halt(1) }
}
