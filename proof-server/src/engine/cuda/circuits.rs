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

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use super::*;
    use crate::circuits::{Install, Installer, Official, Patience, Source};

    const KEY: &[u8] = b"a key of my own";

    /// A folder with a made-up development circuit for PLONK.
    fn installed() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (source, place) = (folder.path().join("source"), folder.path().join("circuits"));
        fs::create_dir(&source).unwrap();
        for (name, content) in
            [("plonk_vk.bin", KEY), ("plonk_pk.bin", b"proving"), ("plonk_circuit.bin", b"gates")]
        {
            fs::write(source.join(name), content).unwrap();
        }
        let second = Duration::from_secs(1);
        let patience = Patience { connect: second, silence: second, retries: 0, pause: second };
        Installer::lock(&place, Official::SP1)
            .unwrap()
            .install(
                &Install {
                    snark: Snark::Plonk,
                    source: Source::Directory(source),
                    sha256: None,
                    development: true,
                    replace: false,
                    patience,
                },
                &mut |_| (),
            )
            .unwrap();
        (folder, place)
    }

    #[test]
    fn sp1_finds_an_installed_circuit_whole_and_does_not_look_for_it_elsewhere() {
        let (_folder, place) = installed();
        let circuits = Circuits::open(&place, &Official::SP1);
        let links = links(&circuits).unwrap();
        let environment = environment(links.path());
        let base = |name: &str| {
            let found = environment.iter().find(|(variable, _)| variable == name);
            PathBuf::from(&found.unwrap().1).join("v6.1.0")
        };
        let plonk = base("SP1_PLONK_CIRCUIT_PATH");
        assert_eq!(fs::read(plonk.join("plonk_vk.bin")).unwrap(), KEY);
        assert_eq!(fs::read(plonk.join("plonk_pk.bin")).unwrap(), b"proving");
        assert!(plonk.join(".complete").is_file());
        assert!(!base("SP1_GROTH16_CIRCUIT_PATH").exists());
    }

    #[test]
    fn the_keys_of_development_circuits_in_use_are_those_that_proofs_are_checked_with() {
        let (_folder, place) = installed();
        let (modes, development) = modes(&Circuits::open(&place, &Official::SP1));
        assert_eq!(development, [KEY]);
        let groth16 = modes.iter().find(|info| info.mode == ProofMode::Groth16).unwrap();
        assert!(groth16.unsupported.is_some());
        for mode in [ProofMode::Core, ProofMode::Compressed] {
            let info = modes.iter().find(|info| info.mode == mode).unwrap();
            assert!(info.unsupported.is_none(), "{mode}");
        }
        let (_, none) = super::modes(&Circuits::open(&place.join("nothing"), &Official::SP1));
        assert!(none.is_empty());
    }
}
