//! `proof-server`: proves for Ethereum light clients over TCP, and tries inputs without a proof.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
