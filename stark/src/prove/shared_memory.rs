//! `/dev/shm`, where SP1's executor and its parent exchange trace chunks and the program's memory.
//!
//! Two things go wrong with it. Containers get 64 MB of it by default, and a process that writes to
//! a full one is killed by a bus error that names nothing. And a worker that is killed leaves its
//! files behind, which are memory.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where POSIX shared memory lies on Linux.
const SHARED_MEMORY: &str = "/dev/shm";

/// Free space below which an execution is not even tried, in bytes. A program of 3 million cycles
/// needs about 50 MB.
const LEAST_FREE: u64 = 32 << 20;

/// How SP1 starts the names of its files.
const PREFIX: &str = "sp1_";

/// Age below which a file that nobody maps may still be one that is being set up.
const SETTLED: Duration = Duration::from_secs(2);

/// There is too little shared memory to run a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "/dev/shm has {free} bytes free, SP1's executor needs more: give the container at least --shm-size=1g, \
     or run `mount -o remount,size=1G /dev/shm`"
)]
pub struct SharedMemoryFull {
    /// Bytes that were free.
    pub free: u64,
}

/// Whether there is any room left. Where it cannot be told (another system), there is.
///
/// # Errors
///
/// [`SharedMemoryFull`] below 32 MiB.
pub fn check() -> Result<(), SharedMemoryFull> {
    match free_bytes(Path::new(SHARED_MEMORY)) {
        Ok(free) if free < LEAST_FREE => Err(SharedMemoryFull { free }),
        _ => Ok(()),
    }
}

fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Removes what killed workers left in `/dev/shm`: SP1's files that no process maps. Returns how
/// many. For the start of a worker; never fails, because what cannot be removed belongs to somebody
/// else.
pub fn sweep() -> usize {
    let Ok(mapped) = mapped_files(Path::new("/proc")) else { return 0 };
    let stale =
        files_of_sp1(Path::new(SHARED_MEMORY)).into_iter().filter(|path| !mapped.contains(path));
    stale.filter(|path| fs::remove_file(path).is_ok()).count()
}

/// SP1's files in `dir` that are old enough to be mapped if they are in use.
fn files_of_sp1(dir: &Path) -> Vec<PathBuf> {
    let settled = |entry: &fs::DirEntry| {
        let modified = entry.metadata().and_then(|meta| meta.modified()).ok();
        modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age >= SETTLED)
    };
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let named = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // glibc puts `sem.` before the names of semaphores.
        name.strip_prefix("sem.").unwrap_or(&name).starts_with(PREFIX)
    };
    entries
        .flatten()
        .filter(|entry| named(entry) && settled(entry))
        .map(|entry| entry.path())
        .collect()
}

/// Every file in shared memory that a process visible here has mapped.
fn mapped_files(proc: &Path) -> io::Result<HashSet<PathBuf>> {
    let maps = fs::read_dir(proc)?
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("maps")).ok());
    Ok(maps.flat_map(|maps| mapped_paths(&maps)).collect())
}

/// The paths under `/dev/shm` in a `/proc/PID/maps`.
fn mapped_paths(maps: &str) -> Vec<PathBuf> {
    let paths = maps
        .lines()
        .filter_map(|line| line.find(SHARED_MEMORY).map(|at| PathBuf::from(&line[at..])));
    paths.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maps_file_yields_the_shared_memory_it_names() {
        let maps = "7f00-7f01 rw-s 00000000 00:1a 5 /dev/shm/sp1_abc_t\n7f02-7f03 r-xp 0 08:01 9 /usr/bin/true\n";
        assert_eq!(mapped_paths(maps), [PathBuf::from("/dev/shm/sp1_abc_t")]);
    }

    #[test]
    fn only_settled_files_of_sp1_are_candidates() {
        let dir = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "files have dates")]
        let old = std::time::SystemTime::now() - Duration::from_secs(60);
        for name in ["sp1_a_t", "sem.sp1_a_t_filled", "other"] {
            fs::File::create(dir.path().join(name)).unwrap().set_modified(old).unwrap();
        }
        fs::File::create(dir.path().join("sp1_fresh_m")).unwrap();
        let mut found = files_of_sp1(dir.path());
        found.sort();
        assert_eq!(found, [dir.path().join("sem.sp1_a_t_filled"), dir.path().join("sp1_a_t")]);
    }

    #[test]
    fn a_full_shared_memory_is_reported_with_its_remedy() {
        let text = SharedMemoryFull { free: 5 }.to_string();
        assert!(
            text.starts_with("/dev/shm has 5 bytes free") && text.contains("--shm-size"),
            "{text}"
        );
    }

    #[test]
    fn the_space_of_a_real_filesystem_can_be_read() {
        assert!(free_bytes(Path::new("/")).unwrap() > 0);
    }
}
