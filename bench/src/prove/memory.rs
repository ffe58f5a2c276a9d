//! How much memory a server's processes have, over time.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use proof_server_load::proc;

use crate::document::MemoryPoint;

/// Between two looks. Reading `/proc` for a handful of processes takes well under a millisecond.
const INTERVAL: Duration = Duration::from_millis(200);

/// Points that are kept: where there are more, every second one goes and looks become rarer.
const MAX_POINTS: usize = 2_000;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) peak: u64,
    pub(super) points: Vec<MemoryPoint>,
}

/// Looks until it is stopped.
#[derive(Debug)]
pub(super) struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Sampler {
    /// Begins to look at process `root` and all below it; times count from `begun`.
    pub(super) fn start(root: u32, begun: Instant) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut seen, mut every) = (Seen::default(), 1);
            for look in 0_u64.. {
                let bytes = tree_bytes(root);
                seen.peak = seen.peak.max(bytes);
                if look % every == 0 {
                    seen.points.push(MemoryPoint { seconds: begun.elapsed().into(), bytes });
                }
                if seen.points.len() == MAX_POINTS {
                    let mut keep = false;
                    seen.points.retain(|_| {
                        keep = !keep;
                        keep
                    });
                    every *= 2;
                }
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                thread::sleep(INTERVAL);
            }
            seen
        });
        Self { stop, thread }
    }

    pub(super) fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// Resident bytes of a process and all below it. What processes share counts once: SP1's executor writes into memory
/// that its worker has mapped.
fn tree_bytes(root: u32) -> u64 {
    let parents: BTreeMap<u32, u32> =
        proc::pids().filter_map(|pid| Some((pid, proc::parent(pid)?))).collect();
    let below = |pid: &u32| {
        let mut chain = std::iter::successors(Some(*pid), |pid| parents.get(pid).copied());
        chain.any(|pid| pid == root)
    };
    let memory = parents.keys().filter(|pid| below(pid)).filter_map(|pid| resident(*pid));
    let (own, shared) =
        memory.fold((0, 0), |(sum, most), (own, shared)| (sum + own, u64::max(most, shared)));
    own + shared
}

/// Bytes of its own, and bytes that it may share.
fn resident(pid: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    Some((kib("RssAnon:")? << 10, (kib("RssFile:")? + kib("RssShmem:")?) << 10))
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn this_process_has_memory_and_one_that_is_gone_has_none() {
        let sampler = Sampler::start(process::id(), Instant::now());
        let seen = sampler.stop();
        assert!(seen.peak > 1 << 20 && !seen.points.is_empty(), "{seen:?}");
        assert_eq!(tree_bytes(u32::MAX), 0);
    }

    #[test]
    fn children_count() {
        let mut child = process::Command::new("sleep").arg("60").spawn().unwrap();
        let (with, own) = (tree_bytes(process::id()), tree_bytes(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(own > 0 && with > own, "{with} {own}");
    }
}
