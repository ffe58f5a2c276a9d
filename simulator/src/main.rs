//! The command line of the simulated chain.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum, error::ErrorKind};
use simulator::{Preset, RecordOptions, write_recording};

/// A small deterministic Ethereum: real keys, signatures, branches and tries, without a network.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write what nodes of the chain hand to a light client: bootstrap, period updates over two forks, finality
    /// updates and eth_getProof answers, with a meta.json that says what they prove.
    ///
    /// The same options give the same bytes.
    Record(Record),
}

#[derive(Debug, clap::Args)]
struct Record {
    /// Folder to write; it must not exist yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace an older recording in that folder.
    #[arg(long)]
    replace: bool,
    /// Where keys, roots and amounts come from.
    #[arg(long, value_name = "NUMBER", default_value_t = RecordOptions::default().seed)]
    seed: u64,
    /// Sizes: mainnet has a committee of 512 and 8192 slots a period, minimal 32 and 64.
    #[arg(long, value_enum, default_value = "mainnet")]
    preset: PresetArg,
    /// Number of sync committee periods to cover, with one update each.
    #[arg(long, value_name = "COUNT", default_value_t = RecordOptions::default().periods)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=128))]
    periods: u64,
    /// How deep the state's trie looks: account proofs are as long as with 16^DEPTH accounts. 0 to 14.
    #[arg(long, value_name = "DEPTH", default_value_t = RecordOptions::default().trie_depth)]
    trie_depth: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PresetArg {
    Mainnet,
    Minimal,
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return refuse_usage(&error),
    };
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> eyre::Result<()> {
    let Command::Record(Record { out, replace, seed, preset, periods, trie_depth }) = args.command;
    let preset = match preset {
        PresetArg::Mainnet => Preset::Mainnet,
        PresetArg::Minimal => Preset::Minimal,
    };
    write_recording(&RecordOptions { seed, preset, periods, trie_depth }, &out, replace)?;
    let updates = if periods == 1 { "update" } else { "updates" };
    println!("{}: {periods} {updates} of the {} preset, seed {seed}", out.display(), preset.name());
    Ok(())
}

/// Help and version as clap prints them; a mistake in one line, exit 2.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        eprintln!("simulator: a command is wanted: record (see `simulator --help`)");
        return ExitCode::from(2);
    }
    if !error.use_stderr() {
        print!("{error}");
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let text: Vec<&str> = text
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .lines()
        .map(|line| line.trim().trim_start_matches("error: "))
        .filter(|line| !line.is_empty())
        .collect();
    eprintln!("simulator: {} (see `simulator --help`)", text.join(" "));
    ExitCode::from(2)
}
