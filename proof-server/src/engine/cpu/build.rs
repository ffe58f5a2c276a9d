//! Builds development circuits.

use std::{fs, io, path::Path};

use super::{
    snark::GIB,
    stage::{self, Stage, StageError},
};
use crate::{circuits::Snark, config::show_size};

/// A wrap proof of this release's committee-change program. A circuit is built around one, whichever: its shape
/// is the same for every program.
const TEMPLATE: &[u8] = include_bytes!("../../../../artifacts/wrap.bin");

/// Memory that building takes, swap included: measured for Groth16. For PLONK what one proof was seen to take
/// (docs/performance.md), which gnark makes to try the keys, and a quarter and more for what its collector has not found yet.
const GROTH16_BYTES: u64 = 25 * GIB;
const PLONK_BYTES: u64 = 64 * GIB;

/// Why a circuit was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Too little memory.
    #[error(
        "building a {snark} circuit takes {} of memory and {} are available, swap included: use a larger machine, or add swap for the time",
        show_size(*.needed),
        show_size(*.available)
    )]
    Memory {
        /// Which circuit.
        snark: Snark,
        /// What it takes, in bytes.
        needed: u64,
        /// What there is, in bytes.
        available: u64,
    },
    /// gnark failed.
    #[error("the circuit could not be built")]
    Stage(#[source] StageError),
    /// Its files could not be put in their place.
    #[error("the circuit's files cannot be moved: look at the disk")]
    Files(#[source] io::Error),
}

/// Whether this machine, with its swap, has the memory for a circuit.
///
/// # Errors
///
/// [`BuildError::Memory`].
pub fn check_memory(snark: Snark) -> Result<(), BuildError> {
    enough(snark, super::machine(None).available_bytes + free_swap())
}

fn enough(snark: Snark, available: u64) -> Result<(), BuildError> {
    let needed = match snark {
        Snark::Groth16 => GROTH16_BYTES,
        Snark::Plonk => PLONK_BYTES,
    };
    if available >= needed {
        return Ok(());
    }
    Err(BuildError::Memory { snark, needed, available })
}

/// Free swap in bytes; 0 where `/proc` does not say.
fn free_swap() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("SwapFree:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Builds a development circuit's files in `directory`, in a process of its own. `log` are arguments that make it
/// log as this one does.
///
/// # Errors
///
/// [`BuildError`].
pub fn build(snark: Snark, directory: &Path, log: &[String]) -> Result<(), BuildError> {
    // gnark makes PLONK's set-up string itself only where the path has this word in it.
    let inner = directory.join("dev");
    fs::create_dir(&inner).map_err(BuildError::Files)?;
    let (plonk, template) = (snark == Snark::Plonk, TEMPLATE.to_vec());
    let stage = Stage::Build { plonk, directory: inner.clone(), template };
    // Less is in memory at once if the collector runs often, and the disk takes what does not fit.
    let heap = super::machine(None).available_bytes / 4 * 3;
    let limits = [("GOMEMLIMIT", heap.to_string()), ("GOGC", "25".to_owned())];
    stage::run(&stage, log, &limits, &mut |_| {}).map_err(BuildError::Stage)?;
    let files = fs::read_dir(&inner).map_err(BuildError::Files)?;
    for file in files {
        let file = file.map_err(BuildError::Files)?;
        fs::rename(file.path(), directory.join(file.file_name())).map_err(BuildError::Files)?;
    }
    fs::remove_dir(&inner).map_err(BuildError::Files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_is_too_small_is_told_before_an_hour_is_lost() {
        enough(Snark::Groth16, GROTH16_BYTES).unwrap();
        let error = enough(Snark::Groth16, 16 * GIB).unwrap_err().to_string();
        let text = "building a groth16 circuit takes 25.0 GiB of memory and 16.0 GiB are available";
        assert!(error.starts_with(text), "{error}");
        enough(Snark::Plonk, GROTH16_BYTES).unwrap_err();
    }
}
