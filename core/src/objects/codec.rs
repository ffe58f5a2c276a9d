//! The public face of the codecs, the same on every object.

use crate::{
    chain_spec::ChainSpec,
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate,
        LightClientUpdate, ObjectError, json_object, ssz,
    },
};

/// Gives each object the four methods. A macro, because they are inherent: callers import no trait.
macro_rules! public_codec {
    ($($object:ty),*) => {$(
        impl $object {
            /// Decodes one SSZ object, strictly: exact offsets and lengths, nothing after it.
            ///
            /// # Errors
            /// Says what is wrong with the bytes; see [`ObjectError`].
            pub fn from_ssz(spec: &ChainSpec, bytes: &[u8]) -> Result<Self, ObjectError> {
                ssz::decode_object(spec, bytes)
            }

            /// The SSZ encoding, in the layout of its slot's fork. An object whose lengths are not that
            /// fork's gives bytes that [`Self::from_ssz`] refuses.
            #[must_use]
            pub fn to_ssz(&self, spec: &ChainSpec) -> Vec<u8> {
                ssz::encode_object(spec, self)
            }

            /// Decodes the beacon API's JSON: `{"version": .., "data": {..}}`, or the bare object.
            ///
            /// # Errors
            /// Names the value at fault by its path; see [`ObjectError`].
            pub fn from_json(spec: &ChainSpec, text: &[u8]) -> Result<Self, ObjectError> {
                json_object::from_text(spec, text)
            }

            /// The beacon API's JSON answer, indented, with the fields in the specification's order.
            #[must_use]
            pub fn to_json(&self, spec: &ChainSpec) -> String {
                json_object::to_text(spec, self)
            }
        }
    )*};
}

public_codec!(
    LightClientBootstrap,
    LightClientUpdate,
    LightClientFinalityUpdate,
    LightClientOptimisticUpdate
);
