//! `cargo bench --bench prove -- --mode stark`: real proofs on this machine. `bench prove` is the same.

use std::{env, process::ExitCode};

use bench::prove::{ProveArgs, run};
use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "prove", version)]
struct Args {
    #[command(flatten)]
    prove: ProveArgs,
}

fn main() -> ExitCode {
    // Cargo runs benches in their package's folder; the paths that it was given are the shell's.
    if let (Some(_), Some(folder)) = (env::var_os("CARGO"), env::var_os("PWD"))
        && let Err(error) = env::set_current_dir(&folder)
    {
        eprintln!("prove: cannot go back to {}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    // Cargo says that this is a benchmark, which it knows.
    let args: Vec<String> = env::args().filter(|arg| arg != "--bench").collect();
    if !args.iter().any(|arg| arg.starts_with("--mode") || arg.starts_with("--help") || arg == "-h")
    {
        println!(
            "prove: left out, a real proof takes from half a minute to an hour. Say which, for example\n\
             cargo bench --bench prove -- --mode stark"
        );
        return ExitCode::SUCCESS;
    }
    run(&Args::parse_from(args).prove)
}
