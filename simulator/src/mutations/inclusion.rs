//! What is the inclusion's own: account and storage proofs.

use alloy_trie::TrieAccount;
use lc_core::{
    Fork,
    alloy_primitives::{Address, B256, Bytes, U256, keccak256},
    objects::LightClientFinalityUpdate,
    statement::{AccountProof, Execution, InclusionWitness},
    sync_protocol::CheckError as E,
    trie::TrieError,
};

use super::{Mutation, Witness, mutation, shorten};
use crate::{builder::Preset, chain::Chain, trie::Trie};

/// The token with a slot present and one absent, the wallet, the contract without storage, and the absent
/// account, in the second period.
pub(super) fn valid(chain: &Chain) -> InclusionWitness {
    let (period, known) = (chain.first_period() + 1, chain.accounts());
    let requests: [(Address, &[B256]); 4] = [
        (known.token, &[known.balance_of_wallet, known.balance_of_absent]),
        (known.wallet, &[]),
        (known.no_storage, &[known.total_supply]),
        (known.absent, &[known.total_supply]),
    ];
    let accounts = requests.map(|(address, slots)| {
        chain.account_proof(period, address, slots).expect("these are known")
    });
    let update = chain.update(period).participants(25).build_finality();
    witness(chain, period, &update, accounts.to_vec())
}

fn witness(
    chain: &Chain,
    period: u64,
    update: &LightClientFinalityUpdate,
    accounts: Vec<AccountProof>,
) -> InclusionWitness {
    let input = chain.inclusion_input(period, update, accounts);
    input.witness().expect("only checks of the statement fail")
}

/// The valid witness, changed.
fn changed(chain: &Chain, change: impl FnOnce(&mut InclusionWitness)) -> Witness {
    let mut witness = valid(chain);
    change(&mut witness);
    Witness::Inclusion(witness.into())
}

pub(super) fn mutations(chain: &Chain) -> Vec<Mutation> {
    let mut mutations = accounts(chain);
    mutations.extend(slots(chain));
    mutations.extend(leaves(chain));
    mutations.extend(finality(chain));
    mutations
}

/// Positions in [`valid`].
const TOKEN: usize = 0;
const WALLET: usize = 1;
const NO_STORAGE: usize = 2;
const ABSENT: usize = 3;

fn flip(node: &mut Bytes) {
    let mut bytes = node.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    *node = bytes.into();
}

fn accounts(chain: &Chain) -> Vec<Mutation> {
    vec![
        mutation!("no account is asked for", changed(chain, |w| w.accounts.clear()), E::NoAccounts),
        mutation!(
            "an account's proof lacks its leaf",
            changed(chain, |w| shorten(&mut w.accounts[WALLET].nodes)),
            E::Account { account: WALLET, source: TrieError::MissingNode { .. } }
        ),
        mutation!(
            "an account's proof is empty",
            changed(chain, |w| w.accounts[WALLET].nodes.clear()),
            E::Account { account: WALLET, source: TrieError::MissingNode { .. } }
        ),
        mutation!(
            "an account's proof goes on after its leaf",
            changed(chain, |w| w.accounts[WALLET].nodes.push(vec![0xc0].into())),
            E::Account { account: WALLET, source: TrieError::UnusedNodes { .. } }
        ),
        mutation!(
            "an account's leaf is another",
            changed(chain, |w| {
                w.accounts[WALLET].nodes.last_mut().into_iter().for_each(flip);
            }),
            E::Account { account: WALLET, source: TrieError::WrongHash { .. } }
        ),
        mutation!(
            "an account's root node is another",
            changed(chain, |w| flip(&mut w.accounts[WALLET].nodes[0])),
            E::Account { account: WALLET, source: TrieError::WrongHash { node: 0, .. } }
        ),
        mutation!(
            "an account's proof is another account's",
            changed(chain, |w| w.accounts[WALLET].nodes = w.accounts[TOKEN].nodes.clone()),
            E::Account { account: WALLET, .. }
        ),
        mutation!(
            "an account passes for absent by another's proof of absence",
            changed(chain, |w| w.accounts[WALLET].nodes = w.accounts[ABSENT].nodes.clone()),
            E::Account { account: WALLET, .. }
        ),
        mutation!(
            "an absent account passes for another that is there",
            changed(chain, |w| w.accounts[ABSENT].nodes = w.accounts[WALLET].nodes.clone()),
            E::Account { account: ABSENT, .. }
        ),
        mutation!(
            "a proof of absence lacks its last node",
            changed(chain, |w| shorten(&mut w.accounts[ABSENT].nodes)),
            E::Account { account: ABSENT, source: TrieError::MissingNode { .. } }
        ),
        mutation!(
            "an account's proof is against the state of another block",
            changed(chain, |w| {
                let (period, known) = (chain.first_period() + 2, chain.accounts());
                let proof = chain.account_proof(period, known.wallet, &[]);
                w.accounts[WALLET] = proof.expect("the wallet is known");
            }),
            E::Account { account: WALLET, source: TrieError::WrongHash { node: 0, .. } }
        ),
        mutation!(
            "an account that is absent has storage",
            changed(chain, |w| w.accounts[ABSENT].storage = w.accounts[TOKEN].storage.clone()),
            E::StorageOfAbsent { account: ABSENT, slot: 0 }
        ),
    ]
}

