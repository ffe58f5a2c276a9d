//! Light-client objects as nodes hand them out: the beacon API's SSZ and JSON, whole.
//!
//! Their layout depends on the fork and on the committee's size, so every decoder takes a
//! [`ChainSpec`](crate::ChainSpec). The fork is that of the attested (or bootstrap) header's slot, found
//! in the content: no file name, HTTP header or flag is needed, and none can contradict it.
//!
//! Decoding is strict. Offsets must be the canonical ones, lengths exact, bits beyond the committee
//! clear; nothing may follow. So one object has one encoding, and decoding then encoding gives the same bytes.
//!
//! Source: `light-client/sync-protocol.md` of Altair, Capella, Deneb and Electra in consensus-specs v1.6.0, of Gloas in
//! its alpha v1.7.0a13, and `ssz/simple-serialize.md`.

mod codec;
mod error;
pub mod file;
mod json;
mod json_header;
mod json_object;
mod layout;
mod roots;
mod ssz;
mod types;

pub use error::ObjectError;
pub use json_object::updates_to_json;
pub use layout::ObjectKind;
pub use types::{
    LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader,
    LightClientOptimisticUpdate, LightClientUpdate, SyncAggregate, SyncCommittee,
};
