//! What a header says of its execution block: checked whole, and made into what a witness holds of it.

use alloy_primitives::{Address, B256, Bytes, FixedBytes};

use crate::{
    chain_spec::ChainSpec,
    containers::ExecutionPayloadHeader,
    execution_header::ExecutionBlock,
    fork::{ExecutionForm, Fork},
    host::NativeCrypto,
    merkle::{is_valid_merkle_branch, merkleize},
    objects::LightClientHeader,
    rlp::{Item, RlpError, decode},
    root::Root,
    statement::{Execution, NamedBlock, PayloadFields},
    sync_protocol::{CheckError, fork_at_slot},
};

/// The witness of a finalized header's execution. `given` is the RLP of the execution block's header: what a header in
/// Gloas's form is not enough without. Absent for a header that is not valid, which no check accepts.
///
/// # Errors
/// [`CheckError::NoExecutionHeader`] without the RLP where it is needed; [`CheckError::ExecutionHeader`] if it is another
/// block's, also where it is not needed.
pub(super) fn execution(
    spec: &ChainSpec,
    finalized: &LightClientHeader,
    given: Option<&Bytes>,
) -> Result<Execution, CheckError> {
    let (slot, wanted) = (finalized.beacon.slot, finalized.execution.block_hash);
    if let Some(rlp) = given {
        ExecutionBlock::with_hash::<NativeCrypto>(rlp, wanted)?;
    }
    // Nothing is final at genesis: there the finality is refused, and not for lack of a header.
    let Some(fork) = spec.fork_at_slot(slot).filter(|_| slot != 0) else {
        return Ok(Execution::Absent);
    };
    let needed = || given.ok_or(CheckError::NoExecutionHeader { slot });
    let fields = match (fork.execution_form(), finalized.has_hash_form()) {
        (ExecutionForm::PayloadHeader, false) => fields_of_payload(fork, finalized),
        (ExecutionForm::PayloadHeader, true) => fields_of_block(fork, finalized, needed()?),
        (ExecutionForm::BlockHash, true) => {
            let branch = block_hash_branch(fork, finalized);
            return Ok(Execution::Block(NamedBlock { header: needed()?.clone(), branch }));
        }
        (ExecutionForm::BlockHash, false) | (ExecutionForm::Absent, _) => None,
    };
    Ok(fields.map(Box::new).map_or(Execution::Absent, Execution::Payload))
}

/// The fields that a header in the form of its own block's fork has.
fn fields_of_payload(fork: Fork, header: &LightClientHeader) -> Option<PayloadFields> {
    let mut nodes = header.execution.block_hash_branch::<NativeCrypto>(fork)?;
    nodes.extend(header.execution_branch.iter().copied().map(Root::from));
    payload_fields(fork, &header.execution, &nodes)
}

/// The same of a header in Gloas's form whose block is older, as an object of Gloas holds it while nothing of Gloas is
/// final: the hash's branch is in it, the payload's first eight fields are in the block's header too.
fn fields_of_block(fork: Fork, header: &LightClientHeader, rlp: &[u8]) -> Option<PayloadFields> {
    let block_hash = header.execution.block_hash;
    let payload = ExecutionPayloadHeader { block_hash, ..first_fields(rlp).ok()? };
    payload_fields(fork, &payload, &block_hash_branch(fork, header))
}

/// Of `payload` its hash and its first eight fields are read. `nodes` lead from the hash to the body root: field 13, 14
/// and 15, 8 to 11, then 0 to 7, and what is above them.
fn payload_fields(
    fork: Fork,
    payload: &ExecutionPayloadHeader,
    nodes: &[Root],
) -> Option<PayloadFields> {
    let first = payload.field_roots::<NativeCrypto>(fork)?;
    let (beside_hash, rest) = nodes.split_first_chunk()?;
    Some(PayloadFields {
        block_number: payload.block_number,
        block_hash: payload.block_hash.into(),
        state_root: payload.state_root.into(),
        beside_hash: *beside_hash,
        beside_number: [node(&first, 7, 0), node(&first, 2, 1)],
        beside_state_root: [node(&first, 3, 0), node(&first, 0, 1)],
        branch: rest.get(1..)?.to_vec(),
    })
}

