//! Requests, from their arrival to their last answer.

use std::sync::{Arc, PoisonError, RwLock};

use prometheus::{
    HistogramVec, IntCounterVec, IntGaugeVec,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use tokio::time::Instant;

use super::{
    label::{Outcome, Subject, Value},
    register::{Register, unregistered_counter, unregistered_gauge},
    table,
};
use crate::types::{Code, Joined};

/// What came, what ended and what is open. All three change together, and are read together: whenever
/// they are looked at, what is open is what came minus what ended.
#[derive(Debug, Clone)]
struct Ledger {
    /// Shared by those who write a line, held alone by who reads.
    books: Arc<RwLock<()>>,
    requests: IntCounterVec,
    outcomes: IntCounterVec,
    in_flight: IntGaugeVec,
}

impl Ledger {
    fn begin(&self, subject: Subject) {
        let _writing = self.books.read().unwrap_or_else(PoisonError::into_inner);
        self.requests.with_label_values(&subject.labels()).inc();
        self.in_flight.with_label_values(&subject.labels()).inc();
    }

    fn end(&self, subject: Subject, outcome: Outcome) {
        let [task, program, mode] = subject.labels();
        let _writing = self.books.read().unwrap_or_else(PoisonError::into_inner);
        self.outcomes.with_label_values(&[task, program, mode, outcome.name()]).inc();
        self.in_flight.with_label_values(&subject.labels()).dec();
    }
}

impl Collector for Ledger {
    fn desc(&self) -> Vec<&Desc> {
        [self.requests.desc(), self.outcomes.desc(), self.in_flight.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let _reading = self.books.write().unwrap_or_else(PoisonError::into_inner);
        [self.requests.collect(), self.outcomes.collect(), self.in_flight.collect()].concat()
    }
}

/// The requests of all connections.
#[derive(Debug, Clone)]
pub(crate) struct RequestMetrics {
    ledger: Ledger,
    joined: IntCounterVec,
    seconds: HistogramVec,
}

impl RequestMetrics {
    pub(super) fn register(register: &Register<'_>) -> Self {
        let ledger = Ledger {
            books: Arc::default(),
            requests: unregistered_counter(&table::REQUESTS),
            outcomes: unregistered_counter(&table::OUTCOMES),
            in_flight: unregistered_gauge(&table::IN_FLIGHT),
        };
        Self {
            ledger: register.add(ledger),
            joined: register.counter(&table::JOINED),
            seconds: register.histogram(&table::REQUEST_SECONDS),
        }
    }

    /// A request arrived. Call it before anything is done about it, refusing it included.
    pub(crate) fn begin(&self, subject: Subject) -> RequestGuard {
        self.ledger.begin(subject);
        RequestGuard { metrics: self.clone(), subject, begun: Instant::now(), outcome: None }
    }

    /// A request was accepted; counted where it needed no job of its own.
    pub(crate) fn joined(&self, how: Joined) {
        if how != Joined::No {
            self.joined.with_label_values(&[how.name()]).inc();
        }
    }
}

/// An open request. It is counted as ended once, whichever way this goes.
#[derive(Debug)]
#[must_use = "dropping it ends the request as CANCELLED"]
pub(crate) struct RequestGuard {
    metrics: RequestMetrics,
    subject: Subject,
    begun: Instant,
    outcome: Option<Outcome>,
}

impl RequestGuard {
    /// The last answer is on its way.
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let outcome = self.outcome.unwrap_or(Outcome::Failed(if std::thread::panicking() {
            Code::Internal
        } else {
            // Its task was dropped: nobody is there to take an answer.
            Code::Cancelled
        }));
        if outcome == Outcome::Ok {
            let took = self.begun.elapsed().as_secs_f64();
            self.metrics.seconds.with_label_values(&self.subject.labels()).observe(took);
        }
        self.metrics.ledger.end(self.subject, outcome);
    }
}
