//! Recordings by name and hash: two runs are of the same input if the hashes say so.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Hash;

/// What was proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// As samples name it.
    pub name: String,
    /// See [`Fixture::hash`].
    pub sha256: Hash,
}

/// A recording that could not be hashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// It or one of its files cannot be read.
    #[error("cannot read {}: is it a recording, and may you read it?", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A link, a socket or a device: its bytes would not be the recording's.
    #[error("{} is neither a file nor a folder: a recording has no others, copy what it points to", .0.display())]
    Kind(PathBuf),
    /// A name that could not be hashed the same way everywhere.
    #[error("{} is not UTF-8: rename it", .0.display())]
    Name(PathBuf),
    /// More folders in folders than any recording has.
    #[error("{} is too deep: a recording has at most {MAX_DEPTH} folders in one another", .0.display())]
    Depth(PathBuf),
}

/// Folders in folders: recordings have one or two. Past it something else was given, such as a home folder.
const MAX_DEPTH: usize = 8;

impl Fixture {
    /// Hashes a recording.
    ///
    /// Of a file: SHA-256 of its bytes, as `sha256sum` prints it. Of a folder: SHA-256 of what
    /// `sha256sum` prints for all files in it, sorted by path, the path relative to the folder with `/`.
    ///
    /// # Errors
    ///
    /// [`FixtureError`] names the file and what is wrong with it.
    pub fn hash(name: impl Into<String>, path: &Path) -> Result<Self, FixtureError> {
        let sha256 = if kind(path)?.is_dir() { folder(path)? } else { file(path)? };
        Ok(Self { name: name.into(), sha256 })
    }
}

fn read_error(path: &Path) -> impl FnOnce(io::Error) -> FixtureError {
    |source| FixtureError::Read { path: path.to_owned(), source }
}

/// The recording itself may be given by a link; what is in it may not be one.
fn kind(path: &Path) -> Result<fs::FileType, FixtureError> {
    let kind = fs::metadata(path).map_err(read_error(path))?.file_type();
    if kind.is_file() || kind.is_dir() {
        Ok(kind)
    } else {
        Err(FixtureError::Kind(path.to_owned()))
    }
}

fn file(path: &Path) -> Result<Hash, FixtureError> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path).map_err(read_error(path))?;
    io::copy(&mut file, &mut hasher).map_err(read_error(path))?;
    Ok(Hash(hasher.finalize().into()))
}

fn folder(root: &Path) -> Result<Hash, FixtureError> {
    let mut files = Vec::new();
    list(root, "", 0, &mut files)?;
    files.sort_unstable();
    let mut hasher = Sha256::new();
    for name in files {
        hasher.update(format!("{}  {name}\n", file(&root.join(&name))?));
    }
    Ok(Hash(hasher.finalize().into()))
}

/// Adds the files in `folder`, by their path from the recording's root, which `prefix` is part of.
fn list(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<String>,
) -> Result<(), FixtureError> {
    if depth == MAX_DEPTH {
        return Err(FixtureError::Depth(folder.to_owned()));
    }
    for entry in fs::read_dir(folder).map_err(read_error(folder))? {
        let entry = entry.map_err(read_error(folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(read_error(&path))?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| FixtureError::Name(path.clone()))?;
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            list(&path, &format!("{name}/"), depth + 1, files)?;
        } else if kind.is_file() {
            files.push(name);
        } else {
            return Err(FixtureError::Kind(path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("period-1")).unwrap();
        fs::write(root.path().join("period-1/update.ssz"), "update").unwrap();
        fs::write(root.path().join("meta.json"), "{}").unwrap();
        root
    }

    fn hash(path: &Path) -> Hash {
        Fixture::hash("it", path).unwrap().sha256
    }

    #[test]
    fn a_files_hash_is_sha256_and_a_folders_is_that_of_the_sorted_list() {
        let root = recording();
        assert_eq!(hash(&root.path().join("meta.json")), Hash::of(b"{}"));
        let list = format!(
            "{}  meta.json\n{}  period-1/update.ssz\n",
            Hash::of(b"{}"),
            Hash::of(b"update")
        );
        assert_eq!(hash(root.path()), Hash::of(list.as_bytes()));
    }

    #[test]
    fn a_changed_byte_a_new_name_and_a_new_file_are_each_another_hash() {
        let root = recording();
        let before = hash(root.path());
        fs::write(root.path().join("meta.json"), "[]").unwrap();
        let changed = hash(root.path());
        fs::rename(root.path().join("meta.json"), root.path().join("meta2.json")).unwrap();
        let renamed = hash(root.path());
        fs::write(root.path().join("empty"), "").unwrap();
        let added = hash(root.path());
        let mut all = [before, changed, renamed, added];
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn what_is_missing_linked_or_bottomless_is_refused_by_name() {
        let root = recording();
        let error = Fixture::hash("it", &root.path().join("absent")).unwrap_err();
        assert!(error.to_string().contains("absent: is it a recording"), "{error}");

        let deep = root.path().join("1/2/3/4/5/6/7/8");
        fs::create_dir_all(deep).unwrap();
        let error = Fixture::hash("it", root.path()).unwrap_err();
        assert!(matches!(error, FixtureError::Depth(_)), "{error}");

        let linked = recording();
        std::os::unix::fs::symlink("/dev/zero", linked.path().join("endless")).unwrap();
        let error = Fixture::hash("it", linked.path()).unwrap_err();
        assert!(error.to_string().contains("endless is neither a file nor a folder"), "{error}");
    }
}
