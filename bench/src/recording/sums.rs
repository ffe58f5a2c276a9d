//! `SHA256SUMS`: the list of a recording's files with their hashes, as `sha256sum` writes and checks it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use lc_core::alloy_primitives::B256;
use sha2::{Digest, Sha256};

use super::error::{Fault, RecordingError, SumsFault};

/// The list's name.
pub const SUMS: &str = "SHA256SUMS";

/// Largest file, 16 MiB. 128 updates have 3.5 MB, an account's proof with a hundred slots less than 1 MB.
pub const MAX_FILE: u64 = 16 << 20;

/// Most files of a recording. 128 periods with 31 accounts each are 4,096.
pub(super) const MAX_FILES: usize = 5_000;

/// Largest recording, 256 MiB: it is held in memory while it is read.
const MAX_TOTAL: u64 = 256 << 20;

/// Folders in folders: a recording has periods' folders and no deeper ones.
const MAX_DEPTH: usize = 2;

/// Hexadecimal digits of a hash.
const DIGITS: usize = 64;

/// A recording's files, each compared with its hash.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
    hash: B256,
    contents: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// Reads every file of a recording and compares it with the list. Blocking.
    ///
    /// # Errors
    /// [`RecordingError`], for a file that is missing, changed, not listed or too large.
    pub fn read(folder: &Path) -> Result<Self, RecordingError> {
        let text = match read(&folder.join(SUMS)) {
            Err(RecordingError::Read { source, .. }) if is_absent(&source) && folder.is_dir() => {
                return Err(RecordingError::NoSums(folder.to_owned()));
            }
            text => text?,
        };
        let listed = parse(&String::from_utf8_lossy(&text)).map_err(|(line, fault)| {
            RecordingError::Sums { folder: folder.to_owned(), line, fault }
        })?;
        if listed.len() > MAX_FILES {
            return Err(RecordingError::TooMany(folder.to_owned()));
        }
        let (mut contents, mut total) = (BTreeMap::new(), 0);
        for (name, wanted) in &listed {
            let bytes = read_listed(folder, name, *wanted)?;
            total += bytes.len() as u64;
            if total > MAX_TOTAL {
                return Err(RecordingError::TooLarge(folder.to_owned()));
            }
            contents.insert(name.clone(), bytes);
        }
        let names = names(folder)?;
        if let Some(file) =
            names.into_iter().find(|name| name != SUMS && !listed.contains_key(name))
        {
            return Err(RecordingError::Additional { folder: folder.to_owned(), file });
        }
        Ok(Self { folder: folder.to_owned(), hash: hash_of_all(listed, &text), contents })
    }

    /// Of every byte, as documents have it: [`Fixture::hash`](crate::document::Fixture::hash) of the folder.
    #[must_use]
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// The bytes of a file, if there is one of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.contents.get(name).map(Vec::as_slice)
    }

    /// The bytes of a file that every recording has.
    pub(super) fn need(&self, file: &'static str) -> Result<&[u8], RecordingError> {
        self.get(file).ok_or_else(|| RecordingError::Lacks { folder: self.folder.clone(), file })
    }

    /// All names, in order, with `/` between folder and file.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.contents.keys().map(String::as_str)
    }

    /// That a file is not what it should be.
    pub(super) fn fault(&self, file: &str, fault: impl Into<Fault>) -> RecordingError {
        let (folder, file) = (self.folder.clone(), file.to_owned());
        RecordingError::File { folder, file, fault: Box::new(fault.into()) }
    }

    /// That nothing can be asked.
    pub(super) fn empty(&self) -> RecordingError {
        RecordingError::Empty(self.folder.clone())
    }
}

/// The list of these files. Pure.
pub(super) fn render(files: &BTreeMap<String, Vec<u8>>) -> String {
    let line = |(name, bytes): (&String, &Vec<u8>)| format!("{}  {name}\n", bare(sha256(bytes)));
    files.iter().map(line).collect()
}

/// SHA-256 of what `sha256sum` prints for all files, the list included. Pure.
fn hash_of_all(mut listed: BTreeMap<String, B256>, list: &[u8]) -> B256 {
    listed.insert(SUMS.to_owned(), sha256(list));
    let line = |(name, hash): (&String, &B256)| format!("{}  {name}\n", bare(*hash));
    sha256(listed.iter().map(line).collect::<String>().as_bytes())
}

/// Names and hashes. Pure. An error is with its line, counted from 1.
fn parse(text: &str) -> Result<BTreeMap<String, B256>, (usize, SumsFault)> {
    let mut listed = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let (name, hash) = parse_line(line).map_err(|fault| (index + 1, fault))?;
        if listed.insert(name.to_owned(), hash).is_some() {
            return Err((index + 1, SumsFault::Twice));
        }
    }
    Ok(listed)
}

