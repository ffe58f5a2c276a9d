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
    /// Light-client headers carry the execution block's hash alone; state and body are progressive containers.
    /// As in the specification's alpha 1.7.0a13: what is said of it here may change with the next one.
    Gloas = 7,
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
    /// `execution_payload` in `BeaconBlockBody`, whose header light-client headers carry; none before Capella and
    /// from Gloas on, when they carry none.
    pub execution_payload: Option<GeneralizedIndex>,
    /// The first sixteen fields of `execution_payload`'s header: all of it until Deneb gave it more.
    pub execution_fields: Option<GeneralizedIndex>,
    /// The execution block's hash in `BeaconBlockBody`; none before Capella. Up to Fulu that of the block's own
    /// payload, from Gloas on that of the newest one before it,
    /// `signed_execution_payload_bid.message.parent_block_hash`.
    pub execution_block_hash: Option<GeneralizedIndex>,
}

/// What the light-client headers of a fork say of the execution block, and so what a witness says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionForm {
    /// Nothing: before Capella.
    Absent,
    /// Its payload header: Capella to Fulu.
    PayloadHeader,
    /// Its hash: from Gloas on.
    BlockHash,
}

/// `BeaconState` of up to 32 fields: Altair to Deneb (altair/light-client/sync-protocol.md).
const SMALL_STATE: Gindices = Gindices {
    finalized_root: GeneralizedIndex(105),
    current_sync_committee: GeneralizedIndex(54),
    next_sync_committee: GeneralizedIndex(55),
    execution_payload: None,
    execution_fields: None,
    execution_block_hash: None,
};

/// `BeaconState` of 33 to 64 fields: Electra and Fulu (electra/light-client/sync-protocol.md).
const LARGE_STATE: Gindices = Gindices {
    finalized_root: GeneralizedIndex(169),
    current_sync_committee: GeneralizedIndex(86),
    next_sync_committee: GeneralizedIndex(87),
    execution_payload: Some(EXECUTION_PAYLOAD),
    execution_fields: Some(EXECUTION_PAYLOAD.left_child()),
    execution_block_hash: BLOCK_HASH_SINCE_DENEB,
};

/// `BeaconState` and `BeaconBlockBody` as progressive containers: Gloas (gloas/light-client/sync-protocol.md).
const PROGRESSIVE_STATE: Gindices = Gindices {
    finalized_root: GeneralizedIndex(735),
    current_sync_committee: GeneralizedIndex(2945),
    next_sync_committee: GeneralizedIndex(2946),
    execution_payload: None,
    execution_fields: None,
    execution_block_hash: Some(GeneralizedIndex(2856)),
};

/// `EXECUTION_PAYLOAD_GINDEX` of capella/light-client/sync-protocol.md.
const EXECUTION_PAYLOAD: GeneralizedIndex = GeneralizedIndex(25);
/// `EXECUTION_BLOCK_HASH_GINDEX` of gloas/light-client/sync-protocol.md: Capella's.
const BLOCK_HASH_IN_CAPELLA: Option<GeneralizedIndex> = Some(GeneralizedIndex(412));
/// `EXECUTION_BLOCK_HASH_GINDEX_DENEB` of gloas/light-client/sync-protocol.md: Deneb's to Fulu's, whose payload
/// header is one level deeper.
const BLOCK_HASH_SINCE_DENEB: Option<GeneralizedIndex> = Some(GeneralizedIndex(812));

impl Fork {
    /// Every fork, oldest first.
    pub const ALL: [Self; 7] = [
        Self::Altair,
        Self::Bellatrix,
        Self::Capella,
        Self::Deneb,
        Self::Electra,
        Self::Fulu,
        Self::Gloas,
    ];

    /// Where this fork keeps what a light client proves.
    #[must_use]
    pub const fn gindices(self) -> Gindices {
        match self {
            Self::Altair | Self::Bellatrix => SMALL_STATE,
            Self::Capella => Gindices {
                execution_payload: Some(EXECUTION_PAYLOAD),
                execution_fields: Some(EXECUTION_PAYLOAD),
                execution_block_hash: BLOCK_HASH_IN_CAPELLA,
                ..SMALL_STATE
            },
            Self::Deneb => Gindices {
                execution_payload: Some(EXECUTION_PAYLOAD),
                execution_fields: Some(EXECUTION_PAYLOAD.left_child()),
                execution_block_hash: BLOCK_HASH_SINCE_DENEB,
                ..SMALL_STATE
            },
            Self::Electra | Self::Fulu => LARGE_STATE,
            Self::Gloas => PROGRESSIVE_STATE,
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
            Self::Gloas => "gloas",
        }
    }

