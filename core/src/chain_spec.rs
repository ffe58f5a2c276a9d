//! What makes one Ethereum chain different from another, for a light client: hashed into one word
//! that a verifier pins, so that no prover can choose fork versions, periods or tree layouts.

use alloc::vec::Vec;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::{
    crypto::Crypto,
    fork::Fork,
    merkle::{container_root, merkleize, mix_in_length},
    root::Root,
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

impl ForkEntry {
    /// The two `uint64` that the entry is in a [`ChainSpec`].
    #[must_use]
    pub const fn packed(&self) -> [u64; 2] {
        [u32::from_le_bytes(self.version) as u64 | (self.fork as u64) << 32, self.epoch]
    }

    /// The entry that these two are. None if there is no fork of that number, or if there is more beside it.
    #[must_use]
    pub fn unpacked([fork, epoch]: [u64; 2]) -> Option<Self> {
        let version = (fork as u32).to_le_bytes();
        let fork = Fork::ALL.into_iter().find(|known| *known as u64 == fork >> 32)?;
        Some(Self { fork, version, epoch })
    }
}

/// The constants of one chain. As SSZ:
///
/// ```text
/// class ChainSpec(Container):
///     genesis_validators_root: Bytes32
///     # SLOTS_PER_EPOCH, EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SYNC_COMMITTEE_SIZE
///     preset: Vector[uint64, 3]
///     # Two for each fork: bytes 0 to 3 its version, byte 4 its number; its epoch.
///     forks: List[uint64, 32]
/// ```
///
/// Packed so that a guest hashes it with 8 nodes; a container for each fork takes 32.
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
    /// Most forks that the schedule may have. Ethereum has 7 since Altair, Gloas included.
    const MAX_FORKS: usize = 16;
    /// Depth of the schedule's tree: two forks to a chunk.
    const FORKS_DEPTH: usize = 3;
    /// Keeps `slots_per_epoch * epochs_per_period` far from overflow; mainnet has 32 and 256.
    const MAX_LENGTH: u64 = 1 << 16;
    /// Mainnet has 512. Bounds what a spec from a peer can make anyone allocate.
    const MAX_COMMITTEE: u64 = 1 << 16;

    /// `hash_tree_root`: the word `chain` of every statement.
    ///
    /// # Panics
    /// If there are more forks than [`Self::validate`] lets pass.
    #[must_use]
    pub fn hash_tree_root<C: Crypto>(&self) -> B256 {
        let mut forks = [Root::ZERO; Self::MAX_FORKS / 2];
        let mut count = 0;
        for (chunk, pair) in forks.iter_mut().zip(self.forks.chunks(2)) {
            let [a, b] = pair[0].packed();
            let [c, d] = pair.get(1).map_or([0; 2], ForkEntry::packed);
            *chunk = Root::of_u64s([a, b, c, d]);
            count += 1;
        }
        assert!(self.forks.len() <= Self::MAX_FORKS, "validated");
        let forks = merkleize::<C>(&mut forks[..count], Self::FORKS_DEPTH);
        let preset = Root::of_u64s([
            self.slots_per_epoch,
            self.epochs_per_sync_committee_period,
            self.sync_committee_size,
            0,
        ]);
        let forks = mix_in_length::<C>(&forks, 2 * self.forks.len() as u64);
        container_root::<C>(&mut [self.genesis_validators_root.into(), preset, forks]).into()
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
        if self.forks.is_empty() || self.forks.len() > Self::MAX_FORKS {
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
        assert_eq!((spec.committee_len(), spec.committee_depth()), (512, 9));
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
        // Sixteen are not too many; that they are all the same one is wrong.
        long.forks.pop();
        assert!(matches!(long.validate(), Err(ChainSpecError::ForkOrder { .. })));
    }
}
