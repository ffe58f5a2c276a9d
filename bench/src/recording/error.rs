//! Why a folder is no recording that could be replayed.

use std::{io, path::PathBuf};

use lc_core::{
    alloy_primitives::B256,
    host::{
        ConfigError, InputError, StoreError, block_header::BlockHeaderError,
        eth_get_proof::EthGetProofError,
    },
    objects::ObjectError,
};
use light_client::{ask::AskError, decide::Refusal};
use proof_server::error_chain;

use super::{MAX_FILE, SUMS, sums::MAX_FILES};

/// What is wrong with a line of `SHA256SUMS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SumsFault {
    /// Not a hash and a name.
    #[error("is not 64 hexadecimal digits, two spaces and a file's name")]
    Form,
    /// A name that leads elsewhere.
    #[error("names a file that is not below this folder")]
    Name,
    /// The same name again.
    #[error("names a file for the second time")]
    Twice,
}

/// Why a folder is no recording that could be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: check the path and its permissions")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {path}: check the folder's permissions and space")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// There is something at the destination.
    #[error("{0} exists: name another folder")]
    Exists(PathBuf),
    /// No list of files.
    #[error(
        "{0} is no recording (it has no {SUMS}): give a folder that `bench record` or `simulator record` wrote"
    )]
    NoSums(PathBuf),
    /// The list of files is damaged.
    #[error("{folder}: line {line} of {SUMS} {fault}: copy or record the recording anew")]
    Sums {
        /// The recording.
        folder: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        fault: SumsFault,
    },
    /// A listed file is not there.
    #[error("{folder}: {file} is in {SUMS} and missing: copy or record the recording anew")]
    Missing {
        /// The recording.
        folder: PathBuf,
        /// The file.
        file: String,
    },
    /// A file is not what was listed.
    #[error(
        "{folder}: {file} has SHA-256 {found}, {SUMS} says {listed}: copy or record the recording anew"
    )]
    Changed {
        /// The recording.
        folder: PathBuf,
        /// The file.
        file: String,
        /// Its hash.
        found: B256,
        /// The listed one.
        listed: B256,
    },
    /// A file that is not listed.
    #[error("{folder}: {file} is not in {SUMS}: move it out of the recording")]
    Additional {
        /// The recording.
        folder: PathBuf,
        /// The file, link or whatever it is.
        file: String,
    },
    /// A file is larger than any that a node hands out.
    #[error("{0} has more than {mib} MiB: no node hands out so much, so this is no recording", mib = MAX_FILE >> 20)]
    TooLarge(PathBuf),
    /// More, or deeper, than a recording has.
    #[error(
        "{0} has more than {MAX_FILES} files or folders in folders: give the recording's own folder"
    )]
    TooMany(PathBuf),
    /// A file that every recording has.
    #[error("{folder} has no {file}: record it anew")]
    Lacks {
        /// The recording.
        folder: PathBuf,
        /// The file's name.
        file: &'static str,
    },
    /// A file that does not belong there.
    #[error("{folder}: {file} {}: record it anew", error_chain(&**.fault))]
    File {
        /// The recording.
        folder: PathBuf,
        /// The file.
        file: String,
        /// What is wrong; its causes are in the text.
        fault: Box<Fault>,
    },
    /// It holds no request.
    #[error("{0} yields no request: record an update or an account's proof")]
    Empty(PathBuf),
}

/// What is wrong with one file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not the JSON that it should be.
    #[error("is not what it should be ({0})")]
    Json(String),
    /// Not a chain's constants.
    #[error("gives no chain")]
    Config(#[from] ConfigError),
    /// Not the chain that the recording says it is of.
    #[error("is of chain {found}, meta.json says {wanted}")]
    Chain {
        /// Root of the constants.
        found: B256,
        /// Root in `meta.json`.
        wanted: B256,
    },
    /// Not the object that it should be.
    #[error("does not decode")]
    Object(#[from] ObjectError),
    /// Not an answer to `eth_getProof`.
    #[error("is no account's proof")]
    AccountProof(#[from] EthGetProofError),
    /// Not an execution block's header.
    #[error("is no block header")]
    BlockHeader(#[from] BlockHeaderError),
    /// A bootstrap that is not of the trusted block.
    #[error("starts no light client")]
    Bootstrap(#[from] StoreError),
    /// What cannot be asked for from the committees that the recording has.
    #[error("cannot be asked for")]
    Ask(#[from] AskError),
    /// What the native check refuses.
    #[error("fails the native check")]
    Input(#[from] InputError),
    /// What a light client would not take.
    #[error("would not be taken by a light client")]
    Refused(#[from] Refusal),
    /// A period's folder without that period's committee.
    #[error("needs the committee of period {0}, to which the updates do not lead")]
    NoCommittee(u64),
    /// A period's folder without a finality update or without accounts.
    #[error("has no {0} beside it")]
    Alone(&'static str),
    /// A file that no recording has at this place.
    #[error("has no meaning in a recording")]
    Unknown,
}
