//! The contracts' test bench: the committed bytecode, deployed and called in a real EVM, with the public values that the
//! programs commit on simulated chains.
//!
//! What checks proofs is given as bytecode ([`Setup::verified_by`]) and proofs are bytes ([`LightClient::update`]). By default
//! it is the stand-in of `test/StandInVerifier.sol`, which verifies nothing and takes the one proof that it was told of: it
//! shows that the contract asks for the right program, public values and proof, and heeds the answer.

mod bindings;
mod evm;
mod light_client;
mod recorded;
mod statements;

pub use bindings::{
    EthereumLightClient, SP1Verifier, SP1VerifierPlonk, StandInVerifier, SupplyMirror,
};
pub use evm::{CallError, Evm, Receipt};
pub use light_client::{
    COMMITTEE_CHANGE_VKEY, GUARDIAN, INCLUSION_VKEY, LightClient, PROOF, STRANGER, Setup,
};
pub use recorded::{ProofSystem, Recorded};
pub use statements::Statements;
