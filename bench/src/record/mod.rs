//! New recordings, from nodes.
//!
//! What a beacon and an execution node hand out is checked as a light client and a proof server check it before it is
//! kept. An interrupted recording lies beside its destination and is gone on with.

mod accounts;
mod error;
mod http;
mod inclusion;
mod network;
mod session;
mod updates;

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::Args;
use proof_server::config::parse_duration;

pub use accounts::Account;
pub use error::RecordError;
pub use http::{HttpFault, Patience};

use self::{accounts::Accounts, session::Session};
use crate::recording::Recording;

/// Record updates and account proofs from nodes.
///
/// From the beacon node come the bootstrap of the first period, one update for each, and, with --account, the newest
/// finality update; from the execution node the accounts' proofs at its final block. Every answer is checked natively
/// before it is kept. An interrupted recording is gone on with by the same command.
#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    /// Address of a beacon node that serves light-client data, http(s)://HOST:PORT
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    beacon: String,

    /// Address of an execution node's JSON-RPC; needed for accounts
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    execution: Option<String>,

    /// Sync-committee periods, both included: 1347..1354, or one
    #[arg(long, value_name = "A..B", value_parser = parse_periods)]
    periods: RangeInclusive<u64>,

    #[command(flatten)]
    accounts: Accounts,

    /// Folder to write; it must not exist yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Time for one answer
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,

    /// Attempts of a question after the first
    #[arg(long, value_name = "N", default_value = "7")]
    retries: u32,
}

/// What to record.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The beacon node's address.
    pub beacon: String,
    /// The execution node's address; needed for accounts, and from Gloas on.
    pub execution: Option<String>,
    /// The periods whose updates are wanted.
    pub periods: RangeInclusive<u64>,
    /// The accounts whose proofs are wanted.
    pub accounts: Vec<Account>,
    /// The folder to write; an interrupted recording lies in the one with `.partial` after its name.
    pub out: PathBuf,
    /// How long to try.
    pub patience: Patience,
    /// Whether to say on stderr what came.
    pub tells: bool,
}

impl From<RecordArgs> for Wanted {
    fn from(args: RecordArgs) -> Self {
        let RecordArgs { beacon, execution, periods, accounts, out, timeout, retries } = args;
        let patience = Patience { answer: timeout, retries, ..Patience::default() };
        Self { beacon, execution, periods, accounts: accounts.0, out, patience, tells: true }
    }
}

/// Makes a recording, and loads it. Blocking.
///
/// # Errors
/// [`RecordError`]. What came before it is kept, and the next attempt goes on from there.
pub fn record(wanted: &Wanted) -> Result<Recording, RecordError> {
    if !wanted.accounts.is_empty() && wanted.execution.is_none() {
        return Err(RecordError::NoExecution);
    }
    Session::begin(wanted)?.record()
}

fn parse_url(text: &str) -> Result<String, String> {
    let is_http = text.starts_with("http://") || text.starts_with("https://");
    if is_http {
        Ok(text.to_owned())
    } else {
        Err("give http://HOST:PORT or https://HOST".to_owned())
    }
}

fn parse_periods(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err("give two periods, the lower one first, as 1347..1354, or one".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_a_range_with_both_ends_or_one_number() {
        assert_eq!(parse_periods("1347..1354"), Ok(1347..=1354));
        assert_eq!(parse_periods("7"), Ok(7..=7));
        for wrong in ["", "..", "3..2", "1..", "-1..2", "1...2", "a..b"] {
            assert!(parse_periods(wrong).unwrap_err().starts_with("give two periods"), "{wrong}");
        }
    }

    #[test]
    fn an_address_says_how_to_speak() {
        assert!(
            parse_url("https://node.example").is_ok()
                && parse_url("http://127.0.0.1:5052/").is_ok()
        );
        assert!(
            parse_url("node.example:5052").is_err() && parse_url("file:///etc/passwd").is_err()
        );
    }
}
