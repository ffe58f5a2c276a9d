//! `eth_getProof` answers.
//!
//! - No text makes the reader panic, or hold much more memory than it was given; nor do its nodes a lookup.
//! - What is accepted, written as a node would write it, reads back the same.
//! - The statement's form of it stays the same when taken again.

use lc_core::{
    crypto::Crypto as _,
    host::{
        NativeCrypto,
        eth_get_proof::{EthGetProof, EthStorageProof},
    },
};
use serde_json::json;

use crate::memory::{proportional, within};

/// Checks all of it.
pub fn check(data: &[u8]) -> bool {
    let read = within(proportional(256, data.len()), || EthGetProof::from_json(data));
    let Ok(answer) = read else { return false };
    let again = EthGetProof::from_json(write(&answer).as_bytes());
    assert_eq!(again.as_ref(), Ok(&answer));

    let proof = answer.account_proof();
    let storage = answer.storage.iter().zip(&proof.storage);
    let storage = storage.map(|(slot, kept)| {
        let nodes = kept.nodes.clone();
        EthStorageProof { nodes, ..slot.clone() }
    });
    let storage = storage.collect();
    let needed = EthGetProof { account_nodes: proof.nodes.clone(), storage, ..answer };
    assert_eq!(needed.account_proof(), proof, "what is needed is needed");

    // Most nodes prove nothing of the root that they are looked up in, which must be all that is wrong.
    let root = proof.nodes.first().map(|root| NativeCrypto::keccak256(root)).unwrap_or_default();
    let _ = proof.verify::<NativeCrypto>(0, root);
    true
}

/// The bare result.
fn write(answer: &EthGetProof) -> String {
    let slot = |slot: &EthStorageProof| json!({ "key": slot.key, "value": slot.value, "proof": slot.nodes });
    json!({
        "address": answer.address,
        "nonce": format!("{:#x}", answer.nonce),
        "balance": answer.balance,
        "codeHash": answer.code_hash,
        "storageHash": answer.storage_hash,
        "accountProof": answer.account_nodes,
        "storageProof": answer.storage.iter().map(slot).collect::<Vec<_>>(),
    })
    .to_string()
}
