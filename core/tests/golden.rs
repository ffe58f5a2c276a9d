//! The bytes that contracts and clients rely on, against files that other people's code wrote.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lc_core::{
    alloy_primitives::{Address, B256, U256},
    alloy_sol_types::SolValue,
    host::{NativeCrypto, Network},
    statement::{Account, CommitteeChange, Inclusion, Slot},
};

fn golden(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
    hex::decode(text.trim()).unwrap()
}

fn word(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn committee_change() -> CommitteeChange {
    CommitteeChange {
        chain: word(1),
        signerPeriod: 2,
        signerCommittee: word(3),
        newPeriod: 4,
        newCommittee: word(5),
        minParticipation: 6,
        finalizedSlot: 7,
        finalizedRoot: word(8),
        executionNumber: 9,
        executionHash: word(10),
        executionStateRoot: word(11),
    }
}

fn inclusion() -> Inclusion {
    Inclusion {
        chain: word(1),
        signerPeriod: 2,
        signerCommittee: word(3),
        participation: 4,
        attestedSlot: 5,
        finalizedSlot: 6,
        finalizedRoot: word(7),
        executionNumber: 8,
        executionHash: word(9),
        executionStateRoot: word(10),
        accounts: vec![
            Account {
                account: Address::repeat_byte(11),
                exists: true,
                nonce: 12,
                balance: U256::from(13) << 200,
                storageRoot: word(14),
                codeHash: word(15),
                slots: vec![
                    Slot { key: word(16), value: U256::from(17) },
                    Slot { key: word(18), value: U256::ZERO },
                ],
            },
            Account {
                account: Address::repeat_byte(19),
                exists: false,
                nonce: 0,
                balance: U256::ZERO,
                storageRoot: B256::ZERO,
                codeHash: B256::ZERO,
                slots: vec![],
            },
        ],
    }
}

#[test]
fn a_committee_change_encodes_to_its_golden_bytes_and_back() {
    let bytes = golden("committee_change.hex");
    assert_eq!(committee_change().abi_encode(), bytes);
    assert_eq!(CommitteeChange::abi_decode(&bytes).unwrap(), committee_change());
    let mut other = bytes.clone();
    other[31] ^= 1;
    assert_ne!(CommitteeChange::abi_decode(&other).unwrap(), committee_change());
    CommitteeChange::abi_decode(&bytes[..bytes.len() - 1]).expect_err("one byte is missing");
}

#[test]
fn an_inclusion_encodes_to_its_golden_bytes_and_back() {
    let bytes = golden("inclusion.hex");
    assert_eq!(inclusion().abi_encode(), bytes);
    assert_eq!(Inclusion::abi_decode(&bytes).unwrap(), inclusion());
    Inclusion::abi_decode(&bytes[..bytes.len() - 32]).expect_err("one word is missing");
}

#[test]
fn every_network_has_its_golden_chain_word() {
    for network in [Network::Mainnet, Network::Sepolia, Network::Hoodi] {
        let spec = network.chain_spec(None).unwrap();
        let seen = spec.hash_tree_root::<NativeCrypto>();
        assert_eq!(seen.as_slice(), golden(&format!("chain_{}.hex", network.name())));
        let mut other = spec.clone();
        other.forks[5].epoch += 1;
        assert_ne!(other.hash_tree_root::<NativeCrypto>(), seen);
    }
}
