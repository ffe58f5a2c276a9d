//! Why a circuit was not installed.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{DownloadFault, space};
use crate::{
    circuits::{CircuitError, FileHash},
    config::show_size,
};

/// Why a circuit was not installed. What was installed before is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// Somebody else installs.
    #[error("another process installs circuits in {}: wait until it has ended", .0.display())]
    Busy(PathBuf),
    /// There is one.
    #[error("{} is installed already: add --replace to put another in its place", .0.display())]
    Exists(PathBuf),
    /// The verifying key is not SP1's.
    #[error(
        "{file} has SHA-256 {found}, the official key has {wanted}: whoever made another one could forge proofs. Where that is you, as in a test, add --development"
    )]
    NotOfficial {
        /// The key's file.
        file: &'static str,
        /// Its hash.
        found: FileHash,
        /// The official one.
        wanted: FileHash,
    },
    /// The archive is not the one that was asked for.
    #[error(
        "{archive} has SHA-256 {found}, {wanted} was asked for: fetch it again, and compare --sha256 with what its publisher says"
    )]
    ArchiveHash {
        /// The archive.
        archive: String,
        /// Its hash.
        found: FileHash,
        /// The one that was asked for.
        wanted: FileHash,
    },
    /// The archive is not what an archive of circuits is.
    #[error("{archive} {what}: give a .tar.gz as SP1 publishes it")]
    Archive {
        /// The archive.
        archive: String,
        /// What is wrong with it.
        what: String,
    },
    /// The archive cannot be read to its end.
    #[error("{archive} is no .tar.gz, or is damaged or cut short: fetch it again")]
    Broken {
        /// The archive.
        archive: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not there.
    #[error(
        "{from} has no {file}: give all files of the circuit, at the top of the archive or folder"
    )]
    Incomplete {
        /// The source.
        from: String,
        /// The file that it does not have.
        file: &'static str,
    },
    /// The disk has no room.
    #[error(
        "{} has {} free, and {} are needed: make room, or give another disk's --circuits DIR",
        directory.display(), show_size(*free), show_size(*needed)
    )]
    DiskFull {
        /// Where.
        directory: PathBuf,
        /// Bytes that there are.
        free: u64,
        /// Bytes that are needed.
        needed: u64,
    },
    /// The network did not give the archive.
    #[error("cannot fetch {url}")]
    Download {
        /// From where.
        url: String,
        /// Why.
        #[source]
        source: DownloadFault,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: look at its permissions and at the disk", path.display())]
    Io {
        /// What was tried, for example `read`.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What was installed cannot be used after all.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl InstallError {
    /// Whether fetching the same bytes again is of no use.
    pub(super) const fn blames_archive(&self) -> bool {
        matches!(
            self,
            Self::ArchiveHash { .. }
                | Self::Archive { .. }
                | Self::Broken { .. }
                | Self::Incomplete { .. }
        )
    }

    /// Why `path` could not be written, with `needed` bytes still to come.
    pub(super) fn write(path: &Path, needed: u64, source: io::Error) -> Self {
        let full =
            matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let directory = space::folder_of(path);
        match space::free(directory) {
            Some(free) if full => Self::DiskFull { directory: directory.to_owned(), free, needed },
            _ => Self::Io { doing: "write", path: path.to_owned(), source },
        }
    }
}

/// For `map_err`: `doing` this with `path` failed.
pub(super) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    move |source| InstallError::Io { doing, path: path.to_owned(), source }
}
