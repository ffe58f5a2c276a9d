//! `proof-server circuits build-dev`.

use clap::Args;
use proof_server::{
    circuits::{Installer, Official, Snark},
    config::{LogArgs, show_size},
    engine::cpu::build::{self, BuildError},
};

use super::{Exit, Fault, Folder, install, meter::Meter, parse_snark, print};

pub(super) const NOTES: &str = "\
The set-up is made on this machine, and whoever could read its memory meanwhile can forge proofs. So the circuit is
a development circuit: servers that use it say DEV, and clients refuse its proofs unless they were given its verifying
key with --allow-dev-circuits. Swap counts as memory here: add some for the hour if there is too little.";

#[derive(Debug, Args)]
pub(super) struct BuildDevArgs {
    #[command(flatten)]
    folder: Folder,

    /// For which proofs: groth16 (or snark), or plonk
    #[arg(long, value_name = "MODE", default_value = "groth16", value_parser = parse_snark)]
    mode: Snark,

    /// Put it in the place of the one that is installed
    #[arg(long)]
    replace: bool,

    /// Begin although the memory may not suffice: the kernel may then end it, after an hour
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &BuildDevArgs, log: &LogArgs) -> Result<(), Fault> {
    let snark = args.mode;
    if !args.force {
        build::check_memory(snark).map_err(|error| fault(&error))?;
    }
    let installer = Installer::lock(&args.folder.path()?, Official::SP1).map_err(install::fault)?;
    installer.check_vacant_development(snark, args.replace).map_err(install::fault)?;
    let staging = installer.staging(snark).map_err(install::fault)?;
    print(&format!("building a development circuit for {snark}: an hour or more\n"));
    build::build(snark, staging.path(), &log.flags()).map_err(|error| fault(&error))?;
    let mut meter = Meter::new();
    let source = "built on this machine";
    let adopted = installer.adopt(staging, source, args.replace, &mut |event| meter.show(event));
    meter.end();
    let circuit = adopted.map_err(install::fault)?;
    let (bytes, place) = (show_size(circuit.bytes), circuit.directory.display());
    print(&format!("installed the {:#} circuit, {bytes}, in {place}\n", circuit.id));
    print("it is for tests: whoever made its keys can forge proofs\n");
    Ok(())
}

fn fault(error: &BuildError) -> Fault {
    let exit = match error {
        BuildError::Memory { .. } => Exit::Unavailable,
        _ => Exit::Software,
    };
    Fault::of(exit, error)
}
