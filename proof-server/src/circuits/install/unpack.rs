//! A circuit's files out of an archive that anybody may have made.
//!
//! Only plain files with the names of a circuit's files are written, each to a place that is known before. The rest
//! is read past. Nothing is allocated because the archive says so.

use std::{
    cell::Cell,
    ffi::OsStr,
    io::{self, BufReader, Read},
    os::unix::ffi::OsStrExt,
    path::{Component, Path},
};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::{
    InstallError,
    files::{ReceiveError, receive},
};
use crate::circuits::{
    Report, Snark, Step,
    manifest::FileEntry,
    pour::pour,
    snark::{MAX_FILE, limit},
};

/// Bytes in front of one entry's content, 1 MiB: its header, its long names and attributes, and what fills the last
/// block of the entry before. The tar crate keeps these in memory; SP1's entries have 512 bytes.
const MAX_HEADERS: u64 = 1 << 20;

/// Most entries; SP1's archives have less than ten.
const MAX_ENTRIES: usize = 1000;

/// Bytes after the last entry, 16 MiB: tar fills its last record with zeros, by default 10 KiB.
const MAX_TAIL: u64 = 16 << 20;

/// Gives no more bytes than it was told to.
struct Metered<'a, R> {
    from: R,
    allowed: &'a Cell<u64>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = self.allowed.get();
        if allowed == 0 && !buffer.is_empty() {
            return Err(io::Error::other("it announces more than a circuit has"));
        }
        let most = usize::try_from(allowed).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.from.read(&mut buffer[..most])?;
        self.allowed.set(allowed - read as u64);
        Ok(read)
    }
}

/// Unpacks the files of `snark` into a directory. `name` is what the archive is called in errors.
pub(super) fn unpack(
    name: &str,
    archive: impl Read,
    snark: Snark,
    to: &Path,
    report: &mut Report<'_>,
) -> Result<Vec<FileEntry>, InstallError> {
    let broken = |source| InstallError::Broken { archive: name.to_owned(), source };
    let refused = |what| InstallError::Archive { archive: name.to_owned(), what };
    let allowed = Cell::new(MAX_HEADERS);
    let from = Metered { from: MultiGzDecoder::new(BufReader::new(archive)), allowed: &allowed };
    let mut archive = Archive::new(from);
    let mut entries = archive.entries().map_err(broken)?;
    let mut unpacked: Vec<FileEntry> = Vec::new();
    for count in 0.. {
        allowed.set(MAX_HEADERS);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(broken)?;
        if count == MAX_ENTRIES {
            return Err(refused(format!("has more than {MAX_ENTRIES} entries")));
        }
        let path = entry.path_bytes().into_owned();
        let shown: String = String::from_utf8_lossy(&path).chars().take(80).collect();
        let file = judge(&path, entry.header().entry_type(), snark)
            .map_err(|why| refused(format!("has the entry {shown:?}, {why}")))?;
        let bytes = entry.size();
        let most = file.map_or(MAX_FILE, limit);
        if bytes > most || (file.is_some() && bytes == 0) {
            return Err(refused(format!("has {shown:?} with {bytes} bytes, not 1 to {most}")));
        }
        allowed.set(bytes);
        match file {
            Some(file) if unpacked.iter().any(|earlier| earlier.name == file) => {
                return Err(refused(format!("has {shown:?} twice")));
            }
            Some(file) => {
                let received = receive(&mut entry, to, "unpacking", file, bytes, report);
                unpacked.push(received.map_err(|error| match error {
                    ReceiveError::Read(error) => broken(error),
                    ReceiveError::Install(error) => error,
                })?);
            }
            None if bytes == 0 => {}
            None => {
                let step = Step { doing: "skipping", file: &shown, start: 0, total: Some(bytes) };
                pour(&mut entry, &step, report, |_| Ok(()))
                    .map_err(|error| broken(error.into()))?;
            }
        }
    }
    // To the end of the stream, where its checksum is.
    allowed.set(MAX_TAIL);
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken)?;
    Ok(unpacked)
}

/// The circuit's file that an entry is, if it is one; or why no archive of a circuit has such an entry.
fn judge(path: &[u8], kind: EntryType, snark: Snark) -> Result<Option<&'static str>, &'static str> {
    let path = Path::new(OsStr::from_bytes(path));
    let parts = || path.components().filter(|part| *part != Component::CurDir);
    if parts().any(|part| !matches!(part, Component::Normal(_))) {
        return Err("which leads out of it");
    }
    match kind {
        EntryType::Directory | EntryType::XGlobalHeader => return Ok(None),
        EntryType::Regular | EntryType::Continuous => {}
        _ => return Err("which is no plain file"),
    }
    let mut parts = parts();
    let (first, None) = (parts.next(), parts.next()) else { return Ok(None) };
    let named = |name: &&str| first.is_some_and(|first| first.as_os_str() == *name);
    Ok(snark.files().find(named))
}
