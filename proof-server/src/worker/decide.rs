//! What to do about a worker, and what to say about its end. Pure.

use std::time::Duration;

use crate::{
    metrics::{RestartReason, Value as _},
    types::{Code, Failure},
};

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
    /// It had more memory than a worker may, in bytes.
    OverMemory { limit_bytes: u64 },
    /// Its engine reported a fault, or answered with something else than was asked for.
    Faulty,
    /// Killed from here: nobody wanted its job any more.
    Cancelled,
    /// Killed from here: its job was over its time.
    TimedOut,
    /// Killed from here: the server goes down.
    Drained,
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
            Self::OverMemory { limit_bytes } => format!(
                "the worker was killed at {mib} MiB, over the {} MiB that this server allows a proof: ask for less at once",
                limit_bytes >> 20
            ),
            Self::Faulty => "the worker's engine is at fault".to_owned(),
            Self::Cancelled | Self::TimedOut | Self::Drained => {
                format!("the worker was dismissed ({})", self.reason())
            }
        }
    }

    /// The kind, for metrics.
    pub(crate) fn kind(&self) -> RestartReason {
        match self {
            Self::Exited(_) => RestartReason::Exit,
            Self::Killed { oom: true, .. } => RestartReason::Oom,
            Self::Killed { .. } => RestartReason::Signal,
            Self::Silent(_) => RestartReason::Silent,
            Self::Garbled(_) => RestartReason::Garbled,
            Self::OverMemory { .. } => RestartReason::Memory,
            Self::Faulty => RestartReason::Faulty,
            Self::Cancelled => RestartReason::Cancelled,
            Self::TimedOut => RestartReason::Timeout,
            Self::Drained => RestartReason::Drained,
        }
    }

    /// The kind's name, for logs.
    pub(crate) fn reason(&self) -> &'static str {
        self.kind().name()
    }

    /// Killed from here for a reason that says nothing about workers.
    pub(crate) fn is_intended(&self) -> bool {
        matches!(self, Self::Cancelled | Self::TimedOut | Self::Drained)
    }

    /// Whether the same job may do better with the next worker.
    pub(crate) fn may_be_the_machines(&self) -> bool {
        !self.is_intended() && !matches!(self, Self::OverMemory { .. })
    }

    /// What the client gets whose job it had.
    pub(crate) fn failure(&self, resident_bytes: u64) -> Failure {
        let said = self.describe(resident_bytes);
        let remedy = match self {
            Self::OverMemory { .. } => "",
            _ => "; another is being started, send the request again later",
        };
        Failure::new(Code::WorkerLost, said + remedy)
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
            (Loss::OverMemory { limit_bytes: 2 << 30 }, "memory", "at 3072 MiB, over the 2048 MiB"),
            (Loss::Faulty, "faulty", "at fault"),
            (Loss::Cancelled, "cancelled", "dismissed (cancelled)"),
            (Loss::TimedOut, "timeout", "dismissed (timeout)"),
            (Loss::Drained, "drained", "dismissed (drained)"),
        ] {
            assert_eq!(loss.reason(), reason);
            let said = loss.describe(size);
            assert!(said.contains(text), "{said}");
            assert!(!said.contains("secret"), "clients get no internals");
        }
    }

    #[test]
    fn a_job_is_tried_again_only_where_the_machine_may_have_been_at_fault() {
        let machine = [
            Loss::Exited(101),
            Loss::Killed { signal: 9, oom: true },
            Loss::Silent(Duration::ZERO),
            Loss::Garbled(String::new()),
            Loss::Faulty,
        ];
        assert!(machine.iter().all(Loss::may_be_the_machines));
        let job = [Loss::OverMemory { limit_bytes: 1 }, Loss::Cancelled, Loss::TimedOut];
        assert!(!job.iter().any(Loss::may_be_the_machines));
    }

    #[test]
    fn the_kernels_count_of_oom_kills_is_read() {
        assert_eq!(oom_kills("pgfault 12\noom_kill 3\nnuma_hit 4\n"), Some(3));
        assert_eq!(oom_kills("pgfault 12\n"), None);
    }
}
