//! Workers: what they do, how much of the time, with how much memory, and why they were replaced.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus::{CounterVec, GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec};
use tokio::time::Instant;

use super::{
    gauge_value,
    label::{Value, Work},
    reason::RestartReason,
    register::Register,
    table,
};
use crate::types::WorkerState;

/// All workers.
#[derive(Debug, Clone)]
pub(crate) struct WorkerMetrics {
    families: Families,
    slots: Arc<[Slot]>,
}

#[derive(Debug, Clone)]
struct Families {
    states: IntGaugeVec,
    busy: CounterVec,
    start: HistogramVec,
    restarts: IntCounterVec,
    resident: IntGaugeVec,
    limit: IntGaugeVec,
    progress_age: GaugeVec,
}

/// The place of one worker and of those that replace it.
#[derive(Debug)]
struct Slot {
    work: Work,
    index: usize,
    now: Mutex<Now>,
}

/// What a worker is doing.
#[derive(Debug)]
struct Now {
    state: WorkerState,
    /// Since when time in this state is not yet counted.
    since: Instant,
    /// When the running job said last that it goes on, or began.
    progress: Instant,
    resident_bytes: u64,
}

impl Now {
    /// Busy time since the last call.
    fn take_busy(&mut self, now: Instant) -> Duration {
        let passed = now - std::mem::replace(&mut self.since, now);
        if self.state == WorkerState::Busy { passed } else { Duration::ZERO }
    }

