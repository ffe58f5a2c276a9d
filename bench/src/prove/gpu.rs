//! What proofs take of GPUs, as `nvidia-smi` tells it.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::document::{GpuUse, Quantity};

/// Between two questions: each starts a process.
const INTERVAL: Duration = Duration::from_millis(500);

/// All GPUs at one moment, together; utilisation is their mean.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    at: Duration,
    memory_bytes: u64,
    utilisation_percent: f64,
    watts: Option<f64>,
}

/// Asks until it is stopped.
#[derive(Debug)]
pub(super) struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Look>>,
}

impl Sampler {
    pub(super) fn start(begun: Instant) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut looks = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                if let Some(answer) = ask() {
                    looks.extend(parse(begun.elapsed(), &answer));
                }
                thread::sleep(INTERVAL);
            }
            looks
        });
        Self { stop, thread }
    }

    pub(super) fn stop(self) -> Option<GpuUse> {
        self.stop.store(true, Ordering::Relaxed);
        summary(&self.thread.join().unwrap_or_default())
    }
}

fn ask() -> Option<String> {
    let answer = Command::new("nvidia-smi")
        .args([
            "--query-gpu=memory.used,utilization.gpu,power.draw",
            "--format=csv,noheader,nounits",
        ])
        .output()
        .ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// One line a GPU: MiB, percent, watts. A card that does not tell its power prints words there.
fn parse(at: Duration, answer: &str) -> Option<Look> {
    let mut look = Look { at, memory_bytes: 0, utilisation_percent: 0.0, watts: Some(0.0) };
    let mut cards = 0.0;
    for line in answer.lines().filter(|line| !line.trim().is_empty()) {
        let mut fields = line.split(',').map(str::trim);
        look.memory_bytes += fields.next()?.parse::<u64>().ok()? << 20;
        look.utilisation_percent += fields.next()?.parse::<f64>().ok()?;
        let watts = fields.next().and_then(|field| field.parse::<f64>().ok());
        look.watts = look.watts.zip(watts).map(|(sum, watts)| sum + watts);
        cards += 1.0;
    }
    look.utilisation_percent /= cards;
    (cards > 0.0).then_some(look)
}

/// The peak, the mean, and the power over time.
fn summary(looks: &[Look]) -> Option<GpuUse> {
    let peak = looks.iter().map(|look| look.memory_bytes).max()?;
    let mean = looks.iter().map(|look| look.utilisation_percent).sum::<f64>() / looks.len() as f64;
    let spans = looks.windows(2).map(|pair| {
        let [from, to] = [pair[0], pair[1]];
        Some((from.watts? + to.watts?) / 2.0 * (to.at - from.at).as_secs_f64())
    });
    let energy = spans.sum::<Option<f64>>().filter(|_| looks.len() > 1);
    Some(GpuUse {
        peak_memory_bytes: Some(peak),
        utilisation_percent: Quantity::try_from(mean).ok(),
        energy_joules: energy.and_then(|joules| Quantity::try_from(joules).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(seconds: u64, answer: &str) -> Option<Look> {
        parse(Duration::from_secs(seconds), answer)
    }

    #[test]
    fn memory_has_its_peak_utilisation_its_mean_and_power_becomes_energy() {
        let looks = [look(0, "100, 0, 100.0\n").unwrap(), look(2, "300, 100, 300.0\n").unwrap()];
        let seen = summary(&looks).unwrap();
        assert_eq!(seen.peak_memory_bytes, Some(300 << 20));
        assert_eq!(seen.utilisation_percent, Quantity::try_from(50.0).ok());
        assert_eq!(seen.energy_joules, Quantity::try_from(400.0).ok());
    }

    #[test]
    fn several_cards_are_added_and_a_silent_one_has_no_energy() {
        let two = look(0, "100, 40, 100.0\n200, 60, 50.5\n").unwrap();
        assert_eq!((two.memory_bytes, two.utilisation_percent), (300 << 20, 50.0));
        assert_eq!(two.watts, Some(150.5));
        assert_eq!(look(0, "100, 40, [N/A]\n").unwrap().watts, None);
        assert_eq!(look(0, "No devices were found\n"), None);
        assert_eq!(look(0, "\n"), None);
        assert_eq!(summary(&[]), None);
    }
}
