//! The store's file: seven letters, a version byte, bincode of [`Body`], and the Keccak-256 of all that.
//! It is replaced as a whole, under a lock, so that a crash leaves the old store or the new one.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
};

use bincode::Options;
use lc_core::{
    ChainSpec, Crypto,
    alloy_primitives::B256,
    host::NativeCrypto,
    objects::{ObjectError, SyncCommittee},
};
use serde::{Deserialize, Serialize};

use super::{
    Finalized, Store,
    disk::{self, Disk, RealDisk},
};

/// What a store file starts with; the version byte follows.
const MAGIC: &[u8; 7] = b"lcstore";
/// Version of the layout behind the magic. Raised whenever [`Body`] changes.
const VERSION: u8 = 2;
/// The oldest version that is read. It lacks `development`, the last field, because there were no SNARKs yet.
const WITHOUT_DEVELOPMENT: u8 = 1;
/// Bytes of the checksum.
const CHECKSUM: usize = 32;
/// Largest file to read, 16 MiB. A mainnet store has 25 kB; the largest committee that a chain may have
/// (65,536 keys) takes 3 MiB.
const MAX_FILE: u64 = 16 << 20;

/// Why a store cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFileError {
    /// There is none.
    #[error(
        "no store at {path}: make one with `light-client bootstrap`, or give its path with --store"
    )]
    Missing {
        /// The path given.
        path: PathBuf,
    },
    /// There is one already.
    #[error("a store is already at {path}: use it, or give another path")]
    Exists {
        /// The path given.
        path: PathBuf,
    },
    /// Another process has it.
    #[error("another light-client is using {path}: wait until it is done")]
    Locked {
        /// The path given.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{path} is no store: give the path that `light-client bootstrap` wrote")]
    NotAStore {
        /// The path given.
        path: PathBuf,
    },
    /// The file is of another release.
    #[error(
        "the store {path} has version {seen}, this light-client reads {WITHOUT_DEVELOPMENT} to {VERSION}: use the release that wrote it, or bootstrap anew"
    )]
    Version {
        /// The path given.
        path: PathBuf,
        /// The version in the file.
        seen: u8,
    },
    /// The file is damaged.
    #[error(
        "the store {path} is damaged ({fault}): move it away and bootstrap anew from a trusted checkpoint"
    )]
    Damaged {
        /// The path given.
        path: PathBuf,
        /// What does not hold.
        fault: &'static str,
    },
    /// The file system refused.
    #[error("cannot {doing} {path}")]
    Io {
        /// Verb: `find`, `read`, `write` or `lock`.
        doing: &'static str,
        /// The path at fault.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A store on disk, which nobody else may change while this lives.
#[derive(Debug)]
pub struct StoreFile {
    path: PathBuf,
    /// Locked; the system lets go of it when this process ends in whatever way.
    lock: File,
}

/// What is kept, in this order. Changing it means raising [`VERSION`].
#[derive(Serialize, Deserialize)]
struct Body {
    network: String,
    chain: ChainSpec,
    period: u64,
    /// SSZ.
    committee: Vec<u8>,
    finalized: Finalized,
    mock: bool,
    development: bool,
}

impl Drop for StoreFile {
    /// Lets go at once: a process that was forked meanwhile would else hold on until its `exec`.
    fn drop(&mut self) {
        // If it fails, closing the file does the same.
        let _ = self.lock.unlock();
    }
}

impl StoreFile {
    /// Makes a store file where there is none.
    ///
    /// # Errors
    /// [`StoreFileError::Exists`], [`StoreFileError::Locked`] or [`StoreFileError::Io`].
    pub fn create(path: &Path, store: &Store) -> Result<Self, StoreFileError> {
        // A symbolic link to nowhere is there too: renaming would replace it.
        if path.symlink_metadata().is_ok() {
            return Err(StoreFileError::Exists { path: path.to_owned() });
        }
        let file = Self { path: path.to_owned(), lock: lock(path)? };
        // Again, now that nobody else can: another process may have been faster.
        if path.symlink_metadata().is_ok() {
            return Err(StoreFileError::Exists { path: path.to_owned() });
        }
        file.save(store)?;
        Ok(file)
    }

    /// Opens an existing store file for a change, and reads it.
    ///
    /// # Errors
    /// As for [`Self::read`], and [`StoreFileError::Locked`].
    pub fn open(path: &Path) -> Result<(Self, Store), StoreFileError> {
        // First, so that a wrong path is not answered with a lock file beside it.
        Self::read(path)?;
        // Behind symbolic links: a link must neither be replaced nor have a lock of its own.
        let real = path.canonicalize().map_err(|source| StoreFileError::Io {
            doing: "find",
            path: path.to_owned(),
            source,
        })?;
        let lock = lock(&real)?;
        let file = Self { path: real, lock };
        // Left by a crash; whatever is in it was never the store.
        disk::temporary(&file.path)
            .and_then(|path| RealDisk.remove(&path))
            .map_err(file.io("write"))?;
        let store = Self::read(path)?;
        Ok((file, store))
    }

    /// Reads a store without keeping others from changing it.
    ///
    /// # Errors
    /// [`StoreFileError`] says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Store, StoreFileError> {
        let fault = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => StoreFileError::Missing { path: path.to_owned() },
            _ => StoreFileError::Io { doing: "read", path: path.to_owned(), source },
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(fault)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fault)?;
        decode(path, &bytes)
    }

    /// Replaces the store. When this returns the new one survives a loss of power; when it fails, or
    /// never returns, the old one is there.
    ///
    /// # Errors
    /// [`StoreFileError::Io`].
    pub fn save(&self, store: &Store) -> Result<(), StoreFileError> {
        disk::replace(&RealDisk, &self.path, &encode(store)).map_err(self.io("write"))
    }

    fn io(&self, doing: &'static str) -> impl Fn(io::Error) -> StoreFileError {
        let path = self.path.clone();
        move |source| StoreFileError::Io { doing, path: path.clone(), source }
    }
}