fn slots(chain: &Chain) -> Vec<Mutation> {
    vec![
        mutation!(
            "a slot's proof lacks its leaf",
            changed(chain, |w| shorten(&mut w.accounts[TOKEN].storage[0].nodes)),
            E::Slot { account: TOKEN, slot: 0, source: TrieError::MissingNode { .. } }
        ),
        mutation!(
            "a slot's leaf is another",
            changed(chain, |w| {
                w.accounts[TOKEN].storage[0].nodes.last_mut().into_iter().for_each(flip);
            }),
            E::Slot { account: TOKEN, slot: 0, source: TrieError::WrongHash { .. } }
        ),
        mutation!(
            "a slot passes for absent by another's proof of absence",
            changed(chain, |w| {
                w.accounts[TOKEN].storage[0].nodes = w.accounts[TOKEN].storage[1].nodes.clone();
            }),
            E::Slot { account: TOKEN, slot: 0, .. }
        ),
        mutation!(
            "an absent slot passes for another that is set",
            changed(chain, |w| {
                w.accounts[TOKEN].storage[1].nodes = w.accounts[TOKEN].storage[0].nodes.clone();
            }),
            E::Slot { account: TOKEN, slot: 1, .. }
        ),
        mutation!(
            "a slot's proof is another contract's",
            changed(chain, |w| w.accounts[NO_STORAGE].storage = w.accounts[TOKEN].storage.clone()),
            E::Slot { account: NO_STORAGE, slot: 0, .. }
        ),
        mutation!(
            "a slot passes for absent by an empty proof",
            changed(chain, |w| w.accounts[TOKEN].storage[0].nodes.clear()),
            E::Slot { account: TOKEN, slot: 0, source: TrieError::MissingNode { .. } }
        ),
        mutation!(
            "a proof of an empty storage goes on",
            changed(chain, |w| w.accounts[NO_STORAGE].storage[0].nodes.push(vec![0xc0].into())),
            E::Slot { account: NO_STORAGE, slot: 0, source: TrieError::WrongHash { .. } }
        ),
    ]
}

