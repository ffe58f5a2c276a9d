//! The primitives of the statements on the zkVM's precompiles.
//!
//! The same code compiles for the host, where portable functions stand in for the precompiles: its tests
//! compare it with the libraries that the server and the light client use.

#![cfg_attr(not(test), no_std)]

#[cfg(target_os = "zkvm")]
mod bls;
#[cfg(target_os = "zkvm")]
pub mod hints;
pub mod keccak;
mod precompiles;
pub mod sha256;
#[cfg(target_os = "zkvm")]
mod syscall;

#[cfg(target_os = "zkvm")]
use lc_core::{
    Root,
    alloy_primitives::B256,
    crypto::{Crypto, SignatureCheck, SignatureError},
};

/// [`Crypto`] inside the zkVM.
#[cfg(target_os = "zkvm")]
#[derive(Debug, Clone, Copy)]
pub struct ZkvmCrypto;

#[cfg(target_os = "zkvm")]
impl Crypto for ZkvmCrypto {
    #[inline]
    fn hash_pair(left: &Root, right: &Root) -> Root {
        sha256::hash_pair(left, right)
    }

    fn keccak256(data: &[u8]) -> B256 {
        B256::new(keccak::keccak256(data))
    }

    fn verify_sync_signature(check: &SignatureCheck<'_>) -> Result<(), SignatureError> {
        bls::verify_sync_signature(check)
    }
}
