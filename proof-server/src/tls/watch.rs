//! Renewed certificates are found by looking: kubelets swap symlinks and ACME clients write two files one
//! after the other, which notifications of a file system report in ways that differ from one to the next.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Reload, ServerTls, TlsError, TlsWarning};
use crate::error_chain;

/// How often the files are read, 5 s: three small files cost nothing, and whoever replaces a key because
/// it leaked should not have to wait.
const POLL: Duration = Duration::from_secs(5);

/// What came of watching the files.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsEvent {
    /// New connections get a new certificate.
    Reloaded {
        /// When it expires.
        not_after: SystemTime,
        /// What should be said about it.
        warnings: Vec<TlsWarning>,
    },
    /// The new files are bad, and not only for a moment. The old certificate stays. Told once for each
    /// fault.
    Failed(TlsError),
    /// The files are again those that are served.
    Recovered,
}

impl ServerTls {
    /// Looks for new files until `stop`. The caller logs and counts the events.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken, on_event: impl FnMut(TlsEvent)) {
        stop.run_until_cancelled(self.watch_every(POLL, on_event)).await;
    }

    /// The same with another interval, without an end.
    pub(super) async fn watch_every(
        self: Arc<Self>,
        interval: Duration,
        mut on_event: impl FnMut(TlsEvent),
    ) {
        let mut trouble = Trouble::default();
        loop {
            sleep(interval).await;
            let tls = Arc::clone(&self);
            let Ok(polled) = spawn_blocking(move || tls.reload()).await else {
                // Only as the runtime ends.
                return;
            };
            let event = match trouble.judge(polled) {
                Verdict::Nothing => continue,
                Verdict::Reloaded => TlsEvent::Reloaded {
                    not_after: self.not_after(),
                    warnings: self.warnings(crate::date()),
                },
                Verdict::Failed(error) => TlsEvent::Failed(error),
                Verdict::Recovered => TlsEvent::Recovered,
            };
            on_event(event);
        }
    }
}

/// What has been wrong with the files for how long.
#[derive(Debug, Default)]
struct Trouble {
    /// The last poll failed.
    failed_before: bool,
    /// The fault that was told last.
    told: Option<String>,
}

#[derive(Debug)]
enum Verdict {
    Nothing,
    Reloaded,
    Failed(TlsError),
    Recovered,
}

impl Trouble {
    /// What to say about a poll. A first fault is let pass: files are replaced one after the other, and
    /// between two of them the pair does not match. Pure.
    fn judge(&mut self, polled: Result<Reload, TlsError>) -> Verdict {
        let error = match polled {
            Ok(reload) => {
                let before = std::mem::take(self);
                return match reload {
                    Reload::Replaced => Verdict::Reloaded,
                    Reload::Unchanged if before.told.is_some() => Verdict::Recovered,
                    Reload::Unchanged => Verdict::Nothing,
                };
            }
            Err(error) => error,
        };
        let text = error_chain(&error);
        if !std::mem::replace(&mut self.failed_before, true) || self.told.as_ref() == Some(&text) {
            return Verdict::Nothing;
        }
        self.told = Some(text);
        Verdict::Failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str) -> Result<Reload, TlsError> {
        Err(TlsError::NoKey { path: path.into() })
    }

    #[test]
    fn a_fault_that_is_gone_with_the_next_look_is_not_told() {
        let mut trouble = Trouble::default();
        assert!(matches!(trouble.judge(broken("a")), Verdict::Nothing));
        assert!(matches!(trouble.judge(Ok(Reload::Replaced)), Verdict::Reloaded));
        assert!(matches!(trouble.judge(broken("a")), Verdict::Nothing));
        assert!(matches!(trouble.judge(Ok(Reload::Unchanged)), Verdict::Nothing));
    }

    #[test]
    fn a_fault_that_stays_is_told_once_and_its_end_too() {
        let mut trouble = Trouble::default();
        trouble.judge(broken("a"));
        assert!(matches!(trouble.judge(broken("a")), Verdict::Failed(_)));
        assert!(matches!(trouble.judge(broken("a")), Verdict::Nothing));
        assert!(matches!(trouble.judge(broken("b")), Verdict::Failed(_)), "another fault");
        assert!(matches!(trouble.judge(Ok(Reload::Unchanged)), Verdict::Recovered));
        assert!(matches!(trouble.judge(Ok(Reload::Unchanged)), Verdict::Nothing));
    }
}