/// Leaves that no execution client writes, in tries whose roots are finalized and signed.
fn leaves(chain: &Chain) -> Vec<Mutation> {
    let account = TrieAccount { nonce: 5, ..TrieAccount::default() };
    let mut leading_zero = alloy_rlp::encode(account);
    // The nonce is the item after the list's two-byte header: 5 becomes a string of one byte, 0.
    leading_zero[2] = 0;
    let mut longer = alloy_rlp::encode(account);
    longer.push(0x80);
    let zero_slot = one_leaf(keccak256(B256::ZERO), vec![0x80]);
    let padded_slot = one_leaf(keccak256(B256::ZERO), vec![0x82, 0, 1]);
    let with_storage = |trie: &Trie| {
        alloy_rlp::encode(TrieAccount { storage_root: trie.root(), ..TrieAccount::default() })
    };
    vec![
        mutation!(
            "an account's leaf has an integer with a leading zero",
            in_state(chain, leading_zero, None),
            E::AccountValue { account: 0, .. }
        ),
        mutation!(
            "an account's leaf goes on after the account",
            in_state(chain, longer, None),
            E::AccountValue { account: 0, .. }
        ),
        mutation!(
            "a slot's leaf says zero",
            in_state(chain, with_storage(&zero_slot), Some(&zero_slot)),
            E::SlotValue { account: 0, slot: 0, .. }
        ),
        mutation!(
            "a slot's leaf has a leading zero",
            in_state(chain, with_storage(&padded_slot), Some(&padded_slot)),
            E::SlotValue { account: 0, slot: 0, .. }
        ),
    ]
}

fn one_leaf(path: B256, value: Vec<u8>) -> Trie {
    let seed = crate::seed::Seed::new(0);
    let leaves = [(path, value)].into_iter().collect();
    Trie { leaves, absent: Default::default(), depth: 0, seed, number: 0 }
}

/// The witness of an account with that leaf, and of its slot 0 in `storage`, in a state with nothing else.
fn in_state(chain: &Chain, leaf: Vec<u8>, storage: Option<&Trie>) -> Witness {
    let address = Address::repeat_byte(0x42);
    let state = one_leaf(keccak256(address), leaf);
    let prove = |trie: &Trie, path: B256| trie.prove(&path).expect("the trie is whole");
    let slot = |trie: &Trie| lc_core::statement::StorageProof {
        key: B256::ZERO,
        nodes: prove(trie, keccak256(B256::ZERO)),
    };
    let proof = AccountProof {
        address,
        nodes: prove(&state, keccak256(address)),
        storage: storage.map(slot).into_iter().collect(),
    };
    let period = chain.first_period();
    let root = state.root();
    let update = chain.update(period).edit_execution(|header| header.state_root = root);
    Witness::Inclusion(witness(chain, period, &update.build_finality(), vec![proof]).into())
}

fn finality(chain: &Chain) -> Vec<Mutation> {
    let builder = Chain::builder().preset(Preset::Minimal).only_fork(Fork::Bellatrix);
    let bellatrix = builder.build().expect("one fork is in order");
    let period = bellatrix.first_period();
    let update = bellatrix.update(period).build_finality();
    let proof = AccountProof { address: Address::ZERO, nodes: Vec::new(), storage: Vec::new() };
    vec![
        mutation!(
            "the finalized header is from before execution headers",
            Witness::Inclusion(witness(&bellatrix, period, &update, vec![proof]).into()),
            E::NoExecution { .. }
        ),
        mutation!(
            "too few signed",
            changed(chain, |w| {
                let update = chain.update(w.signer_period).participants(21).build_finality();
                *w = witness(chain, w.signer_period, &update, w.accounts.clone());
            }),
            E::Participation { signed: 21, size: 32 }
        ),
        mutation!(
            "the committee is another period's",
            changed(chain, |w| w.signer_period += 1),
            E::Period { what: "signature", .. }
        ),
        mutation!(
            "the state root is another than the finalized block's",
            changed(chain, |w| match &mut w.execution {
                Execution::Payload(fields) => fields.state_root = B256::from(U256::from(1)).into(),
                other => unreachable!("the second period is Deneb's or later: {other:?}"),
            }),
            E::ExecutionBranch("finalized")
        ),
    ]
}
