//! `bench`: recordings, their replay against proof servers, reports of runs and their comparison.

use std::process::ExitCode;

use bench::{
    compare, plan,
    record::{RecordArgs, record},
    replay::{self, Ended, ReplayArgs, Stop},
    report,
};
use clap::{Parser, Subcommand};

/// What a shell gives for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// What proofs cost, and whether a change helped.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Real proofs on this machine, one after another, and what each takes.
    ///
    /// Exit code 0: each was made and holds; 1: one was not, or nothing could be measured.
    #[cfg(feature = "verify")]
    Prove(bench::prove::ProveArgs),
    Record(RecordArgs),
    Plan(plan::PlanArgs),
    Replay(ReplayArgs),
    /// Tables of one run or several, and a page with charts.
    ///
    /// Exit code 0: told; 1: a document cannot be read, or the page cannot be written.
    Report(report::ReportArgs),
    /// What became better or worse from run A to run B.
    ///
    /// Exit code 0: no regression beyond the threshold; 1: one or more; 2: the runs cannot be compared.
    Compare(compare::CompareArgs),
}

fn main() -> ExitCode {
    let Args { command } = Args::parse();
    match command {
        #[cfg(feature = "verify")]
        Command::Prove(args) => bench::prove::run(&args),
        Command::Record(args) => record(&args.into()).map_or_else(
            |error| fail(1, error.into()),
            |recording| {
                let (name, count) = (recording.name, recording.requests.len());
                print(&format!("{name}: {count} requests, SHA-256 {:x}\n", recording.hash));
                ExitCode::SUCCESS
            },
        ),
        Command::Replay(args) => {
            let ended =
                Stop::on_signals().map_err(Into::into).and_then(|stop| replay::run(&args, &stop));
            ended.map_or_else(
                |error| fail(1, error),
                |(text, ended)| {
                    print(&text);
                    match ended {
                        Ended::Good => ExitCode::SUCCESS,
                        Ended::Bad => ExitCode::FAILURE,
                        Ended::Stopped => ExitCode::from(INTERRUPTED),
                    }
                },
            )
        }
        Command::Plan(args) => plan::run(&args).map_or_else(
            |error| fail(1, error),
            |text| {
                print(&text);
                ExitCode::SUCCESS
            },
        ),
        Command::Report(args) => report::run(&args).map_or_else(
            |error| fail(1, error.into()),
            |text| {
                print(&text);
                ExitCode::SUCCESS
            },
        ),
        Command::Compare(args) => compare::run(&args).map_or_else(
            |error| fail(2, error.into()),
            |comparison| {
                print(&comparison.text);
                ExitCode::from(u8::from(comparison.regressed))
            },
        ),
    }
}

/// A reader that has seen enough, as `head`, is no fault.
fn print(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn fail(code: u8, error: eyre::Report) -> ExitCode {
    eprintln!("bench: {error:#}");
    ExitCode::from(code)
}
