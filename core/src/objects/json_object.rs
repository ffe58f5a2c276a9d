//! The objects in JSON, field by field.

use alloy_primitives::FixedBytes;
use serde_json::Value;

use crate::{
    chain_spec::ChainSpec,
    objects::{
        LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate,
        LightClientUpdate, ObjectError, SyncAggregate, SyncCommittee,
        json::{Json, Node, shorten},
        json_header::{decode_header, encode_header},
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
