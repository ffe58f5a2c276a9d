//! Puts a circuit into its directory, whole or not at all.
//!
//! Everything is written into a directory beside it, `.incomplete-…`, to the disk, and then renamed. A process that
//! is stopped on the way leaves that directory, and the next installer removes it: a lock shows that nobody works
//! in it. Only a download's bytes are kept, for whoever tries again.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use super::{
    Circuit, CircuitId, FileHash, MANIFEST, Official, Report, Snark, Step, exists, hash,
    manifest::{FileEntry, Manifest},
};

mod download;
mod error;
mod files;
mod place;
mod source;
mod space;
mod unpack;

pub use download::{DownloadFault, Patience};
pub use error::InstallError;
pub use source::{Source, SourceError};

use download::{Part, download};
use error::io_error;
use place::{put, sync_directory};

/// What directories begin with that are not finished.
const INCOMPLETE: &str = ".incomplete-";

/// What to install.
#[derive(Debug, Clone)]
pub struct Install {
    /// For which proofs.
    pub snark: Snark,
    /// From where.
    pub source: Source,
    /// What the archive's SHA-256 must be, if anything. The verifying key is compared with the official one in any
    /// case.
    pub sha256: Option<FileHash>,
    /// Whether another verifying key than the official one will do.
    pub development: bool,
    /// Whether it may take the place of one that is installed.
    pub replace: bool,
    /// How long to try to download.
    pub patience: Patience,
}

/// Installs circuits in one directory. While it is there no other one is.
#[derive(Debug)]
pub struct Installer {
    directory: PathBuf,
    official: Official,
    lock: File,
}

/// A directory for the files of a circuit that is not finished. Dropping it removes it.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
    snark: Snark,
}

impl Staging {
    /// Where to put the files.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Gone if it was installed. If it cannot be removed, the next installer tries again.
        let _ = files::remove(&self.path);
    }
}

impl Drop for Installer {
    fn drop(&mut self) {
        // Closing it would do, but for a process that another thread is just starting: it has the file open until it is
        // another program.
        let _ = self.lock.unlock();
    }
}

impl Installer {
    /// Makes the directory, takes its lock, and removes what others left unfinished.
    ///
    /// # Errors
    ///
    /// [`InstallError::Busy`] while there is another installer, [`InstallError::Io`].
    pub fn lock(directory: &Path, official: Official) -> Result<Self, InstallError> {
        fs::create_dir_all(directory).map_err(io_error("make the folder", directory))?;
        let path = directory.join(".lock");
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io_error("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InstallError::Busy(directory.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
        }
        let installer = Self { directory: directory.to_owned(), official, lock };
        installer.remove_incomplete()?;
        Ok(installer)
    }

