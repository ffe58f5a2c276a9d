//! Bytes from one place to another, with somebody watching.

use std::{
    fmt,
    io::{self, Read},
};

/// Bytes moved at once, 256 KiB: enough that calls cost nothing, few enough that progress is smooth.
const PIECE: usize = 256 << 10;

/// What whoever waits is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// How far a step is. It comes for every piece: show some of them.
    Progress {
        /// What is done to the file, for example `unpacking`.
        doing: &'static str,
        /// The file's name.
        file: &'a str,
        /// Bytes that are done.
        done: u64,
        /// Bytes that there are, if that is known.
        total: Option<u64>,
    },
    /// Something to know.
    Note(&'a str),
}

/// Takes [`Event`]s.
pub type Report<'a> = dyn FnMut(Event<'_>) + 'a;

/// A step of the work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) doing: &'static str,
    pub(super) file: &'a str,
    /// Bytes that were done before.
    pub(super) start: u64,
    pub(super) total: Option<u64>,
}

/// Which side failed.
#[derive(Debug)]
pub(super) enum PourError {
    Read(io::Error),
    Write(io::Error),
}

impl From<PourError> for io::Error {
    fn from(error: PourError) -> Self {
        let (PourError::Read(error) | PourError::Write(error)) = error;
        error
    }
}

impl fmt::Display for PourError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Read(error) | Self::Write(error)) = self;
        error.fmt(f)
    }
}

/// Gives all of `from` to `into`, piece by piece, and says how many bytes that were.
pub(super) fn pour(
    from: &mut dyn Read,
    step: &Step<'_>,
    report: &mut Report<'_>,
    mut into: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, PourError> {
    let mut piece = vec![0; PIECE];
    let mut poured = 0;
    loop {
        let done = step.start + poured;
        report(Event::Progress { doing: step.doing, file: step.file, done, total: step.total });
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(poured),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(PourError::Read(error)),
        };
        into(&piece[..read]).map_err(PourError::Write)?;
        poured += read as u64;
    }
}
