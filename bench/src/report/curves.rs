//! Many points as few: what a chart can show and a person can read.

use crate::{document::Quantity, figures::Sorted};

/// Points of one line: more than a screen has pixels for.
const MAX_POINTS: usize = 200;

/// What part of the proofs took at most how long: points of (seconds, percent), ascending.
pub(super) fn distribution(values: &Sorted) -> Vec<(f64, f64)> {
    let count = values.len();
    let Some(first) = values.min() else { return Vec::new() };
    let step = count.div_ceil(MAX_POINTS).max(1);
    // From nothing, so that one sample is a line as well.
    let mut points = vec![(first, 0.0)];
    let ranks = (1..=count).filter(|rank| rank.is_multiple_of(step) || *rank == count);
    points.extend(ranks.filter_map(|rank| {
        let value = values.values().get(rank - 1)?;
        Some((*value, 100.0 * rank as f64 / count as f64))
    }));
    points
}

/// A series over time in at most [`MAX_POINTS`] points: of each stretch the largest, so that no peak is lost.
pub(super) fn over_time(points: impl Iterator<Item = (Quantity, f64)> + Clone) -> Vec<(f64, f64)> {
    let step = points.clone().count().div_ceil(MAX_POINTS).max(1);
    let mut thinned: Vec<(f64, f64)> = Vec::new();
    for (index, (seconds, value)) in points.enumerate() {
        match thinned.last_mut() {
            Some(last) if !index.is_multiple_of(step) => {
                if value > last.1 {
                    *last = (seconds.get(), value);
                }
            }
            _ => thinned.push((seconds.get(), value)),
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_starts_at_nothing_and_ends_at_all() {
        let of = |count: u32| distribution(&Sorted::new((1..=count).map(f64::from).collect()));
        assert_eq!(of(0), []);
        assert_eq!(of(1), [(1.0, 0.0), (1.0, 100.0)]);
        assert_eq!(of(2), [(1.0, 0.0), (1.0, 50.0), (2.0, 100.0)]);
        let many = of(100_001);
        assert!(many.len() <= MAX_POINTS + 2, "{}", many.len());
        assert_eq!(many.last(), Some(&(100_001.0, 100.0)));
    }

    #[test]
    fn a_peak_survives_thinning() {
        let point = |index: u64| (Quantity::from(index), if index == 77_777 { 9.0 } else { 1.0 });
        let thinned = over_time((0..100_000).map(point));
        assert!(thinned.len() <= MAX_POINTS);
        assert!(thinned.contains(&(77_777.0, 9.0)));
        assert!(thinned.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
