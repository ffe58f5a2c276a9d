//! Values in order, and what lies where.

/// Measured values in ascending order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Sorted(Vec<f64>);

impl Sorted {
    pub(crate) const fn new_empty() -> Self {
        Self(Vec::new())
    }

    /// All values are finite: they come from a document.
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The least value that at least `share` of all reach: one that was seen ("nearest rank").
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied()
    }

    /// The same, where there are values enough for it to differ from the largest one: 10 for 90 %, 100 for 99 %.
    pub(crate) fn telling_quantile(&self, share: f64) -> Option<f64> {
        // Half a value's room: 0.1 and 0.9 are no binary fractions.
        if self.0.len() as f64 * (1.0 - share) + 1e-6 < 1.0 { None } else { self.quantile(share) }
    }

    pub(crate) fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    pub(crate) fn min(&self) -> Option<f64> {
        self.0.first().copied()
    }

    pub(crate) fn max(&self) -> Option<f64> {
        self.0.last().copied()
    }

    pub(crate) fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// The value of all of them, where they are one.
    pub(crate) fn only(&self) -> Option<f64> {
        self.min().filter(|min| Some(*min) == self.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let hundred = Sorted::new((1..=100).rev().map(f64::from).collect());
        let at = |share| hundred.quantile(share).unwrap();
        assert_eq!([at(0.0), at(0.5), at(0.9), at(0.99), at(1.0)], [1.0, 50.0, 90.0, 99.0, 100.0]);
        assert_eq!(Sorted::new(vec![3.0, 1.0]).median(), Some(1.0));
        assert_eq!(Sorted::default().median(), None);
    }

    #[test]
    fn a_quantile_that_is_only_the_largest_value_says_nothing() {
        let of = |count: u32| Sorted::new((1..=count).map(f64::from).collect());
        assert_eq!(of(9).telling_quantile(0.9), None);
        assert_eq!(of(10).telling_quantile(0.9), Some(9.0));
        assert_eq!(of(99).telling_quantile(0.99), None);
        assert_eq!(of(100).telling_quantile(0.99), Some(99.0));
    }

    #[test]
    fn values_that_are_all_one_are_known_as_one() {
        assert_eq!(Sorted::new(vec![7.0, 7.0]).only(), Some(7.0));
        assert_eq!(Sorted::new(vec![7.0, 8.0]).only(), None);
        assert_eq!(Sorted::default().only(), None);
    }
}
