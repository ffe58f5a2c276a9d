//! Merkle-Patricia proofs.
//!
//! - Of a trie that another library built, every path is proven: present with its value, or absent.
//! - However such a proof is changed, for whatever path, it never proves what the trie does not hold.
//! - Nodes that fit each other and no trie make nothing panic, and what they prove that library takes for proven.

use std::collections::BTreeMap;

use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use lc_core::{
    alloy_primitives::{B256, Bytes},
    crypto::Crypto as _,
    host::NativeCrypto,
    trie::{EMPTY_ROOT, TrieError, verify_proof},
};

use crate::input::Input;

/// Stands in a node for the hash of the next one.
pub const NEXT_HASH: [u8; 32] = [0xee; 32];

/// Nodes shorter than this stand in their parents and are no part of a proof.
const HASHED: usize = 32;

/// Checks all of it: of a trie if the first byte is even, of nodes alone if it is odd.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(2) { of_trie(&mut input) } else { of_nodes(&mut input) }
}

type Leaves = BTreeMap<B256, Vec<u8>>;

fn of_trie(input: &mut Input<'_>) -> bool {
    let leaves: Leaves = (0..input.below(24)).map(|_| (path(input), value(input))).collect();
    let asked = path(input);
    let (root, nodes) = prove(&leaves, &asked);
    let value = leaves.get(&asked).map(Vec::as_slice);
    assert_eq!(verify(root, &asked, &nodes), Ok(value), "an honest proof");

    let other = path(input);
    let (_, of_other) = prove(&leaves, &other);
    let mut changed = nodes.clone();
    while !input.is_empty() {
        change(&mut changed, &of_other, input);
        for path in [&asked, &other] {
            if let Ok(found) = verify(root, path, &changed) {
                assert_eq!(found, leaves.get(path).map(Vec::as_slice), "a false proof");
            }
        }
    }
    true
}

/// Few different beginnings, so that paths part at every depth.
fn path(input: &mut Input<'_>) -> B256 {
    let first = input.byte();
    let mut path = B256::repeat_byte(first % 4 * 0x55);
    for _ in 0..first / 4 % 8 {
        let at = input.below(64);
        let shift = 4 * (at % 2);
        let nibble = input.byte() % 16;
        path[at / 2] = path[at / 2] & !(0xf << shift) | nibble << shift;
    }
    path
}

/// Short ones stand with their leaves in the node above.
fn value(input: &mut Input<'_>) -> Vec<u8> {
    let length = 1 + input.below(48);
    let mut value = input.bytes(length).to_vec();
    value.resize(length, 1);
    value
}

fn prove(leaves: &Leaves, path: &B256) -> (B256, Vec<Vec<u8>>) {
    if leaves.is_empty() {
        return (EMPTY_ROOT, Vec::new());
    }
    let path = Nibbles::unpack(path);
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![path]));
    for (path, value) in leaves {
        builder.add_leaf(Nibbles::unpack(path), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted().into_iter();
    let nodes =
        nodes.enumerate().filter(|(number, (_, node))| *number == 0 || node.len() >= HASHED);
    (root, nodes.map(|(_, (_, node))| node.to_vec()).collect())
}

fn verify<'a>(
    root: B256,
    path: &B256,
    nodes: &'a [Vec<u8>],
) -> Result<Option<&'a [u8]>, TrieError> {
    verify_proof::<NativeCrypto>(root, path, nodes)
}

fn change(nodes: &mut Vec<Vec<u8>>, others: &[Vec<u8>], input: &mut Input<'_>) {
    let kind = input.below(7);
    let at = input.below(nodes.len() + 1);
    match (kind, nodes.get_mut(at)) {
        (0, Some(node)) if !node.is_empty() => {
            let byte = usize::from(input.u16()) % node.len();
            node[byte] ^= input.byte().max(1);
        }
        (1, Some(_)) => drop(nodes.remove(at)),
        (2, Some(node)) => {
            let again = node.clone();
            nodes.insert(at, again);
        }
        (3, Some(_)) => nodes.rotate_left(at),
        (4, Some(node)) => node.truncate(usize::from(input.u16())),
        (5, Some(node)) => {
            let length = input.below(40);
            node.extend_from_slice(input.bytes(length));
        }
        _ => nodes.extend(others.get(at).cloned()),
    }
}

fn of_nodes(input: &mut Input<'_>) -> bool {
    let path = path(input);
    let count = input.below(6);
    let mut nodes: Vec<Vec<u8>> = Vec::new();
    for _ in 0..count {
        let length = usize::from(input.u16());
        nodes.push(input.bytes(length).to_vec());
    }
    let mut root = B256::ZERO;
    for node in nodes.iter_mut().rev() {
        if let Some(at) = node.windows(32).position(|window| window == NEXT_HASH) {
            node[at..at + 32].copy_from_slice(root.as_slice());
        }
        root = NativeCrypto::keccak256(node);
    }
    let Ok(found) = verify(root, &path, &nodes) else { return false };
    let found = found.map(<[u8]>::to_vec);
    let nodes: Vec<Bytes> = nodes.iter().cloned().map(Bytes::from).collect();
    alloy_trie::proof::verify_proof(root, Nibbles::unpack(path), found, &nodes)
        .expect("what is proven here is proven elsewhere");
    true
}
