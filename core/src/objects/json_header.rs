//! The headers in JSON.

use alloy_primitives::{Address, B256, FixedBytes};

use crate::{
    containers::{BeaconBlockHeader, ExecutionPayloadHeader},
    fork::ExecutionForm,
    objects::{
        LightClientHeader, ObjectError,
        json::{Json, Node},
        layout::Layout,
    },
};

fn decode_beacon(json: &Json<'_>) -> Result<BeaconBlockHeader, ObjectError> {
    json.only(&["slot", "proposer_index", "parent_root", "state_root", "body_root"])?;
    Ok(BeaconBlockHeader {
        slot: json.field("slot")?.uint64()?,
        proposer_index: json.field("proposer_index")?.uint64()?,
        parent_root: root(json, "parent_root")?,
        state_root: root(json, "state_root")?,
        body_root: root(json, "body_root")?,
    })
}

fn root(json: &Json<'_>, name: &str) -> Result<B256, ObjectError> {
    json.field(name)?.fixed().map(B256::new)
}

fn encode_beacon(header: &BeaconBlockHeader) -> Node {
    Node::Object(vec![
        ("slot", Node::quoted(header.slot)),
        ("proposer_index", Node::quoted(header.proposer_index)),
        ("parent_root", Node::hex(header.parent_root)),
        ("state_root", Node::hex(header.state_root)),
        ("body_root", Node::hex(header.body_root)),
    ])
}

/// Names of the execution header's fields; the last two since Deneb.
const EXECUTION_FIELDS: [&str; 17] = [
    "parent_hash",
    "fee_recipient",
    "state_root",
    "receipts_root",
    "logs_bloom",
    "prev_randao",
    "block_number",
    "gas_limit",
    "gas_used",
    "timestamp",
    "extra_data",
    "base_fee_per_gas",
    "block_hash",
    "transactions_root",
    "withdrawals_root",
    "blob_gas_used",
    "excess_blob_gas",
];

/// Number of fields in [`EXECUTION_FIELDS`] that the layout has.
fn execution_field_count(layout: Layout) -> usize {
    if layout.has_blob_fields() { 17 } else { 15 }
}

fn decode_execution(
    layout: Layout,
    json: &Json<'_>,
) -> Result<ExecutionPayloadHeader, ObjectError> {
    json.only(&EXECUTION_FIELDS[..execution_field_count(layout)])?;
    let uint64 = |name: &str| json.field(name)?.uint64();
    let blob_field = |name| if layout.has_blob_fields() { uint64(name) } else { Ok(0) };
    Ok(ExecutionPayloadHeader {
        parent_hash: root(json, "parent_hash")?,
        fee_recipient: json.field("fee_recipient")?.fixed().map(Address::new)?,
        state_root: root(json, "state_root")?,
        receipts_root: root(json, "receipts_root")?,
        logs_bloom: json.field("logs_bloom")?.fixed().map(FixedBytes::new)?,
        prev_randao: root(json, "prev_randao")?,
        block_number: uint64("block_number")?,
        gas_limit: uint64("gas_limit")?,
        gas_used: uint64("gas_used")?,
        timestamp: uint64("timestamp")?,
        extra_data: json
            .field("extra_data")?
            .bytes_up_to(ExecutionPayloadHeader::MAX_EXTRA_DATA_BYTES)?,
        base_fee_per_gas: json.field("base_fee_per_gas")?.uint256()?,
        block_hash: root(json, "block_hash")?,
        transactions_root: root(json, "transactions_root")?,
        withdrawals_root: root(json, "withdrawals_root")?,
        blob_gas_used: blob_field("blob_gas_used")?,
        excess_blob_gas: blob_field("excess_blob_gas")?,
    })
}

fn encode_execution(layout: Layout, header: &ExecutionPayloadHeader) -> Node {
    let values = [
        Node::hex(header.parent_hash),
        Node::hex(header.fee_recipient),
        Node::hex(header.state_root),
        Node::hex(header.receipts_root),
        Node::hex(header.logs_bloom),
        Node::hex(header.prev_randao),
        Node::quoted(header.block_number),
        Node::quoted(header.gas_limit),
        Node::quoted(header.gas_used),
        Node::quoted(header.timestamp),
        Node::hex(&header.extra_data),
        Node::quoted(header.base_fee_per_gas),
        Node::hex(header.block_hash),
        Node::hex(header.transactions_root),
        Node::hex(header.withdrawals_root),
        Node::quoted(header.blob_gas_used),
        Node::quoted(header.excess_blob_gas),
    ];
    let fields = EXECUTION_FIELDS.into_iter().zip(values);
    Node::Object(fields.take(execution_field_count(layout)).collect())
}

/// Decodes a `LightClientHeader` in the form of the layout's fork.
pub(super) fn decode_header(
    layout: Layout,
    json: &Json<'_>,
) -> Result<LightClientHeader, ObjectError> {
    let beacon = decode_beacon(&json.field("beacon")?)?;
    let branch = |depth| json.field("execution_branch")?.branch(depth);
    let (execution, execution_branch) = match layout.fork.execution_form() {
        ExecutionForm::Absent => {
            json.only(&["beacon"])?;
            return Ok(LightClientHeader { beacon, ..Default::default() });
        }
        ExecutionForm::PayloadHeader => {
            json.only(&["beacon", "execution", "execution_branch"])?;
            let execution = decode_execution(layout, &json.field("execution")?)?;
            (execution, branch(LightClientHeader::EXECUTION_BRANCH_DEPTH)?)
        }
        ExecutionForm::BlockHash => {
            json.only(&["beacon", "execution_block_hash", "execution_branch"])?;
            let block_hash = root(json, "execution_block_hash")?;
            let execution = ExecutionPayloadHeader { block_hash, ..Default::default() };
            (execution, branch(LightClientHeader::BLOCK_HASH_BRANCH_DEPTH)?)
        }
    };
    Ok(LightClientHeader { beacon, execution, execution_branch })
}

/// Encodes a `LightClientHeader` in the form of the layout's fork.
pub(super) fn encode_header(layout: Layout, header: &LightClientHeader) -> Node {
    let mut fields = vec![("beacon", encode_beacon(&header.beacon))];
    let execution = match layout.fork.execution_form() {
        ExecutionForm::Absent => return Node::Object(fields),
        ExecutionForm::PayloadHeader => ("execution", encode_execution(layout, &header.execution)),
        ExecutionForm::BlockHash => {
            ("execution_block_hash", Node::hex(header.execution.block_hash))
        }
    };
    fields.push(execution);
    fields.push(("execution_branch", Node::hex_list(&header.execution_branch)));
    Node::Object(fields)
}
