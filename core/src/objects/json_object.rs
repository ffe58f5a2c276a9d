//! The objects in JSON, field by field.

use alloy_primitives::{Address, B256, FixedBytes};
use serde_json::Value;

use crate::{
    chain_spec::ChainSpec,
    containers::{BeaconBlockHeader, ExecutionPayloadHeader},
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader,
        LightClientOptimisticUpdate, LightClientUpdate, ObjectError, SyncAggregate, SyncCommittee,
        json::{Json, Node, shorten},
        layout::Layout,
        ssz::SszObject,
    },
};

/// An object in JSON.
pub(super) trait JsonObject: SszObject {
    /// Name of the header whose slot decides the layout.
    const DECIDING_HEADER: &'static str;

    /// From the bare object.
    fn decode_json(layout: Layout, json: &Json<'_>) -> Result<Self, ObjectError>;

    /// The bare object.
    fn encode_json(&self, layout: Layout) -> Node;
}

/// Decodes a document that holds one object.
pub(super) fn from_text<T: JsonObject>(spec: &ChainSpec, text: &[u8]) -> Result<T, ObjectError> {
    from_value(spec, &parse(text)?, String::new())
}

/// Parses a document of any shape.
pub(super) fn parse(text: &[u8]) -> Result<Value, ObjectError> {
    serde_json::from_slice(text).map_err(|error| ObjectError::NotJson(error.to_string()))
}

/// Decodes an answer (`version` and `data`) or a bare object.
pub(super) fn from_value<T: JsonObject>(
    spec: &ChainSpec,
    value: &Value,
    path: String,
) -> Result<T, ObjectError> {
    if let (None, Some(message)) = (value.get("data"), value.get("message")) {
        return Err(ObjectError::NodeError(shorten(&message.to_string())));
    }
    let answer = Json::new(value, path);
    let json = if value.get("data").is_some() { answer.field("data")? } else { answer };
    let slot = json.field(T::DECIDING_HEADER)?.field("beacon")?.field("slot")?.uint64()?;
    let layout = Layout::at_slot(spec, T::KIND, slot)?;
    match value.get("version") {
        Some(said) if said.as_str() != Some(layout.fork.name()) => {
            let said = shorten(&said.to_string());
            Err(ObjectError::Version { said, slot, fork: layout.fork })
        }
        _ => T::decode_json(layout, &json),
    }
}

/// The answer for one object.
pub(super) fn to_text<T: JsonObject>(spec: &ChainSpec, object: &T) -> String {
    write(&answer(spec, object))
}

/// The beacon API's answer for a list of updates: an array, each element with its `version`.
#[must_use]
pub fn updates_to_json(spec: &ChainSpec, updates: &[LightClientUpdate]) -> String {
    write(&Node::List(updates.iter().map(|update| answer(spec, update)).collect()))
}

fn answer<T: JsonObject>(spec: &ChainSpec, object: &T) -> Node {
    let layout = Layout::for_encoding(spec, object.deciding_header().beacon.slot);
    let version = Node::Text(layout.fork.name().to_owned());
    Node::Object(vec![("version", version), ("data", object.encode_json(layout))])
}

fn write(node: &Node) -> String {
    serde_json::to_string_pretty(node).expect("strings, arrays and string keys always serialize")
}

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

fn decode_header(layout: Layout, json: &Json<'_>) -> Result<LightClientHeader, ObjectError> {
    let beacon = decode_beacon(&json.field("beacon")?)?;
    if !layout.fork.has_execution() {
        json.only(&["beacon"])?;
        return Ok(LightClientHeader { beacon, ..Default::default() });
    }
    json.only(&["beacon", "execution", "execution_branch"])?;
    Ok(LightClientHeader {
        beacon,
        execution: decode_execution(layout, &json.field("execution")?)?,
        execution_branch: json
            .field("execution_branch")?
            .branch(LightClientHeader::EXECUTION_BRANCH_DEPTH)?,
    })
}

fn encode_header(layout: Layout, header: &LightClientHeader) -> Node {
    let mut fields = vec![("beacon", encode_beacon(&header.beacon))];
    if layout.fork.has_execution() {
        fields.push(("execution", encode_execution(layout, &header.execution)));
        fields.push(("execution_branch", Node::hex_list(&header.execution_branch)));
    }
    Node::Object(fields)
}

fn decode_committee(layout: Layout, json: &Json<'_>) -> Result<SyncCommittee, ObjectError> {
    json.only(&["pubkeys", "aggregate_pubkey"])?;
    let pubkeys = json.field("pubkeys")?.list(layout.committee)?;
    Ok(SyncCommittee {
        pubkeys: pubkeys
            .iter()
            .map(|key| key.fixed().map(FixedBytes::new))
            .collect::<Result<_, _>>()?,
        aggregate_pubkey: json.field("aggregate_pubkey")?.fixed().map(FixedBytes::new)?,
    })
}

fn encode_committee(committee: &SyncCommittee) -> Node {
    Node::Object(vec![
        ("pubkeys", Node::hex_list(&committee.pubkeys)),
        ("aggregate_pubkey", Node::hex(committee.aggregate_pubkey)),
    ])
}

fn decode_aggregate(layout: Layout, json: &Json<'_>) -> Result<SyncAggregate, ObjectError> {
    json.only(&["sync_committee_bits", "sync_committee_signature"])?;
    Ok(SyncAggregate {
        sync_committee_bits: json.field("sync_committee_bits")?.bytes(layout.committee / 8)?,
        sync_committee_signature: json
            .field("sync_committee_signature")?
            .fixed()
            .map(FixedBytes::new)?,
    })
}

fn encode_aggregate(aggregate: &SyncAggregate) -> Node {
    Node::Object(vec![
        ("sync_committee_bits", Node::hex(&aggregate.sync_committee_bits)),
        ("sync_committee_signature", Node::hex(aggregate.sync_committee_signature)),
    ])
}

impl JsonObject for LightClientBootstrap {
    const DECIDING_HEADER: &'static str = "header";

