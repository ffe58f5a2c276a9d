//! Objects out of files as nodes write them: one SSZ object, the beacon API's SSZ stream, or its JSON
//! answer, told apart by content. Endings and names of files play no part.

use crate::{
    chain_spec::ChainSpec,
    containers::compute_fork_data_root,
    fork::Fork,
    host::NativeCrypto,
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate,
        LightClientUpdate, ObjectError,
        json_object::{self, JsonObject},
        layout::{is_ssz, unrecognised},
        ssz,
    },
};

/// `MAX_REQUEST_LIGHT_CLIENT_UPDATES` (altair/light-client/p2p-interface.md): no node sends more in one answer.
pub const MAX_UPDATES: usize = 128;

/// Bytes of a chunk's length, a little-endian `u64`.
const LENGTH: usize = 8;
/// Bytes of a fork digest.
const DIGEST: usize = 4;

/// The bootstrap in a file.
///
/// # Errors
/// Says what is wrong with the bytes; see [`ObjectError`].
pub fn read_bootstrap(spec: &ChainSpec, bytes: &[u8]) -> Result<LightClientBootstrap, ObjectError> {
    read_one(spec, bytes)
}

/// The updates in a file, 1 to [`MAX_UPDATES`], in its order.
///
/// # Errors
/// Says what is wrong with the bytes; see [`ObjectError`].
pub fn read_updates(spec: &ChainSpec, bytes: &[u8]) -> Result<Vec<LightClientUpdate>, ObjectError> {
    read_all(spec, bytes, MAX_UPDATES, "1 to 128")
}

/// The finality update in a file.
///
/// # Errors
/// Says what is wrong with the bytes; see [`ObjectError`].
pub fn read_finality_update(
    spec: &ChainSpec,
    bytes: &[u8],
) -> Result<LightClientFinalityUpdate, ObjectError> {
    read_one(spec, bytes)
}

/// The optimistic update in a file.
///
/// # Errors
/// Says what is wrong with the bytes; see [`ObjectError`].
pub fn read_optimistic_update(
    spec: &ChainSpec,
    bytes: &[u8],
) -> Result<LightClientOptimisticUpdate, ObjectError> {
    read_one(spec, bytes)
}

/// Writes the beacon API's SSZ stream: for each update the `u64` little-endian length of what follows, the
/// fork digest that `digest` gives for its attested slot, and the SSZ.
#[must_use]
pub fn write_stream(
    spec: &ChainSpec,
    updates: &[LightClientUpdate],
    digest: impl Fn(u64) -> [u8; DIGEST],
) -> Vec<u8> {
    let mut out = Vec::new();
    for update in updates {
        let object = update.to_ssz(spec);
        out.extend_from_slice(&((DIGEST + object.len()) as u64).to_le_bytes());
        out.extend_from_slice(&digest(update.attested_header.beacon.slot));
        out.extend_from_slice(&object);
    }
    out
}

fn read_one<T: JsonObject>(spec: &ChainSpec, bytes: &[u8]) -> Result<T, ObjectError> {
    let mut objects = read_all(spec, bytes, 1, "1")?;
    Ok(objects.pop().expect("read_all gives at least one"))
}

/// At least one and at most `limit` objects.
fn read_all<T: JsonObject>(
    spec: &ChainSpec,
    bytes: &[u8],
    limit: usize,
    wanted: &'static str,
) -> Result<Vec<T>, ObjectError> {
    spec.validate()?;
    let object = T::KIND.name();
    let count = |found| Err(ObjectError::Count { object, found, wanted });
    // One object first: an update without a next committee begins with an offset and zeros, which alone
    // could also be the length of a chunk. The other way round it cannot be: a chunk is longer than the
    // fixed part of its object.
    if is_ssz(spec, T::KIND, bytes) {
        return ssz::decode_object(spec, bytes).map(|object| vec![object]);
    }
    if is_stream(bytes) {
        let chunks = chunks(bytes, limit)?;
        if chunks.len() > limit {
            return count(chunks.len());
        }
        return chunks.into_iter().map(|chunk| decode_chunk(spec, chunk)).collect();
    }
    match bytes.trim_ascii_start().first() {
        Some(b'[') => match json_object::parse(bytes)?.as_array() {
            Some(list) if (1..=limit).contains(&list.len()) => list
                .iter()
                .enumerate()
                .map(|(i, value)| json_object::from_value(spec, value, format!("[{i}]")))
                .collect(),
            list => count(list.map_or(0, Vec::len)),
        },
        Some(b'{') => json_object::from_text(spec, bytes).map(|object| vec![object]),
        _ => Err(unrecognised(spec, T::KIND, bytes)),
    }
}

/// Whether the bytes begin with a chunk's length that could be true: SSZ cannot be longer than its 4-byte
/// offsets reach, and text makes a larger number.
fn is_stream(bytes: &[u8]) -> bool {
    chunk_len(bytes).is_some_and(|len| len > DIGEST as u64 && len <= u64::from(u32::MAX))
}

fn chunk_len(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<LENGTH>().map(|len| u64::from_le_bytes(*len))
}

/// Cuts the stream into digest and object, stopping one above `limit`.
fn chunks(bytes: &[u8], limit: usize) -> Result<Vec<&[u8]>, ObjectError> {
    let (mut at, mut out) = (0, Vec::new());
    while at < bytes.len() && out.len() <= limit {
        let announced = chunk_len(&bytes[at..]).unwrap_or(0);
        let rest = bytes.get(at + LENGTH..).unwrap_or_default();
        let wrong = ObjectError::Chunk { at, announced, left: rest.len() };
        let len = usize::try_from(announced).ok().filter(|len| *len > DIGEST);
        let chunk = len.and_then(|len| rest.get(..len)).ok_or(wrong)?;
        out.push(chunk);
        at += LENGTH + chunk.len();
    }
    Ok(out)
}

/// Decodes one chunk and compares its digest with the chain's.
///
/// Fulu's digest also covers the blob schedule (`compute_fork_digest`, fulu/beacon-chain.md), which a light
/// client does not have: from Fulu on it is not compared. It only ever helps to explain a mistake.
fn decode_chunk<T: JsonObject>(spec: &ChainSpec, chunk: &[u8]) -> Result<T, ObjectError> {
    let (found, bytes) = chunk.split_first_chunk::<DIGEST>().expect("chunks are longer than it");
    let object: T = ssz::decode_object(spec, bytes)?;
    let epoch = spec.epoch_at_slot(object.deciding_header().beacon.slot);
    let entry = spec.entry_at_epoch(epoch).expect("decoding found the fork");
    let root = compute_fork_data_root::<NativeCrypto>(entry.version, &spec.genesis_validators_root);
    let wanted = *root.first_chunk::<DIGEST>().expect("a root has 32 bytes");
    if entry.fork < Fork::Fulu && *found != wanted {
        return Err(ObjectError::ForkDigest { found: *found, wanted, fork: entry.fork });
    }
    Ok(object)
}
