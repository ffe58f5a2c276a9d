//! What the server is like, once a second.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use eyre::WrapErr;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use super::client::Course;
use crate::{proc, scrape};

/// Often enough for the tail of a run of a minute; a scrape costs the server a millisecond.
const PERIOD: Duration = Duration::from_secs(1);

/// One look at the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    /// Requests that had ended.
    pub(crate) ended: usize,
    pub(crate) busy_seconds: f64,
    pub(crate) resident_bytes: u64,
    pub(crate) descriptors: usize,
}

/// Takes samples until it is told to stop.
#[derive(Debug)]
pub(crate) struct Sampler {
    task: JoinHandle<eyre::Result<Vec<Sample>>>,
    stop: oneshot::Sender<()>,
}

impl Sampler {
    pub(crate) fn start(pid: u32, metrics: SocketAddr, course: &Arc<Course>) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { task: tokio::spawn(sample(pid, metrics, Arc::clone(course), stopped)), stop }
    }

    /// All samples, in order, the last one now.
    pub(crate) async fn stop(self) -> eyre::Result<Vec<Sample>> {
        let _ = self.stop.send(());
        self.task.await.wrap_err("the sampler broke off")?
    }
}

async fn sample(
    pid: u32,
    metrics: SocketAddr,
    course: Arc<Course>,
    mut stopped: oneshot::Receiver<()>,
) -> eyre::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let last = tokio::select! {
            biased;
            _ = &mut stopped => true,
            _ = ticks.tick() => false,
        };
        let asked = Instant::now();
        let busy_seconds = scrape::busy_seconds(metrics).await?;
        // The server looks at its clock somewhere between question and answer.
        let at = asked + asked.elapsed() / 2;
        samples.push(Sample {
            at,
            ended: course.ended(),
            busy_seconds,
            resident_bytes: proc::resident_bytes(pid)?,
            descriptors: proc::descriptors(pid)?,
        });
        if last {
            return Ok(samples);
        }
        note(&samples, course.requests());
    }
}

/// A line a minute: who waits for twenty wants to know.
fn note(samples: &[Sample], requests: usize) {
    if let Some(last) = samples.last().filter(|_| samples.len().is_multiple_of(60)) {
        let mib = last.resident_bytes >> 20;
        println!("{} of {requests} answered, the server has {mib} MiB", last.ended);
    }
}

/// The first sample with at least this part of the requests ended. Pure.
pub(crate) fn first_after(samples: &[Sample], requests: usize, part: f64) -> Option<&Sample> {
    samples.iter().find(|sample| sample.ended as f64 >= requests as f64 * part)
}

/// The last sample with at most this part of the requests ended. Pure.
pub(crate) fn last_before(samples: &[Sample], requests: usize, part: f64) -> Option<&Sample> {
    samples.iter().rev().find(|sample| sample.ended as f64 <= requests as f64 * part)
}

/// What part of the time between two samples `workers` workers had a job. Pure.
pub(crate) fn utilisation(from: &Sample, to: &Sample, workers: usize) -> f64 {
    (to.busy_seconds - from.busy_seconds) / ((to.at - from.at).as_secs_f64() * workers as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Sample> {
        let start = Instant::now();
        let sample = |second: u64| Sample {
            at: start + Duration::from_secs(second),
            ended: second as usize * 10,
            busy_seconds: 3.0 * second as f64,
            resident_bytes: 0,
            descriptors: 0,
        };
        (0..=10).map(sample).collect()
    }

    #[test]
    fn ramp_up_and_tail_are_left_out_by_requests_not_by_time() {
        let samples = samples();
        assert_eq!(first_after(&samples, 100, 0.05).unwrap().ended, 10);
        assert_eq!(last_before(&samples, 100, 0.95).unwrap().ended, 90);
        assert!(first_after(&samples, 1000, 0.5).is_none());
    }

    #[test]
    fn four_workers_that_are_busy_for_three_seconds_in_each_are_three_quarters_busy() {
        let samples = samples();
        let share = utilisation(&samples[1], &samples[9], 4);
        assert!((share - 0.75).abs() < 1e-9, "{share}");
    }
}
