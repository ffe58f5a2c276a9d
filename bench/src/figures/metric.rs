//! What is measured of a proof.

use super::Sorted;

/// How a number is meant, and so how it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
    Count,
    Joules,
    Percent,
}

/// One metric of a group, of its proofs. Less is better, of every one but [`GPU_BUSY`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// Whether program and input alone decide it, so that any difference is one of the program.
    pub(crate) exact: bool,
    pub(crate) values: Sorted,
}

impl Metric {
    /// Whether it is one of the phases that make up the total.
    pub(crate) fn is_part_of_total(&self) -> bool {
        self.name.starts_with(PHASE)
    }
}

/// The time from start to answer, as every group with a proof has it.
pub(crate) const TOTAL: &str = "total";
/// The most memory at once.
pub(crate) const PEAK_MEMORY: &str = "peak memory";
/// What part of the time GPUs worked; more of it is neither better nor worse.
pub(crate) const GPU_BUSY: &str = "GPU busy";
/// Before the names of phases.
pub(crate) const PHASE: &str = "phase ";

/// Collects the values of metrics in the order in which they first come up.
#[derive(Debug, Default)]
pub(super) struct Collector(Vec<(String, Unit, bool, Vec<f64>)>);

impl Collector {
    pub(super) fn measured(&mut self, name: &str, unit: Unit, value: f64) {
        self.add(name, unit, false, value);
    }

    pub(super) fn exact(&mut self, name: &str, unit: Unit, value: Option<u64>) {
        if let Some(value) = value {
            self.add(name, unit, true, value as f64);
        }
    }

    fn add(&mut self, name: &str, unit: Unit, exact: bool, value: f64) {
        // A dozen at most of one program: a map would lose their order.
        match self.0.iter_mut().find(|(known, ..)| known == name) {
            Some((.., values)) => values.push(value),
            None => self.0.push((name.to_owned(), unit, exact, vec![value])),
        }
    }

    pub(super) fn finish(self) -> Vec<Metric> {
        let finish =
            |(name, unit, exact, values)| Metric { name, unit, exact, values: Sorted::new(values) };
        self.0.into_iter().map(finish).collect()
    }
}
