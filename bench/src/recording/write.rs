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

/// Writes a new recording of `files` with their list to `out`. It appears whole or not at all.
///
/// # Errors
/// [`RecordingError::Exists`], [`RecordingError::Write`].
pub fn write(out: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), RecordingError> {
    let partial = beside(out, "partial");
    for (name, bytes) in files {
        put(&partial, name, bytes)?;
    }
    finish(&partial, out, files.keys())
}

/// Lists the files called `names` that lie in `partial`, and moves that folder to `out`.
///
/// # Errors
/// [`RecordingError::Exists`], [`RecordingError::Read`] for a file that is not there, [`RecordingError::Write`].
pub fn finish<'a>(
    partial: &Path,
    out: &Path,
    names: impl IntoIterator<Item = &'a String>,
) -> Result<(), RecordingError> {
    if out.symlink_metadata().is_ok() {
        return Err(RecordingError::Exists(out.to_owned()));
    }
    let read = |name: &String| Ok((name.clone(), sums::read(&partial.join(name))?));
    let files = names.into_iter().map(read).collect::<Result<_, RecordingError>>()?;
    put(partial, SUMS, render(&files).as_bytes())?;
    fs::rename(partial, out)
        .map_err(|source| RecordingError::Write { path: out.to_owned(), source })
}

/// Writes one file below `folder`, whole or not at all.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RecordingError> {
    let path = folder.join(name);
    let fault = |source| RecordingError::Write { path: path.clone(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(fault)?;
    }
    let half = beside(&path, "half");
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