    /// Since the running job's last sign of progress; zero without a job.
    fn progress_age(&self, now: Instant) -> Duration {
        if self.state == WorkerState::Busy { now - self.progress } else { Duration::ZERO }
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkerMetrics {
    /// Of `provers` proving workers and one that verifies.
    pub(super) fn register(register: &Register<'_>, provers: usize) -> Self {
        let families = Families {
            states: register.gauge(&table::WORKERS),
            busy: register.fractional_counter(&table::BUSY_SECONDS),
            start: register.histogram(&table::START_SECONDS),
            restarts: register.counter(&table::RESTARTS),
            resident: register.absent_gauge(&table::WORKER_BYTES),
            limit: register.absent_gauge(&table::WORKER_LIMIT),
            progress_age: register.fractional_gauge(&table::PROGRESS_AGE),
        };
        let slot = |work, index| {
            let (state, since) = (WorkerState::Starting, Instant::now());
            let now = Now { state, since, progress: since, resident_bytes: 0 };
            Slot { work, index, now: Mutex::new(now) }
        };
        let slots = (0..provers)
            .map(|index| slot(Work::Prove, index))
            .chain([slot(Work::Verify, 0)])
            .collect();
        Self { families, slots }
    }

    /// The places of the workers for `work`, one for each that was configured.
    pub(crate) fn places(&self, work: Work) -> Vec<WorkerPlace> {
        let place = |(slot, _)| WorkerPlace { metrics: self.clone(), slot };
        self.slots.iter().enumerate().filter(|(_, slot)| slot.work == work).map(place).collect()
    }

    /// Brings up to date what is read and not told: before every scrape.
    pub(super) fn refresh(&self) {
        let mut counts = Vec::new();
        for slot in self.slots.iter() {
            let mut now = slot.lock();
            let time = Instant::now();
            self.count_busy(slot.work, now.take_busy(time));
            let labels = [slot.work.name(), &slot.index.to_string()];
            let bytes = i64::try_from(now.resident_bytes).unwrap_or(i64::MAX);
            self.families.resident.with_label_values(&labels).set(bytes);
            let age = now.progress_age(time).as_secs_f64();
            self.families.progress_age.with_label_values(&labels).set(age);
            counts.push((slot.work, now.state));
        }
        for &work in Work::ALL {
            for &state in WorkerState::ALL {
                let count = counts.iter().filter(|&&slot| slot == (work, state)).count();
                let labels = [work.name(), state.name()];
                self.families.states.with_label_values(&labels).set(gauge_value(count));
            }
        }
    }

    fn count_busy(&self, work: Work, time: Duration) {
        self.families.busy.with_label_values(&[work.name()]).inc_by(time.as_secs_f64());
    }
}

/// The place of one worker and of those that replace it.
#[derive(Debug)]
pub(crate) struct WorkerPlace {
    metrics: WorkerMetrics,
    slot: usize,
}

impl WorkerPlace {
    /// The worker does something else now.
    pub(crate) fn set_state(&self, state: WorkerState) {
        self.set_state_at(state, Instant::now());
    }

    fn set_state_at(&self, state: WorkerState, now: Instant) {
        let slot = self.slot();
        let mut current = slot.lock();
        self.metrics.count_busy(slot.work, current.take_busy(now));
        current.state = state;
        current.progress = now;
    }

    /// The running job goes on.
    pub(crate) fn progressed(&self) {
        self.slot().lock().progress = Instant::now();
    }

    /// The most memory that the worker and its children may have, if there is a limit.
    pub(crate) fn set_memory_limit(&self, limit: Option<u64>) {
        let Some(bytes) = limit else { return };
        let slot = self.slot();
        let labels = [slot.work.name(), &slot.index.to_string()];
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.metrics.families.limit.with_label_values(&labels).set(bytes);
    }

    /// What the worker and its children have now; 0 when it is gone.
    pub(crate) fn set_resident(&self, bytes: u64) {
        self.slot().lock().resident_bytes = bytes;
    }

    /// A worker got ready, and took this long.
    pub(crate) fn started(&self, took: Duration) {
        let labels = [self.slot().work.name()];
        self.metrics.families.start.with_label_values(&labels).observe(took.as_secs_f64());
    }

    /// The worker is to be replaced.
    pub(crate) fn replaced(&self, reason: RestartReason) {
        let labels = [self.slot().work.name(), reason.name()];
        self.metrics.families.restarts.with_label_values(&labels).inc();
    }

    fn slot(&self) -> &Slot {
        &self.metrics.slots[self.slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::{metrics, value};

    const BUSY: &str = "proof_server_worker_busy_seconds_total{task=\"prove\"}";

    fn workers(text: &str, state: &str) -> f64 {
        value(text, &format!("proof_server_workers{{state=\"{state}\",task=\"prove\"}}"))
    }

    fn idle_since(start: Instant) -> Now {
        Now { state: WorkerState::Idle, since: start, progress: start, resident_bytes: 0 }
    }

    #[test]
    fn workers_are_counted_by_what_they_do_and_none_is_lost() {
        let metrics = metrics();
        let places = metrics.workers.places(Work::Prove);
        assert_eq!(places.len(), 2);
        assert_eq!(workers(&metrics.render(true), "starting"), 2.0);
        places[0].set_state(WorkerState::Busy);
        places[1].set_state(WorkerState::Idle);
        let text = metrics.render(true);
        let counts = ["starting", "idle", "busy", "stopped"].map(|state| workers(&text, state));
        assert_eq!(counts, [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn only_time_with_a_job_is_busy_and_no_moment_counts_twice() {
        let start = Instant::now();
        let second = |n| start + Duration::from_secs(n);
        let mut now = idle_since(start);
        assert_eq!(now.take_busy(second(5)), Duration::ZERO);
        now.state = WorkerState::Busy;
        // A scrape in the middle of a job sees what passed until then, the next one the rest.
        assert_eq!(now.take_busy(second(8)), Duration::from_secs(3));
        assert_eq!(now.take_busy(second(9)), Duration::from_secs(1));
        now.state = WorkerState::Starting;
        assert_eq!(now.take_busy(second(20)), Duration::ZERO);
    }

    #[test]
    fn busy_time_of_a_job_is_in_the_counter_once_it_is_over() {
        let metrics = metrics();
        let place = &metrics.workers.places(Work::Prove)[0];
        assert_eq!(value(&metrics.render(true), BUSY), 0.0);
        let start = Instant::now();
        place.set_state_at(WorkerState::Busy, start);
        place.set_state_at(WorkerState::Idle, start + Duration::from_secs(30));
        let busy = value(&metrics.render(true), BUSY);
        assert!((30.0..31.0).contains(&busy), "{busy}");
    }

    #[test]
    fn memory_is_that_of_configured_workers_and_of_no_others() {
        let metrics = metrics();
        metrics.workers.places(Work::Prove)[1].set_resident(7 << 30);
        let text = metrics.render(true);
        let bytes = |worker: &str| {
            format!("proof_server_worker_resident_bytes{{task=\"prove\",worker=\"{worker}\"}}")
        };
        assert_eq!(value(&text, &bytes("0")), 0.0);
        assert_eq!(value(&text, &bytes("1")), f64::from(7 << 20) * 1024.0);
        assert!(!text.contains(&bytes("2")));
    }

    #[test]
    fn progress_is_as_old_as_its_last_report_and_none_without_a_job() {
        let start = Instant::now();
        let second = |n| start + Duration::from_secs(n);
        let mut now = idle_since(start);
        assert_eq!(now.progress_age(second(50)), Duration::ZERO);
        now.state = WorkerState::Busy;
        now.progress = second(60);
        assert_eq!(now.progress_age(second(67)), Duration::from_secs(7));
        // Time that was counted as busy does not make progress younger.
        now.take_busy(second(90));
        assert_eq!(now.progress_age(second(100)), Duration::from_secs(40));
        now.state = WorkerState::Starting;
        assert_eq!(now.progress_age(second(101)), Duration::ZERO);
    }

    #[test]
    fn a_job_is_as_old_as_its_start_until_it_reports() {
        let age = |text: &str| {
            value(text, "proof_server_worker_progress_age_seconds{task=\"prove\",worker=\"0\"}")
        };
        let metrics = metrics();
        let place = &metrics.workers.places(Work::Prove)[0];
        let ago = Instant::now().checked_sub(Duration::from_secs(90)).unwrap();
        place.set_state_at(WorkerState::Busy, ago);
        let before = age(&metrics.render(true));
        assert!((90.0..91.0).contains(&before), "{before}");
        place.progressed();
        assert!(age(&metrics.render(true)) < 1.0);
        place.set_state(WorkerState::Idle);
        assert_eq!(age(&metrics.render(true)), 0.0);
    }

    #[test]
    fn a_limit_is_there_only_where_one_is_set() {
        const LIMIT: &str = "proof_server_worker_memory_limit_bytes";
        let metrics = metrics();
        let places = metrics.workers.places(Work::Prove);
        places[0].set_memory_limit(None);
        assert!(!metrics.render(true).contains(LIMIT));
        places[1].set_memory_limit(Some(12 << 30));
        let text = metrics.render(true);
        let limit = format!("{LIMIT}{{task=\"prove\",worker=\"1\"}}");
        assert_eq!(value(&text, &limit), f64::from(12 << 20) * 1024.0);
    }
}