/// Takes the lock of the store at `path`. It is on a file of its own: the store's is replaced.
fn lock(path: &Path) -> Result<File, StoreFileError> {
    let fault = |source| StoreFileError::Io { doing: "lock", path: path.to_owned(), source };
    let lock = disk::suffixed(path, ".lock").map_err(fault)?;
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).open(lock).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreFileError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(fault(source)),
    }
}

fn options() -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_limit(MAX_FILE)
}

fn encode(store: &Store) -> Vec<u8> {
    let body = Body {
        network: store.network.clone(),
        chain: store.chain.clone(),
        period: store.period,
        committee: store.committee.to_ssz(),
        finalized: store.finalized,
        mock: store.mock,
        development: store.development,
    };
    let mut file = [MAGIC.as_slice(), &[VERSION]].concat();
    let body = options().serialize(&body).expect("a store is far below the largest file");
    file.extend(body);
    let checksum = NativeCrypto::keccak256(&file);
    file.extend(checksum);
    file
}

fn decode(path: &Path, file: &[u8]) -> Result<Store, StoreFileError> {
    let damaged = |fault| StoreFileError::Damaged { path: path.to_owned(), fault };
    if file.len() as u64 > MAX_FILE || !file.starts_with(MAGIC) {
        return Err(StoreFileError::NotAStore { path: path.to_owned() });
    }
    let &version = file.get(MAGIC.len()).ok_or_else(|| damaged("it is cut short"))?;
    if !(WITHOUT_DEVELOPMENT..=VERSION).contains(&version) {
        return Err(StoreFileError::Version { path: path.to_owned(), seen: version });
    }
    let (content, checksum) =
        file.split_last_chunk::<CHECKSUM>().ok_or_else(|| damaged("it is cut short"))?;
    if NativeCrypto::keccak256(content) != B256::from(checksum) {
        return Err(damaged("its checksum is wrong"));
    }
    let body = content.get(MAGIC.len() + 1..).ok_or_else(|| damaged("it is cut short"))?;
    let mut body = body.to_vec();
    if version == WITHOUT_DEVELOPMENT {
        body.push(false.into());
    }
    let body: Body = options()
        .reject_trailing_bytes()
        .deserialize(&body)
        .map_err(|_| damaged("its content has another layout"))?;
    body.chain.validate().map_err(|_| damaged("its chain constants make no chain"))?;
    let committee: Result<SyncCommittee, ObjectError> =
        SyncCommittee::from_ssz(&body.chain, &body.committee);
    Ok(Store {
        committee: committee.map_err(|_| damaged("its committee is not of its chain"))?,
        network: body.network,
        chain: body.chain,
        period: body.period,
        finalized: body.finalized,
        mock: body.mock,
        development: body.development,
    })
}

#[cfg(test)]
mod tests;
