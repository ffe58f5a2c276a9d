//! The flags. Each that a deployment sets once can come from the environment; a flag wins.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, builder::NonEmptyStringValueParser};
use lc_core::alloy_primitives::B256;
use proof_server::types::ProofMode;

use super::tls::TlsArgs;

/// What each exit code means, for `--help`.
const EXIT_CODES: &str = "\
Exit codes:
    0  done
   11  INVALID_INPUT  the input breaks a rule; do not send it again
   12  BUSY           no room; try again later
   13  TIMEOUT        the job ran for too long
   14  CANCELLED      the job was given up
   15  WORKER_LOST    the prover died; try again
   16  UNSUPPORTED    the server cannot make such a proof
   17  SHUTTING_DOWN  try another server
   18  UNAVAILABLE    no prover at the moment; try again later
   19  INTERNAL       a fault of the server; its log says more
   20  a failure that this release does not know
   64  a flag or variable is at fault
   65  an input file or the store is at fault; nothing was sent
   66  a file cannot be read
   69  no server, or none that this client may use (other keys, MOCK, a development circuit,
       other protocol)
   70  a fault of this program, or it was built without the verifier
   74  a file cannot be written, or the store is in use
   76  a proof does not verify, or says something else; the store is as it was
  130  Ctrl-C; the job was cancelled (143: SIGTERM)

Colour is left out where NO_COLOR is set or the output is no terminal.";

/// Follows Ethereum by verifying proofs: bootstrap from a checkpoint, then have a proof server prove each change of
/// the sync committee, and what accounts and storage hold.
///
/// Files are what nodes hand out: light-client objects as SSZ, as the beacon API's SSZ stream or as its JSON, and
/// eth_getProof answers as JSON; which one it is, is found in the file.
#[derive(Debug, Parser)]
#[command(name = "light-client", version, after_long_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a store from a block root that you trust
    Bootstrap(BootstrapArgs),
    /// Ask a proof server for a proof, verify it, and use it
    Prove {
        #[command(subcommand)]
        what: ProveCommand,
    },
    /// Verify a proof file, and whether it fits a store
    Verify(VerifyArgs),
    /// Print what a proof file says, without verifying it
    Show(ShowArgs),
    /// Print what a store trusts
    Status(StatusArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum ProveCommand {
    /// Prove the change to the next sync committee, or over several periods at once, and advance the store
    CommitteeChange(CommitteeChangeArgs),
    /// Prove that accounts and storage slots are in finalized state, or absent from it
    Inclusion(InclusionArgs),
}

/// Makes a store from a block root that you trust, for example one that several block explorers show for a
/// finalized epoch's first slot. The bootstrap is what a node answers for that root at
/// /eth/v1/beacon/light_client/bootstrap/{root}; it is checked against the root.
#[derive(Debug, Args)]
pub(super) struct BootstrapArgs {
    /// mainnet, sepolia, hoodi, minimal, or the path of a consensus-spec config.yaml
    #[arg(long, env = "LIGHT_CLIENT_NETWORK", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(super) network: String,
    /// Root that makes the chain: needed for minimal and for a config.yaml, which do not name one
    #[arg(long, env = "LIGHT_CLIENT_GENESIS_VALIDATORS_ROOT", value_name = "0xROOT", value_parser = root)]
    pub(super) genesis_validators_root: Option<B256>,
    /// Root of the beacon block to trust
    #[arg(long, value_name = "0xROOT", value_parser = root)]
    pub(super) checkpoint: B256,
    /// That block's light-client bootstrap
    #[arg(long, value_name = "FILE")]
    pub(super) bootstrap: PathBuf,
    #[command(flatten)]
    pub(super) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// File that holds what is trusted
    #[arg(long = "store", env = "LIGHT_CLIENT_STORE", value_name = "PATH", value_parser = path)]
    pub(super) path: PathBuf,
}

/// Which server to ask, and for what kind of proof.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// Address of the proof server
    #[arg(long = "server", env = "LIGHT_CLIENT_SERVER", value_name = "HOST:PORT", value_parser = NonEmptyStringValueParser::new())]
    pub(super) address: String,
    /// Kind of proof: core (or stark; grows with the work), compressed (one STARK of constant size), groth16 (or
    /// snark) or plonk, which contracts take
    #[arg(long, env = "LIGHT_CLIENT_MODE", default_value = "stark", value_name = "MODE")]
    pub(super) mode: ProofMode,
    /// Write the proof to this file
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Take proofs of the MOCK engine, which prove nothing: for tests. Marks the store
    #[arg(long)]
    pub(super) allow_mock: bool,
    #[command(flatten)]
    pub(super) circuits: CircuitArgs,
    /// Seconds to connect in, 1 to 600
    #[arg(long, env = "LIGHT_CLIENT_CONNECT_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(super) connect_timeout: Duration,
    /// Seconds, 0 to 86400, to wait for a server that goes away, drains, is busy, or waits behind a full balancer,
    /// counted from its last word. Meanwhile it is asked again and again, and finds the job by its name. 0: once
    #[arg(long, env = "LIGHT_CLIENT_PATIENCE", default_value = "600", value_name = "SECONDS", value_parser = patience)]
    pub(super) patience: Duration,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
}

