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
}

impl Machine {
    /// Reads it for this process: the smaller of the kernel's `MemAvailable` and what the control
    /// group leaves, or 0 where neither can be read. Blocking, some milliseconds.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self {
            cores: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            available_bytes: System::new().map_or(0, available_bytes),
        }
    }
}

fn available_bytes(mut system: System) -> u64 {
    system.refresh_memory();
    system.available_memory().min(left_in_cgroup(&mut system).unwrap_or(u64::MAX))
}

/// What the limits of this process' control group leave; [`None`] outside of one. `MemAvailable`
/// does not know of them: in a container it is the host's.
fn left_in_cgroup(system: &mut System) -> Option<u64> {
    let me = Pid::from_u32(std::process::id());
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[me]),
        false,
        ProcessRefreshKind::nothing(),
    );
    system.process(me)?.cgroup_limits().map(|limits| limits.free_memory)
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
        assert!(machine.available_bytes <= system.total_memory(), "{machine:?}");
    }
}
