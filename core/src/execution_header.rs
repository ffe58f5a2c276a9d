//! The execution block that a header names by its hash alone, as light-client headers do from Gloas on: the block
//! header's RLP, whose Keccak-256 is that hash, gives number and state root.
//!
//! Sources: yellow paper 4.3 for the first fields, then the EIPs named at each; `gloas/light-client/sync-protocol.md` of
//! consensus-specs for the hash's place. Gloas is an alpha there and may change.

use alloy_primitives::B256;

use crate::{
    crypto::Crypto,
    rlp::{Item, RlpError, decode},
};

/// What a statement says of an execution block. All zero where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExecutionBlock {
    /// The block's number.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// Root of the state after the block.
    pub state_root: B256,
}

/// Why bytes are not the header of an execution block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionHeaderError {
    /// The whole is no RLP list.
    #[error("the execution block header is no RLP list: pass what `debug_getRawHeader` returned")]
    NotAList(#[source] RlpError),
    /// A field is malformed, or not of its type.
    #[error("{field} of the execution block header is malformed")]
    Field {
        /// The field, by the name that it has in `eth_getBlockByHash`.
        field: &'static str,
        /// What is wrong with it.
        source: RlpError,
    },
    /// A field of a fixed length has another, or one of limited length exceeds it.
    #[error("{field} of the execution block header has {seen} bytes, wanted {wanted}")]
    Length {
        /// The field, by the name that it has in `eth_getBlockByHash`.
        field: &'static str,
        /// Bytes seen.
        seen: usize,
        /// Bytes wanted; the most where the length varies.
        wanted: usize,
    },
    /// Fields are missing at the end.
    #[error(
        "the execution block header has {seen} fields, at least {wanted} since Shanghai: it was cut, or is of an older block"
    )]
    TooFewFields {
        /// Fields seen.
        seen: usize,
        /// Fields of the oldest header that a light-client header can name.
        wanted: usize,
    },
    /// The header is another block's.
    #[error(
        "the execution block header hashes to {seen}, the block is {wanted}: fetch that block's"
    )]
    Hash {
        /// Keccak-256 of the bytes.
        seen: B256,
        /// The block's hash.
        wanted: B256,
    },
}

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// An unsigned integer of at most 64 bits.
    Uint64,
    /// An unsigned integer of at most 256 bits.
    Uint256,
    /// So many bytes.
    Fixed(usize),
    /// At most so many bytes.
    UpTo(usize),
}

use FieldKind::{Fixed, Uint64, Uint256, UpTo};

/// Position of [`ExecutionBlock::state_root`] in [`FIELDS`].
const STATE_ROOT: usize = 3;
/// Position of [`ExecutionBlock::number`] in [`FIELDS`].
const NUMBER: usize = 8;

/// The fields known at Gloas, in order, by their names in `eth_getBlockByHash`.
pub(crate) const FIELDS: [(&str, FieldKind); 23] = [
    ("parentHash", Fixed(32)),
    ("sha3Uncles", Fixed(32)),
    ("miner", Fixed(20)),
    ("stateRoot", Fixed(32)),
    ("transactionsRoot", Fixed(32)),
    ("receiptsRoot", Fixed(32)),
    ("logsBloom", Fixed(256)),
    ("difficulty", Uint256),
    ("number", Uint64),
    ("gasLimit", Uint64),
    ("gasUsed", Uint64),
    ("timestamp", Uint64),
    ("extraData", UpTo(32)),
    ("mixHash", Fixed(32)),
    ("nonce", Fixed(8)),
    // EIP-1559.
    ("baseFeePerGas", Uint256),
    // EIP-4895, Shanghai.
    ("withdrawalsRoot", Fixed(32)),
    // EIP-4844 and EIP-4788, Cancun.
    ("blobGasUsed", Uint64),
    ("excessBlobGas", Uint64),
    ("parentBeaconBlockRoot", Fixed(32)),
    // EIP-7685, Prague.
    ("requestsHash", Fixed(32)),
    // EIP-7928 and EIP-7843, Amsterdam: the execution side of Gloas.
    ("blockAccessListHash", Fixed(32)),
    ("slotNumber", Uint64),
];

/// Fields of Shanghai, the execution side of Capella: light-client headers name no older block.
pub(crate) const MIN_FIELDS: usize = 17;

impl ExecutionBlock {
    /// Reads a block header's RLP, strictly: one list, known fields of their types, integers in their shortest form.
    ///
    /// The last known fields may be missing, for the block before Gloas's first has those of Fulu's time. Unknown ones may
    /// follow: each fork has added its own at the end, the hash covers them whatever they are, and so the next such
    /// fork changes no program.
    ///
    /// # Errors
    /// [`ExecutionHeaderError`], but for [`ExecutionHeaderError::Hash`].
    // Kept apart in a guest, for most blocks do not come here.
    #[inline(never)]
    pub fn from_rlp<C: Crypto>(rlp: &[u8]) -> Result<Self, ExecutionHeaderError> {
        let items = decode(rlp).and_then(Item::list).map_err(ExecutionHeaderError::NotAList)?;
        let (mut seen, mut number, mut state_root) = (0, 0, B256::ZERO);
        for element in items {
            let known = FIELDS.get(seen).copied();
            let field = known.map_or("a later field", |(name, _)| name);
            let malformed = |source| ExecutionHeaderError::Field { field, source };
            let item = element.map_err(malformed)?.item;
            if let Some((_, kind)) = known {
                check_field(field, kind, item)?;
            }
            match seen {
                NUMBER => number = item.u64().map_err(malformed)?,
                STATE_ROOT => state_root = item.hash().map_err(malformed)?,
                _ => {}
            }
            seen += 1;
        }
        if seen < MIN_FIELDS {
            return Err(ExecutionHeaderError::TooFewFields { seen, wanted: MIN_FIELDS });
        }
        Ok(Self { number, hash: C::keccak256(rlp), state_root })
    }

    /// The block with hash `wanted`, by its header's RLP.
    ///
    /// # Errors
    /// [`ExecutionHeaderError`] says what is wrong with the bytes, or whose they are.
    pub fn with_hash<C: Crypto>(rlp: &[u8], wanted: B256) -> Result<Self, ExecutionHeaderError> {
        let block = Self::from_rlp::<C>(rlp)?;
        let seen = block.hash;
        if seen == wanted { Ok(block) } else { Err(ExecutionHeaderError::Hash { seen, wanted }) }
    }
}

/// The item is a value of that type.
fn check_field(
    field: &'static str,
    kind: FieldKind,
    item: Item<'_>,
) -> Result<(), ExecutionHeaderError> {
    let malformed = |source| ExecutionHeaderError::Field { field, source };
    let wanted = match kind {
        Uint64 => return item.u64().map(drop).map_err(malformed),
        Uint256 => return item.u256().map(drop).map_err(malformed),
        Fixed(len) | UpTo(len) => len,
    };
    let seen = item.string().map_err(malformed)?.len();
    if seen == wanted || (seen < wanted && matches!(kind, UpTo(_))) {
        Ok(())
    } else {
        Err(ExecutionHeaderError::Length { field, seen, wanted })
    }
}

#[cfg(all(test, feature = "host"))]
mod tests;
