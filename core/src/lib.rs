//! What every part of the system agrees on: the chain's constants, SSZ hashing, the light-client
//! sync protocol, Merkle-Patricia proofs and the statements that proofs make.
//!
//! One implementation of the rules runs in three places: in the zkVM guests, in the server before
//! anything is queued, and in the light client. It is `no_std`, has no clock and no I/O, and takes its
//! primitives from a [`Crypto`]. The feature `host` adds what nodes hand out (full SSZ and JSON
//! objects), native cryptography and the known networks.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod chain_spec;
pub mod containers;
pub mod crypto;
pub mod execution_header;
pub mod fork;
pub mod merkle;
pub mod program;
pub mod rlp;
pub mod root;
pub mod statement;
pub mod sync_protocol;
pub mod trie;
pub mod words;

#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "host")]
pub mod objects;

pub use chain_spec::{ChainSpec, ChainSpecError, ForkEntry};
pub use containers::{BeaconBlockHeader, ExecutionPayloadHeader};
pub use crypto::{BlsPubkey, BlsSignature, Crypto, SignatureCheck, SignatureError};
pub use fork::{ExecutionForm, Fork, GeneralizedIndex, Gindices};
pub use program::ProgramId;
pub use root::Root;

pub use alloy_primitives;
pub use alloy_sol_types;
