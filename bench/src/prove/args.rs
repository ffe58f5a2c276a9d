//! What to prove, how often, and with which server.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use clap::Args;
use lc_core::ProgramId;
use proof_server::types::ProofMode;

use super::ProveError;
use crate::document::Quantity;

/// The recording that the repository ships.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/simulated");

/// Makes real proofs on this machine and measures each.
#[derive(Debug, Clone, Args)]
pub struct ProveArgs {
    /// What kind of proof: stark, compressed, groth16 (or snark), plonk
    #[arg(long, value_parser = mode)]
    pub mode: ProofMode,
    /// Only requests of this program: committee-change, inclusion [default: both]
    #[arg(long)]
    pub program: Option<ProgramId>,
    /// A recording's folder; may be given more than once [default: the one that the repository ships]
    #[arg(long, value_name = "DIR", default_value = SHIPPED, hide_default_value = true)]
    pub recording: Vec<PathBuf>,
    /// Only requests with this in their name, for example `committee-change/100` [default: the first of each program]
    #[arg(long, value_name = "WORD")]
    pub request: Option<String>,
    /// Servers that are started anew for each request
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// Proofs that each server makes after its first, cold one
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub warm: u32,
    /// Write the document here
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The server to measure [default: the one built beside this program]
    #[arg(long, value_name = "FILE", env = "BENCH_SERVER_BINARY")]
    pub server_binary: Option<PathBuf>,
    /// The engine that it proves with
    #[arg(long, default_value = "cpu")]
    pub engine: String,
    /// Where its SNARK circuits are
    #[arg(long, value_name = "DIR", env = "PROOF_SERVER_CIRCUITS")]
    pub circuits: Option<PathBuf>,
    /// Take proofs of the development circuit with this verifying key
    #[arg(long, value_name = "FILE")]
    pub allow_dev_circuits: Vec<PathBuf>,
    /// Another flag for the server, for example `--server-flag=--worker-memory=8GiB`
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub server_flag: Vec<String>,
    /// What the machine costs, dollars an hour
    #[arg(long, value_name = "DOLLARS")]
    pub price: Option<Quantity>,
    /// What people should know of this run, for example "beside a build"
    #[arg(long)]
    pub note: Option<String>,
    /// The source's revision, where there is no checkout
    #[arg(long, value_name = "REVISION", env = "BENCH_GIT")]
    pub git: Option<String>,
}

fn mode(text: &str) -> Result<ProofMode, String> {
    text.parse().map_err(|error: proof_server::types::UnknownMode| error.to_string())
}

impl ProveArgs {
    /// The server to measure.
    #[must_use]
    pub fn server_binary(&self) -> PathBuf {
        self.server_binary.clone().unwrap_or_else(|| {
            let own = env::current_exe().unwrap_or_default();
            let folder = own.parent().unwrap_or(&own);
            // Cargo puts benches into `deps`, below what they are built with.
            let folder =
                if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
            folder.join("proof-server")
        })
    }

    /// Whether a request is to be proven.
    pub(super) fn wants(&self, name: &str, program: ProgramId) -> bool {
        self.program.is_none_or(|wanted| wanted == program)
            && self.request.as_ref().is_none_or(|word| name.contains(word.as_str()))
    }

    pub(super) fn development_keys(&self) -> Result<Vec<Vec<u8>>, ProveError> {
        let read = |path: &PathBuf| {
            fs::read(path)
                .map_err(|source| ProveError::Read { path: path.display().to_string(), source })
        };
        self.allow_dev_circuits.iter().map(read).collect()
    }

    /// What follows `serve`. Results are not kept: the same request again is proven again.
    pub(super) fn serve(&self) -> Vec<String> {
        let mut flags = ["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--keep-time", "0s"]
            .map(str::to_owned)
            .to_vec();
        flags.extend(["--engine".to_owned(), self.engine.clone()]);
        for time in ["--job-timeout", "--request-timeout"] {
            flags.extend([time.to_owned(), "24h".to_owned()]);
        }
        if let Some(circuits) = &self.circuits {
            flags.extend(["--circuits".to_owned(), circuits.display().to_string()]);
        }
        flags.extend(self.server_flag.iter().cloned());
        flags
    }

    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::from([
            ("engine".to_owned(), self.engine.clone()),
            ("runs".to_owned(), self.runs.to_string()),
            ("warm".to_owned(), self.warm.to_string()),
        ]);
        if !self.server_flag.is_empty() {
            settings.insert("server flags".to_owned(), self.server_flag.join(" "));
        }
        settings
    }
}
