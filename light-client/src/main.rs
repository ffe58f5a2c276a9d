//! The command `light-client`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