    fn remove_incomplete(&self) -> Result<(), InstallError> {
        let read = || io_error("read", &self.directory);
        for entry in fs::read_dir(&self.directory).map_err(read())? {
            let entry = entry.map_err(read())?;
            if entry.file_name().as_encoded_bytes().starts_with(INCOMPLETE.as_bytes()) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Fetches, unpacks or copies a circuit, and installs it.
    ///
    /// # Errors
    ///
    /// [`InstallError`]; nothing is changed then but that a download may go on from where it stopped.
    pub fn install(
        &self,
        what: &Install,
        report: &mut Report<'_>,
    ) -> Result<Circuit, InstallError> {
        let snark = what.snark;
        // Before gigabytes are fetched for nothing.
        self.vacant(CircuitId { snark, development: what.development }, what.replace)?;
        match &what.source {
            Source::Directory(from) => {
                let staging = self.staging(snark)?;
                let files = files::copy(from, snark, staging.path(), report)?;
                self.finish(&staging, files, what)
            }
            Source::Archive(path) => self.install_archive(path, what, report),
            Source::Url(url) => {
                let part = Part::new(&self.directory, snark);
                download(url, &part, what.patience, report)?;
                let installed = self.install_archive(part.path(), what, report);
                if installed.as_ref().err().is_none_or(InstallError::blames_archive) {
                    part.remove()?;
                }
                installed
            }
        }
    }

    fn install_archive(
        &self,
        path: &Path,
        what: &Install,
        report: &mut Report<'_>,
    ) -> Result<Circuit, InstallError> {
        let archive = what.source.to_string();
        let mut file = File::open(path).map_err(io_error("read", path))?;
        let total = Some(file.metadata().map_err(io_error("read", path))?.len());
        if let Some(wanted) = what.sha256 {
            let step = Step { doing: "hashing", file: &archive, start: 0, total };
            let found =
                hash::of_reader(&mut file, &step, report).map_err(io_error("read", path))?;
            if found != wanted {
                return Err(InstallError::ArchiveHash { archive, found, wanted });
            }
            io::Seek::rewind(&mut file).map_err(io_error("read", path))?;
        }
        let staging = self.staging(what.snark)?;
        let files = unpack::unpack(&archive, file, what.snark, staging.path(), report)?;
        self.finish(&staging, files, what)
    }

    /// A directory for the files of a circuit, to be filled and [adopted](Self::adopt). One at a time for a SNARK.
    ///
    /// # Errors
    ///
    /// [`InstallError::Io`].
    pub fn staging(&self, snark: Snark) -> Result<Staging, InstallError> {
        let name = format!("{INCOMPLETE}{snark}-{}", process::id());
        let path = self.directory.join(name);
        fs::create_dir(&path).map_err(io_error("make the folder", &path))?;
        Ok(Staging { path, snark })
    }

    /// Refuses to put a development circuit in the place of another, before it is built for nothing.
    ///
    /// # Errors
    ///
    /// [`InstallError::Exists`], unless it is to be replaced.
    pub fn check_vacant_development(
        &self,
        snark: Snark,
        replace: bool,
    ) -> Result<(), InstallError> {
        self.vacant(CircuitId { snark, development: true }, replace)
    }

    /// Installs what somebody put into a directory of [`staging`](Self::staging): as the official circuit if it is
    /// that, or else as a development circuit. Files that no prover reads are removed.
    ///
    /// # Errors
    ///
    /// [`InstallError`]; what was in the directory is removed.
    pub fn adopt(
        &self,
        staging: Staging,
        source: &str,
        replace: bool,
        report: &mut Report<'_>,
    ) -> Result<Circuit, InstallError> {
        let files = files::take_stock(staging.path(), staging.snark, report)?;
        let id = self.identify(&staging, &files, source, true)?;
        self.publish(&staging, id, files, source, replace)
    }

    fn finish(
        &self,
        staging: &Staging,
        files: Vec<FileEntry>,
        what: &Install,
    ) -> Result<Circuit, InstallError> {
        let source = what.source.to_string();
        let id = self.identify(staging, &files, &source, what.development)?;
        self.publish(staging, id, files, &source, what.replace)
    }

    /// Which circuit it is, if all of it is there.
    fn identify(
        &self,
        staging: &Staging,
        files: &[FileEntry],
        source: &str,
        development: bool,
    ) -> Result<(CircuitId, FileHash), InstallError> {
        let snark = staging.snark;
        let entry = |name: &str| files.iter().find(|file| file.name == name);
        if let Some(file) = snark.needed_files().into_iter().find(|name| entry(name).is_none()) {
            return Err(InstallError::Incomplete { from: source.to_owned(), file });
        }
        let file = snark.verifying_key_file();
        let key = entry(file).expect("looked for above").sha256;
        if self.official.is(snark, key) {
            return Ok((CircuitId { snark, development: false }, key));
        }
        if !development {
            let wanted = self.official.key(snark);
            return Err(InstallError::NotOfficial { file, found: key, wanted });
        }
        Ok((CircuitId { snark, development: true }, key))
    }

    /// Refuses to replace what is there unless that was asked for.
    fn vacant(&self, id: CircuitId, replace: bool) -> Result<(), InstallError> {
        let place = self.directory.join(id.to_string());
        if exists(&place) && !replace { Err(InstallError::Exists(place)) } else { Ok(()) }
    }

    /// Writes the manifest and renames the directory to the circuit's.
    fn publish(
        &self,
        staging: &Staging,
        (id, key): (CircuitId, FileHash),
        files: Vec<FileEntry>,
        source: &str,
        replace: bool,
    ) -> Result<Circuit, InstallError> {
        self.vacant(id, replace)?;
        let manifest = staging.path().join(MANIFEST);
        let text = Manifest::new(id, key, files, source.to_owned())
            .to_json()
            .map_err(|error| io_error("write", &manifest)(error.into()))?;
        let needed = text.len() as u64;
        File::create_new(&manifest)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .map_err(|error| InstallError::write(&manifest, needed, error))?;
        sync_directory(staging.path())?;
        let place = self.directory.join(id.to_string());
        put(staging.path(), &place)?;
        sync_directory(&self.directory)?;
        Ok(Circuit::open(&self.directory, id, &self.official)?)
    }
}
