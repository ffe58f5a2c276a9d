//! SP1 core proofs (STARKs) of any program: checked without a prover, and made without SP1's
//! recursion set-up.
//!
//! This is the only crate that knows how SP1 proves and verifies, and it hides it behind types of
//! its own: what depends on it compiles in seconds, where SP1's generic code takes minutes. Without
//! features it only verifies; the feature `prove` adds the prover and the executor.

pub mod elsewhere;
mod key;
#[cfg(feature = "prove")]
pub mod prove;
mod snark;
#[cfg(feature = "prove")]
pub mod sp1;
mod verifier;

pub use key::{InvalidKey, VerifyingKey};
pub use snark::{Circuit, ProofSystem};
pub use verifier::{CompressedVerifier, CoreVerifier, InvalidProof};
