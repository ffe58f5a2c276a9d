//! A small Ethereum that tests and demos can follow: deterministic, offline, and real where a light client
//! looks.
//!
//! Real are the BLS keys of every committee and their signatures, the signing roots, the roots and
//! branches of headers, states and bodies, the execution state's tries and their `eth_getProof` answers. What
//! a light client never opens (the rest of a beacon state, parent roots, block hashes, the far side of a
//! trie) is filled with hashes of the seed. The same seed gives the same bytes.
//!
//! ```
//! use simulator::{Chain, Preset};
//!
//! let chain = Chain::builder().preset(Preset::Minimal).seed(7).build()?;
//! let first = chain.first_period();
//! let bootstrap = chain.bootstrap(chain.first_slot());
//! let update = chain.update(first).participants(22).build();
//! assert_eq!(update.sync_aggregate.participants(), 22);
//! assert_eq!(bootstrap.current_sync_committee, *chain.committee(first).public());
//! # Ok::<(), simulator::ChainError>(())
//! ```
//!
//! Builders start valid. A test of one check spoils one thing (`participants(20)`, `edit_finalized(..)`,
//! `signed_by(..)`); everything after it is recomputed and signed again with the real keys, so that no other
//! check can be what fails.

mod block_header;
mod builder;
mod chain;
mod committee;
mod config;
mod digest;
mod eth_get_proof;
mod execution;
mod input;
mod meta;
pub mod mutations;
mod record;
mod seed;
mod tree;
mod trie;
mod update;

pub use builder::{ChainBuilder, ChainError, Preset};
pub use chain::Chain;
pub use committee::Committee;
pub use config::config_yaml;
pub use digest::fork_digest;
pub use eth_get_proof::NotSimulated;
pub use execution::{Account, ExecutionState, KnownAccounts};
pub use record::{RecordError, RecordOptions, recording, write_recording};
pub use update::UpdateBuilder;