/// The first eight fields of the payload header, `parent_hash` to `gas_limit`, of the block with this header.
fn first_fields(rlp: &[u8]) -> Result<ExecutionPayloadHeader, RlpError> {
    let items = decode(rlp)?.list()?.map(|element| element.map(|element| element.item));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    // By the positions of `execution_header::FIELDS`; a header that was read has at least 17.
    let hash = |at: usize| items[at].hash();
    Ok(ExecutionPayloadHeader {
        parent_hash: hash(0)?,
        fee_recipient: Address::from(fixed(items[2])?),
        state_root: hash(3)?,
        receipts_root: hash(5)?,
        logs_bloom: fixed(items[6])?,
        block_number: items[8].u64()?,
        gas_limit: items[9].u64()?,
        prev_randao: hash(13)?,
        ..ExecutionPayloadHeader::default()
    })
}

/// A string whose length was checked when the header was read.
fn fixed<const N: usize>(item: Item<'_>) -> Result<FixedBytes<N>, RlpError> {
    item.string().map(FixedBytes::from_slice)
}

/// Of a tree over `leaves`, node number `position` of those `height` above them.
fn node(leaves: &[Root], position: usize, height: usize) -> Root {
    let below = leaves.iter().skip(position << height).take(1 << height);
    merkleize::<NativeCrypto>(&mut below.copied().collect::<Vec<_>>(), height)
}

/// The branch of a header in Gloas's form, without the zeros that pad an older block's in front.
fn block_hash_branch(fork: Fork, header: &LightClientHeader) -> Vec<Root> {
    let branch = &header.execution_branch;
    let depth = fork.gindices().execution_block_hash.map_or(0, |index| index.depth());
    let (padding, rest) = branch.split_at(branch.len().saturating_sub(depth));
    let zeros = padding.iter().all(B256::is_zero);
    // With anything else in front it stays a branch that no check accepts.
    if zeros { rest } else { branch }.iter().copied().map(Root::from).collect()
}

/// `is_valid_light_client_header`: the header called `what` says of the execution block what its beacon block has, in
/// the form of its slot's fork or in Gloas's.
///
/// Guests check less: no statement says anything of the attested block's execution, and only three values of the
/// finalized block's are in one. A node that sends a header with a fault elsewhere is broken all the same, so the
/// host refuses it.
///
/// # Errors
/// [`CheckError::ExecutionFields`], [`CheckError::ExecutionBranch`] or [`CheckError::BeforeAltair`].
pub(super) fn verify_header(
    spec: &ChainSpec,
    what: &'static str,
    header: &LightClientHeader,
) -> Result<(), CheckError> {
    let fork = fork_at_slot(spec, header.beacon.slot)?;
    let fields = || CheckError::ExecutionFields(what);
    let branch = || header.execution_branch.iter().copied().map(Root::from).collect();
    let at = fork.gindices();
    let (leaf, branch, index): (Root, Vec<Root>, _) = if header.has_hash_form() {
        let leaf = block_hash(header).ok_or_else(fields)?;
        (leaf.into(), block_hash_branch(fork, header), at.execution_block_hash)
    } else {
        let leaf = payload_root(fork, header).ok_or_else(fields)?;
        (leaf, branch(), at.execution_payload)
    };
    let Some(index) = index else {
        let absent = leaf.is_zero() && branch.iter().all(Root::is_zero);
        return if absent { Ok(()) } else { Err(fields()) };
    };
    if is_valid_merkle_branch::<NativeCrypto>(&leaf, &branch, index, &header.beacon.body_root) {
        Ok(())
    } else {
        Err(CheckError::ExecutionBranch(what))
    }
}

/// The block hash of a header in Gloas's form. None if the header says more.
fn block_hash(header: &LightClientHeader) -> Option<B256> {
    let block_hash = header.execution.block_hash;
    let alone = ExecutionPayloadHeader { block_hash, ..Default::default() };
    (header.execution == alone).then_some(block_hash)
}

/// Root of the payload header, zero before Capella. None if it has fields that the fork does not have.
fn payload_root(fork: Fork, header: &LightClientHeader) -> Option<Root> {
    let execution = &header.execution;
    if fork < Fork::Deneb && !execution.has_no_blob_fields() {
        return None;
    }
    let absent = *execution == ExecutionPayloadHeader::default();
    if fork.execution_form() == ExecutionForm::Absent && !absent {
        return None;
    }
    execution.hash_tree_root::<NativeCrypto>(fork)
}
