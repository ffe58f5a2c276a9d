//! Jobs: the check before them, the queue, their parts, and what is kept of them.

use std::time::Duration;

use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec};
use tokio::time::Instant;

use super::{
    gauge_value,
    label::{Outcome, Stage, Subject, Value, Work},
    register::Register,
    table,
};
use crate::worker::ProverSpan;

/// Queue and jobs.
#[derive(Debug, Clone)]
pub(crate) struct JobMetrics {
    check: HistogramVec,
    waiting: IntGaugeVec,
    limit: IntGaugeVec,
    oldest: GaugeVec,
    wait: HistogramVec,
    phases: HistogramVec,
    spans: HistogramVec,
    ended: IntCounterVec,
    seconds: HistogramVec,
    retries: IntCounterVec,
    peak: HistogramVec,
    kept_results: IntGaugeVec,
    kept_bytes: IntGaugeVec,
}

impl JobMetrics {
    pub(super) fn register(register: &Register<'_>) -> Self {
        Self {
            check: register.histogram(&table::CHECK_SECONDS),
            waiting: register.gauge(&table::QUEUE_JOBS),
            limit: register.gauge(&table::QUEUE_LIMIT),
            oldest: register.fractional_gauge(&table::QUEUE_OLDEST),
            wait: register.histogram(&table::QUEUE_WAIT),
            phases: register.histogram(&table::PHASE_SECONDS),
            spans: register.histogram(&table::SPAN_SECONDS),
            ended: register.counter(&table::JOBS),
            seconds: register.histogram(&table::JOB_SECONDS),
            retries: register.counter(&table::RETRIES),
            peak: register.histogram(&table::PEAK_BYTES),
            kept_results: register.gauge(&table::KEPT_RESULTS),
            kept_bytes: register.gauge(&table::KEPT_BYTES),
        }
    }

    /// The native check of a request took this long, whatever it said.
    pub(crate) fn checked(&self, subject: Subject, took: Duration) {
        self.check.with_label_values(&subject.statement()).observe(took.as_secs_f64());
    }

    /// How many jobs wait now.
    pub(crate) fn set_waiting(&self, work: Work, jobs: usize) {
        self.waiting.with_label_values(&[work.name()]).set(gauge_value(jobs));
    }

    /// How long the job that waits longest has waited; nothing if none waits.
    pub(crate) fn set_oldest(&self, work: Work, waited: Option<Duration>) {
        let seconds = waited.unwrap_or_default().as_secs_f64();
        self.oldest.with_label_values(&[work.name()]).set(seconds);
    }

    /// How many jobs may wait.
    pub(crate) fn set_limit(&self, work: Work, jobs: usize) {
        self.limit.with_label_values(&[work.name()]).set(gauge_value(jobs));
    }

    /// A worker took a job that had waited this long.
    pub(crate) fn waited(&self, subject: Subject, waited: Duration) {
        self.wait.with_label_values(&subject.labels()).observe(waited.as_secs_f64());
    }

    /// A part of a proof is done and took this long.
    pub(crate) fn spent(&self, subject: Subject, stage: Stage, took: Duration) {
        let [program, mode] = subject.statement();
        self.phases.with_label_values(&[program, mode, stage.name()]).observe(took.as_secs_f64());
    }

    /// The prover spent this long in a part of its work, over all shards of a proof.
    pub(crate) fn inside(&self, subject: Subject, span: ProverSpan, took: Duration) {
        let [program, mode] = subject.statement();
        self.spans.with_label_values(&[program, mode, span.name()]).observe(took.as_secs_f64());
    }

    /// Times the parts of one proof by what its worker says it does.
    pub(crate) fn stages(&self, subject: Subject) -> StageTimer {
        StageTimer { metrics: self.clone(), subject, current: None }
    }

    /// A job that a worker had for this long is over.
    pub(crate) fn ended(&self, subject: Subject, outcome: Outcome, took: Duration) {
        let [task, program, mode] = subject.labels();
        self.ended.with_label_values(&[task, program, mode, outcome.name()]).inc();
        if outcome == Outcome::Ok {
            self.seconds.with_label_values(&subject.labels()).observe(took.as_secs_f64());
        }
    }

    /// A job goes to another worker, because the one that had it was lost.
    pub(crate) fn retried(&self, subject: Subject) {
        self.retries.with_label_values(&subject.labels()).inc();
    }

    /// What a worker needed for one proof.
    pub(crate) fn peak(&self, subject: Subject, bytes: u64) {
        self.peak.with_label_values(&subject.statement()).observe(bytes as f64);
    }

