//! What servers do while they are asked: how many jobs wait, and how many workers are busy.

use std::{
    thread,
    time::{Duration, Instant},
};

use proof_server::{
    client::{Client, ClientError, ClientOptions},
    types::{StatusReport, WorkerState},
};

use super::stop::Stop;
use crate::document::ResourcePoint;

/// How often a server is asked at first. A proof takes seconds.
const EVERY: Duration = Duration::from_secs(1);

/// Most points of a server: a chart has no more pixels.
const MAX_POINTS: usize = 2000;

/// Asks one server until it is stopped.
#[derive(Debug)]
pub(super) struct Monitor {
    end: Stop,
    thread: thread::JoinHandle<Vec<ResourcePoint>>,
}

impl Monitor {
    /// On a connection of its own. None where the system has no thread left: the run is worth more.
    pub(super) fn start(address: String, options: ClientOptions, began: Instant) -> Option<Self> {
        let end = Stop::default();
        let until = end.clone();
        let watch = move || watch(&address, &options, began, &until);
        let thread = thread::Builder::new().name("monitor".to_owned()).spawn(watch).ok()?;
        Some(Self { end, thread })
    }

    /// The points so far, in order of time. Of a server that is silent there may be none.
    pub(super) fn stop(self, patience: Duration) -> Vec<ResourcePoint> {
        self.end.set();
        let until = Instant::now() + patience;
        while !self.thread.is_finished() {
            if Instant::now() >= until {
                // It waits for a server that does not answer, and ends with the process.
                return Vec::new();
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.thread.join().unwrap_or_default()
    }
}

fn watch(address: &str, options: &ClientOptions, began: Instant, end: &Stop) -> Vec<ResourcePoint> {
    let (mut connection, mut points, mut every) = (None, Vec::new(), EVERY);
    let mut next = began;
    while end.sleep_until(next) {
        next = Instant::now() + every;
        // A server that is away leaves a gap.
        let Ok(report) = ask(&mut connection, address, options) else {
            connection = None;
            continue;
        };
        points.push(point(began.elapsed(), &report));
        if points.len() > MAX_POINTS {
            points = thinned(&points);
            every *= 2;
        }
    }
    points
}

fn ask(
    connection: &mut Option<Client>,
    address: &str,
    options: &ClientOptions,
) -> Result<StatusReport, ClientError> {
    let client = match connection.take() {
        Some(client) => client,
        None => Client::connect(address, options)?,
    };
    connection.insert(client).status()
}

fn point(at: Duration, report: &StatusReport) -> ResourcePoint {
    let busy = report.workers.iter().filter(|worker| worker.state == WorkerState::Busy).count();
    ResourcePoint {
        seconds: at.into(),
        queue_depth: Some(report.queued.into()),
        busy_workers: Some(busy as u64),
        ..ResourcePoint::default()
    }
}

/// Every second point.
fn thinned(points: &[ResourcePoint]) -> Vec<ResourcePoint> {
    points.iter().step_by(2).copied().collect()
}

#[cfg(test)]
mod tests {
    use proof_server::types::WorkerReport;

    use super::*;

    #[test]
    fn a_point_counts_the_workers_that_have_a_job() {
        let worker = |state| WorkerReport { state, running: None };
        let report = StatusReport {
            uptime_seconds: 9,
            connections: 2,
            workers: [
                WorkerState::Busy,
                WorkerState::Idle,
                WorkerState::Busy,
                WorkerState::Starting,
            ]
            .map(worker)
            .into(),
            worker_restarts: 0,
            queued: 7,
            secondary: None,
            kept: 0,
            proofs: 0,
            failures: 0,
        };
        let point = point(Duration::from_secs(3), &report);
        assert_eq!(
            (point.seconds.get(), point.busy_workers, point.queue_depth),
            (3.0, Some(2), Some(7))
        );
        assert_eq!(point.memory_bytes, None);
    }

    #[test]
    fn a_long_run_keeps_every_second_point_from_its_beginning_on() {
        let points: Vec<_> = (0..5_u64)
            .map(|second| ResourcePoint { seconds: second.into(), ..ResourcePoint::default() })
            .collect();
        let kept: Vec<_> = thinned(&points).iter().map(|point| point.seconds.get()).collect();
        assert_eq!(kept, [0.0, 2.0, 4.0]);
    }
}
