//! Files into a circuit's directory, hashed on the way.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::{InstallError, error::io_error, space};
use crate::circuits::{
    FileHash, Report, Snark, Step,
    hash::of_reader,
    manifest::FileEntry,
    pour::{PourError, pour},
    snark::limit,
};

/// Why a file was not taken.
#[derive(Debug)]
pub(super) enum ReceiveError {
    /// The source cannot be read.
    Read(io::Error),
    /// Any other reason.
    Install(InstallError),
}

/// Writes `bytes` bytes of `from` into the new file `name`, to the disk itself.
pub(super) fn receive(
    from: &mut dyn Read,
    directory: &Path,
    doing: &'static str,
    name: &'static str,
    bytes: u64,
    report: &mut Report<'_>,
) -> Result<FileEntry, ReceiveError> {
    let path = directory.join(name);
    let failed = |needed, error| ReceiveError::Install(InstallError::write(&path, needed, error));
    space::check(directory, bytes).map_err(ReceiveError::Install)?;
    let mut file = File::create_new(&path).map_err(|error| failed(bytes, error))?;
    let mut hash = Sha256::new();
    let mut left = bytes;
    let step = Step { doing, file: name, start: 0, total: Some(bytes) };
    let poured = pour(&mut from.take(bytes), &step, report, |piece| {
        hash.update(piece);
        file.write_all(piece)?;
        left -= piece.len() as u64;
        Ok(())
    });
    let written = match poured {
        Ok(written) => written,
        Err(PourError::Read(error)) => return Err(ReceiveError::Read(error)),
        Err(PourError::Write(error)) => return Err(failed(left, error)),
    };
    if written != bytes {
        return Err(ReceiveError::Read(io::ErrorKind::UnexpectedEof.into()));
    }
    file.sync_all().map_err(|error| failed(0, error))?;
    Ok(FileEntry { name: name.to_owned(), bytes, sha256: FileHash(hash.finalize().into()) })
}

/// Copies a circuit's files out of a folder. Others in it are left where they are.
pub(super) fn copy(
    from: &Path,
    snark: Snark,
    to: &Path,
    report: &mut Report<'_>,
) -> Result<Vec<FileEntry>, InstallError> {
    let mut copied = Vec::new();
    for (name, bytes) in known(from, snark)? {
        let path = from.join(name);
        let mut file = File::open(&path).map_err(io_error("read", &path))?;
        let entry =
            receive(&mut file, to, "copying", name, bytes, report).map_err(
                |error| match error {
                    ReceiveError::Read(error) => io_error("read", &path)(error),
                    ReceiveError::Install(error) => error,
                },
            )?;
        copied.push(entry);
    }
    Ok(copied)
}

/// Takes stock of a circuit that is in the directory already, and removes what is none of its files.
pub(super) fn take_stock(
    directory: &Path,
    snark: Snark,
    report: &mut Report<'_>,
) -> Result<Vec<FileEntry>, InstallError> {
    let mut found = Vec::new();
    for (name, bytes) in known(directory, snark)? {
        let path = directory.join(name);
        let mut file = File::open(&path).map_err(io_error("read", &path))?;
        let step = Step { doing: "hashing", file: name, start: 0, total: Some(bytes) };
        let sha256 = of_reader(&mut file, &step, report).map_err(io_error("read", &path))?;
        file.sync_all().map_err(io_error("write", &path))?;
        found.push(FileEntry { name: name.to_owned(), bytes, sha256 });
    }
    for entry in fs::read_dir(directory).map_err(io_error("read", directory))? {
        let path = entry.map_err(io_error("read", directory))?.path();
        if !found.iter().any(|file| directory.join(&file.name) == path) {
            remove(&path)?;
        }
    }
    Ok(found)
}

/// Those of a circuit's files that a folder has, with their lengths.
fn known(folder: &Path, snark: Snark) -> Result<Vec<(&'static str, u64)>, InstallError> {
    let mut known = Vec::new();
    for name in snark.files() {
        let path = folder.join(name);
        let found = match path.metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        if !found.is_file() || found.len() == 0 || found.len() > limit(name) {
            let what = format!("is no file of 1 to {} bytes", limit(name));
            return Err(InstallError::Archive { archive: path.display().to_string(), what });
        }
        known.push((name, found.len()));
    }
    Ok(known)
}

/// Removes whatever has this name. A link is removed, not what it leads to.
pub(super) fn remove(path: &Path) -> Result<(), InstallError> {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(io_error("remove", path))
}
