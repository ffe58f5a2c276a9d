//! Why nothing was recorded.

use lc_core::alloy_primitives::{Address, B256};

use proof_server::error_chain;

use super::http::HttpFault;
use crate::recording::{Fault, RecordingError};

/// Why nothing was recorded. What came before is kept beside the destination.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A node gave no answer.
    #[error("{node}: {what}")]
    Node {
        /// Its host and port.
        node: String,
        /// What was asked for.
        what: String,
        /// What went wrong.
        #[source]
        source: Box<HttpFault>,
    },
    /// An answer that is not what it should be.
    #[error("{what} {}: ask another node", error_chain(&**.fault))]
    Answer {
        /// Which.
        what: String,
        /// What is wrong with it; its causes are in the text.
        fault: Box<Fault>,
    },
    /// A node of another chain.
    #[error("{what} is {seen}, wanted {wanted}: give nodes of one network")]
    OtherNetwork {
        /// What differs.
        what: &'static str,
        /// What the node says.
        seen: String,
        /// What it should say.
        wanted: String,
    },
    /// An update of another period.
    #[error("the node gave the update of period {seen}, asked for was {asked}: ask another node")]
    OtherPeriod {
        /// The period asked for.
        asked: u64,
        /// The update's.
        seen: u64,
    },
    /// A fork digest of another fork or network.
    #[error(
        "the update of period {period} has fork digest {seen}, its slot's is {wanted}: ask a node of this network"
    )]
    ForkDigest {
        /// The period.
        period: u64,
        /// The update's, in hex.
        seen: String,
        /// The right one.
        wanted: String,
    },
    /// No block of the period can be started from.
    #[error(
        "the node has no bootstrap in the first epochs of period {0}: ask one that keeps light-client data for that period"
    )]
    NoBootstrap(u64),
    /// The finality update is of a period to which the updates do not lead.
    #[error(
        "the newest finality update is signed in period {seen}, the recording has the committees of {first} to {last}: record accounts with --periods {remedy}"
    )]
    FinalityPeriod {
        /// The finality update's period.
        seen: u64,
        /// The first committee's period.
        first: u64,
        /// The last one's.
        last: u64,
        /// The periods to ask for.
        remedy: String,
    },
    /// A proof of another account.
    #[error("the node gave the proof of account {seen}, asked for was {asked}: ask another node")]
    OtherAccount {
        /// The account asked for.
        asked: Address,
        /// The proof's.
        seen: Address,
    },
    /// A proof of other slots.
    #[error(
        "the node gave {seen} slots of account {account}, not the {asked} that were asked for: ask another node"
    )]
    OtherSlots {
        /// The account.
        account: Address,
        /// How many slots came.
        seen: usize,
        /// How many were asked for.
        asked: usize,
    },
    /// What was recorded before is of another chain.
    #[error(
        "{partial} holds what was recorded of the chain with genesis validators root {seen}, the node is of {wanted}: remove that folder, or name another one with --out"
    )]
    OtherRecording {
        /// The folder of the interrupted recording.
        partial: String,
        /// Its chain's.
        seen: B256,
        /// The node's.
        wanted: B256,
    },
    /// What was recorded before does not go with what is asked for now.
    #[error(
        "{file} of an interrupted recording does not go with this one ({fault}): remove the folder it is in, or name another one with --out"
    )]
    Resumed {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: String,
    },
    /// An execution node is needed.
    #[error("there is no execution node to ask: give its address with --execution")]
    NoExecution,
    /// More periods than a recording has.
    #[error("{0} periods, {max} at most in one recording: record fewer", max = lc_core::host::MAX_UPDATES)]
    TooMany(u64),
    /// A file.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}
