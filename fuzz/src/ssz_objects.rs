//! Light-client objects in SSZ and JSON, alone and in files. The first byte chooses object and format; the
//! slot in the object chooses the fork, as everywhere.
//!
//! - No input makes a decoder panic, or hold much more memory than it was given.
//! - SSZ has one encoding: what is accepted encodes to the same bytes.
//! - What is accepted in any format reads back as the same object from both formats and from a stream.

use std::{fmt::Debug, sync::LazyLock};

use lc_core::{
    ChainSpec, Fork, ForkEntry,
    alloy_primitives::B256,
    containers::compute_fork_data_root,
    host::NativeCrypto,
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate,
        LightClientUpdate, ObjectError, SyncCommittee,
        file::{self, MAX_UPDATES},
        updates_to_json,
    },
};

use crate::memory::{proportional, within};

/// A chain that changes forks every period. The least committee there may be: small inputs are fuzzed faster.
pub static CHAIN: LazyLock<ChainSpec> = LazyLock::new(|| {
    let (slots_per_epoch, epochs_per_period) = (8, 8);
    let entry = |(number, fork): (usize, Fork)| ForkEntry {
        fork,
        version: [fork as u8, 0, 0, 0x5e],
        epoch: number as u64 * epochs_per_period,
    };
    ChainSpec {
        genesis_validators_root: B256::repeat_byte(7),
        slots_per_epoch,
        epochs_per_sync_committee_period: epochs_per_period,
        sync_committee_size: 8,
        forks: Fork::ALL.into_iter().enumerate().map(entry).collect(),
    }
});

/// Formats that the first byte's low bits choose.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Format {
    Ssz,
    Json,
    File,
}

impl Format {
    const ALL: [Self; 3] = [Self::Ssz, Self::Json, Self::File];

    /// The first byte for the object numbered as in [`check`].
    #[must_use]
    pub const fn first_byte(self, object: u8) -> u8 {
        object * Self::ALL.len() as u8 + self as u8
    }
}

/// Checks all of it. Objects: 0 bootstrap, 1 update, 2 finality update, 3 optimistic update, 4 committee.
pub fn check(data: &[u8]) -> bool {
    let Some((&first, bytes)) = data.split_first() else { return false };
    let count = Format::ALL.len() as u8;
    let format = Format::ALL[usize::from(first % count)];
    match first / count % 5 {
        0 => object::<LightClientBootstrap>(format, bytes),
        1 => object::<LightClientUpdate>(format, bytes),
        2 => object::<LightClientFinalityUpdate>(format, bytes),
        3 => object::<LightClientOptimisticUpdate>(format, bytes),
        _ => committee(bytes),
    }
}

/// The four objects' methods, which are inherent.
trait Object: Sized + PartialEq + Debug + Clone {
    fn from_ssz(bytes: &[u8]) -> Result<Self, ObjectError>;
    fn to_ssz(&self) -> Vec<u8>;
    fn from_json(text: &[u8]) -> Result<Self, ObjectError>;
    fn to_json(&self) -> String;
    /// What is in a file.
    fn read(bytes: &[u8]) -> Result<Vec<Self>, ObjectError>;
    /// The same in the other file formats, where there are any.
    fn write(_objects: &[Self]) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

macro_rules! object {
    ($type:ty, |$bytes:ident| $read:expr $(, $write:ident)?) => {
        impl Object for $type {
            fn from_ssz(bytes: &[u8]) -> Result<Self, ObjectError> {
                <$type>::from_ssz(&CHAIN, bytes)
            }
            fn to_ssz(&self) -> Vec<u8> {
                <$type>::to_ssz(self, &CHAIN)
            }
            fn from_json(text: &[u8]) -> Result<Self, ObjectError> {
                <$type>::from_json(&CHAIN, text)
            }
            fn to_json(&self) -> String {
                <$type>::to_json(self, &CHAIN)
            }
            fn read($bytes: &[u8]) -> Result<Vec<Self>, ObjectError> {
                $read
            }
            $(fn write(objects: &[Self]) -> Vec<Vec<u8>> {
                $write(objects)
            })?
        }
    };
}

object!(LightClientBootstrap, |bytes| file::read_bootstrap(&CHAIN, bytes).map(|one| vec![one]));
object!(LightClientUpdate, |bytes| file::read_updates(&CHAIN, bytes), streams);
object!(LightClientFinalityUpdate, |bytes| file::read_finality_update(&CHAIN, bytes)
    .map(|one| vec![one]));
object!(LightClientOptimisticUpdate, |bytes| file::read_optimistic_update(&CHAIN, bytes)
    .map(|one| vec![one]));

/// Updates as the beacon API streams them in SSZ, and as its JSON array.
fn streams(updates: &[LightClientUpdate]) -> Vec<Vec<u8>> {
    vec![stream(updates), updates_to_json(&CHAIN, updates).into_bytes()]
}

/// The beacon API's SSZ stream of updates of [`CHAIN`].
#[must_use]
pub fn stream(updates: &[LightClientUpdate]) -> Vec<u8> {
    file::write_stream(&CHAIN, updates, |slot| {
        let entry = CHAIN.entry_at_epoch(CHAIN.epoch_at_slot(slot)).expect("forks start at 0");
        let root =
            compute_fork_data_root::<NativeCrypto>(entry.version, &CHAIN.genesis_validators_root);
        *root.first_chunk().expect("a root has 32 bytes")
    })
}

fn object<T: Object>(format: Format, bytes: &[u8]) -> bool {
    let read = |decode: fn(&[u8]) -> Result<Vec<T>, ObjectError>| {
        within(proportional(96, bytes.len()), || decode(bytes))
    };
    let accepted = match format {
        Format::Ssz => read(|bytes| T::from_ssz(bytes).map(|one| vec![one])),
        Format::Json => read(|bytes| T::from_json(bytes).map(|one| vec![one])),
        Format::File => read(T::read),
    };
    let Ok(objects) = accepted else { return false };
    assert!((1..=MAX_UPDATES).contains(&objects.len()));
    for object in &objects {
        let ssz = object.to_ssz();
        if matches!(format, Format::Ssz) {
            assert_eq!(ssz, bytes, "another encoding of the same object was accepted");
        }
        assert_eq!(T::from_ssz(&ssz).as_ref(), Ok(object));
        assert_eq!(T::from_json(object.to_json().as_bytes()).as_ref(), Ok(object));
        assert_eq!(T::read(&ssz).as_deref(), Ok(std::slice::from_ref(object)));
    }
    for file in T::write(&objects) {
        assert_eq!(T::read(&file).as_ref(), Ok(&objects));
    }
    true
}

fn committee(bytes: &[u8]) -> bool {
    let limit = proportional(4, bytes.len());
    let Ok(committee) = within(limit, || SyncCommittee::from_ssz(&CHAIN, bytes)) else {
        return false;
    };
    assert_eq!(committee.to_ssz(), bytes);
    true
}
