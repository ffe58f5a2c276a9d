//! A server's metrics for tests, and a look into their text.

use std::time::Duration;

use super::{
    BuildLabels, ConnectionRefusal, FrameRefusal, GpuReading, JobMetrics, Metrics, NetworkMetrics,
    Outcome, Reload, RestartReason, Stage, Subject, Work, label::Value,
};
use crate::worker::ProverSpan;
use crate::{
    engine::{GpuFault, mock::MockEngine},
    types::{ProgramId, ProofMode, WorkerState},
};

/// Of the mock engine with two proving workers.
pub(crate) fn metrics() -> Metrics {
    let engine = MockEngine::info();
    Metrics::new(&BuildLabels { version: "0.1.0", engine: &engine, role: "standalone", workers: 2 })
}

/// The value of one series, named as the text has it; labels come by alphabet.
pub(crate) fn value(text: &str, series: &str) -> f64 {
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no series {series} in\n{text}"))
        .parse()
        .unwrap()
}

/// Makes everything happen once, with every value of every label.
pub(crate) fn observe_everything(metrics: &Metrics) {
    for &work in Work::ALL {
        for program in ProgramId::ALL {
            for mode in ProofMode::ALL {
                let subject = Subject { work, program, mode };
                for &outcome in Outcome::ALL {
                    metrics.requests.begin(subject).end(outcome);
                    metrics.jobs.ended(subject, outcome, SOME_TIME);
                }
                observe_job(&metrics.jobs, subject);
            }
        }
        metrics.jobs.set_waiting(work, 3);
        metrics.jobs.set_limit(work, 16);
        metrics.jobs.set_oldest(work, Some(SOME_TIME));
        for place in metrics.workers.places(work) {
            WorkerState::ALL.iter().for_each(|&state| place.set_state(state));
            RestartReason::ALL.iter().for_each(|&reason| place.replaced(reason));
            place.set_resident(1 << 30);
            place.set_memory_limit(Some(12 << 30));
            place.progressed();
            place.started(SOME_TIME);
        }
    }
    crate::types::Joined::ALL.iter().for_each(|&how| metrics.requests.joined(how));
    metrics.jobs.set_kept(2, 24 << 20);
    observe_network(&metrics.network);
    metrics.process.set_secondary_up(true);
    observe_gpu(metrics);
}

fn observe_gpu(metrics: &Metrics) {
    metrics.gpus.uses(0);
    GpuFault::ALL.iter().for_each(|&fault| metrics.gpus.failed(0, fault));
    metrics.gpus.set(&GpuReading {
        device: 0,
        memory_used_bytes: Some(20 << 30),
        memory_bytes: Some(80 << 30),
        utilization: Some(0.5),
        watts: Some(300.5),
        joules: Some(1000.0),
        celsius: Some(40),
    });
}

const SOME_TIME: Duration = Duration::from_millis(1500);

fn observe_job(jobs: &JobMetrics, subject: Subject) {
    jobs.checked(subject, SOME_TIME);
    jobs.waited(subject, SOME_TIME);
    Stage::ALL.iter().for_each(|&stage| jobs.spent(subject, stage, SOME_TIME));
    ProverSpan::ALL.iter().for_each(|&span| jobs.inside(subject, span, SOME_TIME));
    jobs.retried(subject);
    jobs.peak(subject, 10 << 30);
}

fn observe_network(network: &NetworkMetrics) {
    drop(network.connected());
    ConnectionRefusal::ALL.iter().for_each(|&why| network.connection_refused(why));
    FrameRefusal::ALL.iter().for_each(|&why| network.frame_refused(why));
    network.received(1000);
    network.sent(12 << 20);
    Reload::ALL.iter().for_each(|&outcome| network.tls_reloaded(outcome));
    network.set_tls_expiry(crate::date());
}
