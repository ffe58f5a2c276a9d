//! What a proof says, and the checks behind every word of it.
//!
//! Public values are `abi.encode` of the Solidity structs below, so that a contract and a client decode
//! them with the same type. Every input that a verifier must trust is in them. The witnesses are the
//! prover's: private, compact, and never believed.

mod committee_change;
mod execution;
mod inclusion;

pub use committee_change::{CommitteeChangeWitness, Followed, PeriodUpdate};
pub use execution::{Execution, NamedBlock, PayloadFields};
pub use inclusion::{AccountProof, InclusionWitness, StorageProof};
pub use public_values::{Account, CommitteeChange, Inclusion, Slot};

/// The Solidity types, in a module of their own: the macro's helpers stay out of the docs' way.
#[allow(missing_docs, reason = "generated items; the fields are described in docs/statements.md")]
mod public_values {
    alloy_sol_types::sol! {
        /// The committee of `signerPeriod` vouches for the committee of `newPeriod`.
        #[derive(Debug, PartialEq, Eq)]
        struct CommitteeChange {
            bytes32 chain;
            uint64 signerPeriod;
            bytes32 signerCommittee;
            uint64 newPeriod;
            bytes32 newCommittee;
            uint64 minParticipation;
            uint64 finalizedSlot;
            bytes32 finalizedRoot;
            uint64 executionNumber;
            bytes32 executionHash;
            bytes32 executionStateRoot;
        }

        /// Accounts and storage slots in the state that the committee of `signerPeriod` saw finalized.
        #[derive(Debug, PartialEq, Eq)]
        struct Inclusion {
            bytes32 chain;
            uint64 signerPeriod;
            bytes32 signerCommittee;
            uint64 participation;
            uint64 attestedSlot;
            uint64 finalizedSlot;
            bytes32 finalizedRoot;
            uint64 executionNumber;
            bytes32 executionHash;
            bytes32 executionStateRoot;
            Account[] accounts;
        }

        /// One account. Where `exists` is false it is proven absent and all else is zero.
        #[derive(Debug, PartialEq, Eq)]
        struct Account {
            address account;
            bool exists;
            uint64 nonce;
            uint256 balance;
            bytes32 storageRoot;
            bytes32 codeHash;
            Slot[] slots;
        }

        /// One storage slot. A value of zero means proven absent: no trie holds a zero.
        #[derive(Debug, PartialEq, Eq)]
        struct Slot {
            bytes32 key;
            uint256 value;
        }
    }
}
