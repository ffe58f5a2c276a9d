//! Whether a server is one whose proofs this client can take.

use lc_core::ProgramId;

use crate::types::{EngineKind, ProgramInfo, ServerHello, VkeyHash};

/// Why a server is not one that this client may trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// It proves nothing.
    #[error(
        "the server runs the MOCK engine, which proves nothing: use a real one, or allow mock proofs"
    )]
    Mock,
    /// It does not have the program.
    #[error("the server does not prove {program}: use another one")]
    Missing {
        /// The program.
        program: ProgramId,
    },
    /// It proves another program under that name.
    #[error(
        "the server's key for {program} is {theirs}, this client pins {ours}: upgrade the older one"
    )]
    Vkey {
        /// The program.
        program: ProgramId,
        /// The server's.
        theirs: VkeyHash,
        /// The pinned one.
        ours: VkeyHash,
    },
}

/// Whether a server proves the programs that a client pins. A mock server passes only where that is
/// allowed, and then its keys are its own.
///
/// # Errors
///
/// [`PinError`], for the first program that does not fit.
pub fn check_pins(
    hello: &ServerHello,
    pins: &[ProgramInfo],
    allow_mock: bool,
) -> Result<(), PinError> {
    if hello.engine.engine == EngineKind::Mock {
        return if allow_mock { Ok(()) } else { Err(PinError::Mock) };
    }
    for pin in pins {
        let program = pin.program;
        let theirs = hello.engine.program(program).ok_or(PinError::Missing { program })?;
        if theirs.vkey != pin.vkey {
            return Err(PinError::Vkey { program, theirs: theirs.vkey, ours: pin.vkey });
        }
    }
    Ok(())
}
