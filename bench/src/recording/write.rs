//! Writing recordings: whole or not at all.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    RecordingError, SUMS,
    sums::{self, render},
};

/// Ending of a file that is being written.
const HALF: &str = "half";

/// Writes a new recording of `files` with their list to `out`. It appears whole or not at all.
///
/// # Errors
/// [`RecordingError::Exists`], [`RecordingError::Write`].
pub fn write(out: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), RecordingError> {
    let partial = beside(out, "partial");
    for (name, bytes) in files {
        put(&partial, name, bytes)?;
    }
    seal(&partial)?;
    appear(&partial, out)
}

/// Lists the files that lie in `partial`. What a crash left half-written is removed.
pub(crate) fn seal(partial: &Path) -> Result<(), RecordingError> {
    let mut files = BTreeMap::new();
    for name in sums::names(partial)? {
        let path = partial.join(&name);
        if name.ends_with(HALF) {
            fs::remove_file(&path).map_err(|source| RecordingError::Write { path, source })?;
        } else if name != SUMS {
            files.insert(name, sums::read(&path)?);
        }
    }
    put(partial, SUMS, render(&files).as_bytes())
}

/// Moves a sealed recording to where nothing is yet.
pub(crate) fn appear(partial: &Path, out: &Path) -> Result<(), RecordingError> {
    if out.symlink_metadata().is_ok() {
        return Err(RecordingError::Exists(out.to_owned()));
    }
    fs::rename(partial, out)
        .map_err(|source| RecordingError::Write { path: out.to_owned(), source })
}

/// The bytes of a file, if there is one.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, RecordingError> {
    match sums::read(path) {
        Err(RecordingError::Read { source, .. }) if sums::is_absent(&source) => Ok(None),
        bytes => bytes.map(Some),
    }
}

/// Writes one file below `folder`, whole or not at all.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RecordingError> {
    let path = folder.join(name);
    let fault = |source| RecordingError::Write { path: path.clone(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(fault)?;
    }
    let half = beside(&path, HALF);
    fs::write(&half, bytes).and_then(|()| fs::rename(&half, &path)).map_err(fault)
}

/// `path` with another ending: on the same file system, so that a rename moves it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    // Components, so that `out/` and `out` are the same.
    let mut name = path.components().collect::<PathBuf>().into_os_string();
    name.push(".");
    name.push(ending);
    name.into()
}
