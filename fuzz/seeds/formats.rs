//! RLP, trie proofs, `eth_getProof` answers and network configurations.

use alloy_rlp::Encodable;
use lc_core::{
    ProgramId,
    alloy_primitives::{Address, B256, Bytes, U256},
    statement::AccountProof,
};
use lc_fuzz::trie_proof::NEXT_HASH;
use simulator::{Chain, Preset, config_yaml, mutations};

use crate::Seeds;

/// What people write in such files: quotes or none, flow style, numbers that are too large, anchors.
const DEVNET: &str = "# comment
PRESET_BASE: \"minimal\"
ALTAIR_FORK_VERSION: '0x01000001'
ALTAIR_FORK_EPOCH: 0
BELLATRIX_FORK_VERSION: 0x02000001
BELLATRIX_FORK_EPOCH: 3
CAPELLA_FORK_VERSION: 50331649
CAPELLA_FORK_EPOCH: 18446744073709551615
SECONDS_PER_SLOT: &slot 6
SLOT_DURATION: *slot
BLOB_SCHEDULE: [{EPOCH: 5, MAX_BLOBS_PER_BLOCK: 1.5}]
DEPOSIT_CONTRACT_ADDRESS: 0x00000000219ab540356cBB839Cbe05303d7705Fa
TEXT: |
  -1 ~ true
";

pub(crate) fn add(seeds: &mut Seeds) {
    let chain = Chain::builder().preset(Preset::Minimal).trie_depth(1).build();
    let chain = chain.expect("the default schedule is in order");
    rlp(seeds, &chain);
    tries(seeds);
    answers(seeds, &chain);
    configs(seeds, &chain);
    witnesses(seeds);
}

fn encoded(value: &impl Encodable) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

fn proof(chain: &Chain, address: Address, slots: &[B256]) -> AccountProof {
    let proof = chain.account_proof(chain.first_period(), address, slots);
    proof.expect("the account is known")
}

fn rlp(seeds: &mut Seeds, chain: &Chain) {
    let accounts = chain.accounts();
    let token = proof(chain, accounts.token, &[accounts.total_supply]);
    let mut add = |name: &str, bytes: Vec<u8>| seeds.add("rlp", name, bytes);
    for (number, node) in token.nodes.iter().chain(&token.storage[0].nodes).enumerate() {
        add(&format!("node-{number}"), node.to_vec());
    }
    let account = [&[5u8][..], &[1; 32], &[2; 32], &[3; 32]].map(Bytes::copy_from_slice);
    let account = encoded(&account.to_vec());
    add("no-account-with-a-byte-behind-it", [&account[..], &[0]].concat());
    add("account", account);
    add("u64", encoded(&u64::MAX));
    add("u256", encoded(&(U256::from(7) << 200)));
    add("hash", encoded(&B256::repeat_byte(9)));
    add("lists", vec![0xc7, 0xc0, 0xc1, 0xc0, 0xc3, 0xc0, 0xc1, 0xc0]);
    add("long", encoded(&vec![1u8; 300].as_slice()));
    let chain = mutations::gloas_chain();
    add("block-header", chain.block_header(chain.first_slot()).to_vec());
    add(
        "block-header-of-gloas",
        chain.block_header(chain.first_slot_of(chain.first_period() + 2)).to_vec(),
    );
    add("no-leading-zero-in-length", [vec![0xb9, 0, 60], vec![1; 60]].concat());
    add("no-byte-with-header", vec![0x81, 5]);
    add("no-length-beyond-memory", vec![0xbf; 9]);
}

fn tries(seeds: &mut Seeds) {
    let mut add = |name: &str, bytes: Vec<u8>| seeds.add("trie_proof", name, bytes);
    add("empty", vec![0, 0, 0]);
    // Eight leaves that part at the 1st, 2nd, .. and the last nibbles, with values of one to forty bytes; the third
    // is asked for; then each change once.
    let mut trie = vec![0, 8];
    for leaf in 0..8u8 {
        // One edit, at this nibble.
        trie.extend([4, leaf * 9, leaf + 1]);
        trie.push(leaf * 5);
        trie.extend(vec![leaf + 1; 1 + usize::from(leaf) * 5]);
    }
    trie.extend([4, 18, 3, 4, 60, 9]);
    for change in 0..7 {
        trie.extend([change, 1, 3, 0, 1]);
    }
    add("eight-leaves", trie);
    // Leaves so short and paths so alike that they stand in their parents.
    let mut inline = vec![0, 4];
    for leaf in 0..4u8 {
        inline.extend([4, 63, leaf, 0, leaf + 1]);
    }
    inline.extend([4, 63, 2, 4, 63, 9, 0, 0, 1]);
    add("leaves-in-their-parent", inline);
    // A branch that refers to a leaf by hash, and the leaf; then a path that the branch does not have.
    let mut path = [0; 32];
    path[0] = 0x30;
    let leaf = encoded(&[path.to_vec(), vec![7; 40]].map(Bytes::from).to_vec());
    let mut branch = vec![Bytes::new(); 17];
    branch[0] = NEXT_HASH.to_vec().into();
    branch[5] = vec![1; 32].into();
    let branch = encoded(&branch);
    add("nodes-of-a-present-path", nodes(&[branch.clone(), leaf]));
    add("no-nodes-without-the-leaf", nodes(&[branch]));
}

/// The target's form of nodes alone, with the path of zeros.
fn nodes(nodes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![1, 0, nodes.len() as u8];
    for node in nodes {
        out.extend((node.len() as u16).to_le_bytes());
        out.extend(node);
    }
    out
}

fn answers(seeds: &mut Seeds, chain: &Chain) {
    let accounts = chain.accounts();
    let state = chain.execution_state(chain.first_period());
    let mut add = |name: &str, address, slots: &[B256]| {
        let answer = state.eth_get_proof(address, slots).expect("the account is known");
        seeds.add("eth_get_proof_json", name, answer.into_bytes());
    };
    add("token.json", accounts.token, &[accounts.total_supply, accounts.balance_of_absent]);
    add("absent.json", accounts.absent, &[]);
    add("without-storage.json", accounts.no_storage, &[B256::ZERO]);
    let error =
        br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"missing trie node"}}"#;
    seeds.add("eth_get_proof_json", "no-state.json", error.to_vec());
}

fn configs(seeds: &mut Seeds, chain: &Chain) {
    let mut add = |name: &str, text: String| seeds.add("config_yaml", name, text.into_bytes());
    add("simulated.yaml", config_yaml(chain.spec(), chain.preset()));
    add("devnet.yaml", DEVNET.to_owned());
    add(
        "no-altair-after-bellatrix.yaml",
        DEVNET.replace("ALTAIR_FORK_EPOCH: 0", "ALTAIR_FORK_EPOCH: 9"),
    );
}

fn witnesses(seeds: &mut Seeds) {
    let [change, boundary, inclusion] = mutations::valid_gloas(&mutations::gloas_chain());
    let gloas = [("gloas-", change), ("gloas-boundary-", boundary), ("gloas-", inclusion)];
    let older = mutations::valid(&mutations::chain()).map(|witness| ("", witness));
    for (of, witness) in older.into_iter().chain(gloas) {
        let program = witness.program();
        let first = u8::from(program == ProgramId::Inclusion);
        let bytes = [vec![first], witness.to_bytes()].concat();
        // By a word.
        let cut = bytes[..bytes.len() - 8].to_vec();
        seeds.add("witness", format!("{of}{program}"), bytes);
        seeds.add("witness", format!("no-{of}{program}-cut-short"), cut);
    }
}
