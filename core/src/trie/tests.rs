use alloy_primitives::keccak256;
use alloy_rlp::Encodable;
use alloy_trie::{HashBuilder, Nibbles as RefNibbles, proof::ProofRetainer};
use proptest::prelude::*;
use std::collections::BTreeMap;

use super::*;
use crate::host::NativeCrypto;

/// What a trie holds, and what it is asked for.
type Entries = BTreeMap<B256, Vec<u8>>;

/// The root of these entries, and the proof of a path, by another implementation.
fn reference_proof(entries: &Entries, path: B256) -> (B256, Vec<Vec<u8>>) {
    let target = RefNibbles::unpack(path);
    let mut builder =
        HashBuilder::default().with_proof_retainer(ProofRetainer::from_iter([target]));
    for (path, value) in entries {
        builder.add_leaf(RefNibbles::unpack(path), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().matching_nodes_sorted(&target);
    let nodes = nodes.into_iter().enumerate();
    // It also repeats the nodes that stand inside their parents.
    let hashed = nodes.filter(|(index, (_, node))| *index == 0 || node.len() >= 32);
    (root, hashed.map(|(_, (_, node))| node.to_vec()).collect())
}

fn verify<'a>(
    root: B256,
    path: &B256,
    nodes: &'a [Vec<u8>],
) -> Result<Option<&'a [u8]>, TrieError> {
    verify_proof::<NativeCrypto>(root, path, nodes)
}

/// Which check refuses a proof that was made and then spoilt.
fn fault(root: B256, path: &B256, nodes: &[Vec<u8>]) -> &'static str {
    match verify(root, path, nodes) {
        Err(TrieError::WrongHash { .. }) => "hash",
        Err(TrieError::MissingNode { .. }) => "missing",
        Err(TrieError::UnusedNodes { .. }) => "unused",
        Err(_) => "form",
        Ok(_) => "none",
    }
}

/// Paths as hashing gives them, and paths that agree almost to the end, which alone make nodes
/// that stand inside their parents.
fn any_path() -> impl Strategy<Value = B256> {
    let near = (0..4u8, 24..32usize, prop::sample::select(vec![0x00, 0x01, 0x10, 0xf0, 0xff]));
    prop_oneof![
        any::<[u8; 32]>().prop_map(B256::from),
        near.prop_map(|(fill, position, byte)| {
            let mut path = [fill; 32];
            path[position] = byte;
            path.into()
        }),
    ]
}

fn any_entries() -> impl Strategy<Value = Entries> {
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..3),
        prop::collection::vec(any::<u8>(), 1..120)
    ];
    prop::collection::btree_map(any_path(), value, 0..40)
}

proptest! {
    #[test]
    fn present_and_absent_paths_are_proven_as_another_implementation_has_them(
        entries in any_entries(),
        absent in prop::collection::vec(any_path(), 1..10),
    ) {
        for path in entries.keys().chain(&absent) {
            let (root, nodes) = reference_proof(&entries, *path);
            prop_assert_eq!(verify(root, path, &nodes), Ok(entries.get(path).map(Vec::as_slice)));
        }
    }

    #[test]
    fn a_proof_with_one_bit_flipped_or_one_node_moved_is_refused(
        entries in any_entries(),
        absent in any_path(),
        choice: prop::sample::Index,
        bit: prop::sample::Index,
    ) {
        let paths: Vec<&B256> = entries.keys().chain([&absent]).collect();
        let path = *choice.get(&paths);
        let (root, nodes) = reference_proof(&entries, *path);
        let index = choice.index(nodes.len());

        let mut flipped = nodes.clone();
        let bit = bit.index(8 * flipped[index].len());
        flipped[index][bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(fault(root, path, &flipped), "hash");

        let mut cut = nodes.clone();
        cut[index].pop();
        prop_assert_eq!(fault(root, path, &cut), "hash");

        let mut dropped = nodes.clone();
        dropped.remove(index);
        if !entries.is_empty() {
            let last = index == dropped.len();
            prop_assert_eq!(fault(root, path, &dropped), if last { "missing" } else { "hash" });
        }

        let mut twice = nodes.clone();
        twice.insert(index, nodes[index].clone());
        let last = index + 1 == nodes.len();
        prop_assert_eq!(fault(root, path, &twice), if last { "unused" } else { "hash" });

        if index > 0 {
            let mut swapped = nodes.clone();
            swapped.swap(0, index);
            prop_assert_eq!(fault(root, path, &swapped), "hash");
        }

        let mut other_root = root;
        other_root[bit % 32] ^= 1;
        prop_assert_eq!(fault(other_root, path, &nodes), "hash");
    }

    #[test]
    fn a_proof_of_one_path_says_nothing_false_about_another(
        entries in any_entries(),
        path in any_path(),
        other in any_path(),
    ) {
        let (root, nodes) = reference_proof(&entries, path);
        if let Ok(value) = verify(root, &other, &nodes) {
            prop_assert_eq!(value, entries.get(&other).map(Vec::as_slice));
        }
    }

    #[test]
    fn garbage_that_hashes_correctly_never_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        path in any_path(),
    ) {
        let _ = verify(keccak256(&bytes), &path, &[bytes]);
    }

    #[test]
    fn a_damaged_node_that_hashes_correctly_never_panics(
        entries in any_entries(),
        absent in any_path(),
        bit: prop::sample::Index,
    ) {
        let (_, nodes) = reference_proof(&entries, absent);
        for mut node in nodes {
            let bit = bit.index(8 * node.len());
            node[bit / 8] ^= 1 << (bit % 8);
            let _ = verify(keccak256(&node), &absent, &[node]);
        }
    }
}

