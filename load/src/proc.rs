//! What `/proc` says of processes.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use eyre::{ContextCompat, WrapErr};

/// Where files are that live in memory: a prover's library may use it.
const SHARED_MEMORY: &str = "/dev/shm";

/// Resident memory of a process, in bytes.
///
/// # Errors
/// Where the process is gone.
pub fn resident_bytes(pid: u32) -> eyre::Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).wrap_err("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.wrap_err("its status has no VmRSS in kB")? << 10)
}

/// Open descriptors of a process.
///
/// # Errors
/// Where the process is gone.
pub fn descriptors(pid: u32) -> eyre::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd")).wrap_err("the server is gone")?.count())
}

/// Processes, zombies not included, whose parent is `parent`.
pub fn children(parent: u32) -> Vec<u32> {
    pids().filter(|pid| self::parent(*pid) == Some(parent)).collect()
}

/// Processes, zombies not included, that were started with `TMPDIR` set to `folder` or belong to one of `groups`.
/// A child may leave its parent or its group or drop its environment, but not all of them by mistake.
pub fn descendants(folder: &Path, groups: &BTreeSet<u32>) -> Vec<u32> {
    let mark = [b"TMPDIR=", folder.as_os_str().as_bytes()].concat();
    let is_marked = |pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark)
    };
    pids()
        .filter(|pid| {
            stat(*pid).is_some_and(|stat| groups.contains(&stat.group) || is_marked(*pid))
        })
        .collect()
}

/// What lies in shared memory.
pub fn shared_memory() -> BTreeSet<OsString> {
    let entries = fs::read_dir(SHARED_MEMORY).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).collect()
}

/// What lies in shared memory, did not before, and is open nowhere: somebody left it there.
pub fn left_in_shared_memory(before: &BTreeSet<OsString>) -> Vec<PathBuf> {
    let new: Vec<PathBuf> = shared_memory()
        .difference(before)
        .map(|name| Path::new(SHARED_MEMORY).join(name))
        .collect();
    new.into_iter().filter(|path| path.exists() && !pids().any(|pid| has_open(pid, path))).collect()
}

fn has_open(pid: u32, path: &Path) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    maps.lines().any(|line| line.ends_with(&*path.to_string_lossy()))
        || descriptors.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|open| open == path)
}

/// All processes.
pub fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The process that started this one, or took it over; nothing for a zombie.
pub fn parent(pid: u32) -> Option<u32> {
    Some(stat(pid)?.parent)
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    group: u32,
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Nothing for a zombie: it only waits to be counted.
fn parse_stat(text: &str) -> Option<Stat> {
    // A name may have spaces and brackets: fields begin after the last one.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    (fields.next()? != "Z").then_some(())?;
    Some(Stat { parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_and_a_zombie_is_none() {
        assert_eq!(parse_stat("7 (a) b) S 3 5 5 0"), Some(Stat { parent: 3, group: 5 }));
        assert_eq!(parse_stat("7 (a) Z 3 5 5 0"), None);
        assert_eq!(parse_stat("7 (a"), None);
    }

    #[test]
    fn this_process_has_memory_descriptors_and_a_group() {
        let own = std::process::id();
        assert!(resident_bytes(own).unwrap() > 1 << 20);
        assert!(descriptors(own).unwrap() > 2);
        let group = stat(own).unwrap().group;
        assert!(descendants(Path::new("/nowhere"), &BTreeSet::from([group])).contains(&own));
        assert!(descendants(Path::new("/nowhere"), &BTreeSet::new()).is_empty());
    }
}
