//! `proof-server circuits install`.

use std::time::Duration;

use clap::Args;
use proof_server::{
    circuits::{
        FileHash, Install, InstallError, Installer, Official, Patience, Snark, Source, SourceError,
    },
    config::{parse_duration, show_size},
};

use super::{Exit, Fault, Folder, meter::Meter, parse_snark, print};

pub(super) const NOTES: &str = "\
SOURCE is a folder with the circuit's files, a .tar.gz of them, or the address of one. Without it the official
circuit is fetched from where SP1 publishes it:
  https://sp1-circuits.s3-us-east-2.amazonaws.com/v6.1.0-groth16.tar.gz
  https://sp1-circuits.s3-us-east-2.amazonaws.com/v6.1.0-plonk.tar.gz
A download that is stopped or breaks goes on where it was when the command is given again. The proxy is the one of
HTTPS_PROXY, NO_PROXY and their like.";

#[derive(Debug, Args)]
pub(super) struct InstallArgs {
    #[command(flatten)]
    folder: Folder,

    /// For which proofs: groth16 (or snark), or plonk
    #[arg(long, value_name = "MODE", default_value = "groth16", value_parser = parse_snark)]
    mode: Snark,

    /// From where: a folder, a .tar.gz file, or the address of one [default: SP1's own]
    #[arg(long, value_name = "SOURCE")]
    from: Option<String>,

    /// What the archive's SHA-256 must be. The verifying key is compared with the official one in any case
    #[arg(long, value_name = "HEX")]
    sha256: Option<FileHash>,

    /// Take a circuit with another verifying key than the official one, as a development circuit
    #[arg(long)]
    development: bool,

    /// Put it in the place of the one that is installed
    #[arg(long)]
    replace: bool,

    /// Attempts in a row that may bring nothing new, before a download is given up
    #[arg(long, value_name = "N", default_value_t = Patience::default().retries)]
    retries: u32,

    #[arg(long, hide = true, default_value = "1s", value_parser = parse_duration)]
    retry_pause: Duration,
}

pub(super) fn run(args: &InstallArgs) -> Result<(), Fault> {
    let what = what(args)?;
    let installer = Installer::lock(&args.folder.path()?, Official::SP1).map_err(fault)?;
    let mut meter = Meter::new();
    let installed = installer.install(&what, &mut |event| meter.show(event));
    meter.end();
    let circuit = installed.map_err(fault)?;
    let (bytes, place) = (show_size(circuit.bytes), circuit.directory.display());
    print(&format!("installed the {:#} circuit, {bytes}, in {place}\n", circuit.id));
    if circuit.id.development {
        print("it is for tests: whoever made its keys can forge proofs\n");
    }
    Ok(())
}

fn what(args: &InstallArgs) -> Result<Install, Fault> {
    let source = match &args.from {
        Some(text) => Source::parse(text).map_err(|error| {
            let exit =
                if matches!(error, SourceError::Url(_)) { Exit::Usage } else { Exit::NoInput };
            Fault::about(exit, "--from", &error)
        })?,
        None => Source::official(args.mode),
    };
    if args.sha256.is_some() && matches!(source, Source::Directory(_)) {
        let text = "--sha256 is of an archive, and --from names a folder: leave one of them out";
        return Err(Fault::new(Exit::Usage, text));
    }
    // What is published there is known, if somebody vouched for it.
    let published = if args.from.is_none() { args.mode.official_archive() } else { None };
    Ok(Install {
        snark: args.mode,
        source,
        sha256: args.sha256.or(published),
        development: args.development,
        replace: args.replace,
        patience: Patience {
            retries: args.retries,
            pause: args.retry_pause,
            ..Patience::default()
        },
    })
}

pub(super) fn fault(error: InstallError) -> Fault {
    let exit = match error {
        InstallError::Exists(_) => Exit::Usage,
        InstallError::Busy(_)
        | InstallError::DiskFull { .. }
        | InstallError::Download { .. }
        | InstallError::Io { .. } => Exit::Unavailable,
        _ => Exit::Data,
    };
    Fault::of(exit, &error)
}
