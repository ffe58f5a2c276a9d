//! What to do about a worker, and what to say about its end. Pure.

use std::time::Duration;

/// First wait before a worker is started again, and the longest. A worker that dies at once costs
/// seconds of set-up each time; a minute is short beside the proofs it makes.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// How long to wait before the next start, after this many starts in a row without a finished job.
pub(super) fn backoff(failures_in_a_row: u32) -> Duration {
    match failures_in_a_row {
        0 => Duration::ZERO,
        n => BACKOFF_FIRST.saturating_mul(2_u32.saturating_pow((n - 1).min(16))).min(BACKOFF_MAX),
    }
}

/// Why a worker is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It ended by itself.
    Exited(i32),
    /// A signal ended it; `oom` if the kernel's out-of-memory count rose meanwhile.
    Killed { signal: i32, oom: bool },
    /// Nothing was heard of it for this long.
    Silent(Duration),
    /// It sent what is no message, or closed its socket.
    Garbled(String),
    /// It was told to go, because of the job it had.
    Dismissed,
}

impl Loss {
    /// One line for the client whose job it had.
    pub(crate) fn describe(&self, resident_bytes: u64) -> String {
        let mib = resident_bytes >> 20;
        match self {
            Self::Exited(code) => format!("the worker exited with code {code}"),
            Self::Killed { signal, oom: true } => {
                format!(
                    "the kernel killed the worker for memory (signal {signal}, it had {mib} MiB): send less at once or use a larger machine"
                )
            }
            Self::Killed { signal: 9, .. } => {
                format!(
                    "the worker was killed (signal 9, it had {mib} MiB): by hand, or for memory"
                )
            }
            Self::Killed { signal, .. } => format!("the worker was killed by signal {signal}"),
            Self::Silent(time) => {
                format!("the worker gave no sign of life for {} s and was killed", time.as_secs())
            }
            Self::Garbled(_) => "the worker broke off the conversation".to_owned(),
            Self::Dismissed => "the worker was dismissed".to_owned(),
        }
    }

    /// The kind, for logs and metrics.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Exited(_) => "exit",
            Self::Killed { oom: true, .. } => "oom",
            Self::Killed { .. } => "signal",
            Self::Silent(_) => "silent",
            Self::Garbled(_) => "garbled",
            Self::Dismissed => "dismissed",
        }
    }
}

/// The kernel's count of out-of-memory kills, from the text of `/proc/vmstat`.
pub(super) fn oom_kills(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_come_at_once_first_and_then_ever_slower_up_to_a_minute() {
        let millis: Vec<u128> = (0..=10).map(|n| backoff(n).as_millis()).collect();
        assert_eq!(millis, [0, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }

    #[test]
    fn each_loss_says_what_happened_and_an_oom_kill_what_to_do() {
        let size = 3 << 30;
        for (loss, reason, text) in [
            (Loss::Exited(101), "exit", "exited with code 101"),
            (Loss::Killed { signal: 9, oom: true }, "oom", "it had 3072 MiB): send less at once"),
            (Loss::Killed { signal: 9, oom: false }, "signal", "by hand, or for memory"),
            (Loss::Killed { signal: 11, oom: false }, "signal", "killed by signal 11"),
            (Loss::Silent(Duration::from_secs(30)), "silent", "no sign of life for 30 s"),
            (Loss::Garbled("secret".into()), "garbled", "broke off the conversation"),
            (Loss::Dismissed, "dismissed", "dismissed"),
        ] {
            assert_eq!(loss.reason(), reason);
            let said = loss.describe(size);
            assert!(said.contains(text), "{said}");
            assert!(!said.contains("secret"), "clients get no internals");
        }
    }

    #[test]
    fn the_kernels_count_of_oom_kills_is_read() {
        assert_eq!(oom_kills("pgfault 12\noom_kill 3\nnuma_hit 4\n"), Some(3));
        assert_eq!(oom_kills("pgfault 12\n"), None);
    }
}
