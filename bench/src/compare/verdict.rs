//! Better, same or worse: decided from numbers alone.

use super::bootstrap::{Interval, interval, over};
use crate::figures::{GPU_BUSY, Group, Metric, Sorted, Unit};

/// What is said of a metric from A to B. Less is better, of every metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Better,
    /// The whole interval is within the threshold, or what is exact is equal.
    Same,
    Worse,
    /// The interval holds both no change and one beyond the threshold: more samples are needed.
    Unclear,
    /// Too few samples for an interval.
    TooFew,
}

impl Verdict {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "WORSE",
            Self::Unclear => "unclear",
            Self::TooFew => "too few",
        }
    }
}

/// Two medians of a time that are closer than this, in seconds, are the same: less is the scheduler's.
const CLOCK: f64 = 1e-3;

/// One compared metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) unit: Unit,
    /// What is compared on each side: the median, or the share in the name.
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) samples: (usize, usize),
    /// Absent for what is exact.
    pub(super) interval: Option<Interval>,
    pub(super) verdict: Verdict,
    /// Whether it makes the comparison fail.
    pub(super) regressed: bool,
}

/// Samples on each side from which the 99 % quantile rests on five of them.
const TAIL_SAMPLES: usize = 500;

/// A group on both sides, metric by metric. Pure.
pub(super) fn lines(a: &Group<'_>, b: &Group<'_>, threshold: f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for of_a in a.metrics.iter().filter(|metric| metric.name != GPU_BUSY) {
        let of_b = b.values(&of_a.name);
        lines.extend(line(of_a, of_b, threshold));
        let many = of_a.values.len().min(of_b.len()) >= TAIL_SAMPLES;
        if many && of_a.unit == Unit::Seconds {
            lines.extend(quantile(of_a, of_b, 0.99, format!("{} p99", of_a.name), threshold));
        }
    }
    lines
}

fn line(of_a: &Metric, of_b: &Sorted, threshold: f64) -> Option<Line> {
    match (of_a.exact, of_a.values.only(), of_b.only()) {
        (true, Some(a), Some(b)) => Some(exact(of_a, of_b, a, b, threshold)),
        // A size that varies is measured like a time.
        _ => quantile(of_a, of_b, 0.5, of_a.name.clone(), threshold),
    }
}

fn exact(of_a: &Metric, of_b: &Sorted, a: f64, b: f64, threshold: f64) -> Line {
    let verdict = match b.total_cmp(&a) {
        std::cmp::Ordering::Less => Verdict::Better,
        std::cmp::Ordering::Equal => Verdict::Same,
        std::cmp::Ordering::Greater => Verdict::Worse,
    };
    Line {
        name: of_a.name.clone(),
        unit: of_a.unit,
        a,
        b,
        samples: (of_a.values.len(), of_b.len()),
        interval: None,
        verdict,
        regressed: over(b, a) > 1.0 + threshold,
    }
}

fn quantile(
    of_a: &Metric,
    of_b: &Sorted,
    share: f64,
    name: String,
    threshold: f64,
) -> Option<Line> {
    let (a, b) = (of_a.values.quantile(share)?, of_b.quantile(share)?);
    let interval = interval(&of_a.values, of_b, share);
    let verdict = match interval {
        None => Verdict::TooFew,
        Some(_) if of_a.unit == Unit::Seconds && (a - b).abs() < CLOCK => Verdict::Same,
        Some(interval) => judge(interval, threshold),
    };
    Some(Line {
        name,
        unit: of_a.unit,
        a,
        b,
        samples: (of_a.values.len(), of_b.len()),
        interval,
        verdict,
        // A phase is part of the total: if that is no slower, time has only moved.
        regressed: verdict == Verdict::Worse
            && over(b, a) > 1.0 + threshold
            && !of_a.is_part_of_total(),
    })
}

/// Pure.
fn judge(Interval { low, high, .. }: Interval, threshold: f64) -> Verdict {
    if low > 1.0 {
        Verdict::Worse
    } else if high < 1.0 {
        Verdict::Better
    } else if low * (1.0 + threshold) >= 1.0 && high <= 1.0 + threshold {
        Verdict::Same
    } else {
        Verdict::Unclear
    }
}

/// Attempts without a proof, on both sides: any where there were none is worse, and so is a share that grew by more
/// than the threshold. Pure.
pub(super) fn failures(a: &Group<'_>, b: &Group<'_>, threshold: f64) -> Verdict {
    let share = |group: &Group<'_>| group.failed() as f64 / group.runs.max(1) as f64;
    let (share_a, share_b) = (share(a), share(b));
    if (share_a == 0.0 && share_b > 0.0) || share_b > share_a + threshold {
        Verdict::Worse
    } else if (share_b == 0.0 && share_a > 0.0) || share_a > share_b + threshold {
        Verdict::Better
    } else {
        Verdict::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_decides_and_the_threshold_says_how_narrow_same_is() {
        let of = |low, high| judge(Interval { ratio: 1.0, low, high }, 0.05);
        assert_eq!(of(1.01, 1.2), Verdict::Worse);
        assert_eq!(of(0.8, 0.99), Verdict::Better);
        assert_eq!(of(0.96, 1.05), Verdict::Same);
        assert_eq!(of(0.96, 1.06), Verdict::Unclear);
        assert_eq!(of(0.95, 1.05), Verdict::Unclear);
        assert_eq!(of(1.0, 1.0), Verdict::Same);
    }
}