#[test]
fn nodes_that_stand_inside_their_parents_are_walked_and_cannot_be_repeated() {
    let near = |last: u8| B256::right_padding_from(&[&[7; 31][..], &[last]].concat());
    // Four leaves of one byte make a branch that stands in the extension, longer ones do not.
    for (value, hashed) in [(&[5][..], 1), (&[5, 6, 7], 2)] {
        let entries: Entries = (0..4).map(|last| (near(last << 4), value.to_vec())).collect();
        let path = near(0x20);
        let (root, nodes) = reference_proof(&entries, path);
        assert_eq!(nodes.len(), hashed);
        assert_eq!(verify(root, &path, &nodes), Ok(Some(value)));
        assert_eq!(verify(root, &near(0x40), &nodes), Ok(None), "no such child");
        assert_eq!(verify(root, &near(0x21), &nodes), Ok(None), "the leaf is another path's");

        let repeated = [nodes, vec![short(&[0x30], value)]].concat();
        assert_eq!(
            verify(root, &path, &repeated),
            Err(TrieError::UnusedNodes { used: hashed, unused: 1 })
        );
    }
}

#[test]
fn the_empty_trie_holds_nothing_with_or_without_its_node() {
    let path = B256::repeat_byte(1);
    assert_eq!(keccak256([0x80]), EMPTY_ROOT);
    assert_eq!(verify(EMPTY_ROOT, &path, &[]), Ok(None));
    assert_eq!(verify(EMPTY_ROOT, &path, &[vec![0x80]]), Ok(None));
    assert_eq!(
        verify(EMPTY_ROOT, &path, &[vec![0x80], vec![0x80]]),
        Err(TrieError::UnusedNodes { used: 1, unused: 1 })
    );
    assert_eq!(
        verify(EMPTY_ROOT, &path, &[vec![]]),
        Err(TrieError::WrongHash { node: 0, seen: keccak256([]), wanted: EMPTY_ROOT })
    );
    assert_eq!(verify(path, &path, &[]), Err(TrieError::MissingNode { nodes: 0, wanted: path }));
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes.encode(&mut out);
    out
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

/// A leaf with these path nibbles, written as hex-prefix bytes.
fn short(path: &[u8], value: &[u8]) -> Vec<u8> {
    list(&[string(path), string(value)])
}

/// A branch with these children, otherwise empty, and a value.
fn branch(children: &[(usize, Vec<u8>)], value: &[u8]) -> Vec<u8> {
    let mut items = vec![string(&[]); 16];
    for (index, child) in children {
        items[*index] = child.clone();
    }
    items.push(string(value));
    list(&items)
}

/// Verifies the path of zeros against a root that is the first node's hash.
fn verify_crafted(nodes: &[Vec<u8>]) -> Result<Option<&[u8]>, TrieError> {
    verify(keccak256(&nodes[0]), &B256::ZERO, nodes)
}

fn hash_of(node: &[u8]) -> Vec<u8> {
    string(keccak256(node).as_slice())
}

/// A hash of a node that the path of zeros does not reach.
fn elsewhere() -> (usize, Vec<u8>) {
    (9, string(&[0xee; 32]))
}

/// The leaf of the path of zeros at depth 1, and a branch above it.
fn leaf_below_branch() -> [Vec<u8>; 2] {
    let leaf = short(&[&[0x30][..], &[0; 31]].concat(), &[5]);
    [branch(&[(0, hash_of(&leaf)), elsewhere()], &[]), leaf]
}

#[test]
fn the_crafted_tries_are_proofs_until_they_are_spoilt() {
    let [branch, leaf] = leaf_below_branch();
    assert_eq!(verify_crafted(&[branch, leaf]), Ok(Some(&[5][..])));
    let lone = short(&[&[0x20][..], &[0; 32]].concat(), &[5]);
    assert_eq!(verify_crafted(&[lone]), Ok(Some(&[5][..])));
}

#[test]
fn each_malformed_root_has_its_own_error() {
    use TrieError as E;
    let node = 0;
    let extension = |path: &[u8], child: Vec<u8>| list(&[string(path), child]);
    let hash = || string(&[0xee; 32]);
    let inline = list(&[string(&[0x20]), string(&[1; 29])]);
    assert_eq!(inline.len(), 32);
    let cases = [
        (string(&[1, 2, 3]), E::NotANode { node, length: 3 }),
        (list(&[]), E::ItemCount { node, items: 0 }),
        (list(&[string(&[1])]), E::ItemCount { node, items: 1 }),
        (list(&vec![string(&[]); 16]), E::ItemCount { node, items: 16 }),
        (list(&vec![string(&[]); 18]), E::ItemCount { node, items: 18 }),
        (branch(&[(0, hash()), elsewhere()], &[1]), E::BranchValue { node }),
        (branch(&[(0, hash())], &[]), E::SparseBranch { node, children: 1 }),
        (branch(&[], &[]), E::SparseBranch { node, children: 0 }),
        (branch(&[(3, string(&[1; 31])), elsewhere()], &[]), E::ChildLength { node, length: 31 }),
        (branch(&[(3, string(&[1; 33])), elsewhere()], &[]), E::ChildLength { node, length: 33 }),
        (branch(&[(3, inline), elsewhere()], &[]), E::InlineTooLong { node, length: 32 }),
        (extension(&[], hash()), E::NoPath { node }),
        (extension(&[0x01, 0], hash()), E::PathPrefix { node, prefix: 0x01 }),
        (extension(&[0x0f, 0], hash()), E::PathPrefix { node, prefix: 0x0f }),
        (extension(&[0x21, 0], hash()), E::PathPrefix { node, prefix: 0x21 }),
        (extension(&[0x40, 0], hash()), E::PathPrefix { node, prefix: 0x40 }),
        (extension(&[0xff, 0], hash()), E::PathPrefix { node, prefix: 0xff }),
        (extension(&[0x00], hash()), E::EmptyExtension { node }),
        (extension(&[0x10], string(&[])), E::ChildlessExtension { node }),
        (extension(&[0x10], string(&[1; 20])), E::ChildLength { node, length: 20 }),
        (extension(&[0; 33], hash()), E::TooDeep { node, nibbles: 65 }),
        (extension(&[0; 40], hash()), E::TooDeep { node, nibbles: 79 }),
        (short(&[0x20], &[5]), E::LeafPathLength { node, nibbles: 0 }),
        (short(&[&[0x30], &[0; 31][..]].concat(), &[5]), E::LeafPathLength { node, nibbles: 63 }),
        (short(&[&[0x30], &[0; 32][..]].concat(), &[5]), E::LeafPathLength { node, nibbles: 65 }),
        (short(&[&[0x20], &[0; 32][..]].concat(), &[]), E::EmptyValue { node }),
        (short(&[&[0x20], &[9; 32][..]].concat(), &[]), E::EmptyValue { node }),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(
            verify_crafted(std::slice::from_ref(&bytes)),
            Err(wanted),
            "{}",
            hex::encode(&bytes)
        );
    }
}

#[test]
fn each_malformed_encoding_inside_a_node_is_refused() {
    let full = [&[0x20][..], &[0; 32]].concat();
    let with_byte_headed = [vec![0xc3], vec![0x81, 0x01], vec![0x80]].concat();
    let cases = [
        (vec![], RlpError::Truncated { wanted: 1, seen: 0 }),
        (vec![0xc1], RlpError::Truncated { wanted: 1, seen: 0 }),
        (with_byte_headed, RlpError::NonCanonicalByte { byte: 1 }),
        ([short(&full, &[5]), vec![0]].concat(), RlpError::TrailingBytes { extra: 1 }),
        (list(&[list(&[]), string(&[5])]), RlpError::ExpectedString { length: 0 }),
        (list(&[string(&full), list(&[])]), RlpError::ExpectedString { length: 0 }),
    ];
    for (bytes, fault) in cases {
        let shown = hex::encode(&bytes);
        assert_eq!(verify_crafted(&[bytes]), Err(TrieError::Rlp { node: 0, fault }), "{shown}");
    }
}

#[test]
fn each_malformed_child_has_its_own_error() {
    use TrieError as E;
    let [branch_node, leaf] = leaf_below_branch();
    let tiny = short(&[0x20], &[5]);
    let under = |child: &Vec<u8>| branch(&[(0, hash_of(child)), elsewhere()], &[]);
    let extension = |child: &Vec<u8>| list(&[string(&[0x10]), hash_of(child)]);
    let long_leaf = short(&[&[0x30][..], &[0; 31]].concat(), &[5]);
    let short_of_one = short(&[&[0x20][..], &[0; 31]].concat(), &[5]);
    let cases = [
        (vec![under(&tiny), tiny.clone()], E::HashedTooShort { node: 1, length: tiny.len() }),
        (vec![under(&vec![0x80]), vec![0x80]], E::HashedTooShort { node: 1, length: 1 }),
        (vec![under(&short_of_one), short_of_one], E::LeafPathLength { node: 1, nibbles: 63 }),
        (
            vec![extension(&long_leaf), long_leaf.clone()],
            E::ExtensionToShortNode { parent: 0, node: 1 },
        ),
        (
            vec![extension(&extension(&branch_node)), extension(&branch_node), branch_node.clone()],
            E::ExtensionToShortNode { parent: 0, node: 1 },
        ),
        (vec![branch_node.clone()], E::MissingNode { nodes: 1, wanted: keccak256(&leaf) }),
        (vec![branch_node, leaf, vec![1]], E::UnusedNodes { used: 2, unused: 1 }),
    ];
    for (nodes, wanted) in cases {
        assert_eq!(verify_crafted(&nodes), Err(wanted));
    }
}

#[test]
fn a_chain_of_branches_cannot_go_on_after_the_path() {
    let mut nodes = vec![branch(&[(0, string(&[0xdd; 32])), elsewhere()], &[])];
    for _ in 0..64 {
        let below = hash_of(&nodes[0]);
        nodes.insert(0, branch(&[(0, below), elsewhere()], &[]));
    }
    assert_eq!(verify_crafted(&nodes), Err(TrieError::TooDeep { node: 64, nibbles: 65 }));
}

#[test]
fn an_account_reads_back_and_each_spoilt_one_is_refused() {
    let (root, code) = (B256::repeat_byte(3), B256::repeat_byte(4));
    let encode = |nonce: &[u8], balance: &[u8], code: &[u8]| {
        list(&[string(nonce), string(balance), string(root.as_slice()), string(code)])
    };
    let good = encode(&[1, 0], &[9; 32], code.as_slice());
    let balance = U256::from_be_bytes([9; 32]);
    let account = TrieAccount { nonce: 256, balance, storage_root: root, code_hash: code };
    assert_eq!(decode_account(&good), Ok(account));
    assert_eq!(decode_account(&encode(&[], &[], code.as_slice())).map(|a| a.nonce), Ok(0));

    let fifth = list(&[good[2..].to_vec(), string(&[])]);
    let cases = [
        (encode(&[0], &[], code.as_slice()), RlpError::LeadingZero),
        (encode(&[], &[0, 1], code.as_slice()), RlpError::LeadingZero),
        (encode(&[1; 9], &[], code.as_slice()), RlpError::IntegerTooLong { seen: 9, limit: 8 }),
        (encode(&[], &[1; 33], code.as_slice()), RlpError::IntegerTooLong { seen: 33, limit: 32 }),
        (encode(&[], &[], &[4; 31]), RlpError::HashLength { seen: 31 }),
        (list(&[string(&[]), string(&[])]), RlpError::TooFewItems { seen: 2, wanted: 4 }),
        (fifth, RlpError::TooManyItems { wanted: 4 }),
        ([good, vec![0]].concat(), RlpError::TrailingBytes { extra: 1 }),
        (string(&[1, 2]), RlpError::ExpectedList { length: 2 }),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(decode_account(&bytes), Err(wanted), "{}", hex::encode(&bytes));
    }
}

#[test]
fn a_slot_value_reads_back_and_each_spoilt_one_is_refused() {
    assert_eq!(decode_slot_value(&[1]), Ok(U256::from(1)));
    assert_eq!(decode_slot_value(&string(&[255; 32])), Ok(U256::MAX));
    let cases = [
        (string(&[]), RlpError::ZeroSlot),
        (string(&[0]), RlpError::LeadingZero),
        (string(&[0, 1]), RlpError::LeadingZero),
        (string(&[1; 33]), RlpError::IntegerTooLong { seen: 33, limit: 32 }),
        (list(&[]), RlpError::ExpectedString { length: 0 }),
        (vec![1, 1], RlpError::TrailingBytes { extra: 1 }),
        (vec![], RlpError::Truncated { wanted: 1, seen: 0 }),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(decode_slot_value(&bytes), Err(wanted), "{}", hex::encode(&bytes));
    }
}

#[test]
fn every_message_names_the_node_and_what_was_wanted() {
    let text = TrieError::MissingNode { nodes: 3, wanted: EMPTY_ROOT }.to_string();
    assert!(text.starts_with("the proof ends after 3 nodes, and 0x56e8"), "{text}");
    let text = TrieError::InlineTooLong { node: 2, length: 40 }.to_string();
    assert_eq!(text, "a child inside node 2 takes 40 bytes, from 32 on it must be hashed");
}
