//! The forks of the sync protocol and, in one table, where each keeps what a light client needs.

use serde::{Deserialize, Serialize};

/// A generalized index: the node's depth and position in a Merkle tree, in one number.
///
/// Source: consensus-specs `ssz/merkle-proofs.md`, "Generalized Merkle tree index".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneralizedIndex(pub u64);

impl GeneralizedIndex {
    /// Number of hashes from the node to the root.
    #[must_use]
    pub const fn depth(self) -> usize {
        self.0.ilog2() as usize
    }

    /// The left of the node's two children.
    #[must_use]
    pub const fn left_child(self) -> Self {
        Self(2 * self.0)
    }

    /// Position of the node among those of its depth; its bits, lowest first, say at each level
    /// whether the node is the right child.
    #[must_use]
    pub const fn subtree_index(self) -> u64 {
        self.0 % (1 << self.depth())
    }
}

/// A consensus fork that the light-client sync protocol knows. The number is part of
/// [`ChainSpec`](crate::ChainSpec)'s hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Fork {
    /// Sync committees begin.
    Altair = 1,
    /// The merge; light-client objects are as in Altair.
    Bellatrix = 2,
    /// Light-client headers carry the execution payload header.
    Capella = 3,
    /// The execution payload header gains the two blob fields.
    Deneb = 4,
    /// The beacon state grows past 32 fields: its branches are one longer.
    Electra = 5,
    /// Light-client objects are as in Electra.
    Fulu = 6,
}

/// The places that a light client proves, at one fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gindices {
    /// `finalized_checkpoint.root` in `BeaconState`.
    pub finalized_root: GeneralizedIndex,
    /// `current_sync_committee` in `BeaconState`.
    pub current_sync_committee: GeneralizedIndex,
    /// `next_sync_committee` in `BeaconState`.
    pub next_sync_committee: GeneralizedIndex,
    /// `execution_payload` in `BeaconBlockBody`; none before Capella, when light-client headers had none.
    pub execution_payload: Option<GeneralizedIndex>,
    /// The first sixteen fields of `execution_payload`'s header: all of it until Deneb gave it more.
    pub execution_fields: Option<GeneralizedIndex>,
}

/// `BeaconState` of up to 32 fields: Altair to Deneb (altair/light-client/sync-protocol.md).
const SMALL_STATE: Gindices = Gindices {
    finalized_root: GeneralizedIndex(105),
    current_sync_committee: GeneralizedIndex(54),
    next_sync_committee: GeneralizedIndex(55),
    execution_payload: None,
    execution_fields: None,
};

/// `BeaconState` of 33 to 64 fields: Electra and Fulu (electra/light-client/sync-protocol.md).
const LARGE_STATE: Gindices = Gindices {
    finalized_root: GeneralizedIndex(169),
    current_sync_committee: GeneralizedIndex(86),
    next_sync_committee: GeneralizedIndex(87),
    execution_payload: Some(EXECUTION_PAYLOAD),
    execution_fields: Some(EXECUTION_PAYLOAD.left_child()),
};

/// `EXECUTION_PAYLOAD_GINDEX` of capella/light-client/sync-protocol.md.
const EXECUTION_PAYLOAD: GeneralizedIndex = GeneralizedIndex(25);

impl Fork {
    /// Every fork, oldest first.
    pub const ALL: [Self; 6] =
        [Self::Altair, Self::Bellatrix, Self::Capella, Self::Deneb, Self::Electra, Self::Fulu];

    /// Where this fork keeps what a light client proves.
    #[must_use]
    pub const fn gindices(self) -> Gindices {
        match self {
            Self::Altair | Self::Bellatrix => SMALL_STATE,
            Self::Capella => Gindices {
                execution_payload: Some(EXECUTION_PAYLOAD),
                execution_fields: Some(EXECUTION_PAYLOAD),
                ..SMALL_STATE
            },
            Self::Deneb => Gindices {
                execution_payload: Some(EXECUTION_PAYLOAD),
                execution_fields: Some(EXECUTION_PAYLOAD.left_child()),
                ..SMALL_STATE
            },
            Self::Electra | Self::Fulu => LARGE_STATE,
        }
    }

    /// The name that the beacon API's `version` field uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Altair => "altair",
            Self::Bellatrix => "bellatrix",
            Self::Capella => "capella",
            Self::Deneb => "deneb",
            Self::Electra => "electra",
            Self::Fulu => "fulu",
        }
    }

    /// The fork of that `version` name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fork| fork.name() == name)
    }

    /// Whether light-client headers of this fork carry an execution payload header.
    #[must_use]
    pub const fn has_execution(self) -> bool {
        self.gindices().execution_payload.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field counts and positions from the `BeaconState` and `BeaconBlockBody` of each spec.
    fn gindex(fields: u64, position: u64) -> u64 {
        fields.next_power_of_two() + position
    }

    #[test]
    fn every_index_follows_from_the_containers_of_its_fork() {
        for fork in Fork::ALL {
            // Altair 24, Bellatrix 25, Capella and Deneb 28, Electra 37, Fulu 38 fields; the new ones come last.
            let fields = [24, 25, 28, 28, 37, 38][fork as usize - 1];
            let at = fork.gindices();
            // finalized_checkpoint is field 20, its root the second of two leaves.
            assert_eq!(at.finalized_root.0, gindex(fields, 20) * 2 + 1, "{fork:?}");
            assert_eq!(at.current_sync_committee.0, gindex(fields, 22), "{fork:?}");
            assert_eq!(at.next_sync_committee.0, gindex(fields, 23), "{fork:?}");
            // execution_payload is field 9 of 11 (Capella), 12 (Deneb), 13 (Electra, Fulu).
            assert_eq!(
                at.execution_payload.map(|g| g.0),
                fork.has_execution().then(|| gindex(13, 9))
            );
            // The header has 15 fields at Capella, 17 from Deneb on: a tree of 16 leaves, then of 32.
            let fields = if fork == Fork::Capella { gindex(13, 9) } else { gindex(13, 9) * 2 };
            assert_eq!(at.execution_fields.map(|g| g.0), fork.has_execution().then_some(fields));
        }
    }

    #[test]
    fn depth_and_position_come_from_the_index() {
        assert_eq!((GeneralizedIndex(105).depth(), GeneralizedIndex(105).subtree_index()), (6, 41));
        assert_eq!((GeneralizedIndex(25).depth(), GeneralizedIndex(25).subtree_index()), (4, 9));
    }

    #[test]
    fn names_are_those_of_the_beacon_api_and_come_back() {
        for fork in Fork::ALL {
            assert_eq!(Fork::from_name(fork.name()), Some(fork));
        }
        assert_eq!(Fork::from_name("phase0"), None);
    }
}
