//! An execution block's header in RLP, from what nodes hand out: the answer to `debug_getRawHeader`, or the block object of
//! `eth_getBlockByHash` and `eth_getBlockByNumber`, of which the RLP is made again and compared with the block's hash.
//!
//! Light-client headers have only that hash from Gloas on; [`ExecutionBlock`] reads the rest out of the RLP.

use alloy_primitives::{B256, Bytes, hex};
use alloy_rlp::{Encodable, Header};

use super::json_rpc::{self, AnswerError, Field};
use crate::{
    crypto::Crypto,
    execution_header::{ExecutionBlock, ExecutionHeaderError, FIELDS, FieldKind, MIN_FIELDS},
    host::NativeCrypto,
};

/// Why a file is no execution block's header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockHeaderError {
    /// Neither RLP, nor hex, nor JSON.
    #[error(
        "{bytes} bytes beginning {first} are no block header: pass the node's answer to debug_getRawHeader or eth_getBlockByHash"
    )]
    Unrecognised {
        /// Number of bytes.
        bytes: usize,
        /// The first few of them in hex.
        first: String,
    },
    /// It begins as JSON and is none.
    #[error("not JSON: {0}: pass the node's answer unchanged")]
    NotJson(String),
    /// The node refused.
    #[error("the node answered with an error: {0}: ask it again for a block that it has")]
    NodeError(String),
    /// A value is missing or not what its field holds.
    #[error("in the block, {path} is {seen}, wanted {wanted}: pass the node's answer unchanged")]
    Field {
        /// Where, as `result.stateRoot`.
        path: String,
        /// What is there.
        seen: String,
        /// What should be.
        wanted: &'static str,
    },
    /// The block has another hash than it says.
    #[error(
        "the block says its hash is {said}, its fields give {made}: one was changed, or is unknown here: pass the answer to debug_getRawHeader"
    )]
    Hash {
        /// The block's `hash`.
        said: B256,
        /// Keccak-256 of the RLP that its fields make.
        made: B256,
    },
    /// The RLP is no block header.
    #[error("the RLP is no block header")]
    Header(#[from] ExecutionHeaderError),
}

impl From<AnswerError> for BlockHeaderError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::NotJson(text) => Self::NotJson(text),
            AnswerError::NodeError(text) => Self::NodeError(text),
            AnswerError::Field { path, seen, wanted } => Self::Field { path, seen, wanted },
        }
    }
}

/// The RLP of a block's header, out of a file: that RLP itself, its hex, or a node's JSON answer, told apart by content.
/// Which block it is, [`ExecutionBlock::from_rlp`] says.
///
/// # Errors
/// [`BlockHeaderError`] says what is wrong with the bytes.
pub fn read_block_header(bytes: &[u8]) -> Result<Bytes, BlockHeaderError> {
    let text = bytes.trim_ascii();
    let rlp = match text {
        [b'{' | b'"', ..] => from_json(text)?,
        [b'0', b'x', digits @ ..] => hex::decode(digits).map_err(|_| unrecognised(text))?,
        // The first byte of every RLP list. Before the spaces are cut off, which may be part of it.
        _ if bytes.first().is_some_and(|first| *first >= 0xc0) => bytes.to_vec(),
        _ => return Err(unrecognised(bytes)),
    };
    ExecutionBlock::from_rlp::<NativeCrypto>(&rlp)?;
    Ok(rlp.into())
}

fn unrecognised(bytes: &[u8]) -> BlockHeaderError {
    let first = match &bytes[..bytes.len().min(8)] {
        [] => "nothing".to_owned(),
        some => format!("0x{}", hex::encode(some)),
    };
    BlockHeaderError::Unrecognised { bytes: bytes.len(), first }
}

fn from_json(json: &[u8]) -> Result<Vec<u8>, BlockHeaderError> {
    let answer = json_rpc::parse(json)?;
    let result = json_rpc::result(&answer)?;
    if result.is_text() {
        return Ok(result.bytes().ok_or_else(|| result.wrong("RLP in hex"))?);
    }
    let said = B256::new(result.get("hash")?.fixed_bytes("a 32-byte hash in hex")?);
    let rlp = encode_header(&result)?;
    let made = NativeCrypto::keccak256(&rlp);
    if made == said { Ok(rlp) } else { Err(BlockHeaderError::Hash { said, made }) }
}

/// The RLP of the block's header fields, up to the first that it does not have.
fn encode_header(block: &Field<'_>) -> Result<Vec<u8>, AnswerError> {
    let mut payload = Vec::new();
    for (number, (name, kind)) in FIELDS.into_iter().enumerate() {
        let field = block.get(name)?;
        if number >= MIN_FIELDS && field.is_absent() {
            break;
        }
        value(&field, kind)?.as_slice().encode(&mut payload);
    }
    let mut rlp = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut rlp);
    rlp.extend(payload);
    Ok(rlp)
}

/// The bytes of a field's value, an integer without zeros in front.
fn value(field: &Field<'_>, kind: FieldKind) -> Result<Vec<u8>, AnswerError> {
    let (least, most, wanted) = match kind {
        FieldKind::Uint64 | FieldKind::Uint256 => {
            return Ok(field.quantity()?.to_be_bytes_trimmed_vec());
        }
        FieldKind::Fixed(8) => (8, 8, "8 bytes in hex"),
        FieldKind::Fixed(20) => (20, 20, "a 20-byte address in hex"),
        FieldKind::Fixed(32) => (32, 32, "a 32-byte hash in hex"),
        FieldKind::Fixed(len) => (len, len, "256 bytes in hex"),
        FieldKind::UpTo(len) => (0, len, "at most 32 bytes in hex"),
    };
    let bytes = field.bytes().filter(|bytes| (least..=most).contains(&bytes.len()));
    bytes.ok_or_else(|| field.wrong(wanted))
}

#[cfg(test)]
mod tests;
