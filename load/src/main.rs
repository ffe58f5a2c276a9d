//! Load and chaos for a proof server.
//!
//! Both start a real server process with the mock engine, which proves nothing: everything around the prover is
//! what is tested. `run` asks it for a hundred thousand proofs from a thousand connections and measures what the
//! server adds to them; `chaos` kills its processes and breaks its connections, and checks that every request
//! still gets its answer.

mod chaos;
mod inputs;
mod limits;
mod run;
mod scrape;
mod session;
mod verdict;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use proof_server_load::{proc, random, server};

use crate::verdict::Verdict;

/// What a shell gives for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Load and chaos for a proof server, with its mock engine.
///
/// Exit code 0: all requirements hold; 1: one does not, or nothing could be measured.
#[derive(Debug, Parser)]
#[command(name = "load", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Many clients that ask for many proofs: is an answer lost, are the workers busy, what does the server add?
    Run(run::RunArgs),
    /// Processes killed and connections broken at random: does every request still get its answer?
    Chaos(chaos::ChaosArgs),
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let Args { command } = Args::parse();
    let work = async {
        match command {
            Command::Run(args) => run::run(args).await,
            Command::Chaos(args) => chaos::run(args).await,
        }
    };
    // Dropping the work kills the servers that it started.
    let verdicts = tokio::select! {
        verdicts = work => verdicts,
        () = interrupted() => return ExitCode::from(INTERRUPTED),
    };
    match verdicts {
        Ok(verdicts) if verdicts.iter().all(Verdict::holds) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn interrupted() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
