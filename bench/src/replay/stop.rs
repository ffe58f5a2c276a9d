//! The end of a run before its time.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use signal_hook::consts::{SIGINT, SIGTERM};

/// How soon a client that waits for its turn notices that it need not.
const POLL: Duration = Duration::from_millis(50);

/// Whether somebody wants the run to end. Cheap to clone: all are one.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Set by Ctrl-C or SIGTERM. A second one ends the process at once.
    ///
    /// # Errors
    /// Where the system takes no handler.
    pub fn on_signals() -> io::Result<Self> {
        /// What a shell gives for a command that Ctrl-C ended.
        const INTERRUPTED: i32 = 130;
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first looks whether an earlier signal has set the flag.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                INTERRUPTED,
                Arc::clone(&stop.0),
            )?;
            signal_hook::flag::register(signal, Arc::clone(&stop.0))?;
        }
        Ok(stop)
    }

    /// Ends the run.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run is to end.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits until `until`; false as soon as the run is to end.
    #[must_use]
    pub(crate) fn sleep_until(&self, until: Instant) -> bool {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.is_set() || left.is_zero() {
                return !self.is_set();
            }
            thread::sleep(left.min(POLL));
        }
    }
}