fn parse_line(line: &str) -> Result<(&str, B256), SumsFault> {
    let (digits, rest) = line.split_at_checked(DIGITS).ok_or(SumsFault::Form)?;
    // The second character is `*` where the file was read as binary, which is the same here.
    let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"));
    let name = name.filter(|name| !name.is_empty()).ok_or(SumsFault::Form)?;
    let mut hash = B256::ZERO;
    hex::decode_to_slice(digits, hash.as_mut_slice()).map_err(|_| SumsFault::Form)?;
    let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    // Two spellings of one file would be two files in the list.
    let is_plain = !name.contains("//") && !name.contains("/./") && !name.ends_with('/');
    if is_below && is_plain && name != SUMS { Ok((name, hash)) } else { Err(SumsFault::Name) }
}

fn read_listed(folder: &Path, name: &str, wanted: B256) -> Result<Vec<u8>, RecordingError> {
    let path = folder.join(name);
    let bytes = match read(&path) {
        Err(RecordingError::Read { source, .. }) if is_absent(&source) => {
            let folder = folder.to_owned();
            return Err(RecordingError::Missing { folder, file: name.to_owned() });
        }
        bytes => bytes?,
    };
    let found = sha256(&bytes);
    if found == wanted {
        return Ok(bytes);
    }
    let folder = folder.to_owned();
    Err(RecordingError::Changed { folder, file: name.to_owned(), found, listed: wanted })
}

/// The bytes of a file of reasonable size. Nothing but a plain file is opened: a pipe would never end.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, RecordingError> {
    let fault = |source| RecordingError::Read { path: path.to_owned(), source };
    if !path.symlink_metadata().map_err(fault)?.is_file() {
        return Err(fault(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file")));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(fault)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(RecordingError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

/// Everything below `folder` that is no folder, in order.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, RecordingError> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 1)];
    while let Some((path, depth)) = open.pop() {
        let fault = |source| RecordingError::Read { path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            if found.len() + open.len() > MAX_FILES + 1 || depth > MAX_DEPTH {
                return Err(RecordingError::TooMany(folder.to_owned()));
            }
            if entry.file_type().map_err(fault)?.is_dir() {
                open.push((entry.path(), depth + 1));
            } else {
                let path = entry.path();
                let name = path.strip_prefix(folder).unwrap_or(&path);
                found.push(name.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A file, or a folder on the way to it, is not there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(super) fn sha256(bytes: &[u8]) -> B256 {
    B256::new(Sha256::digest(bytes).into())
}

/// Without `0x`.
fn bare(hash: B256) -> String {
    hex::encode(hash)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_list_is_what_sha256sum_writes_and_reads_back() {
        let files = BTreeMap::from([
            ("a/b.json".to_owned(), b"abc".to_vec()),
            ("meta.json".to_owned(), b"abc".to_vec()),
        ]);
        let text = render(&files);
        assert_eq!(text, format!("{ABC}  a/b.json\n{ABC}  meta.json\n"));
        let listed = parse(&text).unwrap();
        assert_eq!(listed.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        assert_eq!(listed["meta.json"], sha256(b"abc"));
        assert_eq!(parse(&format!("{ABC} *b\n")).unwrap().len(), 1);
        assert_eq!(parse("").unwrap().len(), 0);
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_a_line_at_fault(text in "([0-9a-f]{62,65}|[ */.a\u{e9}-]{0,4}|\n){0,12}") {
            match parse(&text) {
                Ok(listed) => {
                    for name in listed.keys() {
                        prop_assert!(!name.is_empty() && !name.starts_with('/') && !name.split('/').any(|part| part == ".."));
                    }
                }
                Err((line, _)) => prop_assert!((1..=text.lines().count()).contains(&line)),
            }
        }

        #[test]
        fn what_is_listed_reads_back(files in btree_map("[a-z]{1,3}(/[a-z.]{1,3}x)?", any::<Vec<u8>>(), 0..6)) {
            let listed = parse(&render(&files)).unwrap();
            let wanted: BTreeMap<_, _> = files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect();
            prop_assert_eq!(listed, wanted);
        }
    }

    #[test]
    fn a_line_that_is_wrong_is_named_with_its_fault() {
        for (line, fault) in [
            (format!("{ABC} one-space"), SumsFault::Form),
            (format!("{ABC}  "), SumsFault::Form),
            (ABC[1..].to_owned(), SumsFault::Form),
            (format!("{}  x", ABC.replace('b', "g")), SumsFault::Form),
            (format!("{}ü  x", &ABC[1..]), SumsFault::Form),
            (format!("{ABC}  ../meta.json"), SumsFault::Name),
            (format!("{ABC}  /etc/passwd"), SumsFault::Name),
            (format!("{ABC}  a/../../b"), SumsFault::Name),
            (format!("{ABC}  ./b"), SumsFault::Name),
            (format!("{ABC}  a//b"), SumsFault::Name),
            (format!("{ABC}  {SUMS}"), SumsFault::Name),
            (format!("{ABC}  a"), SumsFault::Twice),
        ] {
            let text = format!("{ABC}  a\n{line}\n");
            assert_eq!(parse(&text), Err((2, fault)), "{line}");
        }
    }
}
