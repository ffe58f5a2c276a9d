//! `proof-server circuits`: what an operator does once a machine, before Groth16 and PLONK proofs.

use std::{fmt::Write, path::PathBuf};

use clap::{Args, Subcommand};
use proof_server::{
    circuits::{Circuit, CircuitError, CircuitId, Circuits, Official, Snark, default_directory},
    config::{LogArgs, show_size},
    types::ProofMode,
};

use super::{Exit, Fault, print};
use meter::Meter;

#[cfg(feature = "snark")]
mod build_dev;
mod install;
mod meter;

pub(super) const EXAMPLES: &str = "\
Examples:
  proof-server circuits install
      Fetches SP1's official Groth16 circuit, several gigabytes. Stopped, it goes on where it was.
  proof-server circuits install --mode plonk --from v6.1.0-plonk.tar.gz
      Takes it from an archive that was fetched on another machine, or from a folder.
  proof-server circuits list
  proof-server circuits check

A circuit is official if its verifying key is the one that SP1's verifiers have. Any other one is for development:
whoever made its keys can forge proofs. `install` refuses it unless told --development.";

#[derive(Debug, Args)]
pub(super) struct CircuitsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put a circuit into the folder, whole or not at all
    #[command(after_help = install::NOTES)]
    Install(install::InstallArgs),
    /// Build a development circuit on this machine, for tests: an hour or more and tens of gigabytes
    #[cfg(feature = "snark")]
    #[command(after_help = build_dev::NOTES)]
    BuildDev(build_dev::BuildDevArgs),
    /// Show what is installed, and what is missing
    List(ListArgs),
    /// Read all files and compare them with what was installed
    Check(CheckArgs),
}

/// Where circuits are.
#[derive(Debug, Args)]
struct Folder {
    /// Folder with the circuits [default: $XDG_DATA_HOME/proof-server/circuits, or
    /// ~/.local/share/proof-server/circuits]
    #[arg(long, env = "PROOF_SERVER_CIRCUITS", value_name = "DIR")]
    circuits: Option<PathBuf>,
}

impl Folder {
    fn path(&self) -> Result<PathBuf, Fault> {
        self.circuits.clone().or_else(default_directory).ok_or_else(|| {
            Fault::new(Exit::Usage, "there is no home folder to look in: give --circuits DIR")
        })
    }
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    folder: Folder,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    folder: Folder,
    /// Only the circuits for these proofs: groth16 (or snark), or plonk
    #[arg(long, value_name = "MODE", value_parser = parse_snark)]
    mode: Option<Snark>,
}

fn parse_snark(text: &str) -> Result<Snark, String> {
    let mode: ProofMode =
        text.parse().map_err(|_| "give groth16 (or snark), or plonk".to_owned())?;
    Snark::try_from(mode).map_err(|error| error.to_string())
}

pub(super) fn run(
    args: &CircuitsArgs,
    #[cfg_attr(not(feature = "snark"), expect(unused_variables))] log: &LogArgs,
) -> Result<(), Fault> {
    match &args.what {
        What::Install(args) => install::run(args),
        #[cfg(feature = "snark")]
        What::BuildDev(args) => build_dev::run(args, log),
        What::List(args) => list(args),
        What::Check(args) => check(args),
    }
}

fn list(args: &ListArgs) -> Result<(), Fault> {
    let folder = args.folder.path()?;
    let mut text = format!("circuits in {}\n", folder.display());
    for (id, circuit) in Circuits::open(&folder, &Official::SP1).all() {
        let kind = if id.development { "DEV" } else { "official" };
        let state = match circuit {
            Ok(Circuit { bytes, hash, .. }) => format!("{:>9}  key {hash}", show_size(*bytes)),
            // Nobody needs to have one.
            Err(CircuitError::Missing { .. }) if id.development => continue,
            Err(CircuitError::Missing { install, .. }) => format!("missing: run `{install}`"),
            Err(error) => proof_server::error_chain(error),
        };
        let _ = writeln!(text, "{:<8} {kind:<9} {state}", id.snark);
    }
    print(&text);
    Ok(())
}

fn check(args: &CheckArgs) -> Result<(), Fault> {
    let folder = args.folder.path()?;
    let circuits = Circuits::open(&folder, &Official::SP1);
    let wanted = |id: CircuitId| args.mode.is_none_or(|mode| id.snark == mode);
    let installed: Vec<_> = circuits
        .all()
        .filter(|(id, circuit)| {
            wanted(*id) && !matches!(circuit, Err(CircuitError::Missing { .. }))
        })
        .collect();
    if installed.is_empty() {
        let missing =
            circuits.best(args.mode.unwrap_or(Snark::Groth16)).expect_err("none is there");
        return Err(Fault::about(Exit::NoInput, folder.display(), missing));
    }
    let mut faults = Vec::new();
    for (id, circuit) in installed {
        let before = faults.len();
        match circuit {
            Ok(circuit) => {
                let mut meter = Meter::new();
                let found = circuit.check(&mut |event| meter.show(event));
                meter.end();
                faults.extend(found.iter().map(|fault| proof_server::error_chain(fault)));
            }
            Err(error) => faults.push(proof_server::error_chain(error)),
        }
        if faults.len() == before {
            print(&format!("{id:#}: all files are as they were installed\n"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Fault::new(Exit::Data, faults.join("\n"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_is_named_as_proofs_are() {
        assert_eq!(parse_snark("groth16"), Ok(Snark::Groth16));
        assert_eq!(parse_snark("snark"), Ok(Snark::Groth16));
        assert_eq!(parse_snark("plonk"), Ok(Snark::Plonk));
    }

    #[test]
    fn proofs_without_a_circuit_and_unknown_ones_are_refused_with_what_to_give() {
        for mode in ["core", "stark", "compressed"] {
            let text = parse_snark(mode).unwrap_err();
            assert!(text.ends_with("proofs need no circuit: give groth16 or plonk"), "{text}");
        }
        assert_eq!(parse_snark("PLONK"), Err("give groth16 (or snark), or plonk".to_owned()));
    }
}
