//! What must hold of every decoder and of the signature's arithmetic, whatever the input.
//!
//! One module a target, each with a function `check` that panics if its promise is broken and says whether
//! the input was accepted. `fuzz_targets/` hands them to libFuzzer; `seeds/` makes what it starts from.

// Some fuzz targets are all that links it.
use libfuzzer_sys as _;

pub mod arithmetic;
pub mod config_yaml;
pub mod eth_get_proof_json;
pub mod frame;
mod input;
pub mod memory;
mod messages;
mod points;
pub mod rlp;
pub mod signature;
pub mod ssz_objects;
mod statement;
pub mod trie_proof;
pub mod witness;

/// A target: its name, and what it promises of every input.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub const TARGETS: [Target; 9] = [
    ("arithmetic", arithmetic::check),
    ("config_yaml", config_yaml::check),
    ("eth_get_proof_json", eth_get_proof_json::check),
    ("frame", frame::check),
    ("rlp", rlp::check),
    ("signature", signature::check),
    ("ssz_objects", ssz_objects::check),
    ("trie_proof", trie_proof::check),
    ("witness", witness::check),
];
