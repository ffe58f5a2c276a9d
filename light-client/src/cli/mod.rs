//! Flags in, lines and an exit code out. What is decided is decided in the library.

mod args;
mod attempts;
mod bootstrap;
mod fault;
mod inspect;
mod interrupt;
mod live;
mod prove;
mod report;
mod tls;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, error::ErrorKind};

use args::{Cli, Command, ProveCommand};
use fault::{Exit, Fault, one_line};

/// Runs the command that the process was started with.
pub(crate) fn main() -> ExitCode {
    match parse() {
        Ok(cli) => run(cli).map_or_else(|fault| report(&fault), |()| ExitCode::SUCCESS),
        Err(error) => refuse_flags(&error),
    }
}

fn run(cli: Cli) -> Result<(), Fault> {
    match cli.command {
        Command::Bootstrap(args) => bootstrap::run(&args),
        Command::Prove { what: ProveCommand::CommitteeChange(args) } => {
            prove::committee_change(&args)
        }
        Command::Prove { what: ProveCommand::Inclusion(args) } => prove::inclusion(&args),
        Command::Verify(args) => inspect::verify(&args),
        Command::Show(args) => inspect::show(&args),
        Command::Status(args) => inspect::status(&args),
    }
}

fn report(fault: &Fault) -> ExitCode {
    if !fault.is_closed_pipe() {
        eprintln!("error: {}", fault.line());
    }
    fault.exit_code().into()
}

fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&without_empty_variables(Cli::command()).try_get_matches()?)
}

/// An empty environment variable counts as unset: that is what deployment tools make of a missing value.
fn without_empty_variables(mut command: clap::Command) -> clap::Command {
    let is_empty = |arg: &&clap::Arg| {
        arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
    };
    let empty: Vec<_> =
        command.get_arguments().filter(is_empty).map(|arg| arg.get_id().clone()).collect();
    for id in empty {
        command = command.mut_arg(id, |arg| arg.env(None::<&str>));
    }
    command.mut_subcommands(without_empty_variables)
}

/// Help and version as clap prints them, a fault in one line.
fn refuse_flags(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            eprintln!("error: no command given: see `light-client --help`");
        }
        _ => {
            let text = error.render().to_string();
            let usage = text.find("\nUsage:").unwrap_or(text.len());
            eprintln!("{}: see `light-client --help`", one_line(&text[..usage]));
        }
    }
    Exit::Usage.into()
}