    /// The fork of that `version` name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fork| fork.name() == name)
    }

    /// What light-client headers of this fork say of the execution block.
    #[must_use]
    pub const fn execution_form(self) -> ExecutionForm {
        let at = self.gindices();
        match (at.execution_payload, at.execution_block_hash) {
            (Some(_), _) => ExecutionForm::PayloadHeader,
            (None, Some(_)) => ExecutionForm::BlockHash,
            (None, None) => ExecutionForm::Absent,
        }
    }

    /// Whether light-client headers of this fork say anything of the execution block.
    #[must_use]
    pub const fn has_execution(self) -> bool {
        self.gindices().execution_block_hash.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index of a field of a container with so many.
    fn gindex(fields: u64, position: u64) -> u64 {
        fields.next_power_of_two() + position
    }

    /// The index of a field of a progressive container (EIP-7495): its subtrees have 1, 4, 16, .. leaves, each the left
    /// child of a chain of right ones. How many fields there are plays no part.
    fn progressive_gindex(mut position: u64) -> u64 {
        // The container's root has the fields on its left and on its right which of them there are.
        let (mut node, mut leaves) = (2, 1);
        while position >= leaves {
            (position, node, leaves) = (position - leaves, node * 2 + 1, leaves * 4);
        }
        node * 2 * leaves + position
    }

    /// The index of what has the index `inner` in the tree whose root has the index `outer`.
    fn within(outer: u64, inner: u64) -> u64 {
        let depth = inner.ilog2();
        (outer << depth) + (inner - (1 << depth))
    }

    /// Field counts and positions from the `BeaconState`, `BeaconBlockBody` and `ExecutionPayloadHeader` of each spec.
    #[test]
    fn every_index_follows_from_the_containers_of_its_fork() {
        for fork in &Fork::ALL[..6] {
            // Altair 24, Bellatrix 25, Capella and Deneb 28, Electra 37, Fulu 38 fields; the new ones come last.
            let fields = [24, 25, 28, 28, 37, 38][*fork as usize - 1];
            let at = fork.gindices();
            // finalized_checkpoint is field 20, its root the second of two leaves.
            assert_eq!(at.finalized_root.0, within(gindex(fields, 20), gindex(2, 1)), "{fork:?}");
            assert_eq!(at.current_sync_committee.0, gindex(fields, 22), "{fork:?}");
            assert_eq!(at.next_sync_committee.0, gindex(fields, 23), "{fork:?}");
            // execution_payload is field 9 of 11 (Capella), 12 (Deneb), 13 (Electra, Fulu); block_hash is field
            // 12 of 15 in Capella's payload header, of 17 in the later ones: a tree of 16 leaves, then of 32.
            let payload = fork.has_execution().then(|| gindex(13, 9));
            assert_eq!(at.execution_payload.map(|g| g.0), payload);
            let payload_fields = if *fork < Fork::Deneb { 15 } else { 17 };
            let hash = payload.map(|payload| within(payload, gindex(payload_fields, 12)));
            assert_eq!(at.execution_block_hash.map(|g| g.0), hash);
            let sixteen =
                payload.map(|payload| payload * (payload_fields.next_power_of_two() / 16));
            assert_eq!(at.execution_fields.map(|g| g.0), sixteen);
        }
    }

    #[test]
    fn every_index_of_gloas_follows_from_its_progressive_containers() {
        let at = Fork::Gloas.gindices();
        assert_eq!(at.finalized_root.0, within(progressive_gindex(20), gindex(2, 1)));
        assert_eq!(at.current_sync_committee.0, progressive_gindex(22));
        assert_eq!(at.next_sync_committee.0, progressive_gindex(23));
        // signed_execution_payload_bid is field 10 of the body, message the first of 2 in it, parent_block_hash the
        // first of the progressive ExecutionPayloadBid.
        let message = within(progressive_gindex(10), gindex(2, 0));
        let hash = within(message, progressive_gindex(0));
        assert_eq!(at.execution_block_hash, Some(GeneralizedIndex(hash)));
        assert_eq!(at.execution_payload, None);
    }

    #[test]
    fn headers_say_more_from_capella_and_less_from_gloas_on() {
        use ExecutionForm::{Absent, BlockHash, PayloadHeader};
        let forms = Fork::ALL.map(Fork::execution_form);
        assert_eq!(forms[..2], [Absent; 2]);
        assert_eq!(forms[2..6], [PayloadHeader; 4]);
        assert_eq!(forms[6..], [BlockHash]);
        assert_eq!(Fork::ALL.map(Fork::has_execution)[1..3], [false, true]);
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
