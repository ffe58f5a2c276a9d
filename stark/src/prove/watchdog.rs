//! Ends an executor that does not end by itself.
//!
//! SP1 runs a program in a child process and waits for it without a limit. A program that loops, or
//! a child that is stuck, would hold the worker for ever, and the child would outlive it. Killing
//! the child makes SP1 return an error.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// How the name of SP1's executor starts; the kernel keeps fifteen bytes of it.
const EXECUTOR_NAME: &str = "sp1-native-runn";

/// Kills this process' executor children when `limit` is over. Dropping it calls it off.
#[derive(Debug)]
pub(super) struct Watchdog {
    called_off: Option<mpsc::Sender<()>>,
    bitten: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(super) fn after(limit: Duration) -> Self {
        let (called_off, wait) = mpsc::channel();
        let bitten = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let bitten = bitten.clone();
            move || {
                if wait.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                    bitten.store(true, Ordering::SeqCst);
                    kill_executors();
                }
            }
        });
        Self { called_off: Some(called_off), bitten, thread: Some(thread) }
    }

    /// Whether the limit passed.
    pub(super) fn has_bitten(&self) -> bool {
        self.bitten.load(Ordering::SeqCst)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.called_off.take());
        if let Some(thread) = self.thread.take() {
            // It ends at once, and a panic in it has been printed.
            let _ = thread.join();
        }
    }
}

fn kill_executors() {
    let Ok(mut system) = System::new() else { return };
    system.refresh_processes_specifics(
        ProcessesToUpdate::All,
        true,
        ProcessRefreshKind::nothing().without_tasks(),
    );
    let me = Pid::from_u32(std::process::id());
    let children = system.processes().values().filter(|process| process.parent() == Some(me));
    for child in children.filter(|child| child.name().to_string_lossy().starts_with(EXECUTOR_NAME))
    {
        child.kill();
    }
}
