//! Proves that the sync committee changed, over one period or several: see
//! [`CommitteeChangeWitness::verify`] for what is checked, and docs/statements.md for what the output means.
//!
//! Input: hints and the witness, see [`guest_io::run`]. Output: the statement, ABI-encoded; none if any check fails.

#![no_std]
#![no_main]

use guest_crypto::ZkvmCrypto;
use lc_core::alloy_sol_types::SolValue;
use lc_core::statement::CommitteeChangeWitness;

guest_io::entrypoint!(main);

fn main() -> ! {
    guest_io::run(|witness: &CommitteeChangeWitness<&[u8]>| {
        witness.verify::<ZkvmCrypto>().map(|statement| statement.abi_encode())
    })
}
