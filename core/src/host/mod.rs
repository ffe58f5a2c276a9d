//! What only the host has: native cryptography, the known networks, and the inputs that nodes hand
//! out, turned into what the guests read.

pub mod block_header;
mod crypto;
pub mod eth_get_proof;
mod execution;
pub mod input;
mod json_rpc;
mod networks;
mod store;
mod witness;

pub use crypto::NativeCrypto;
pub use input::{
    Checked, CommitteeChangeInput, InclusionInput, InputError, MAX_UPDATES, ProgramInput,
};
pub use networks::{ConfigError, Network, chain_spec_from_config_yaml};
pub use store::{LightClientStore, StoreError};
pub use witness::{signers, verify_witness};
