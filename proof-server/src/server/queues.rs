//! The server's queues.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::time::Instant;

use super::relay::AWAY;
use crate::{
    config::Config,
    jobs::{Queue, QueueLimits},
};

/// Verifications that may wait. Each takes half a second, and each holds a proof of some megabytes.
pub(super) const VERIFY_QUEUE: usize = 8;

/// One for each kind of worker.
#[derive(Debug)]
pub(super) struct Queues {
    /// For this server's provers.
    pub(super) prove: Arc<Queue>,
    /// For the secondary server, where there is one.
    pub(super) relayed: Arc<Queue>,
    pub(super) verify: Arc<Queue>,
}

impl Queues {
    pub(super) fn new(config: &Config) -> Self {
        let next_job = Arc::new(AtomicU64::new(1));
        let queue = |waiting, each, workers| {
            Queue::new(QueueLimits { waiting, each }, workers, Arc::clone(&next_job))
        };
        Self {
            prove: Arc::new(queue(config.queue, config.max_queued_per_client, config.workers)),
            relayed: Arc::new(queue(config.queue, config.max_queued_per_client, 1).or_else(AWAY)),
            verify: Arc::new(queue(VERIFY_QUEUE, VERIFY_QUEUE.div_ceil(2), 1)),
        }
    }

    pub(super) fn all(&self) -> [&Arc<Queue>; 3] {
        [&self.prove, &self.relayed, &self.verify]
    }

    /// Takes no more jobs; what waits ends.
    pub(super) fn close(&self) {
        self.all().into_iter().for_each(|queue| queue.close());
    }

    /// Jobs that wait for a prover, here or at the secondary's.
    pub(super) fn waiting(&self) -> usize {
        self.prove.waiting() + self.relayed.waiting()
    }

    /// How long the job that waits longest for a prover has waited, here or at the secondary's.
    pub(super) fn oldest(&self, now: Instant) -> Option<Duration> {
        let accepted = [self.prove.oldest(), self.relayed.oldest()].into_iter().flatten().min();
        accepted.map(|accepted| now - accepted)
    }

    /// Jobs that run.
    pub(super) fn running(&self) -> usize {
        self.all().into_iter().map(|queue| queue.running()).sum()
    }
}
