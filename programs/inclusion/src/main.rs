//! Proves that accounts and storage slots are in finalized execution state, or proven absent: see
//! [`InclusionWitness::verify`] for what is checked, and docs/statements.md for what the output means.
//!
//! Input: bincode of the witness. Output: the statement, ABI-encoded; none if any check fails.

#![no_main]

use guest_crypto::ZkvmCrypto;
use lc_core::alloy_sol_types::SolValue;
use lc_core::statement::InclusionWitness;

sp1_zkvm::entrypoint!(main);

fn main() {
    guest_io::run(|witness: &InclusionWitness| {
        witness.verify::<ZkvmCrypto>().map(|statement| statement.abi_encode())
    });
}
