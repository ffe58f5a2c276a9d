//! From a core proof to the other modes, stage by stage.

use std::path::PathBuf;

use lc_stark::{VerifyingKey, prove::Machine};
use tracing::{info, warn};

use super::stage::{self, Stage, StageError};
use crate::{
    circuits::{Circuits, Snark},
    config::show_size,
    error_chain,
    types::{CircuitHash, ModeInfo, Progress, ProofMode},
};

pub(super) const GIB: u64 = 1 << 30;

/// Bytes that the recursion takes at most (measured: docs/performance.md).
const RECURSION_BYTES: u64 = 12 * GIB;

/// Bytes that gnark takes at most for each kind of circuit, with [`limits`]: measured for Groth16. A PLONK proof took 40.1 GB
/// of a driver that holds a little less than gnark does by itself (docs/performance.md).
const GROTH16_BYTES: u64 = 20 * GIB;
const PLONK_BYTES: u64 = 56 * GIB;

/// What makes the modes beyond core.
#[derive(Debug)]
pub(super) struct Snarks {
    modes: Vec<(ModeInfo, Option<PathBuf>)>,
    machine: Machine,
    log: Vec<String>,
}

impl Snarks {
    /// Looks which circuits there are, and which modes the machine's memory allows: all of it counts, not what is
    /// free just now, so that what a server says does not change with the hour.
    pub(super) fn new(circuits: &Circuits, machine: Machine, log: Vec<String>) -> Self {
        let modes = [ProofMode::Compressed, ProofMode::Groth16, ProofMode::Plonk];
        let modes = modes.map(|mode| match offer(mode, circuits, machine.total_bytes) {
            Ok((circuit, directory)) => {
                let info = ModeInfo::offered(mode, circuit);
                if info.is_development() {
                    warn!(%mode, "the circuit is for development: whoever set it up can forge proofs");
                }
                (info, directory)
            }
            Err(why) => {
                info!(%mode, why, "not offered");
                (ModeInfo::unsupported(mode, why), None)
            }
        });
        Self { modes: modes.into(), machine, log }
    }

    pub(super) fn modes(&self) -> impl Iterator<Item = ModeInfo> {
        self.modes.iter().map(|(info, _)| info.clone())
    }

    pub(super) fn mode(&self, mode: ProofMode) -> Option<&ModeInfo> {
        self.modes.iter().map(|(info, _)| info).find(|info| info.mode == mode)
    }

    /// Makes a proof of `mode` from a core proof of `public_values` by the program of `key`.
    pub(super) fn prove(
        &self,
        mode: ProofMode,
        key: &VerifyingKey,
        public_values: &[u8],
        core: Vec<u8>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<u8>, (&'static str, StageError)> {
        let mut run = |stage: Stage, environment: &[(&'static str, String)]| {
            let name = stage.name();
            stage::run(&stage, &self.log, environment, progress).map_err(|error| (name, error))
        };
        let (key, public_values) = (key.to_bytes(), public_values.to_vec());
        let compressed = run(
            Stage::Compress { key: key.clone(), public_values: public_values.clone(), core },
            &[],
        )?;
        let circuit = match self.modes.iter().find(|(info, _)| info.mode == mode) {
            Some((_, Some(directory))) => directory.clone(),
            _ => return Ok(compressed),
        };
        let wrapped = run(Stage::Wrap { compressed }, &[])?;
        let plonk = mode == ProofMode::Plonk;
        let stage = Stage::Outer { plonk, circuit, key, public_values, wrapped };
        run(stage, &limits(self.machine.total_bytes))
    }
}

/// The circuit for `mode` and where it lies, or why there are no such proofs and what to do.
pub(in crate::engine) fn offer(
    mode: ProofMode,
    circuits: &Circuits,
    total_bytes: u64,
) -> Result<(Option<CircuitHash>, Option<PathBuf>), String> {
    let needed = match mode {
        ProofMode::Core => 0,
        ProofMode::Compressed => RECURSION_BYTES,
        ProofMode::Groth16 => GROTH16_BYTES,
        ProofMode::Plonk => PLONK_BYTES,
    };
    if total_bytes < needed {
        return Err(format!(
            "it takes {} of memory and there are {}: use a larger machine, or ask for core",
            show_size(needed),
            show_size(total_bytes)
        ));
    }
    let Ok(snark) = Snark::try_from(mode) else { return Ok((None, None)) };
    let circuit = circuits.best(snark).map_err(|error| error_chain(error))?;
    Ok((Some(CircuitHash(circuit.hash.0)), Some(circuit.directory.clone())))
}

/// The environment that keeps Go's collector within a machine with `total_bytes`: by default its heap
/// grows to twice what is in use before it looks.
fn limits(total_bytes: u64) -> [(&'static str, String); 2] {
    let heap = total_bytes.saturating_sub(9 * GIB).max(14 * GIB);
    [("GOMEMLIMIT", heap.to_string()), ("GOGC", "50".to_owned())]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::circuits::Official;

    fn offered(
        mode: ProofMode,
        total_bytes: u64,
    ) -> Result<(Option<CircuitHash>, Option<PathBuf>), String> {
        let circuits = Circuits::open(Path::new("no such folder"), &Official::SP1);
        offer(mode, &circuits, total_bytes)
    }

    #[test]
    fn a_machine_that_is_too_small_is_told_what_it_takes_and_what_it_has() {
        let text = offered(ProofMode::Groth16, 8 * GIB).unwrap_err();
        let start =
            format!("it takes {} of memory and there are 8.0 GiB", show_size(GROTH16_BYTES));
        assert!(text.starts_with(&start), "{text}");
        let text = offered(ProofMode::Compressed, GIB).unwrap_err();
        assert!(text.contains("there are 1.0 GiB"), "{text}");
    }

    #[test]
    fn without_a_circuit_the_command_that_installs_it_is_named() {
        let text = offered(ProofMode::Groth16, 1 << 40).unwrap_err();
        assert!(text.contains("proof-server circuits install --mode groth16"), "{text}");
        let text = offered(ProofMode::Plonk, 1 << 40).unwrap_err();
        assert!(text.contains("proof-server circuits install --mode plonk"), "{text}");
    }

    #[test]
    fn compressed_proofs_need_no_circuit() {
        assert_eq!(offered(ProofMode::Compressed, 1 << 40), Ok((None, None)));
    }

    #[test]
    fn gos_heap_leaves_room_for_what_is_not_gos() {
        let heap = |available: u64| limits(available)[0].1.parse::<u64>().unwrap();
        assert_eq!(heap(64 * GIB), 55 * GIB);
        assert_eq!(heap(GIB), 14 * GIB);
    }
}
