//! What happened, and what must not have.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Violations that are told whole: the first ones say why.
const TOLD: usize = 10;

/// Counts and violations of all clients and of the director.
#[derive(Debug)]
pub(crate) struct Ledger {
    since: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) events: BTreeMap<String, usize>,
    pub(crate) acts: BTreeMap<String, usize>,
    pub(crate) outcomes: BTreeMap<String, usize>,
    pub(crate) violations: Vec<String>,
    pub(crate) requests: usize,
    pub(crate) longest: Duration,
    pub(crate) longest_drain: Duration,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), inner: Mutex::default() }
    }

    pub(crate) fn event(&self, what: impl fmt::Display) {
        *self.lock().events.entry(what.to_string()).or_default() += 1;
    }

    pub(crate) fn act(&self, what: String) {
        *self.lock().acts.entry(what).or_default() += 1;
    }

    pub(crate) fn outcome(&self, what: impl Into<String>) {
        *self.lock().outcomes.entry(what.into()).or_default() += 1;
    }

    /// A request was answered as it should be, this long after it was first made.
    pub(crate) fn settled(&self, took: Duration) {
        let mut inner = self.lock();
        inner.requests += 1;
        inner.longest = inner.longest.max(took);
    }

    pub(crate) fn drained(&self, took: Duration) {
        let mut inner = self.lock();
        inner.longest_drain = inner.longest_drain.max(took);
    }

    /// Something that must not be, with what led to it.
    pub(crate) fn violation(&self, what: impl fmt::Display, history: &History) {
        let mut inner = self.lock();
        if inner.violations.len() < TOLD {
            let lines = history.0.join("\n    ");
            let text = format!("{:.3} s: {what}\n    {lines}", self.seconds());
            eprintln!("VIOLATION {text}");
            inner.violations.push(text);
        } else {
            inner.violations.push(what.to_string());
        }
    }

    /// Seconds since the start, as histories and the plan count them.
    pub(crate) fn seconds(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happened to one request, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(Vec<String>);

impl History {
    pub(crate) fn note(&mut self, ledger: &Ledger, what: impl fmt::Display) {
        self.0.push(format!("{:.3} s: {what}", ledger.seconds()));
    }
}
