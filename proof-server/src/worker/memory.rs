//! How much memory a process group has, from `/proc`.

use std::fs;

/// Resident memory of one process, in bytes, as `/proc/PID/status` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Resident {
    private: u64,
    shared: u64,
    peak: u64,
}

/// Reads the `Rss…` and `VmHWM` lines; kernel threads have none.
fn parse_status(status: &str) -> Option<Resident> {
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
    };
    Some(Resident {
        private: field("RssAnon:")? + field("RssFile:")?,
        shared: field("RssShmem:")?,
        peak: field("VmHWM:")?,
    })
}

/// The process group in a line of `/proc/PID/stat`: the third field behind the name, which may itself
/// hold spaces and parentheses.
fn parse_group(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

/// What a whole group has: shared pages are the executor's ring, mapped by both of its ends, and count
/// once.
fn total(group: &[Resident]) -> u64 {
    let private: u64 = group.iter().map(|process| process.private).sum();
    private + group.iter().map(|process| process.shared).max().unwrap_or(0)
}

/// Resident bytes of all processes of group `group`; 0 where `/proc` does not say.
pub(super) fn of_group(group: u32) -> u64 {
    let Ok(processes) = fs::read_dir("/proc") else { return 0 };
    let members: Vec<Resident> = processes
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()))
        .filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            if parse_group(&stat)? != group {
                return None;
            }
            parse_status(&fs::read_to_string(entry.path().join("status")).ok()?)
        })
        .collect();
    total(&members)
}

/// The most this process ever had, in bytes, since [`reset_peak`]; catches what lies between two looks.
pub(crate) fn own_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").ok();
    status.and_then(|status| parse_status(&status)).map_or(0, |resident| resident.peak)
}

/// Begins a new measurement of [`own_peak`]. Where the kernel does not allow that, peaks are those of
/// the process's life.
pub(super) fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tproof-server\nVmHWM:\t    2048 kB\nVmRSS:\t 1500 kB\nRssAnon:\t     1000 kB\nRssFile:\t      300 kB\nRssShmem:\t     200 kB\n";

    #[test]
    fn a_status_file_gives_resident_memory() {
        let resident = parse_status(STATUS).unwrap();
        assert_eq!(resident, Resident { private: 1300 << 10, shared: 200 << 10, peak: 2048 << 10 });
        assert_eq!(parse_status("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn a_groups_shared_pages_count_once() {
        let one = parse_status(STATUS).unwrap();
        assert_eq!(total(&[one, one]), (1300 * 2 + 200) << 10);
        assert_eq!(total(&[]), 0);
    }

    #[test]
    fn the_group_is_found_behind_any_process_name() {
        assert_eq!(parse_group("12 (a) b (c)) S 1 77 77 0 -1"), Some(77));
        assert_eq!(parse_group("nonsense"), None);
    }

    #[test]
    fn this_process_is_seen() {
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        assert!(of_group(group.cast_unsigned()) > 1 << 20);
        assert!(own_peak() > 1 << 20);
    }
}
