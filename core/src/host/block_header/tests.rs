use alloy_primitives::b256;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::rlp::{Item, decode};

/// A block of Sepolia in the time of Electra as a node hands it out, without its transactions and withdrawals.
const SEPOLIA: &str = include_str!("sepolia-8324337.json");
const HASH: B256 = b256!("e27565f06f04fe79d3c3bb4dc9749a0318c520d7f784545be4d1a65bbcac21db");

fn read(text: impl AsRef<[u8]>) -> Result<Bytes, BlockHeaderError> {
    read_block_header(text.as_ref())
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

fn sepolia() -> Value {
    serde_json::from_str(SEPOLIA).unwrap()
}

#[test]
fn a_block_of_sepolia_gives_the_rlp_that_hashes_to_its_hash() {
    let rlp = read(SEPOLIA).unwrap();
    let block = ExecutionBlock::from_rlp::<NativeCrypto>(&rlp).unwrap();
    assert_eq!(block.hash, HASH);
    assert_eq!(block.number, 8_324_337);
    let state_root = b256!("b40115a391949e36c4cf558d93686537360cd9c4193fb2c0932a4812c340437f");
    assert_eq!(block.state_root, state_root);
    assert_eq!(read(sepolia()["result"].to_string()).unwrap(), rlp, "without the envelope");
}

#[test]
fn a_raw_header_is_read_from_bytes_hex_and_json() {
    let rlp = read(SEPOLIA).unwrap();
    let text = format!("0x{}", hex::encode(&rlp));
    assert_eq!(read(&rlp).unwrap(), rlp);
    assert_eq!(read(format!(" {text}\n")).unwrap(), rlp);
    assert_eq!(read(format!("{text:?}")).unwrap(), rlp, "a JSON string");
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": text});
    assert_eq!(read(answer.to_string()).unwrap(), rlp);
}

#[test]
fn a_block_of_gloas_has_two_fields_more() {
    let mut block = sepolia()["result"].clone();
    block["blockAccessListHash"] = block["requestsHash"].clone();
    block["slotNumber"] = "0x1".into();
    let error = read(block.to_string()).unwrap_err();
    let BlockHeaderError::Hash { said, made } = error else { panic!("{error}") };
    assert_eq!(said, HASH);
    block["hash"] = made.to_string().into();
    let rlp = read(block.to_string()).unwrap();
    assert_eq!(rlp.len(), read(SEPOLIA).unwrap().len() + 34);
    // A node of an older chain may write null.
    block["hash"] = HASH.to_string().into();
    block["blockAccessListHash"] = Value::Null;
    assert_eq!(read(block.to_string()).unwrap(), read(SEPOLIA).unwrap());
}

#[test]
fn a_changed_block_is_refused_by_its_hash() {
    for name in ["stateRoot", "requestsHash", "mixHash"] {
        let mut block = sepolia();
        block["result"][name] = B256::repeat_byte(1).to_string().into();
        let text = refusal(block.to_string());
        assert!(text.starts_with(&format!("the block says its hash is {HASH}, its")), "{text}");
    }
    let mut block = sepolia();
    block["result"]["requestsHash"] = Value::Null;
    assert!(refusal(block.to_string()).contains("pass the answer to debug_getRawHeader"));
}

#[test]
fn each_wrong_field_is_named_with_what_is_there_and_what_was_wanted() {
    for (name, value, says) in [
        ("hash", json!(1), "result.hash is 1, wanted a 32-byte hash"),
        ("stateRoot", json!(null), "result.stateRoot is null, wanted a 32-byte hash"),
        ("stateRoot", json!("0x12"), r#"result.stateRoot is "0x12", wanted a 32-byte hash"#),
        ("miner", json!("0x12"), "wanted a 20-byte address"),
        ("nonce", json!("0x12"), "wanted 8 bytes"),
        ("logsBloom", json!("0x12"), "wanted 256 bytes"),
        ("extraData", json!(format!("0x{}", "00".repeat(33))), "wanted at most 32 bytes"),
        ("number", json!("12"), r#"result.number is "12", wanted a number of at most 32 bytes"#),
        ("withdrawalsRoot", json!(null), "result.withdrawalsRoot is null"),
        ("blobGasUsed", json!(true), "result.blobGasUsed is true"),
    ] {
        let mut block = sepolia();
        block["result"][name] = value;
        let text = refusal(block.to_string());
        assert!(text.contains(says) && text.ends_with("answer unchanged"), "{text}");
    }
    assert!(refusal("{}").contains("in the block, hash is missing"));
    assert!(refusal("\"0xq\"").contains("all of it is \"0xq\", wanted RLP in hex"));
}

#[test]
fn what_is_no_header_at_all_is_told_apart() {
    assert!(refusal("").starts_with("0 bytes beginning nothing are no block header"));
    assert!(refusal("<html>").starts_with("6 bytes beginning 0x3c68746d6c3e"));
    assert!(refusal("0xf9zz").starts_with("6 bytes beginning"));
    assert!(refusal(&SEPOLIA[..40]).starts_with("not JSON: EOF"));
    let answer = r#"{"jsonrpc":"2.0","id":1,"error":{"message":"method not found"}}"#;
    let text = refusal(answer);
    assert!(text.starts_with("the node answered with an error: method not found"), "{text}");
    assert!(refusal(r#"{"jsonrpc":"2.0","id":1,"result":null}"#).contains("result is null"));
}

#[test]
fn rlp_that_is_no_block_header_is_refused() {
    let mut rlp = read(SEPOLIA).unwrap().to_vec();
    rlp.push(b' ');
    let error = read(&rlp).unwrap_err();
    assert!(matches!(error, BlockHeaderError::Header(ExecutionHeaderError::NotAList(_))));
    assert_eq!(error.to_string(), "the RLP is no block header");
    assert_eq!(refusal("0xc0"), "the RLP is no block header");
    // A number that fits no block, under the hash that it gives.
    let mut block = sepolia()["result"].clone();
    block["number"] = format!("0x1{}", "0".repeat(16)).into();
    let BlockHeaderError::Hash { made, .. } = read(block.to_string()).unwrap_err() else {
        panic!()
    };
    block["hash"] = made.to_string().into();
    let error = read(block.to_string()).unwrap_err();
    let field = BlockHeaderError::Header(ExecutionHeaderError::Field {
        field: "number",
        source: crate::rlp::RlpError::IntegerTooLong { seen: 9, limit: 8 },
    });
    assert_eq!(error, field);
}

proptest! {
    #[test]
    fn strings_are_encoded_as_our_own_reader_wants_them(
        string in prop::collection::vec(any::<u8>(), 0..400),
        byte: u8,
    ) {
        for bytes in [&string[..], &[byte]] {
            let mut out = Vec::new();
            bytes.encode(&mut out);
            prop_assert_eq!(decode(&out).and_then(Item::string), Ok(bytes));
        }
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_block_header(&bytes);
    }

    #[test]
    fn a_damaged_answer_never_panics(at: prop::sample::Index, byte: u8) {
        let mut answer = SEPOLIA.as_bytes().to_vec();
        let at = at.index(answer.len());
        answer[at] = byte;
        let _ = read_block_header(&answer);
    }
}
