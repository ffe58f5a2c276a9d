//! How sure a ratio of medians is, from the samples alone (Efron, Tibshirani: An Introduction to the Bootstrap, 1993,
//! chapter 13: the percentile interval).
//!
//! Samples are drawn anew from each side, as many as there are and with repetition, and the ratio is taken; this 2,000
//! times. What 95 % of the ratios lie between is the interval. It assumes nothing of how times are distributed, which
//! is lopsided, and it is the same at every call: the seed is fixed.

use proof_server_load::random::Random;

use crate::figures::Sorted;

/// Fewest samples on each side. The true median lies between the least and the largest of 5 samples with a probability
/// of 1 - 2/2^5 = 94 %; of fewer no interval is that sure, and of one it would be a point.
pub(super) const MIN_SAMPLES: usize = 5;

/// Enough for the ends of a 95 % interval to rest on 50 ratios each.
const RESAMPLES: usize = 2000;

/// Of the ratios lies below the interval, and above it.
const TAIL: f64 = 0.025;

/// Most samples that are drawn from: of more, this many evenly spaced quantiles. That makes an interval wider and never
/// narrower, and a comparison of any two documents a matter of seconds.
const MAX_SAMPLES: usize = 10_000;

const SEED: u64 = 7;

/// A ratio B over A, and what it lies between with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    pub(super) ratio: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Of the quantile `share` of B over that of A; none where a side has fewer than [`MIN_SAMPLES`]. Pure.
pub(super) fn interval(a: &Sorted, b: &Sorted, share: f64) -> Option<Interval> {
    if a.len() < MIN_SAMPLES || b.len() < MIN_SAMPLES {
        return None;
    }
    let ratio = over(b.quantile(share)?, a.quantile(share)?);
    let (a, b) = (thinned(a), thinned(b));
    let mut random = Random::new(SEED, 0);
    let mut counts = vec![0_u32; a.len().max(b.len())];
    let draw = |_| {
        let below = redrawn(&a, share, &mut counts, &mut random);
        over(redrawn(&b, share, &mut counts, &mut random), below)
    };
    let ratios = Sorted::new((0..RESAMPLES).map(draw).collect());
    Some(Interval { ratio, low: ratios.quantile(TAIL)?, high: ratios.quantile(1.0 - TAIL)? })
}

/// A ratio of two amounts. Nothing to nothing is no change. Pure.
pub(super) fn over(b: f64, a: f64) -> f64 {
    if a == b { 1.0 } else { b / a }
}

fn thinned(values: &Sorted) -> Vec<f64> {
    let (all, count) = (values.values(), values.len());
    if count <= MAX_SAMPLES {
        return all.to_vec();
    }
    (0..MAX_SAMPLES).map(|at| all[(2 * at + 1) * count / (2 * MAX_SAMPLES)]).collect()
}

/// The quantile of as many draws from `sorted`, without sorting them: how often each was drawn is enough.
fn redrawn(sorted: &[f64], share: f64, counts: &mut [u32], random: &mut Random) -> f64 {
    let counts = &mut counts[..sorted.len()];
    counts.fill(0);
    for _ in 0..sorted.len() {
        counts[random.below(sorted.len())] += 1;
    }
    let rank = ((sorted.len() as f64 * share).ceil() as u64).max(1);
    let mut seen = 0;
    let at = counts.iter().position(|count| {
        seen += u64::from(*count);
        seen >= rank
    });
    sorted[at.unwrap_or(sorted.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(middle: f64, count: u32) -> Sorted {
        Sorted::new(
            (0..count).map(|at| middle * (0.9 + 0.2 * f64::from(at) / f64::from(count))).collect(),
        )
    }

    #[test]
    fn few_samples_have_no_interval() {
        assert_eq!(interval(&spread(1.0, 4), &spread(1.0, 50), 0.5), None);
        assert_eq!(interval(&spread(1.0, 50), &spread(1.0, 4), 0.5), None);
        assert!(interval(&spread(1.0, 5), &spread(1.0, 5), 0.5).is_some());
    }

    #[test]
    fn the_same_samples_are_within_the_interval_and_twice_the_time_is_not() {
        let same = interval(&spread(30.0, 40), &spread(30.0, 40), 0.5).unwrap();
        assert!(same.low < 1.0 && 1.0 < same.high && same.ratio == 1.0, "{same:?}");
        let twice = interval(&spread(30.0, 40), &spread(60.0, 40), 0.5).unwrap();
        assert!(1.8 < twice.low && twice.low < 2.0 && 2.0 < twice.high, "{twice:?}");
        assert_eq!(twice, interval(&spread(30.0, 40), &spread(60.0, 40), 0.5).unwrap());
    }

    #[test]
    fn more_samples_make_the_interval_narrower_and_very_many_take_no_longer() {
        let width = |count| {
            let interval = interval(&spread(30.0, count), &spread(30.0, count), 0.5).unwrap();
            interval.high - interval.low
        };
        assert!(width(1000) < width(10));
        assert!(width(400_000) > 0.0);
    }

    #[test]
    fn in_19_of_20_experiments_the_interval_holds_the_true_ratio() {
        let mut random = Random::new(1, 0);
        let mut draw = |count: usize| {
            Sorted::new((0..count).map(|_| 1.0 + random.below(1000) as f64 / 1000.0).collect())
        };
        let held = (0..200)
            .filter(|_| {
                let interval = interval(&draw(20), &draw(20), 0.5).unwrap();
                interval.low <= 1.0 && 1.0 <= interval.high
            })
            .count();
        assert!(held >= 180, "{held} of 200");
    }
}
