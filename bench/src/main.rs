//! The bench's command line.

use std::process::ExitCode;

use bench::{
    record::{RecordArgs, record},
    replay::{self, Ended, ReplayArgs, Stop},
};
use clap::{Parser, Subcommand};

/// What a shell gives for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// What proofs cost: recordings, and their replay against proof servers.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Record(RecordArgs),
    Replay(ReplayArgs),
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> eyre::Result<ExitCode> {
    match args.command {
        Command::Record(args) => {
            let recording = record(&args.into())?;
            println!(
                "{}: {} requests, SHA-256 {:x}",
                recording.name,
                recording.requests.len(),
                recording.hash
            );
            Ok(ExitCode::SUCCESS)
        }
        Command::Replay(args) => Ok(match replay::run(&args, &Stop::on_signals()?)? {
            Ended::Good => ExitCode::SUCCESS,
            Ended::Bad => ExitCode::FAILURE,
            Ended::Stopped => ExitCode::from(INTERRUPTED),
        }),
    }
}
