//! Follows Ethereum by verifying proofs instead of checking 512 signatures a period.
//!
//! A [`Store`] holds what is trusted: a chain, the sync committee of one period, a finalized header. It
//! starts from a checkpoint that the user trusts ([`Store::bootstrap`]) and moves on only by
//! [`decide::advance`], a pure function of the store, a verified statement and what was asked for. The
//! rest is how statements get there: [`ask`] turns nodes' files into requests, [`prove`] has a proof
//! server answer them, [`verify`](mod@verify) checks the proofs, and [`circuit`] says which SNARKs may be
//! taken at all, [`retry`] when to ask again. [`StoreFile`] keeps a store on disk.
//!
//! With the default feature `verify` proofs are checked by SP1's verifier, in under a second and without
//! a prover's start-up. Without it only MOCK proofs can be taken.

pub mod ask;
pub mod circuit;
pub mod decide;
pub mod files;
pub mod prove;
pub mod retry;
pub mod statement;
pub mod store;
pub mod verify;

#[cfg(test)]
pub(crate) mod testing;

pub use store::{Finalized, Store, StoreFile, StoreFileError};
