//! SSZ of the objects. A container is described by its parts ([`Part`]); [`split`] and [`join`] alone know
//! about offsets.

mod header;

use alloy_primitives::{B256, FixedBytes};

use crate::{
    chain_spec::ChainSpec,
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader,
        LightClientOptimisticUpdate, LightClientUpdate, ObjectError, ObjectKind, SyncAggregate,
        SyncCommittee,
        layout::Layout,
        ssz::header::{decode_header, encode_header},
    },
};

/// One field of a container.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// Always so many bytes.
    Fixed(usize),
    /// An offset here, the bytes after all fixed parts.
    Variable,
}

/// Bytes of an SSZ offset.
const OFFSET: usize = 4;

impl Part {
    /// Bytes in the container's fixed part.
    pub(super) const fn fixed_len(self) -> usize {
        match self {
            Self::Fixed(len) => len,
            Self::Variable => OFFSET,
        }
    }
}

/// Cuts a container into its fields. The fixed ones have exactly the length their part says; the
/// offsets of the others are where an encoder puts them, so nothing is left over.
fn split<'a>(
    what: &'static str,
    parts: &[Part],
    bytes: &'a [u8],
) -> Result<Vec<&'a [u8]>, ObjectError> {
    let fixed: usize = parts.iter().map(|part| part.fixed_len()).sum();
    let has_variable = parts.iter().any(|part| matches!(part, Part::Variable));
    if bytes.len() < fixed || (!has_variable && bytes.len() > fixed) {
        return Err(ObjectError::Length { what, found: bytes.len(), wanted: fixed });
    }
    let (mut fields, mut variable) = (Vec::with_capacity(parts.len()), Vec::new());
    let mut rest = bytes;
    for part in parts {
        let (field, after) = rest.split_at(part.fixed_len());
        rest = after;
        if matches!(part, Part::Variable) {
            variable.push((fields.len(), u32::from_le_bytes(array(field)) as usize));
        }
        fields.push(field);
    }
    let ends = variable.iter().skip(1).map(|(_, offset)| *offset).chain([bytes.len()]);
    let mut wanted = fixed;
    for (&(index, start), end) in variable.iter().zip(ends) {
        if start != wanted || end < start || end > bytes.len() {
            return Err(bad_offset(what, start, wanted, end, bytes.len()));
        }
        fields[index] = &bytes[start..end];
        wanted = end;
    }
    Ok(fields)
}

/// Names the offset at fault: the field's own, or the next one that ends it.
fn bad_offset(
    what: &'static str,
    start: usize,
    wanted: usize,
    end: usize,
    len: usize,
) -> ObjectError {
    let (found, wanted) = match start == wanted {
        false => (start, wanted),
        true => (end, end.clamp(start, len)),
    };
    ObjectError::Offset { what, found: found as u64, wanted }
}

/// Puts a container together from its fields' bytes.
fn join(parts: &[Part], fields: &[Vec<u8>]) -> Vec<u8> {
    let lens = parts.iter().zip(fields).map(|(part, field)| match part {
        Part::Fixed(_) => field.len(),
        Part::Variable => OFFSET,
    });
    let mut offset: usize = lens.sum();
    let (mut out, mut tail) = (Vec::new(), Vec::new());
    for (part, field) in parts.iter().zip(fields) {
        match part {
            Part::Fixed(_) => out.extend_from_slice(field),
            Part::Variable => {
                out.extend_from_slice(&(offset as u32).to_le_bytes());
                tail.extend_from_slice(field);
                offset += field.len();
            }
        }
    }
    out.extend(tail);
    out
}

/// A field that [`split`] cut to this length.
fn array<const N: usize>(field: &[u8]) -> [u8; N] {
    field.try_into().expect("split gives each fixed field its length")
}

fn uint64(field: &[u8]) -> u64 {
    u64::from_le_bytes(array(field))
}

fn nodes(field: &[u8]) -> Vec<B256> {
    field.chunks_exact(32).map(B256::from_slice).collect()
}

fn node_bytes(branch: &[B256]) -> Vec<u8> {
    branch.concat()
}

fn decode_committee(layout: Layout, bytes: &[u8]) -> Result<SyncCommittee, ObjectError> {
    let (what, wanted) = ("SyncCommittee", layout.committee_bytes());
    if bytes.len() != wanted {
        return Err(ObjectError::Length { what, found: bytes.len(), wanted });
    }
    let (pubkeys, aggregate) = bytes.split_at(bytes.len() - 48);
    Ok(SyncCommittee {
        pubkeys: pubkeys.chunks_exact(48).map(FixedBytes::from_slice).collect(),
        aggregate_pubkey: FixedBytes::from_slice(aggregate),
    })
}

fn decode_aggregate(bytes: &[u8]) -> SyncAggregate {
    let (bits, signature) = bytes.split_at(bytes.len() - 96);
    SyncAggregate {
        sync_committee_bits: bits.to_vec(),
        sync_committee_signature: FixedBytes::from_slice(signature),
    }
}

fn encode_aggregate(aggregate: &SyncAggregate) -> Vec<u8> {
    [&aggregate.sync_committee_bits, aggregate.sync_committee_signature.as_slice()].concat()
}

impl SyncCommittee {
    /// Decodes the SSZ encoding: `sync_committee_size` keys of 48 bytes, then the aggregate.
    ///
    /// # Errors
    /// [`ObjectError::Length`] unless the length is exactly that; [`ObjectError::Chain`].
    pub fn from_ssz(spec: &ChainSpec, bytes: &[u8]) -> Result<Self, ObjectError> {
        spec.validate()?;
        decode_committee(Layout::for_encoding(spec, 0), bytes)
    }

