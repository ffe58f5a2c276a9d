//! The fork digest that the beacon API puts before each object of its SSZ stream.

use lc_core::{
    ChainSpec, Fork, alloy_primitives::B256, containers::compute_fork_data_root, host::NativeCrypto,
};
use sha2::{Digest, Sha256};

/// `MAX_BLOBS_PER_BLOCK_ELECTRA` (electra/beacon-chain.md), in force where there is no blob schedule.
const MAX_BLOBS_PER_BLOCK_ELECTRA: u64 = 9;

/// `compute_fork_digest` (fulu/beacon-chain.md) at `slot`, for a chain with an empty `BLOB_SCHEDULE`: from
/// Fulu on, the fork data root is masked with the hash of Electra's epoch and blob limit.
///
/// # Panics
/// If the slot is before the chain's first fork.
#[must_use]
pub fn fork_digest(spec: &ChainSpec, slot: u64) -> [u8; 4] {
    let entry = spec.entry_at_epoch(spec.epoch_at_slot(slot)).expect("the slot is in a fork");
    let root = compute_fork_data_root::<NativeCrypto>(entry.version, &spec.genesis_validators_root);
    let mask = if entry.fork >= Fork::Fulu { blob_mask(spec) } else { B256::ZERO };
    *(root ^ mask).first_chunk().expect("a root has 32 bytes")
}

fn blob_mask(spec: &ChainSpec) -> B256 {
    let electra = spec.forks.iter().find(|entry| entry.fork == Fork::Electra);
    let epoch = electra.map_or(u64::MAX, |entry| entry.epoch);
    let parameters = [epoch.to_le_bytes(), MAX_BLOBS_PER_BLOCK_ELECTRA.to_le_bytes()].concat();
    B256::new(Sha256::digest(parameters).into())
}
