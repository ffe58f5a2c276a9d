//! SSZ of the headers.

use alloy_primitives::{Address, B256, FixedBytes, U256};

use super::{Part, array, join, node_bytes, nodes, split, uint64};
use crate::{
    containers::{BeaconBlockHeader, ExecutionPayloadHeader},
    fork::ExecutionForm,
    objects::{
        LightClientHeader, ObjectError,
        layout::{Layout, check_extra_data},
    },
};

/// Decodes a `LightClientHeader` in the form of the layout's fork.
pub(super) fn decode_header(
    layout: Layout,
    bytes: &[u8],
) -> Result<LightClientHeader, ObjectError> {
    let f = split("LightClientHeader", &layout.header_parts(), bytes)?;
    let beacon = decode_beacon(f[0])?;
    let execution = match layout.fork.execution_form() {
        ExecutionForm::Absent => return Ok(LightClientHeader { beacon, ..Default::default() }),
        ExecutionForm::PayloadHeader => decode_execution(layout, f[1])?,
        ExecutionForm::BlockHash => {
            ExecutionPayloadHeader { block_hash: B256::from_slice(f[1]), ..Default::default() }
        }
    };
    Ok(LightClientHeader { beacon, execution, execution_branch: nodes(f[2]) })
}

/// Encodes a `LightClientHeader` in the form of the layout's fork.
pub(super) fn encode_header(layout: Layout, header: &LightClientHeader) -> Vec<u8> {
    let beacon = encode_beacon(&header.beacon);
    let execution = match layout.fork.execution_form() {
        ExecutionForm::Absent => return beacon,
        ExecutionForm::PayloadHeader => encode_execution(layout, &header.execution),
        ExecutionForm::BlockHash => header.execution.block_hash.to_vec(),
    };
    join(&layout.header_parts(), &[beacon, execution, node_bytes(&header.execution_branch)])
}

fn decode_beacon(bytes: &[u8]) -> Result<BeaconBlockHeader, ObjectError> {
    let parts = [8, 8, 32, 32, 32].map(Part::Fixed);
    let f = split("BeaconBlockHeader", &parts, bytes)?;
    Ok(BeaconBlockHeader {
        slot: uint64(f[0]),
        proposer_index: uint64(f[1]),
        parent_root: B256::from_slice(f[2]),
        state_root: B256::from_slice(f[3]),
        body_root: B256::from_slice(f[4]),
    })
}

fn encode_beacon(header: &BeaconBlockHeader) -> Vec<u8> {
    let mut out = Vec::with_capacity(BeaconBlockHeader::SSZ_BYTES);
    out.extend_from_slice(&header.slot.to_le_bytes());
    out.extend_from_slice(&header.proposer_index.to_le_bytes());
    for root in [&header.parent_root, &header.state_root, &header.body_root] {
        out.extend_from_slice(root.as_slice());
    }
    out
}

fn decode_execution(layout: Layout, bytes: &[u8]) -> Result<ExecutionPayloadHeader, ObjectError> {
    let f = split("ExecutionPayloadHeader", &layout.execution_parts(), bytes)?;
    check_extra_data(f[10])?;
    let blob_field = |at: usize| f.get(at).map_or(0, |field| uint64(field));
    Ok(ExecutionPayloadHeader {
        parent_hash: B256::from_slice(f[0]),
        fee_recipient: Address::from_slice(f[1]),
        state_root: B256::from_slice(f[2]),
        receipts_root: B256::from_slice(f[3]),
        logs_bloom: FixedBytes::from_slice(f[4]),
        prev_randao: B256::from_slice(f[5]),
        block_number: uint64(f[6]),
        gas_limit: uint64(f[7]),
        gas_used: uint64(f[8]),
        timestamp: uint64(f[9]),
        extra_data: f[10].to_vec(),
        base_fee_per_gas: U256::from_le_bytes(array::<32>(f[11])),
        block_hash: B256::from_slice(f[12]),
        transactions_root: B256::from_slice(f[13]),
        withdrawals_root: B256::from_slice(f[14]),
        blob_gas_used: blob_field(15),
        excess_blob_gas: blob_field(16),
    })
}

fn encode_execution(layout: Layout, header: &ExecutionPayloadHeader) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = vec![
        header.parent_hash.to_vec(),
        header.fee_recipient.to_vec(),
        header.state_root.to_vec(),
        header.receipts_root.to_vec(),
        header.logs_bloom.to_vec(),
        header.prev_randao.to_vec(),
        header.block_number.to_le_bytes().to_vec(),
        header.gas_limit.to_le_bytes().to_vec(),
        header.gas_used.to_le_bytes().to_vec(),
        header.timestamp.to_le_bytes().to_vec(),
        header.extra_data.clone(),
        header.base_fee_per_gas.to_le_bytes::<32>().to_vec(),
        header.block_hash.to_vec(),
        header.transactions_root.to_vec(),
        header.withdrawals_root.to_vec(),
    ];
    if layout.has_blob_fields() {
        fields.push(header.blob_gas_used.to_le_bytes().to_vec());
        fields.push(header.excess_blob_gas.to_le_bytes().to_vec());
    }
    join(&layout.execution_parts(), &fields)
}
