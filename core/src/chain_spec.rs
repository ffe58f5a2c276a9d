//! What makes one Ethereum chain different from another, for a light client: hashed into one word
//! that a verifier pins, so that no prover can choose fork versions, periods or tree layouts.

use alloc::vec::Vec;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::{
    crypto::Crypto,
    fork::Fork,
    merkle::{chunk_bytes, chunk_u64, container_root, merkleize, mix_in_length},
};

/// One entry of the fork schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkEntry {
    /// Which rules begin.
    pub fork: Fork,
    /// `<FORK>_FORK_VERSION`.
    pub version: [u8; 4],
    /// `<FORK>_FORK_EPOCH`.
    pub epoch: u64,
}

/// The constants of one chain. As SSZ:
///
/// ```text
/// class Fork(Container):      version: Bytes4, epoch: uint64, fork: uint8
/// class ChainSpec(Container): genesis_validators_root: Bytes32, slots_per_epoch: uint64,
///     epochs_per_sync_committee_period: uint64, sync_committee_size: uint64, forks: List[Fork, 16]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainSpec {
    /// `genesis_validators_root` of the beacon state.
    pub genesis_validators_root: B256,
    /// `SLOTS_PER_EPOCH`.
    pub slots_per_epoch: u64,
    /// `EPOCHS_PER_SYNC_COMMITTEE_PERIOD`.
    pub epochs_per_sync_committee_period: u64,
    /// `SYNC_COMMITTEE_SIZE`.
    pub sync_committee_size: u64,
    /// The schedule from Altair on, oldest first. A fork that is not planned has no entry.
    pub forks: Vec<ForkEntry>,
}

/// Why a [`ChainSpec`] cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainSpecError {
    /// A length is zero or so large that slots would overflow.
    #[error(
        "slots per epoch is {slots_per_epoch} and epochs per period {epochs_per_period}: both must be 1 to 65536"
    )]
    Period {
        /// `SLOTS_PER_EPOCH`.
        slots_per_epoch: u64,
        /// `EPOCHS_PER_SYNC_COMMITTEE_PERIOD`.
        epochs_per_period: u64,
    },
    /// The committee does not fill a Merkle tree or its bits do not fill bytes.
    #[error("sync committee size is {0}: it must be a power of two from 8 to 65536")]
    CommitteeSize(u64),
    /// No fork, or more than the list holds.
    #[error("the fork schedule has {0} entries: it must have 1 to 16")]
    ForkCount(usize),
    /// Entries are not in the order in which forks came.
    #[error("the fork schedule lists {second} after {first}: forks and their epochs must ascend")]
    ForkOrder {
        /// The earlier entry.
        first: &'static str,
        /// The entry after it.
        second: &'static str,
    },
}

impl ChainSpec {
    /// Depth of the fork list's tree: 16 leaves. Ethereum has 6 forks since Altair.
    const FORKS_DEPTH: usize = 4;
    /// Keeps `slots_per_epoch * epochs_per_period` far from overflow; mainnet has 32 and 256.
    const MAX_LENGTH: u64 = 1 << 16;
    /// Mainnet has 512. Bounds what a spec from a peer can make anyone allocate.
    const MAX_COMMITTEE: u64 = 1 << 16;

    /// `hash_tree_root`: the word `chain` of every statement.
    #[must_use]
    pub fn hash_tree_root<C: Crypto>(&self) -> B256 {
        let forks: Vec<B256> = self
            .forks
            .iter()
            .map(|entry| {
                container_root::<C>(&[
                    chunk_bytes(&entry.version),
                    chunk_u64(entry.epoch),
                    chunk_u64(entry.fork as u64),
                ])
            })
            .collect();
        container_root::<C>(&[
            self.genesis_validators_root,
            chunk_u64(self.slots_per_epoch),
            chunk_u64(self.epochs_per_sync_committee_period),
            chunk_u64(self.sync_committee_size),
            mix_in_length::<C>(&merkleize::<C>(&forks, Self::FORKS_DEPTH), forks.len() as u64),
        ])
    }

    /// Checks that the numbers describe a chain at all. Everything below relies on it.
    ///
    /// # Errors
    /// Names the first number that does not.
    pub fn validate(&self) -> Result<(), ChainSpecError> {
        let lengths = 1..=Self::MAX_LENGTH;
        let epochs_per_period = self.epochs_per_sync_committee_period;
        if !lengths.contains(&self.slots_per_epoch) || !lengths.contains(&epochs_per_period) {
            let slots_per_epoch = self.slots_per_epoch;
            return Err(ChainSpecError::Period { slots_per_epoch, epochs_per_period });
        }
        let size = self.sync_committee_size;
        if !size.is_power_of_two() || !(8..=Self::MAX_COMMITTEE).contains(&size) {
            return Err(ChainSpecError::CommitteeSize(size));
        }
        if self.forks.is_empty() || self.forks.len() > 1 << Self::FORKS_DEPTH {
            return Err(ChainSpecError::ForkCount(self.forks.len()));
        }
        for pair in self.forks.windows(2) {
            if pair[0].fork >= pair[1].fork || pair[0].epoch > pair[1].epoch {
                let (first, second) = (pair[0].fork.name(), pair[1].fork.name());
                return Err(ChainSpecError::ForkOrder { first, second });
            }
        }
        Ok(())
    }

