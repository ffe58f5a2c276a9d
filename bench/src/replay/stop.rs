//! The end of a run before its time.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Whether somebody wants the run to end. Cheap to clone: all are one.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// A signal handler can set it, and do no more.
    flag: Arc<AtomicBool>,
    /// Those who sleep meanwhile. Thousands that looked up now and then would disturb what is measured.
    sleepers: Mutex<()>,
    woken: Condvar,
}

impl Stop {
    /// Set by Ctrl-C or SIGTERM; whoever looks next has to [wake](Self::wake) the others. A second one ends the process
    /// at once.
    ///
    /// # Errors
    /// Where the system takes no handler.
    pub fn on_signals() -> io::Result<Self> {
        /// What a shell gives for a command that Ctrl-C ended.
        const INTERRUPTED: i32 = 130;
        let stop = Self::default();
        let flag = || Arc::clone(&stop.0.flag);
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first looks whether an earlier signal has set the flag.
            signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, flag())?;
            signal_hook::flag::register(signal, flag())?;
        }
        Ok(stop)
    }

    /// Ends the run.
    pub fn set(&self) {
        self.0.flag.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether the run is to end.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.flag.load(Ordering::Relaxed)
    }

    /// Lets all who sleep look whether the run is to end.
    pub fn wake(&self) {
        // Not between another one's look and its sleep.
        let _awake = self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.woken.notify_all();
    }

    /// Waits until `until`; false as soon as the run is to end and somebody said so.
    #[must_use]
    pub(crate) fn sleep_until(&self, until: Instant) -> bool {
        let mut asleep = self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.is_set() || left.is_zero() {
                return !self.is_set();
            }
            let woken = self.0.woken.wait_timeout(asleep, left);
            asleep = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn who_sleeps_sleeps_to_the_end_or_until_the_run_is_stopped() {
        let stop = Stop::default();
        let began = Instant::now();
        assert!(stop.sleep_until(began + Duration::from_millis(30)));
        assert!(began.elapsed() >= Duration::from_millis(30));
        let sleeper = thread::spawn({
            let stop = stop.clone();
            move || stop.sleep_until(Instant::now() + Duration::from_secs(600))
        });
        stop.wake();
        assert!(!sleeper.is_finished(), "woken for nothing, it sleeps on");
        stop.set();
        assert!(!sleeper.join().unwrap());
        assert!(!stop.sleep_until(Instant::now()), "there is no time left at all");
    }
}
