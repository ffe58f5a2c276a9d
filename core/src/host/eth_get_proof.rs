//! `eth_getProof` answers as nodes hand them out: the bare result or the JSON-RPC envelope around it.
//!
//! Source: EIP-1186. Nodes differ in small ways that mean the same: a storage key comes as a quantity or
//! as 32 bytes, an empty trie's proof as no node or as its one node, and some repeat a node that already
//! stands inside its parent. What differs in meaning is refused.

use alloy_primitives::{Address, B256, Bytes, U256};

use super::json_rpc::{self, AnswerError, Field};
use crate::statement::{AccountProof, StorageProof};

/// RLP of the empty trie's one node.
const EMPTY_TRIE_NODE: [u8; 1] = [0x80];
/// A trie node shorter than this stands inside its parent, unless it is the root.
const HASHED_NODE_LENGTH: usize = 32;

/// One answer: trie nodes, and what the node says they prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EthGetProof {
    /// The account asked about.
    pub address: Address,
    /// Its nonce, as the node claims.
    pub nonce: u64,
    /// Its balance in wei, as the node claims.
    pub balance: U256,
    /// Hash of its code, as the node claims.
    pub code_hash: B256,
    /// Root of its storage, as the node claims.
    pub storage_hash: B256,
    /// RLP of the state trie's nodes, from the root on.
    pub account_nodes: Vec<Bytes>,
    /// The storage slots asked about.
    pub storage: Vec<EthStorageProof>,
}

/// One storage slot of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EthStorageProof {
    /// The slot's key, before hashing.
    pub key: B256,
    /// Its value, as the node claims; zero for an absent slot.
    pub value: U256,
    /// RLP of the storage trie's nodes, from the root on.
    pub nodes: Vec<Bytes>,
}

/// Why text is no `eth_getProof` answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EthGetProofError {
    /// It is not JSON.
    #[error("not JSON: {0}: pass the node's answer to eth_getProof unchanged")]
    NotJson(String),
    /// The node refused.
    #[error(
        "the node answered with an error: {0}: ask it again for a block whose state it still has"
    )]
    NodeError(String),
    /// A value is missing or not what its field holds.
    #[error(
        "in the eth_getProof answer, {path} is {seen}, wanted {wanted}: pass the node's answer unchanged"
    )]
    Field {
        /// Where, as `storageProof[1].key`.
        path: String,
        /// What is there.
        seen: String,
        /// What should be.
        wanted: &'static str,
    },
}

impl From<AnswerError> for EthGetProofError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::NotJson(text) => Self::NotJson(text),
            AnswerError::NodeError(text) => Self::NodeError(text),
            AnswerError::Field { path, seen, wanted } => Self::Field { path, seen, wanted },
        }
    }
}

