//! This project's circuits, as SP1's GPU server looks for them.
//!
//! It takes a circuit from `BASE/v6.1.0`, where a file `.complete` says that all of it is there, and
//! downloads it where there is none. BASE comes from its environment.

use std::{ffi::OsString, fs, io, os::unix::fs::symlink, path::Path};

use tempfile::TempDir;
use tracing::{info, warn};

use crate::{
    circuits::{CIRCUIT_VERSION, Circuits, Snark},
    engine::cpu::snark::offer,
    types::{ModeInfo, ProofMode},
};

/// What can be made here, and the verifying keys of the development circuits in use. The recursion runs on the GPU,
/// and takes none of the machine's memory to speak of.
pub(super) fn modes(circuits: &Circuits) -> (Vec<ModeInfo>, Vec<Vec<u8>>) {
    let total_bytes = lc_stark::prove::Machine::of_this_process().total_bytes;
    let mut modes = vec![
        ModeInfo::offered(ProofMode::Core, None),
        ModeInfo::offered(ProofMode::Compressed, None),
    ];
    for mode in [ProofMode::Groth16, ProofMode::Plonk] {
        modes.push(match offer(mode, circuits, total_bytes) {
            Ok((circuit, _)) => ModeInfo::offered(mode, circuit),
            Err(why) => {
                info!(%mode, why, "not offered");
                ModeInfo::unsupported(mode, why)
            }
        });
    }
    let used = Snark::ALL.into_iter().filter_map(|snark| circuits.best(snark).ok());
    let development = used.filter(|circuit| circuit.id.development);
    let keys = development
        .inspect(|circuit| {
            warn!(circuit = %circuit.id, "for development: whoever set it up can forge proofs");
        })
        .map(|circuit| circuit.verifying_key.clone())
        .collect();
    (modes, keys)
}

/// The variable in which SP1 looks for a circuit's base.
const fn variable(snark: Snark) -> &'static str {
    match snark {
        Snark::Groth16 => "SP1_GROTH16_CIRCUIT_PATH",
        Snark::Plonk => "SP1_PLONK_CIRCUIT_PATH",
    }
}

pub(super) fn environment(links: &Path) -> Vec<(OsString, OsString)> {
    Snark::ALL.map(|snark| (variable(snark).into(), links.join(snark.to_string()).into())).into()
}

/// A folder with a base for each circuit that is installed: links to its files.
pub(super) fn links(circuits: &Circuits) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("proof-server-circuits-").tempdir()?;
    for snark in Snark::ALL {
        let Ok(circuit) = circuits.best(snark) else { continue };
        let base = folder.path().join(snark.to_string()).join(CIRCUIT_VERSION);
        fs::create_dir_all(&base)?;
        for file in fs::read_dir(&circuit.directory)? {
            let file = file?;
            symlink(file.path().canonicalize()?, base.join(file.file_name()))?;
        }
        fs::write(base.join(".complete"), [])?;
    }
    Ok(folder)
}