#[derive(Debug, Args)]
pub(super) struct CommitteeChangeArgs {
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// Updates of consecutive periods, in order; those that the store has behind it are skipped
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub(super) updates: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) execution_header: ExecutionHeaderArgs,
    /// Prove this many periods at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) count: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct InclusionArgs {
    #[command(flatten)]
    pub(super) server: ServerArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// A finality update signed by the store's committee
    #[arg(long, value_name = "FILE")]
    pub(super) finality_update: PathBuf,
    /// eth_getProof answers for the finalized execution block, one account in each
    #[arg(long = "account-proof", num_args = 1.., required = true, value_name = "FILE")]
    pub(super) account_proofs: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) execution_header: ExecutionHeaderArgs,
}

/// Which circuits besides SP1's official ones are good enough.
#[derive(Debug, Args)]
pub(super) struct CircuitArgs {
    /// Take SNARKs of the development circuit with this verifying key (groth16_vk.bin or plonk_vk.bin), which
    /// whoever set it up can forge: for tests. May be given several times. A store that they advance is marked
    #[arg(long = "allow-dev-circuits", value_name = "FILE", value_parser = path)]
    pub(super) keys: Vec<PathBuf>,
}

/// What light-client objects lack from Gloas on.
#[derive(Debug, Args)]
pub(super) struct ExecutionHeaderArgs {
    /// Header of the execution block under the finalized block (of the last update's), as debug_getRawHeader or
    /// eth_getBlockByHash answers: needed from Gloas on, when light-client headers have its hash alone
    #[arg(long = "execution-header", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The proof
    pub(super) file: PathBuf,
    /// Also compare it with what this store trusts
    #[arg(long, value_name = "PATH")]
    pub(super) store: Option<PathBuf>,
    /// Take a proof of the MOCK engine, which proves nothing
    #[arg(long)]
    pub(super) allow_mock: bool,
    #[command(flatten)]
    pub(super) circuits: CircuitArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The proof
    pub(super) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

fn root(text: &str) -> Result<B256, String> {
    text.parse().map_err(|_| "wanted 32 bytes in hex, as 0x and 64 digits".to_owned())
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("it is empty: give a path".to_owned()) } else { Ok(text.into()) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (1..=600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "wanted a whole number from 1 to 600".to_owned())
}

fn patience(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds <= 86_400);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "wanted a whole number from 0 to 86400".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_request_takes_several_files_and_names_of_modes() {
        let line =
            "light-client prove committee-change --server h:1 --store s --updates a b --mode snark";
        let Ok(Cli { command: Command::Prove { what: ProveCommand::CommitteeChange(args) } }) =
            parse(line)
        else {
            panic!("{line}")
        };
        assert_eq!(args.updates, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(args.server.mode, ProofMode::Groth16);
        assert_eq!(args.server.connect_timeout, Duration::from_secs(10));
        assert_eq!(args.server.patience, Duration::from_secs(600));
    }

    #[test]
    fn each_key_has_a_flag_of_its_own_so_that_none_swallows_the_proof() {
        let line = "light-client verify --allow-dev-circuits a --allow-dev-circuits b change.proof";
        let Ok(Cli { command: Command::Verify(args) }) = parse(line) else { panic!("{line}") };
        assert_eq!(args.circuits.keys, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(args.file, PathBuf::from("change.proof"));
    }

    #[test]
    fn each_bad_flag_is_refused_with_what_was_wanted() {
        let change = "light-client prove committee-change --server h:1 --store s --updates a";
        let bootstrap =
            "light-client bootstrap --network mainnet --bootstrap b --store s --checkpoint";
        for (line, says) in [
            (format!("{change} --mode STARK"), "it is core (or stark)"),
            (format!("{change} --connect-timeout 0"), "a whole number from 1 to 600"),
            (format!("{change} --patience 1h"), "a whole number from 0 to 86400"),
            (format!("{change} --patience 86401"), "a whole number from 0 to 86400"),
            (format!("{change} --count 0"), "not in 1.."),
            (format!("{bootstrap} 0x12"), "32 bytes in hex"),
            ("light-client status --store=".to_owned(), "value"),
            (format!("{change} --allow-dev-circuits="), "value"),
            ("light-client prove inclusion".to_owned(), "--account-proof"),
        ] {
            let text = parse(&line).map(|_| ()).unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
    }

    #[test]
    fn help_names_every_exit_code_and_variable() {
        let help = Cli::command().render_long_help().to_string();
        for code in proof_server::types::Code::ALL {
            assert!(help.contains(&format!("{}  {}", 10 + code.number(), code.name())), "{code}");
        }
        let mut prove = Cli::command();
        let prove = prove
            .find_subcommand_mut("prove")
            .and_then(|prove| prove.find_subcommand_mut("inclusion"));
        let help = prove.map(|prove| prove.render_long_help().to_string()).unwrap_or_default();
        for variable in [
            "SERVER",
            "STORE",
            "MODE",
            "PATIENCE",
            "TLS_CA",
            "TLS_CERT",
            "TLS_KEY",
            "TLS_SERVER_NAME",
        ] {
            assert!(help.contains(&format!("LIGHT_CLIENT_{variable}=")), "{variable}");
        }
    }
}