    /// The SSZ encoding.
    #[must_use]
    pub fn to_ssz(&self) -> Vec<u8> {
        let keys = self.pubkeys.iter().chain([&self.aggregate_pubkey]);
        keys.flat_map(|key| key.iter().copied()).collect()
    }
}

/// An object in SSZ, field by field.
pub(super) trait SszObject: Sized {
    /// Which object.
    const KIND: ObjectKind;

    /// The header whose slot decides the layout.
    fn deciding_header(&self) -> &LightClientHeader;

    /// From its fields' bytes, cut as [`Layout::parts`] says.
    fn decode(layout: Layout, fields: &[&[u8]]) -> Result<Self, ObjectError>;

    /// Its fields' bytes, in the order of [`Layout::parts`].
    fn encode(&self, layout: Layout) -> Vec<Vec<u8>>;
}

/// Decodes one whole object.
pub(super) fn decode_object<T: SszObject>(
    spec: &ChainSpec,
    bytes: &[u8],
) -> Result<T, ObjectError> {
    let layout = Layout::of_ssz(spec, T::KIND, bytes)?;
    T::decode(layout, &split(T::KIND.name(), &layout.parts(T::KIND), bytes)?)
}

/// Encodes one whole object.
pub(super) fn encode_object<T: SszObject>(spec: &ChainSpec, object: &T) -> Vec<u8> {
    let layout = Layout::for_encoding(spec, object.deciding_header().beacon.slot);
    join(&layout.parts(T::KIND), &object.encode(layout))
}

impl SszObject for LightClientBootstrap {
    const KIND: ObjectKind = ObjectKind::Bootstrap;

    fn deciding_header(&self) -> &LightClientHeader {
        &self.header
    }

    fn decode(layout: Layout, f: &[&[u8]]) -> Result<Self, ObjectError> {
        Ok(Self {
            header: decode_header(layout, f[0])?,
            current_sync_committee: decode_committee(layout, f[1])?,
            current_sync_committee_branch: nodes(f[2]),
        })
    }

    fn encode(&self, layout: Layout) -> Vec<Vec<u8>> {
        vec![
            encode_header(layout, &self.header),
            self.current_sync_committee.to_ssz(),
            node_bytes(&self.current_sync_committee_branch),
        ]
    }
}

impl SszObject for LightClientUpdate {
    const KIND: ObjectKind = ObjectKind::Update;

    fn deciding_header(&self) -> &LightClientHeader {
        &self.attested_header
    }

    fn decode(layout: Layout, f: &[&[u8]]) -> Result<Self, ObjectError> {
        Ok(Self {
            attested_header: decode_header(layout, f[0])?,
            next_sync_committee: decode_committee(layout, f[1])?,
            next_sync_committee_branch: nodes(f[2]),
            finalized_header: decode_header(layout, f[3])?,
            finality_branch: nodes(f[4]),
            sync_aggregate: decode_aggregate(f[5]),
            signature_slot: uint64(f[6]),
        })
    }

    fn encode(&self, layout: Layout) -> Vec<Vec<u8>> {
        vec![
            encode_header(layout, &self.attested_header),
            self.next_sync_committee.to_ssz(),
            node_bytes(&self.next_sync_committee_branch),
            encode_header(layout, &self.finalized_header),
            node_bytes(&self.finality_branch),
            encode_aggregate(&self.sync_aggregate),
            self.signature_slot.to_le_bytes().to_vec(),
        ]
    }
}

impl SszObject for LightClientFinalityUpdate {
    const KIND: ObjectKind = ObjectKind::FinalityUpdate;

    fn deciding_header(&self) -> &LightClientHeader {
        &self.attested_header
    }

    fn decode(layout: Layout, f: &[&[u8]]) -> Result<Self, ObjectError> {
        Ok(Self {
            attested_header: decode_header(layout, f[0])?,
            finalized_header: decode_header(layout, f[1])?,
            finality_branch: nodes(f[2]),
            sync_aggregate: decode_aggregate(f[3]),
            signature_slot: uint64(f[4]),
        })
    }

    fn encode(&self, layout: Layout) -> Vec<Vec<u8>> {
        vec![
            encode_header(layout, &self.attested_header),
            encode_header(layout, &self.finalized_header),
            node_bytes(&self.finality_branch),
            encode_aggregate(&self.sync_aggregate),
            self.signature_slot.to_le_bytes().to_vec(),
        ]
    }
}

impl SszObject for LightClientOptimisticUpdate {
    const KIND: ObjectKind = ObjectKind::OptimisticUpdate;

    fn deciding_header(&self) -> &LightClientHeader {
        &self.attested_header
    }

    fn decode(layout: Layout, f: &[&[u8]]) -> Result<Self, ObjectError> {
        Ok(Self {
            attested_header: decode_header(layout, f[0])?,
            sync_aggregate: decode_aggregate(f[1]),
            signature_slot: uint64(f[2]),
        })
    }

    fn encode(&self, layout: Layout) -> Vec<Vec<u8>> {
        vec![
            encode_header(layout, &self.attested_header),
            encode_aggregate(&self.sync_aggregate),
            self.signature_slot.to_le_bytes().to_vec(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_of_fixed_parts_has_exactly_their_length() {
        let parts = [Part::Fixed(2), Part::Fixed(1)];
        assert_eq!(split("pair", &parts, &[1, 2, 3]), Ok(vec![&[1, 2][..], &[3]]));
        for found in [2, 4] {
            let error = ObjectError::Length { what: "pair", found, wanted: 3 };
            assert_eq!(split("pair", &parts, &vec![0; found]), Err(error));
        }
    }
}
