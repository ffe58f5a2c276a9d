//! A primary's other half: passes inclusion on to the secondary server, and back what that says.
//!
//! Jobs come from a queue as those for workers do. Everything goes over one connection, which is kept, and made
//! again with growing pauses when it breaks. Requests are named by content and outlive their connection on the
//! secondary, so jobs that were under way are simply asked for again; only if the secondary cannot be reached at
//! once do they end with UNAVAILABLE.

mod link;
mod open;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::{
    link::{Link, LinkError},
    open::OpenJobs,
};
use crate::{
    config::Secondary,
    error_chain,
    jobs::Queue,
    metrics::Metrics,
    types::{ClientMessage, EngineInfo, ServerMessage},
};

/// Pauses between attempts to connect: the first is short, because a secondary that restarts is back in seconds.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(15);

/// How often the secondary is asked how it is: a connection without requests would be closed as idle, and one
/// whose peer is gone would not be noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Requests on their way to the socket: the next one is taken from the queue when the last is out.
const OUTBOX: usize = 2;

/// What clients are told while there is no secondary.
pub(super) const AWAY: &str = "the server that proves inclusion is away, committee changes go on";

/// What connections see of the relay.
#[derive(Debug, Default)]
pub(super) struct RelayView {
    up: AtomicBool,
}

impl RelayView {
    /// Whether the secondary can be reached.
    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }
}

/// The way to the secondary server.
#[derive(Debug)]
pub(super) struct Relay {
    secondary: Secondary,
    queue: Arc<Queue>,
    /// What this server is: the secondary must prove the same programs.
    ours: EngineInfo,
    metrics: Arc<Metrics>,
    view: Arc<RelayView>,
}

/// How long to wait before the next attempt, after this many that failed. Pure.
fn backoff(failures: u32) -> Duration {
    BACKOFF_FIRST.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(BACKOFF_MAX)
}

/// How a conversation ended.
enum End {
    /// No more jobs come.
    Closed,
    Broken(LinkError),
}

impl Relay {
    pub(super) fn new(
        secondary: &Secondary,
        queue: Arc<Queue>,
        ours: &EngineInfo,
        metrics: Arc<Metrics>,
    ) -> Self {
        let view = Arc::default();
        Self { secondary: secondary.clone(), queue, ours: ours.clone(), metrics, view }
    }

    pub(super) fn view(&self) -> Arc<RelayView> {
        Arc::clone(&self.view)
    }

