//! The chain's constants as the consensus specifications write them.

use std::fmt::Write;

use lc_core::{ChainSpec, Fork};

use crate::builder::Preset;

/// `FAR_FUTURE_EPOCH`: the fork is not planned.
const FAR_FUTURE_EPOCH: u64 = u64::MAX;

/// A consensus-spec `config.yaml` with what a light client reads. `BLOB_SCHEDULE` is there because it is part
/// of Fulu's fork digest.
#[must_use]
pub fn config_yaml(spec: &ChainSpec, preset: Preset) -> String {
    let mut out = format!(
        "# A simulated chain: see README.md beside the recording.\n\
         PRESET_BASE: '{0}'\nCONFIG_NAME: 'simulated-{0}'\n\
         GENESIS_FORK_VERSION: 0x0000005e\n",
        preset.name()
    );
    for fork in Fork::ALL {
        let name = fork.name().to_uppercase();
        let entry = spec.forks.iter().find(|entry| entry.fork == fork);
        // Recordings are older than Gloas: they do not name it, so that they stay what they are.
        if fork == Fork::Gloas && entry.is_none() {
            continue;
        }
        let version = entry.map_or([fork as u8, 0, 0, 0x5e], |entry| entry.version);
        let epoch = entry.map_or(FAR_FUTURE_EPOCH, |entry| entry.epoch);
        let version = hex::encode(version);
        writeln!(out, "{name}_FORK_VERSION: 0x{version}\n{name}_FORK_EPOCH: {epoch}")
            .expect("writing to a string never fails");
    }
    out.push_str("BLOB_SCHEDULE: []\n");
    out
}