    /// `compute_epoch_at_slot`.
    #[must_use]
    pub const fn epoch_at_slot(&self, slot: u64) -> u64 {
        slot / self.slots_per_epoch
    }

    /// `compute_sync_committee_period_at_slot`.
    #[must_use]
    pub const fn period_at_slot(&self, slot: u64) -> u64 {
        self.epoch_at_slot(slot) / self.epochs_per_sync_committee_period
    }

    /// Slots in a sync committee period: 8192 on mainnet.
    #[must_use]
    pub const fn slots_per_period(&self) -> u64 {
        self.slots_per_epoch * self.epochs_per_sync_committee_period
    }

    /// The entry in force at `epoch`: the last that has begun. None before Altair.
    #[must_use]
    pub fn entry_at_epoch(&self, epoch: u64) -> Option<&ForkEntry> {
        self.forks.iter().rev().find(|entry| entry.epoch <= epoch)
    }

    /// The fork in force at `epoch`. None before Altair.
    #[must_use]
    pub fn fork_at_epoch(&self, epoch: u64) -> Option<Fork> {
        self.entry_at_epoch(epoch).map(|entry| entry.fork)
    }

    /// The fork in force at `slot`. None before Altair.
    #[must_use]
    pub fn fork_at_slot(&self, slot: u64) -> Option<Fork> {
        self.fork_at_epoch(self.epoch_at_slot(slot))
    }

    /// The committee's size as a count in memory.
    #[must_use]
    pub const fn committee_len(&self) -> usize {
        self.sync_committee_size as usize
    }

    /// Depth of the tree over the committee's keys: 9 for 512.
    #[must_use]
    pub const fn committee_depth(&self) -> usize {
        self.sync_committee_size.ilog2() as usize
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec};

    use super::*;

    fn spec() -> ChainSpec {
        let fork = |fork, epoch| ForkEntry { fork, version: [fork as u8, 0, 0, 0], epoch };
        ChainSpec {
            genesis_validators_root: B256::ZERO,
            slots_per_epoch: 32,
            epochs_per_sync_committee_period: 256,
            sync_committee_size: 512,
            forks: vec![fork(Fork::Altair, 5), fork(Fork::Capella, 5), fork(Fork::Deneb, 9)],
        }
    }

    #[test]
    fn slots_fall_into_epochs_periods_and_forks() {
        let spec = spec();
        spec.validate().unwrap();
        assert_eq!(spec.period_at_slot(8191), 0);
        assert_eq!(spec.period_at_slot(8192), 1);
        assert_eq!(spec.slots_per_period(), 8192);
        assert_eq!(spec.fork_at_slot(5 * 32 - 1), None);
        // Two forks at one epoch: the later one is in force.
        assert_eq!(spec.fork_at_slot(5 * 32), Some(Fork::Capella));
        assert_eq!(spec.fork_at_slot(9 * 32 - 1), Some(Fork::Capella));
        assert_eq!(spec.fork_at_slot(u64::MAX), Some(Fork::Deneb));
    }

    #[test]
    fn constants_that_make_no_chain_are_refused_by_name() {
        type Change = fn(&mut ChainSpec);
        let cases: [(Change, &str); 9] = [
            (|s| s.slots_per_epoch = 0, "slots per epoch is 0"),
            (|s| s.slots_per_epoch = 1 << 17, "slots per epoch is 131072"),
            (|s| s.epochs_per_sync_committee_period = 0, "epochs per period 0"),
            (|s| s.sync_committee_size = 511, "size is 511"),
            (|s| s.sync_committee_size = 4, "size is 4"),
            (|s| s.sync_committee_size = 1 << 40, "size is 1099511627776"),
            (|s| s.forks.clear(), "schedule has 0 entries"),
            (|s| s.forks.swap(0, 1), "altair after capella"),
            (|s| s.forks[2].epoch = 4, "deneb after capella"),
        ];
        for (change, says) in cases {
            let mut wrong = spec();
            change(&mut wrong);
            let text = wrong.validate().unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
        let mut long = spec();
        long.forks = vec![long.forks[0]; 17];
        assert_eq!(long.validate(), Err(ChainSpecError::ForkCount(17)));
    }
}
