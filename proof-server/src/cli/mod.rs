//! The command line.

#[cfg(feature = "cpu")]
mod artifacts;
mod circuits;
mod execute;
mod fault;
mod health;
mod input;
#[cfg(feature = "otel")]
mod otel;
mod serve;
mod settings_file;
#[cfg(feature = "snark")]
mod stage;
mod values;
mod work;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};
use proof_server::{
    config::{LogArgs, LogFormat},
    worker::spans,
};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use fault::{Exit, Fault};

/// Proves for Ethereum light clients: takes beacon-chain updates and account proofs over TCP, hands out
/// proofs that anyone checks in milliseconds.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen for light clients and prove what they ask for
    #[command(after_help = serve::EXAMPLES)]
    Serve(Box<proof_server::config::ServeArgs>),
    /// Try an input: check it natively and run its program, without server or proof
    #[command(after_help = execute::EXAMPLES)]
    Execute(execute::ExecuteArgs),
    /// Ask a running server whether it is ready, as a container's health check does
    #[command(after_help = health::EXAMPLES)]
    Health(health::HealthArgs),
    /// Install and check SP1's SNARK circuits, which Groth16 and PLONK proofs need
    #[command(after_help = circuits::EXAMPLES)]
    Circuits(circuits::CircuitsArgs),
    /// The process that proves; `serve` starts it
    #[command(hide = true)]
    Worker(work::WorkerArgs),
    /// A part of a SNARK; the worker starts it
    #[cfg(feature = "snark")]
    #[command(hide = true)]
    Stage,
    /// Write keys and manifest for freshly built programs; `make artifacts` runs it
    #[cfg(feature = "cpu")]
    #[command(hide = true)]
    Artifacts(artifacts::ArtifactsArgs),
}

/// Parses, runs, reports.
pub(crate) fn main() -> ExitCode {
    let outcome = parse().and_then(run);
    #[cfg(feature = "otel")]
    otel::finish();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(io::stderr(), "{fault}");
            fault.exit.into()
        }
    }
}

fn parse() -> Result<(Cli, Vec<String>), Fault> {
    let mut command = without_empty_variables(Cli::command());
    let mut faults = Vec::new();
    if let Some(file) = settings_file::named(&command) {
        (command, faults) = settings_file::apply(command, file.as_ref());
    }
    let matches = command.try_get_matches().map_err(usage)?;
    let cli = Cli::from_arg_matches(&matches).map_err(usage)?;
    Ok((cli, faults))
}

/// An empty environment variable counts as unset: that is what deployment tools make of a missing value.
fn without_empty_variables(mut command: clap::Command) -> clap::Command {
    let empty: Vec<_> = command
        .get_arguments()
        .filter(|arg| {
            arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
        })
        .map(|arg| arg.get_id().clone())
        .collect();
    for id in empty {
        command = command.mut_arg(id, |arg| arg.env(None::<&str>));
    }
    command.mut_subcommands(without_empty_variables)
}

/// clap's message as one line; help and version as they are.
fn usage(error: clap::Error) -> Fault {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Fault::none();
    }
    let text = error.to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Fault::new(Exit::Usage, "no command given: see `proof-server --help`");
    }
    let wanted = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let line: Vec<&str> = wanted.map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = line.join(" ");
    Fault::new(Exit::Usage, format!("{}: see `--help`", line.trim_start_matches("error: ")))
}

/// `faults` are those of the settings file.
fn run((cli, faults): (Cli, Vec<String>)) -> Result<(), Fault> {
    init_log(&cli)?;
    match cli.command {
        Command::Serve(args) => serve::run(&args, cli.log, faults),
        Command::Execute(args) => execute::run(&args),
        Command::Health(args) => health::run(&args),
        Command::Circuits(args) => circuits::run(&args, &cli.log),
        Command::Worker(args) => work::run(&args, &cli.log),
        #[cfg(feature = "snark")]
        Command::Stage => stage::run(),
        #[cfg(feature = "cpu")]
        Command::Artifacts(args) => artifacts::run(&args),
    }
}

/// The server says what it does; a command that a person waits for only what is wrong.
fn init_log(cli: &Cli) -> Result<(), Fault> {
    let default = match cli.command {
        Command::Serve(_) | Command::Worker(_) => "info",
        #[cfg(feature = "snark")]
        Command::Stage => "info",
        _ => "warn",
    };
    let filter = cli.log.filter.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Fault::new(
            Exit::Usage,
            format!("--log: `{filter}` is no filter ({error}): give for example info"),
        )
    })?;
    // A log that cannot be written, as on a full disk, must not end what it tells of.
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr).log_internal_errors(false);
    let log = match cli.log.format {
        LogFormat::Text => log.with_ansi(false).with_target(false).boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    let spans = matches!(cli.command, Command::Worker(_)).then(spans::layer);
    let registry = tracing_subscriber::registry().with(log.with_filter(filter)).with(spans);
    #[cfg(feature = "otel")]
    let registry = registry.with(match &cli.command {
        Command::Serve(args) => args.otlp.as_deref().map(otel::layer).transpose()?,
        _ => None,
    });
    registry.init();
    Ok(())
}

/// Writes to standard output; whoever closed it has seen enough.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
