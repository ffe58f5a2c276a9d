//! Where each object keeps its fields, by fork and committee size, in one table.

use crate::{
    chain_spec::ChainSpec,
    containers::{BeaconBlockHeader, ExecutionPayloadHeader},
    fork::{ExecutionForm, Fork, GeneralizedIndex},
    objects::{LightClientHeader, ObjectError, ssz::Part},
};

/// The objects that nodes hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the specification's, without LightClient")]
pub enum ObjectKind {
    Bootstrap,
    Update,
    FinalityUpdate,
    OptimisticUpdate,
}

impl ObjectKind {
    /// The specification's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bootstrap => "LightClientBootstrap",
            Self::Update => "LightClientUpdate",
            Self::FinalityUpdate => "LightClientFinalityUpdate",
            Self::OptimisticUpdate => "LightClientOptimisticUpdate",
        }
    }
}

/// Bytes of a compressed G1 point.
const PUBKEY: usize = 48;
/// Bytes of a compressed G2 point.
const SIGNATURE: usize = 96;
/// Bytes of a tree node.
const NODE: usize = 32;
/// Bytes of a `uint64`.
const UINT64: usize = 8;

/// What decides the position of every field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Fork of the attested or bootstrap header's slot.
    pub(super) fork: Fork,
    /// Keys in a committee; a power of two from 8 on, as [`ChainSpec::validate`] checks.
    pub(super) committee: usize,
}

impl Layout {
    /// The layout of the object at `slot`.
    pub(super) fn at_slot(
        spec: &ChainSpec,
        kind: ObjectKind,
        slot: u64,
    ) -> Result<Self, ObjectError> {
        spec.validate()?;
        let object = kind.name();
        let fork = spec.fork_at_slot(slot).ok_or(ObjectError::BeforeAltair { object, slot })?;
        Ok(Self { fork, committee: spec.committee_len() })
    }

    /// The layout that an encoder uses: before Altair, where there is no such object, Altair's.
    pub(super) fn for_encoding(spec: &ChainSpec, slot: u64) -> Self {
        let fork = spec.fork_at_slot(slot).unwrap_or(Fork::Altair);
        Self { fork, committee: spec.committee_len() }
    }

    /// Finds the layout of an SSZ object in its content.
    ///
    /// Objects before Capella and from Gloas on have one length and begin with the slot; those between begin with the
    /// offset of the header that holds it, and are longer than all of them.
    pub(super) fn of_ssz(
        spec: &ChainSpec,
        kind: ObjectKind,
        bytes: &[u8],
    ) -> Result<Self, ObjectError> {
        spec.validate()?;
        let found = fixed_part(spec, kind, bytes).ok_or_else(|| unrecognised(spec, kind, bytes))?;
        let at = if is_of_one_length(spec, kind, bytes) { 0 } else { found };
        let slot = read_u64(bytes, at).ok_or_else(|| unrecognised(spec, kind, bytes))?;
        let layout = Self::at_slot(spec, kind, slot)?;
        let wanted = layout.fixed_len(kind);
        if wanted != found {
            let (object, fork) = (kind.name(), layout.fork);
            return Err(ObjectError::OtherFork { object, slot, fork, found: found as u64, wanted });
        }
        Ok(layout)
    }

    /// The fields of `kind`.
    pub(super) fn parts(self, kind: ObjectKind) -> Vec<Part> {
        let at = self.fork.gindices();
        let aggregate = Part::Fixed(self.committee / 8 + SIGNATURE);
        let committee = Part::Fixed(self.committee_bytes());
        let slot = Part::Fixed(UINT64);
        match kind {
            ObjectKind::Bootstrap => {
                vec![self.header(), committee, branch(at.current_sync_committee)]
            }
            ObjectKind::Update => vec![
                self.header(),
                committee,
                branch(at.next_sync_committee),
                self.header(),
                branch(at.finalized_root),
                aggregate,
                slot,
            ],
            ObjectKind::FinalityUpdate => {
                vec![self.header(), self.header(), branch(at.finalized_root), aggregate, slot]
            }
            ObjectKind::OptimisticUpdate => vec![self.header(), aggregate, slot],
        }
    }

    /// The fields of a `LightClientHeader`.
    pub(super) fn header_parts(self) -> Vec<Part> {
        let beacon = Part::Fixed(BeaconBlockHeader::SSZ_BYTES);
        let (execution, depth) = match self.fork.execution_form() {
            ExecutionForm::Absent => return vec![beacon],
            ExecutionForm::PayloadHeader => {
                (Part::Variable, LightClientHeader::EXECUTION_BRANCH_DEPTH)
            }
            ExecutionForm::BlockHash => {
                (Part::Fixed(NODE), LightClientHeader::BLOCK_HASH_BRANCH_DEPTH)
            }
        };
        vec![beacon, execution, Part::Fixed(NODE * depth)]
    }

