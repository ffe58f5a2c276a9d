//! Why bytes are not the object that was asked for.

use crate::{chain_spec::ChainSpecError, fork::Fork};

/// Why bytes are not the object that was asked for: what was seen, what was wanted, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The constants of the chain cannot be used.
    #[error("the chain's constants are unusable: {0}")]
    Chain(#[from] ChainSpecError),
    /// No format and fork fits.
    #[error(
        "{bytes} bytes beginning {first} are no {object} for a committee of {committee}: \
         pass what the beacon API returned (SSZ or JSON), and the network it came from"
    )]
    Unrecognised {
        /// What was wanted.
        object: &'static str,
        /// Number of bytes seen.
        bytes: usize,
        /// The first few of them in hex.
        first: String,
        /// The chain's committee size.
        committee: u64,
    },
    /// The slot that decides the layout has no sync committee.
    #[error(
        "the {object} is of slot {slot}, before the chain's first sync committee: check the network"
    )]
    BeforeAltair {
        /// What was wanted.
        object: &'static str,
        /// Slot of its attested or bootstrap header.
        slot: u64,
    },
    /// The slot's fork has another layout than the bytes.
    #[error(
        "the {object} is of slot {slot}, which is in {fork} and takes {wanted} bytes before its headers; \
         it has {found}: check the network's fork schedule",
        fork = fork.name()
    )]
    OtherFork {
        /// What was wanted.
        object: &'static str,
        /// Slot of its attested or bootstrap header.
        slot: u64,
        /// Fork at that slot.
        fork: Fork,
        /// Length of the fixed part in the bytes.
        found: u64,
        /// Length of the fixed part in that fork.
        wanted: usize,
    },
    /// The length is not the one the layout has, or less than the least it can have.
    #[error(
        "{what} has {found} bytes, wanted {wanted}: the data is cut, padded or of another chain"
    )]
    Length {
        /// Object or field.
        what: &'static str,
        /// Bytes seen.
        found: usize,
        /// Bytes wanted; the least where the length varies.
        wanted: usize,
    },
    /// An SSZ offset is not the canonical one.
    #[error("{what} has an SSZ offset of {found}, wanted {wanted}: the data is damaged")]
    Offset {
        /// The container.
        what: &'static str,
        /// Offset seen.
        found: u64,
        /// Offset wanted, or the least or greatest possible.
        wanted: usize,
    },
    /// `extra_data` is longer than any block's.
    #[error("extra_data has {0} bytes, at most 32 are possible: the data is damaged")]
    ExtraData(usize),
    /// The text is not JSON.
    #[error("not JSON: {0}: pass the node's answer unchanged")]
    NotJson(String),
    /// A JSON value is missing or not what its field holds.
    #[error("in the JSON, {path} is {found}, wanted {wanted}: pass the node's answer unchanged")]
    Field {
        /// Where, as `data.attested_header.beacon.slot`.
        path: String,
        /// What is there.
        found: String,
        /// What should be.
        wanted: String,
    },
    /// The answer's `version` is not the fork of its slot.
    #[error(
        "the answer says version {said}, but its slot {slot} is in {fork}: check the network",
        fork = fork.name()
    )]
    Version {
        /// The answer's `version`.
        said: String,
        /// Slot of the attested or bootstrap header.
        slot: u64,
        /// Fork at that slot.
        fork: Fork,
    },
    /// The file is a node's error answer.
    #[error("the node answered with an error ({0}): ask it again, or ask another")]
    NodeError(String),
    /// A chunk of the beacon API's SSZ stream does not fit the file.
    #[error(
        "the chunk at byte {at} of the SSZ stream announces {announced} bytes, {left} are left: \
         the file was cut short"
    )]
    Chunk {
        /// Position of the chunk's length.
        at: usize,
        /// Bytes announced: 4 of fork digest and the object.
        announced: u64,
        /// Bytes after the length.
        left: usize,
    },
    /// A chunk is marked with another chain's or fork's digest.
    #[error(
        "a chunk of the SSZ stream has fork digest 0x{found}, {fork} of this chain has 0x{wanted}: \
         check the network",
        found = hex::encode(found), wanted = hex::encode(wanted), fork = fork.name()
    )]
    ForkDigest {
        /// Digest seen.
        found: [u8; 4],
        /// Digest of that fork on this chain.
        wanted: [u8; 4],
        /// Fork of the object in the chunk.
        fork: Fork,
    },
    /// There is another number of objects than the caller can use.
    #[error("the file has {found} objects of kind {object}, wanted {wanted}: split or complete it")]
    Count {
        /// What was wanted.
        object: &'static str,
        /// Number seen; counting stops one above what is wanted.
        found: usize,
        /// Number wanted.
        wanted: &'static str,
    },
}
