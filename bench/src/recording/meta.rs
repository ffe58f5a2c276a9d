//! `meta.json`: what a recording says of itself.

use lc_core::alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// What a light client must know beforehand. Whoever wrote a recording may have put more beside it: the simulator
/// adds what the proofs must say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The chain's genesis validators root.
    pub genesis_validators_root: B256,
    /// `hash_tree_root` of the chain's constants: the word `chain` of every statement.
    pub chain: B256,
    /// Root of the bootstrap's block, from which everything else follows.
    pub trusted_block_root: B256,
}

impl Meta {
    /// Reads `meta.json`.
    ///
    /// # Errors
    /// What is wrong with it, in the parser's words.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }

    /// `meta.json`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("strings always serialize");
        json.push(b'\n');
        json
    }
}
