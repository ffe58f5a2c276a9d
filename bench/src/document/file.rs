//! Documents in files.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{Document, Fault, check};

/// Largest document, 256 MiB. A request to a server takes some 600 bytes: this is 400,000 of them, which is days of
/// proofs. What is larger is no document, and is not read to the end.
pub const MAX_DOCUMENT_BYTES: u64 = 256 << 20;

/// A document that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The file cannot be read.
    #[error("cannot read {}: is it the document that a run wrote?", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: name a file in a folder where you may write", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is too large.
    #[error(
        "{} has more than {MAX_DOCUMENT_BYTES} bytes, the most of a document: measure in several runs",
        .0.display()
    )]
    TooLarge(PathBuf),
    /// The file is no document of this version: no JSON, a field too many or too few, a value of another kind.
    #[error("{}: at `{at}`: {fault}; docs/bench.md has the format", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where in the document.
        at: String,
        /// What is wrong, with line and column.
        fault: serde_json::Error,
    },
    /// Its values do not go together.
    #[error("{}: at `{}`: {}; docs/bench.md has the format", path.display(), fault.path, fault.fault)]
    Content {
        /// The file.
        path: PathBuf,
        /// Where and what.
        fault: Fault,
    },
}

impl Document {
    /// Reads and checks a document. Blocks.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] names the file, the place in the document, and what is wrong there.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let unread = |source| DocumentError::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unread)?;
        // Not by the file's length: what grows or has none, as a pipe, is bounded too.
        file.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge(path.to_owned()));
        }
        Self::parse(path, &bytes)
    }

    /// A document from its bytes; `path` is for errors.
    ///
    /// # Errors
    ///
    /// As [`Document::read`], but for the file's.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DocumentError> {
        let format = |at: String, fault| DocumentError::Format { path: path.to_owned(), at, fault };
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
        let document =
            Self::deserialize(tracked).map_err(|fault| format(track.path().to_string(), fault))?;
        json.end().map_err(|fault| format("the end".to_owned(), fault))?;
        check::check(&document)
            .map_err(|fault| DocumentError::Content { path: path.to_owned(), fault })?;
        Ok(document)
    }

    /// Checks a document and writes it, as a whole or not at all; a file that was there is replaced. Blocks.
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: it could not be read back, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), DocumentError> {
        check::check(self)
            .map_err(|fault| DocumentError::Content { path: path.to_owned(), fault })?;
        let unwritten = |source| DocumentError::Write { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file =
            tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(unwritten)?;
        self.put(file.as_file_mut()).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => DocumentError::TooLarge(path.to_owned()),
            _ => unwritten(error),
        })?;
        set_readable(file.as_file()).map_err(unwritten)?;
        file.persist(path).map_err(|error| unwritten(error.error))?;
        Ok(())
    }

    fn put(&self, file: &mut File) -> io::Result<()> {
        let mut to = Counted { to: BufWriter::new(file), bytes: 0 };
        serde_json::to_writer_pretty(&mut to, self)?;
        to.write_all(b"\n")?;
        to.flush()
    }
}

/// Files that are written whole start as private ones; a document is for everybody.
fn set_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

/// Stops where nobody would read on.
struct Counted<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_DOCUMENT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.to.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
