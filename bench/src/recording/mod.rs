//! Recordings: what nodes handed out once, kept to be asked for again and again.
//!
//! A recording is a folder that says of itself what it is and lists its files with their hashes, so that two runs over
//! "the same recording" are over the same bytes. [`Recording::load`] believes nothing in it: the hashes are compared,
//! and every request is checked natively, as a proof server checks it, before the first is sent.

mod error;
mod meta;
mod requests;
mod sums;
mod write;

use std::path::Path;

use lc_core::{ProgramId, alloy_primitives::B256, host::ProgramInput};

pub use error::{Fault, RecordingError, SumsFault};
pub use meta::Meta;
pub(crate) use requests::PERIOD;
pub use sums::{Files, MAX_FILE, SUMS};
pub use write::write;
pub(crate) use write::{appear, beside, put, read_if_there, seal};

/// A recording whose every file is as it was listed, and whose every request is valid.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The folder's name, for people.
    pub name: String,
    /// Of every byte in it, as documents have it: [`Fixture::hash`](crate::document::Fixture::hash) of the folder.
    pub hash: B256,
    /// What it says of itself.
    pub meta: Meta,
    /// What a proof server can be asked, never none.
    pub requests: Vec<Request>,
}

/// One request that a recording yields, and what its proof must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names it within the recording: `committee-change/100`, `committee-change/100-104` (several periods in one
    /// proof), `inclusion/101/token` (one file of accounts), `inclusion/101` (all of them in one proof).
    pub name: String,
    /// What to send.
    pub input: ProgramInput,
    /// What the native check gives, and a proof must commit to: `abi.encode` of the statement.
    pub public_values: Vec<u8>,
}

impl Request {
    /// The program that proves it.
    #[must_use]
    pub const fn program(&self) -> ProgramId {
        self.input.program()
    }
}

impl Recording {
    /// Reads a folder that `bench record` or `simulator record` wrote, compares every file with its hash, and checks
    /// every request natively: some milliseconds each. Blocking.
    ///
    /// # Errors
    /// [`RecordingError`] names the folder, the file and the remedy.
    pub fn load(folder: &Path) -> Result<Self, RecordingError> {
        let files = Files::read(folder)?;
        let (meta, requests) = requests::of(&files)?;
        let path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, hash: files.hash(), meta, requests })
    }
}

#[cfg(test)]
mod tests;