    /// Passes jobs on until the queue is closed and the last is answered, or until `stop`, which ends them.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut jobs = OpenJobs::new(Arc::clone(&self.queue));
        if stop.run_until_cancelled(self.relay(&mut jobs)).await.is_none() {
            jobs.end_all(&crate::jobs::shutting_down());
        }
    }

    async fn relay(&self, jobs: &mut OpenJobs) {
        let mut failures = 0;
        self.set_down(Duration::ZERO);
        loop {
            let link = tokio::select! {
                biased;
                // With jobs under way it is worth another attempt.
                () = self.queue.closed(), if jobs.is_empty() => return,
                link = Link::connect(&self.secondary, &self.ours) => link,
            };
            match link {
                Ok(link) => {
                    info!(secondary = self.secondary.address, engine = %link.engine.engine, "connected");
                    failures = 0;
                    self.set_up(true);
                    self.queue.set_worker(0, None);
                    match self.converse(link, jobs).await {
                        End::Closed => return,
                        End::Broken(error) => {
                            warn!(error = error_chain(&error), "lost the secondary")
                        }
                    }
                    self.set_up(false);
                    // Once more at once: what was under way there goes on meanwhile.
                    continue;
                }
                Err(error) => {
                    let pause = backoff(failures);
                    if failures == 0 {
                        warn!(
                            error = error_chain(&error),
                            "no secondary: inclusion is UNAVAILABLE until it is back"
                        );
                    }
                    failures += 1;
                    self.set_down(pause);
                    jobs.end_all(&link::unavailable(pause));
                    tokio::select! {
                        () = self.queue.closed() => return,
                        () = sleep(pause) => {}
                    }
                }
            }
        }
    }

    fn set_up(&self, up: bool) {
        self.view.up.store(up, Ordering::Relaxed);
        self.metrics.process.set_secondary_up(up);
    }

    fn set_down(&self, retry: Duration) {
        self.set_up(false);
        self.queue.set_worker(0, Some(retry));
    }

    /// Talks to the secondary until the connection breaks or no more jobs come.
    async fn converse(&self, link: Link, jobs: &mut OpenJobs) -> End {
        let Link { mut reader, writer, engine, limits } = link;
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let mut write = std::pin::pin!(writer.write(messages));
        let mut pulse = tokio::time::interval(HEARTBEAT);
        let most = usize::try_from(limits.max_requests).unwrap_or(usize::MAX).saturating_sub(1);
        let mut again = jobs.ask_again();
        loop {
            // What waited was ended when the queue was closed.
            if self.queue.is_closed() && jobs.is_empty() {
                return End::Closed;
            }
            tokio::select! {
                failed = &mut write => return End::Broken(failed),
                answer = reader.next() => match answer {
                    Ok(answer) => if let Err(error) = self.take_in(answer, &engine, jobs) {
                        return End::Broken(error);
                    },
                    Err(error) => return End::Broken(error),
                },
                // A place in the outbox first: a job that is taken goes out.
                Ok(place) = outbox.reserve(), if !again.is_empty() => {
                    if let Some(message) = again.pop_front() {
                        place.send(message);
                    }
                }
                // A closed queue has nothing at once, and would be asked without end.
                job = self.queue.take(), if again.is_empty() && jobs.len() < most && !self.queue.is_closed() => {
                    let Some(job) = job else { continue };
                    let message = jobs.add(job);
                    again.extend(message);
                }
                id = jobs.one_given_up() => again.push_back(ClientMessage::Cancel { id }),
                _ = pulse.tick() => again.push_back(ClientMessage::Status { id: jobs.new_id() }),
            }
        }
    }

    fn take_in(
        &self,
        answer: ServerMessage,
        engine: &EngineInfo,
        jobs: &mut OpenJobs,
    ) -> Result<(), LinkError> {
        match answer {
            ServerMessage::Status { .. } => Ok(()),
            ServerMessage::Failed { id: None, failure } => Err(LinkError::Refused(failure)),
            ServerMessage::Hello(_) => Err(LinkError::Unexpected("Hello")),
            answer => {
                jobs.take_in(answer, engine);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::{
        engine::mock::MockEngine,
        jobs::QueueLimits,
        metrics::{BuildLabels, Metrics},
    };

    #[tokio::test(start_paused = true)]
    async fn a_server_that_goes_down_does_not_wait_for_its_secondary() {
        let limits = QueueLimits { waiting: 1, each: 1 };
        let queue = Arc::new(Queue::new(limits, 1, Arc::default()));
        let engine = MockEngine::info();
        let labels = BuildLabels { version: "", engine: &engine, role: "primary", workers: 1 };
        // Nobody listens on the discard port.
        let secondary = Secondary { address: "127.0.0.1:9".to_owned(), tls: None };
        let metrics = Arc::new(Metrics::new(&labels));
        let relay = Relay::new(&secondary, Arc::clone(&queue), &engine, metrics);
        let view = relay.view();
        let run = tokio::spawn(relay.run(CancellationToken::new()));
        sleep(BACKOFF_MAX * 4).await;
        assert!(!run.is_finished() && !view.is_up());
        let closed = Instant::now();
        queue.close();
        run.await.unwrap();
        assert!(closed.elapsed() < BACKOFF_FIRST, "the clock stands still but for pauses");
    }

    #[test]
    fn attempts_to_connect_come_soon_first_and_then_ever_slower() {
        let millis: Vec<u128> = (0..8).map(|n| backoff(n).as_millis()).collect();
        assert_eq!(millis, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }
}
