//! What this machine gives the prover: cores, and memory that can still be taken.

use std::{num::NonZeroUsize, thread};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// The part of a machine that a prover may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Cores, after affinity and CPU quota.
    pub cores: usize,
    /// Bytes that can still be taken without swapping or meeting the control group's limit.
    pub available_bytes: u64,
    /// Bytes that there are in all, or that the control group allows.
    pub total_bytes: u64,
}

impl Machine {
    /// Reads it for this process: the smaller of the kernel's `MemAvailable` and what the control
    /// group leaves, or 0 where neither can be read. Blocking, some milliseconds.
    #[must_use]
    pub fn of_this_process() -> Self {
        let (available_bytes, total_bytes) = System::new().map_or((0, 0), memory);
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { cores, available_bytes, total_bytes }
    }
}

fn memory(mut system: System) -> (u64, u64) {
    system.refresh_memory();
    let (left, allowed) = in_cgroup(&mut system).unwrap_or((u64::MAX, u64::MAX));
    (system.available_memory().min(left), system.total_memory().min(allowed))
}

/// What the limits of this process' control group leave and allow; [`None`] outside of one. The
/// kernel's own figures do not know of them: in a container they are the host's.
fn in_cgroup(system: &mut System) -> Option<(u64, u64)> {
    let me = Pid::from_u32(std::process::id());
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[me]),
        false,
        ProcessRefreshKind::nothing(),
    );
    system.process(me)?.cgroup_limits().map(|limits| (limits.free_memory, limits.total_memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_core_and_less_memory_available_than_installed() {
        let machine = Machine::of_this_process();
        let mut system = System::new().unwrap();
        system.refresh_memory();
        assert!(machine.cores >= 1);
        assert!(machine.available_bytes > 0);
        assert!(machine.available_bytes <= machine.total_bytes, "{machine:?}");
        assert!(machine.total_bytes <= system.total_memory(), "{machine:?}");
    }
}