    /// What is kept now.
    pub(crate) fn set_kept(&self, results: usize, bytes: usize) {
        self.kept_results.with_label_values(NO_LABELS).set(gauge_value(results));
        self.kept_bytes.with_label_values(NO_LABELS).set(gauge_value(bytes));
    }
}

/// Labels of what has none.
pub(super) const NO_LABELS: &[&str] = &[];

/// Times the parts of one proof. A part counts when the next begins or the proof is done; dropping this
/// forgets the part that was broken off.
#[derive(Debug)]
pub(crate) struct StageTimer {
    metrics: JobMetrics,
    subject: Subject,
    current: Option<(Stage, Instant)>,
}

impl StageTimer {
    /// The worker is in this part, for the first time or still.
    pub(crate) fn enter(&mut self, stage: Stage) {
        self.enter_at(stage, Instant::now());
    }

    /// The proof is done.
    pub(crate) fn finish(mut self) {
        self.close(Instant::now());
    }

    fn enter_at(&mut self, stage: Stage, now: Instant) {
        if self.current.is_some_and(|(current, _)| current == stage) {
            return;
        }
        self.close(now);
        self.current = Some((stage, now));
    }

    fn close(&mut self, now: Instant) {
        if let Some((stage, since)) = self.current.take() {
            self.metrics.spent(self.subject, stage, now - since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::testing::{metrics, value},
        types::{Code, Phase, ProgramId, ProofMode},
    };

    const SUBJECT: Subject = Subject::prove(ProgramId::Inclusion, ProofMode::Core);

    fn phase(measure: &str, phase: &str) -> String {
        format!(
            "proof_server_phase_seconds_{measure}{{mode=\"core\",phase=\"{phase}\",program=\"inclusion\"}}"
        )
    }

    #[test]
    fn a_part_lasts_from_its_first_report_to_the_first_of_the_next() {
        let metrics = metrics();
        let start = Instant::now();
        let mut timer = metrics.jobs.stages(SUBJECT);
        for (phase, second) in
            [(Phase::Execute, 0), (Phase::Prove, 3), (Phase::Prove, 5), (Phase::Verify, 63)]
        {
            timer.enter_at(Stage::Phase(phase), start + Duration::from_secs(second));
        }
        let text = metrics.render(true);
        assert_eq!(value(&text, &phase("sum", "execute")), 3.0);
        assert_eq!(value(&text, &phase("sum", "prove")), 60.0);
        assert_eq!(value(&text, &phase("count", "prove")), 1.0);
        assert_eq!(value(&text, &phase("count", "verify")), 0.0);
        timer.finish();
        assert_eq!(value(&metrics.render(true), &phase("count", "verify")), 1.0);
    }

    #[test]
    fn the_age_of_what_waits_is_a_fraction_and_an_empty_queue_has_none() {
        const OLDEST: &str = "proof_server_queue_oldest_seconds{task=\"prove\"}";
        let metrics = metrics();
        assert_eq!(value(&metrics.render(true), OLDEST), 0.0);
        metrics.jobs.set_oldest(Work::Prove, Some(Duration::from_millis(1500)));
        assert_eq!(value(&metrics.render(true), OLDEST), 1.5);
        metrics.jobs.set_oldest(Work::Prove, None);
        assert_eq!(value(&metrics.render(true), OLDEST), 0.0);
    }

    #[test]
    fn a_part_that_was_broken_off_is_not_counted() {
        let metrics = metrics();
        let mut timer = metrics.jobs.stages(SUBJECT);
        timer.enter(Stage::Phase(Phase::Prove));
        drop(timer);
        assert_eq!(value(&metrics.render(true), &phase("count", "prove")), 0.0);
    }

    #[test]
    fn a_failed_job_is_counted_by_its_code_and_has_no_duration() {
        let metrics = metrics();
        let took = Duration::from_secs(7);
        metrics.jobs.ended(SUBJECT, Outcome::Failed(Code::Timeout), took);
        let labels = "mode=\"core\",program=\"inclusion\",task=\"prove\"}";
        let seconds = format!("proof_server_job_seconds_count{{{labels}");
        let text = metrics.render(true);
        let code = |code| format!("proof_server_jobs_total{{code=\"{code}\",{labels}");
        assert_eq!(value(&text, &code("TIMEOUT")), 1.0);
        assert_eq!(value(&text, &code("OK")), 0.0);
        assert_eq!(value(&text, &seconds), 0.0);
        metrics.jobs.ended(SUBJECT, Outcome::Ok, took);
        assert_eq!(value(&metrics.render(true), &seconds), 1.0);
    }
}