    fn decode_json(layout: Layout, json: &Json<'_>) -> Result<Self, ObjectError> {
        json.only(&["header", "current_sync_committee", "current_sync_committee_branch"])?;
        let depth = layout.fork.gindices().current_sync_committee.depth();
        Ok(Self {
            header: decode_header(layout, &json.field("header")?)?,
            current_sync_committee: decode_committee(
                layout,
                &json.field("current_sync_committee")?,
            )?,
            current_sync_committee_branch: json
                .field("current_sync_committee_branch")?
                .branch(depth)?,
        })
    }

    fn encode_json(&self, layout: Layout) -> Node {
        Node::Object(vec![
            ("header", encode_header(layout, &self.header)),
            ("current_sync_committee", encode_committee(&self.current_sync_committee)),
            ("current_sync_committee_branch", Node::hex_list(&self.current_sync_committee_branch)),
        ])
    }
}

impl JsonObject for LightClientUpdate {
    const DECIDING_HEADER: &'static str = "attested_header";

    fn decode_json(layout: Layout, json: &Json<'_>) -> Result<Self, ObjectError> {
        json.only(&[
            "attested_header",
            "next_sync_committee",
            "next_sync_committee_branch",
            "finalized_header",
            "finality_branch",
            "sync_aggregate",
            "signature_slot",
        ])?;
        let at = layout.fork.gindices();
        let next_branch = json.field("next_sync_committee_branch")?;
        Ok(Self {
            attested_header: decode_header(layout, &json.field("attested_header")?)?,
            next_sync_committee: decode_committee(layout, &json.field("next_sync_committee")?)?,
            next_sync_committee_branch: next_branch.branch(at.next_sync_committee.depth())?,
            finalized_header: decode_header(layout, &json.field("finalized_header")?)?,
            finality_branch: json.field("finality_branch")?.branch(at.finalized_root.depth())?,
            sync_aggregate: decode_aggregate(layout, &json.field("sync_aggregate")?)?,
            signature_slot: json.field("signature_slot")?.uint64()?,
        })
    }

    fn encode_json(&self, layout: Layout) -> Node {
        Node::Object(vec![
            ("attested_header", encode_header(layout, &self.attested_header)),
            ("next_sync_committee", encode_committee(&self.next_sync_committee)),
            ("next_sync_committee_branch", Node::hex_list(&self.next_sync_committee_branch)),
            ("finalized_header", encode_header(layout, &self.finalized_header)),
            ("finality_branch", Node::hex_list(&self.finality_branch)),
            ("sync_aggregate", encode_aggregate(&self.sync_aggregate)),
            ("signature_slot", Node::quoted(self.signature_slot)),
        ])
    }
}

impl JsonObject for LightClientFinalityUpdate {
    const DECIDING_HEADER: &'static str = "attested_header";

    fn decode_json(layout: Layout, json: &Json<'_>) -> Result<Self, ObjectError> {
        json.only(&[
            "attested_header",
            "finalized_header",
            "finality_branch",
            "sync_aggregate",
            "signature_slot",
        ])?;
        let depth = layout.fork.gindices().finalized_root.depth();
        Ok(Self {
            attested_header: decode_header(layout, &json.field("attested_header")?)?,
            finalized_header: decode_header(layout, &json.field("finalized_header")?)?,
            finality_branch: json.field("finality_branch")?.branch(depth)?,
            sync_aggregate: decode_aggregate(layout, &json.field("sync_aggregate")?)?,
            signature_slot: json.field("signature_slot")?.uint64()?,
        })
    }

    fn encode_json(&self, layout: Layout) -> Node {
        Node::Object(vec![
            ("attested_header", encode_header(layout, &self.attested_header)),
            ("finalized_header", encode_header(layout, &self.finalized_header)),
            ("finality_branch", Node::hex_list(&self.finality_branch)),
            ("sync_aggregate", encode_aggregate(&self.sync_aggregate)),
            ("signature_slot", Node::quoted(self.signature_slot)),
        ])
    }
}

impl JsonObject for LightClientOptimisticUpdate {
    const DECIDING_HEADER: &'static str = "attested_header";

    fn decode_json(layout: Layout, json: &Json<'_>) -> Result<Self, ObjectError> {
        json.only(&["attested_header", "sync_aggregate", "signature_slot"])?;
        Ok(Self {
            attested_header: decode_header(layout, &json.field("attested_header")?)?,
            sync_aggregate: decode_aggregate(layout, &json.field("sync_aggregate")?)?,
            signature_slot: json.field("signature_slot")?.uint64()?,
        })
    }

    fn encode_json(&self, layout: Layout) -> Node {
        Node::Object(vec![
            ("attested_header", encode_header(layout, &self.attested_header)),
            ("sync_aggregate", encode_aggregate(&self.sync_aggregate)),
            ("signature_slot", Node::quoted(self.signature_slot)),
        ])
    }
}