impl EthGetProof {
    /// Reads an answer. Checks its form alone: whether the nodes prove anything is for the statement.
    ///
    /// # Errors
    /// [`EthGetProofError`] names the field and what is wrong with it, or repeats the node's own error.
    pub fn from_json(json: &[u8]) -> Result<Self, EthGetProofError> {
        let answer = json_rpc::parse(json)?;
        let result = json_rpc::result(&answer)?;
        Ok(Self {
            address: result.get("address")?.fixed_bytes("a 20-byte address in hex")?.into(),
            nonce: nonce(&result.get("nonce")?)?,
            balance: result.get("balance")?.quantity()?,
            code_hash: result.get("codeHash")?.fixed_bytes("a 32-byte hash in hex")?.into(),
            storage_hash: result.get("storageHash")?.fixed_bytes("a 32-byte hash in hex")?.into(),
            account_nodes: nodes(&result.get("accountProof")?)?,
            storage: result
                .get("storageProof")?
                .elements()?
                .iter()
                .map(EthStorageProof::read)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The proof without the node's claims, in the one form that the statement takes.
    #[must_use]
    pub fn account_proof(&self) -> AccountProof {
        let slot =
            |slot: &EthStorageProof| StorageProof { key: slot.key, nodes: needed(&slot.nodes) };
        AccountProof {
            address: self.address,
            nodes: needed(&self.account_nodes),
            storage: self.storage.iter().map(slot).collect(),
        }
    }
}

impl EthStorageProof {
    fn read(field: &Field<'_>) -> Result<Self, AnswerError> {
        Ok(Self {
            key: field.get("key")?.quantity()?.into(),
            value: field.get("value")?.quantity()?,
            nodes: nodes(&field.get("proof")?)?,
        })
    }
}

/// The nodes that anything refers to: not those that stand inside their parents, and none at all of the
/// empty trie. What is left out could not have been part of a proof.
fn needed(nodes: &[Bytes]) -> Vec<Bytes> {
    if let [only] = nodes
        && only[..] == EMPTY_TRIE_NODE
    {
        return Vec::new();
    }
    let needed = |(index, node): &(usize, &Bytes)| *index == 0 || node.len() >= HASHED_NODE_LENGTH;
    nodes.iter().enumerate().filter(needed).map(|(_, node)| node.clone()).collect()
}

fn nodes(list: &Field<'_>) -> Result<Vec<Bytes>, AnswerError> {
    let node = |field: Field<'_>| match field.bytes() {
        Some(bytes) if !bytes.is_empty() => Ok(Bytes::from(bytes)),
        _ => Err(field.wrong("an RLP node in hex")),
    };
    list.elements()?.into_iter().map(node).collect()
}

fn nonce(field: &Field<'_>) -> Result<u64, AnswerError> {
    field.quantity()?.try_into().map_err(|_| field.wrong("a number of at most 8 bytes in hex"))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, keccak256};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{
        host::NativeCrypto,
        trie::{EMPTY_ROOT, TrieAccount, decode_account, verify_proof},
    };

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":1,"result":{
        "address":"0x00000000000000000000000000000000000000AA",
        "nonce":"0x5","balance":"0xde0b6b3a7640000",
        "codeHash":"0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
        "storageHash":"0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "accountProof":["0xf901","0x0102"],
        "storageProof":[
            {"key":"0x1f","value":"0x0","proof":["0x80"]},
            {"key":"0x000000000000000000000000000000000000000000000000000000000000001f","value":"0x7","proof":["0x01"]}
        ]}}"#;

    fn refusal(from: &str, to: &str) -> String {
        assert!(ANSWER.contains(from), "{from}");
        EthGetProof::from_json(ANSWER.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_answer_reads_the_same_with_and_without_its_envelope() {
        let answer = EthGetProof::from_json(ANSWER.as_bytes()).unwrap();
        let bare: Value = serde_json::from_str(ANSWER).unwrap();
        let bare = bare["result"].to_string();
        assert_eq!(EthGetProof::from_json(bare.as_bytes()).unwrap(), answer);
        assert_eq!(answer.address, address!("00000000000000000000000000000000000000aa"));
        assert_eq!(answer.nonce, 5);
        assert_eq!(answer.balance, U256::from(10).pow(U256::from(18)));
        assert_eq!(answer.code_hash, keccak256([]));
        assert_eq!(answer.storage_hash, EMPTY_ROOT);
        assert_eq!(answer.storage[0].key, answer.storage[1].key, "quantity or 32 bytes");
        assert_eq!(answer.storage[1].value, U256::from(7));
    }

    #[test]
    fn nodes_that_nothing_refers_to_are_left_out_of_the_proof() {
        let mut answer = EthGetProof::from_json(ANSWER.as_bytes()).unwrap();
        answer.account_nodes = vec![vec![1; 3].into(), vec![2; 32].into(), vec![3; 31].into()];
        let proof = answer.account_proof();
        assert_eq!(proof.nodes, [Bytes::from(vec![1; 3]), Bytes::from(vec![2; 32])]);
        assert!(proof.storage[0].nodes.is_empty(), "the empty trie's node");
        assert_eq!(proof.storage[1].nodes, [Bytes::from(vec![1])]);
    }

    #[test]
    fn each_wrong_field_is_named_with_what_is_there_and_what_was_wanted() {
        let unchanged = "pass the node's answer unchanged";
        for (from, to, says) in [
            ("00AA", "00A", r#"result.address is "0x"#),
            (r#""nonce":"0x5""#, r#""n":"0x5""#, "result.nonce is missing, wanted a number"),
            ("0x5", "5", r#"result.nonce is "5", wanted a number"#),
            ("0x5", "0x", r#"result.nonce is "0x", wanted a number"#),
            ("0x5", "0x+5", r#"result.nonce is "0x+5", wanted a number"#),
            ("0x5", "0x10000000000000000", "wanted a number of at most 8 bytes"),
            ("0xde0b6b3a7640000", "0xzz", r#"result.balance is "0xzz""#),
            ("0xc5d2", "0xc5", "result.codeHash is"),
            ("0x56e8", "0x", "result.storageHash is"),
            (r#"["0xf901","0x0102"]"#, "{}", "result.accountProof is {}, wanted an array"),
            ("0x0102", "0x010", r#"result.accountProof[1] is "0x010", wanted an RLP node"#),
            ("0x0102", "0x", "result.accountProof[1]"),
            (r#""key":"0x1f""#, r#""key":31"#, "result.storageProof[0].key is 31, wanted"),
            (r#""value":"0x7""#, r#""value":null"#, "result.storageProof[1].value is null"),
            (r#"["0x01"]"#, "[1]", "result.storageProof[1].proof[0] is 1"),
        ] {
            let text = refusal(from, to);
            assert!(text.contains(says) && text.ends_with(unchanged), "{text}");
        }
    }

    #[test]
    fn what_is_no_answer_at_all_is_told_apart() {
        let refusal = |json: &str| EthGetProof::from_json(json.as_bytes()).unwrap_err().to_string();
        assert!(refusal("<html>").starts_with("not JSON: expected value at line 1"));
        assert!(refusal(&ANSWER[..40]).starts_with("not JSON: EOF"));
        assert!(refusal("[1]").contains("all of it is [1], wanted an object"));
        let null = r#"{"jsonrpc":"2.0","id":1,"result":null}"#;
        assert!(refusal(null).contains("result is null, wanted an object"));
        assert!(refusal(r#"{"jsonrpc":"2.0","id":1}"#).contains("result is missing"));
        let long = format!("[\"{}\"]", "a".repeat(5000));
        assert!(refusal(&long).len() < 250, "a long value is not repeated");
    }

    #[test]
    fn an_error_of_the_node_is_repeated_in_one_line() {
        let json =
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"missing trie\nnode"}}"#;
        let text = EthGetProof::from_json(json.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            text,
            "the node answered with an error: missing trienode: ask it again for a block whose state it still has"
        );
        let bare = EthGetProof::from_json(br#"{"error":"busy"}"#).unwrap_err();
        assert_eq!(bare, EthGetProofError::NodeError("\"busy\"".to_owned()));
    }

    #[test]
    fn a_mainnet_answer_proves_its_account_present_and_its_slot_absent() {
        let folder =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/recordings/mainnet-deneb-inclusion");
        let read = |name: &str| std::fs::read(std::path::Path::new(folder).join(name));
        let (Ok(json), Ok(update)) = (read("EthGetProof.json"), read("FinalityUpdateDeneb.json"))
        else {
            eprintln!("skipped: no {folder}");
            return;
        };
        let update: Value = serde_json::from_slice(&update).unwrap();
        let execution = &update["data"]["finalized_header"]["execution"];
        let state_root: B256 = execution["state_root"].as_str().unwrap().parse().unwrap();

        let answer = EthGetProof::from_json(&json).unwrap();
        let proof = answer.account_proof();
        let nodes: Vec<&[u8]> = proof.nodes.iter().map(|node| &node[..]).collect();
        let path = keccak256(proof.address);
        let value = verify_proof::<NativeCrypto>(state_root, &path, &nodes).unwrap().unwrap();
        let account = decode_account(value).unwrap();
        assert_eq!(
            account,
            TrieAccount {
                nonce: 0x54835,
                balance: U256::ZERO,
                storage_root: answer.storage_hash,
                code_hash: answer.code_hash,
            }
        );
        let [slot] = proof.storage.as_slice() else { panic!("one slot was asked for") };
        let nodes: Vec<&[u8]> = slot.nodes.iter().map(|node| &node[..]).collect();
        let path = keccak256(slot.key);
        assert_eq!(verify_proof::<NativeCrypto>(account.storage_root, &path, &nodes), Ok(None));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = EthGetProof::from_json(&bytes);
        }

        #[test]
        fn a_damaged_answer_never_panics(at: prop::sample::Index, byte: u8) {
            let mut answer = ANSWER.as_bytes().to_vec();
            let at = at.index(answer.len());
            answer[at] = byte;
            if let Ok(answer) = EthGetProof::from_json(&answer) {
                let _ = answer.account_proof();
            }
        }
    }
}
