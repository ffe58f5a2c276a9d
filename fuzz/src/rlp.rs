//! Strict RLP.
//!
//! - No input makes a reader panic, however deep its lists go.
//! - A value has one encoding: what is accepted encodes to the same bytes, with another library.
//! - What that library accepts and what is accepted here is the same, for items, integers, hashes, accounts and
//!   execution blocks' headers.

use alloy_rlp::{Decodable, Encodable, Header, PayloadView};
use alloy_trie::TrieAccount;
use lc_core::{
    alloy_primitives::{B256, U256},
    execution_header::ExecutionBlock,
    host::NativeCrypto,
    rlp::{self, Item},
    trie::{decode_account, decode_slot_value},
};

/// A whole item, with all items in its lists.
#[derive(Debug, PartialEq, Eq)]
enum Tree {
    String(Vec<u8>),
    List(Vec<Self>),
}

/// Lists in lists that are compared; more than any of Ethereum's objects has, fewer than fill the stack.
const MOST_LEVELS: usize = 200;

/// Checks all of it.
pub fn check(data: &[u8]) -> bool {
    leaves(data);
    let read = ours(data, MOST_LEVELS);
    assert_eq!(read, theirs(data, MOST_LEVELS), "the two libraries differ");
    let Some(tree) = read else { return false };
    let mut encoded = Vec::new();
    tree.encode(&mut encoded);
    assert_eq!(encoded, data, "another encoding of the same value was accepted");
    block_header(data, &tree);
    true
}

/// What is read as the header of an execution block is a list of its fields, by their types; more may follow.
fn block_header(data: &[u8], tree: &Tree) {
    // parentHash to nonce; baseFeePerGas, withdrawalsRoot, two of blobs, two hashes; Gloas's hash and slot. 0: an
    // integer of 64 bits, 1: of 256, 2: extraData, else so many bytes.
    const FIELDS: [usize; 23] =
        [32, 32, 20, 32, 32, 32, 256, 1, 0, 0, 0, 0, 2, 32, 8, 1, 32, 0, 0, 32, 32, 32, 0];
    let is_field = |(item, kind): (&Tree, &usize)| match (item, *kind) {
        (Tree::List(_), _) => false,
        (Tree::String(bytes), 0 | 1) => {
            bytes.len() <= if *kind == 0 { 8 } else { 32 } && bytes.first() != Some(&0)
        }
        (Tree::String(bytes), 2) => bytes.len() <= 32,
        (Tree::String(bytes), len) => bytes.len() == len,
    };
    let wanted = match tree {
        Tree::List(items) => items.len() >= 17 && items.iter().zip(&FIELDS).all(is_field),
        Tree::String(_) => false,
    };
    let read = ExecutionBlock::from_rlp::<NativeCrypto>(data).ok();
    assert_eq!(read.is_some(), wanted, "the header of an execution block");
    let (Some(block), Tree::List(items)) = (read, tree) else { return };
    assert_eq!(items[3], Tree::String(block.state_root.to_vec()));
    let mut number = Vec::new();
    items[8].encode(&mut number);
    assert_eq!(exactly::<u64>(&number), Some(block.number));
}

fn ours(bytes: &[u8], levels: usize) -> Option<Tree> {
    match rlp::decode(bytes).ok()? {
        Item::String(string) => Some(Tree::String(string.to_vec())),
        Item::List(items) => {
            let below = levels.checked_sub(1)?;
            let item = |element: Result<rlp::Element<'_>, _>| ours(element.ok()?.raw, below);
            items.map(item).collect::<Option<_>>().map(Tree::List)
        }
    }
}

fn theirs(mut bytes: &[u8], levels: usize) -> Option<Tree> {
    let payload = Header::decode_raw(&mut bytes).ok()?;
    if !bytes.is_empty() {
        return None;
    }
    match payload {
        PayloadView::String(string) => Some(Tree::String(string.to_vec())),
        PayloadView::List(items) => {
            let below = levels.checked_sub(1)?;
            items.into_iter().map(|item| theirs(item, below)).collect::<Option<_>>().map(Tree::List)
        }
    }
}

impl Tree {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::String(string) => string.as_slice().encode(out),
            Self::List(items) => {
                let mut payload = Vec::new();
                items.iter().for_each(|item| item.encode(&mut payload));
                Header { list: true, payload_length: payload.len() }.encode(out);
                out.extend(payload);
            }
        }
    }
}

/// The values that the statements read.
fn leaves(bytes: &[u8]) {
    let item = rlp::decode(bytes).ok();
    assert_eq!(item.and_then(|item| item.u64().ok()), exactly::<u64>(bytes));
    assert_eq!(item.and_then(|item| item.u256().ok()), exactly::<U256>(bytes));
    assert_eq!(item.and_then(|item| item.hash().ok()), exactly::<B256>(bytes));
    let slot = exactly::<U256>(bytes).filter(|value| !value.is_zero());
    assert_eq!(decode_slot_value(bytes).ok(), slot);
    let account = decode_account(bytes).ok();
    let fields = account.map(|account| {
        let lc_core::trie::TrieAccount { nonce, balance, storage_root, code_hash } = account;
        TrieAccount { nonce, balance, storage_root, code_hash }
    });
    assert_eq!(fields, exactly::<TrieAccount>(bytes));
}

/// What all of `bytes` is for the other library.
fn exactly<T: Decodable>(mut bytes: &[u8]) -> Option<T> {
    T::decode(&mut bytes).ok().filter(|_| bytes.is_empty())
}