    /// The fields of an `ExecutionPayloadHeader`: 15 in Capella, 17 since Deneb.
    pub(super) fn execution_parts(self) -> Vec<Part> {
        let before = [32, 20, 32, 32, 256, 32, 8, 8, 8, 8].map(Part::Fixed);
        let after = [32, 32, 32, 32].map(Part::Fixed);
        let mut parts = before.to_vec();
        parts.push(Part::Variable);
        parts.extend(after);
        if self.has_blob_fields() {
            parts.extend([Part::Fixed(UINT64); 2]);
        }
        parts
    }

    /// Whether the execution header has `blob_gas_used` and `excess_blob_gas`.
    pub(super) fn has_blob_fields(self) -> bool {
        self.fork >= Fork::Deneb
    }

    /// Bytes of a `SyncCommittee`.
    pub(super) const fn committee_bytes(self) -> usize {
        (self.committee + 1) * PUBKEY
    }

    fn header(self) -> Part {
        if self.fork.execution_form() == ExecutionForm::PayloadHeader {
            Part::Variable
        } else {
            Part::Fixed(self.header_parts().iter().map(|part| part.fixed_len()).sum())
        }
    }

    fn fixed_len(self, kind: ObjectKind) -> usize {
        self.parts(kind).iter().map(|part| part.fixed_len()).sum()
    }
}

/// Whether `bytes` have the shape of one SSZ object of `kind` in some fork.
pub(super) fn is_ssz(spec: &ChainSpec, kind: ObjectKind, bytes: &[u8]) -> bool {
    fixed_part(spec, kind, bytes).is_some()
}

/// No format fits: says what there is.
pub(super) fn unrecognised(spec: &ChainSpec, kind: ObjectKind, bytes: &[u8]) -> ObjectError {
    let first = match &bytes[..bytes.len().min(8)] {
        [] => "nothing".to_owned(),
        some => format!("0x{}", hex::encode(some)),
    };
    let (object, committee) = (kind.name(), spec.sync_committee_size);
    ObjectError::Unrecognised { object, bytes: bytes.len(), first, committee }
}

/// Length of the fixed part, if it is one that some fork has.
fn fixed_part(spec: &ChainSpec, kind: ObjectKind, bytes: &[u8]) -> Option<usize> {
    if is_of_one_length(spec, kind, bytes) {
        return Some(bytes.len());
    }
    let offset = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    [Fork::Capella, Fork::Electra]
        .into_iter()
        .map(|fork| Layout { fork, committee: spec.committee_len() }.fixed_len(kind))
        .find(|len| *len == offset)
}

/// Whether the bytes are an object of Altair, Bellatrix or Gloas: those have one length and begin with a slot.
///
/// No object of Capella to Fulu has that length: a header takes 112 bytes before Capella, 496 from Gloas on, and between
/// them at least 816 with its offset. Nor has a stream of such: its chunks are longer by 12 bytes. Text, or an object or
/// a stream that was cut, may have that length by chance; but what they begin with makes a header that no chain has: more
/// than 32 bits of slot, or a proposer beyond `VALIDATOR_REGISTRY_LIMIT` (phase0/beacon-chain.md).
fn is_of_one_length(spec: &ChainSpec, kind: ObjectKind, bytes: &[u8]) -> bool {
    let len = |fork| Layout { fork, committee: spec.committee_len() }.fixed_len(kind);
    [Fork::Altair, Fork::Gloas].map(len).contains(&bytes.len())
        && read_u64(bytes, 0).is_some_and(|slot| slot <= u64::from(u32::MAX))
        && read_u64(bytes, UINT64).is_some_and(|proposer| proposer < 1 << 40)
}

fn branch(index: GeneralizedIndex) -> Part {
    Part::Fixed(NODE * index.depth())
}

fn read_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(UINT64)?)?.try_into().ok()?))
}

/// Refuses `extra_data` longer than any block's.
pub(super) fn check_extra_data(bytes: &[u8]) -> Result<(), ObjectError> {
    if bytes.len() > ExecutionPayloadHeader::MAX_EXTRA_DATA_BYTES {
        return Err(ObjectError::ExtraData(bytes.len()));
    }
    Ok(())
}
