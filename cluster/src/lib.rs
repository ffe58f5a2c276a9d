//! SP1's distributed prover, by the SDK's network client.
//!
//! ```text
//! register a program -> upload an input -> request a proof -> ask until it is there -> download it
//! ```
//!
//! A cluster of one's own (sp1-cluster) and SP1's hosted network speak the same messages. What comes
//! back is not trusted here: whoever asked verifies it.

mod access;
mod error;
mod prover;

pub use access::{Access, AccessError, Endpoint, Identity};
pub use error::ClusterError;
pub use prover::{Cluster, Open, Order, Program, Stage};
