//! A statement has one encoding. Everything else is refused, by the offset where it goes wrong; the verifier would have
//! taken each of these.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_primitives::B256;
use alloy_sol_types::SolValue;
use lc_contracts::{
    COMMITTEE_CHANGE_VKEY, CallError, EthereumLightClient as Contract, INCLUSION_VKEY, LightClient,
    PROOF, Setup, Statements,
};

const WORD: usize = 32;

fn malformed(offset: usize) -> CallError {
    CallError::of(&Contract::MalformedPublicValues { offset: alloy_primitives::U256::from(offset) })
}

/// A light client and a committee change for it.
fn committee_change() -> (LightClient, Vec<u8>) {
    let statements = Statements::of_seed(1);
    let first = statements.first_period();
    let client = Setup::following(&statements).deploy().unwrap();
    (client, statements.committee_change(first..first + 1).abi_encode())
}

/// A light client and an inclusion for it, of two accounts: one with two slots, one without.
fn inclusion() -> (LightClient, Vec<u8>) {
    let statements = Statements::of_seed(1);
    let first = statements.first_period();
    let client = Setup::following(&statements).deploy().unwrap();
    let known = statements.accounts();
    let slots = [known.total_supply, known.balance_of_absent];
    let inclusion = statements.inclusion(first, &[(known.token, &slots[..]), (known.wallet, &[])]);
    (client, inclusion.abi_encode())
}

fn update(client: &mut LightClient, public_values: &[u8]) -> Result<(), CallError> {
    client.expect_proof(COMMITTEE_CHANGE_VKEY, public_values, &PROOF);
    client.update(public_values, PROOF).map(drop)
}

fn prove(client: &mut LightClient, public_values: &[u8]) -> Result<Contract::Inclusion, CallError> {
    client.expect_proof(INCLUSION_VKEY, public_values, &PROOF);
    client.prove_inclusion(0, public_values, PROOF)
}

#[test]
fn a_committee_change_that_is_cut_or_lengthened_is_refused() {
    let (mut client, public_values) = committee_change();
    for len in 0..public_values.len() {
        assert_eq!(update(&mut client, &public_values[..len]), Err(malformed(len)));
    }
    for more in [1, WORD] {
        let longer = [&public_values[..], &vec![0; more]].concat();
        assert_eq!(update(&mut client, &longer), Err(malformed(public_values.len())));
    }
    assert_eq!(update(&mut client, &public_values), Ok(()));
}

#[test]
fn bits_above_a_number_of_a_committee_change_are_refused() {
    let (mut client, public_values) = committee_change();
    for word in [1, 3, 5, 6, 8] {
        for bit in [64, 65, 128, 255] {
            let mut dirty = public_values.clone();
            dirty[word * WORD + (255 - bit) / 8] |= 1 << (bit % 8);
            assert_eq!(update(&mut client, &dirty), Err(malformed(word * WORD)));
        }
    }
}

#[test]
fn an_inclusion_that_is_cut_or_lengthened_is_refused() {
    let (mut client, public_values) = inclusion();
    for len in 0..public_values.len() {
        let error = prove(&mut client, &public_values[..len]).unwrap_err();
        let CallError::Reverted(reason) = error else { panic!("{error}") };
        assert_eq!(
            reason[..4],
            <Contract::MalformedPublicValues as alloy_sol_types::SolError>::SELECTOR
        );
    }
    for more in [1, WORD] {
        let longer = [&public_values[..], &vec![0; more]].concat();
        assert_eq!(prove(&mut client, &longer), Err(malformed(public_values.len())));
    }
    prove(&mut client, &public_values).unwrap();
}

/// The words of `inclusion()` that say where things are and how many there are, and what they say.
const LAYOUT: [(usize, u8); 8] = [
    (0, 0x20),  // where the statement begins
    (11, 0x60), // where the accounts are, modulo 256: 0x160
    (12, 2),    // how many
    (13, 0x40), // where the first one is
    (14, 0xc0), // where the second one is, modulo 256: 0x1c0
    (21, 0xe0), // where the first one's slots are
    (22, 2),    // how many
    (33, 0xe0), // where the second one's slots are
];

#[test]
fn every_offset_and_count_is_the_one_that_abi_encode_writes() {
    let (mut client, public_values) = inclusion();
    for (word, low_byte) in LAYOUT {
        let end = (word + 1) * WORD;
        assert_eq!(public_values[end - 1], low_byte, "word {word}");
        let huge = B256::repeat_byte(0xff);
        let wrong: [B256; 4] = [
            B256::ZERO,
            B256::with_last_byte(low_byte ^ 1),
            B256::left_padding_from(&[1, low_byte]),
            huge,
        ];
        for value in wrong {
            let mut changed = public_values.clone();
            changed[end - WORD..end].copy_from_slice(value.as_slice());
            if changed != public_values {
                prove(&mut client, &changed).unwrap_err();
            }
        }
    }
}

#[test]
fn a_gap_before_the_accounts_is_refused() {
    let (mut client, public_values) = inclusion();
    let split = 12 * WORD;
    let mut gap = [&public_values[..split], &[0; WORD], &public_values[split..]].concat();
    gap[11 * WORD + WORD - 1] += 0x20;
    assert_eq!(prove(&mut client, &gap), Err(malformed(11 * WORD)));
}

#[test]
fn bits_above_an_address_a_flag_or_a_number_of_an_inclusion_are_refused() {
    let (mut client, public_values) = inclusion();
    let narrow = [(2, 64), (4, 64), (5, 64), (6, 64), (8, 64), (15, 160), (16, 1), (17, 64)];
    for (word, bits) in narrow {
        for bit in [bits, 255] {
            let mut dirty = public_values.clone();
            dirty[word * WORD + (255 - bit) / 8] |= 1 << (bit % 8);
            assert_eq!(prove(&mut client, &dirty), Err(malformed(word * WORD)));
        }
    }
}

#[test]
fn what_is_taken_is_abi_encode_of_what_is_returned() {
    let (mut client, public_values) = inclusion();
    let mut taken = 0;
    for bit in 0..public_values.len() * 8 {
        let mut mutated = public_values.clone();
        mutated[bit / 8] ^= 1 << (bit % 8);
        if let Ok(inclusion) = prove(&mut client, &mutated) {
            assert_eq!(inclusion.abi_encode(), mutated);
            taken += 1;
        }
    }
    // What the contract knows nothing about may say anything: four numbers and three words of the block, all of both
    // accounts, both slots.
    let account = 160 + 1 + 64 + 3 * 256;
    assert_eq!(taken, 4 * 64 + 3 * 256 + 2 * account + 2 * 2 * 256);
}
