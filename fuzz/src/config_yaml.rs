//! A consensus-spec `config.yaml`.
//!
//! - No text makes the reader panic, or hold much more memory than it was given.
//! - A chain that is accepted is valid, and written as such a file it is the same chain.

use std::fmt::Write as _;

use lc_core::{
    ChainSpec, Fork,
    alloy_primitives::B256,
    host::{Network, chain_spec_from_config_yaml},
};

use crate::memory::{proportional, within};

const ROOT: B256 = B256::repeat_byte(7);

/// Checks all of it.
pub fn check(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let read = within(proportional(1024, text.len()), || chain_spec_from_config_yaml(text, ROOT));
    let Ok(chain) = read else { return false };
    chain.validate().expect("a chain that is read is valid");
    let again = chain_spec_from_config_yaml(&write(&chain), ROOT).expect("it is a valid chain");
    assert_eq!(again, chain);
    true
}

/// The file, with what a light client reads of it.
fn write(chain: &ChainSpec) -> String {
    let minimal = Network::Minimal.chain_spec(Some(ROOT)).expect("it has its root");
    let is_minimal = chain.sync_committee_size == minimal.sync_committee_size;
    let preset = if is_minimal { "minimal" } else { "mainnet" };
    let mut text = format!("PRESET_BASE: {preset}\n");
    for fork in Fork::ALL {
        let entry = chain.forks.iter().find(|entry| entry.fork == fork);
        // An epoch that never comes is a fork that is not planned.
        let (version, epoch) =
            entry.map_or(([0; 4], u64::MAX), |entry| (entry.version, entry.epoch));
        let (name, version) = (fork.name().to_uppercase(), u32::from_be_bytes(version));
        writeln!(text, "{name}_FORK_VERSION: '{version:#010x}'\n{name}_FORK_EPOCH: {epoch}")
            .expect("writing to a string never fails");
    }
    text
}
