//! Proves that the sync committee changed, over one period or several: see
//! [`CommitteeChangeWitness::verify`] for what is checked, and docs/statements.md for what the output means.
//!
//! Input: bincode of the witness. Output: the statement, ABI-encoded; none if any check fails.

#![no_main]

use guest_crypto::ZkvmCrypto;
use lc_core::alloy_sol_types::SolValue;
use lc_core::statement::CommitteeChangeWitness;

sp1_zkvm::entrypoint!(main);

fn main() {
    guest_io::run(|witness: &CommitteeChangeWitness| {
        witness.verify::<ZkvmCrypto>().map(|statement| statement.abi_encode())
    });
}
