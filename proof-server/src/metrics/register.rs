//! From the table's lines to series in a registry.

use prometheus::{
    CounterVec, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    core::Collector,
};

use super::{
    label::Label,
    table::{Kind, Spec},
};
use crate::types::EngineInfo;

/// Makes and registers metrics.
#[derive(Debug)]
pub(super) struct Register<'a> {
    registry: &'a Registry,
    engine: &'a EngineInfo,
}

impl<'a> Register<'a> {
    pub(super) fn new(registry: &'a Registry, engine: &'a EngineInfo) -> Self {
        Self { registry, engine }
    }

    /// A counter, with all of its series at 0: a rate over a series that begins at 1 misses the first.
    pub(super) fn counter(&self, spec: &Spec) -> IntCounterVec {
        self.add(unregistered_counter(spec))
    }

    /// A counter of fractions, as seconds are, with all of its series at 0.
    pub(super) fn fractional_counter(&self, spec: &Spec) -> CounterVec {
        let vec = CounterVec::new(opts(spec), &names(spec)).expect(WELL_FORMED);
        for values in combinations(spec.labels, Label::values) {
            vec.with_label_values(&values);
        }
        self.add(vec)
    }

    /// A gauge, with all of its series at 0.
    pub(super) fn gauge(&self, spec: &Spec) -> IntGaugeVec {
        self.add(unregistered_gauge(spec))
    }

    /// A gauge of fractions, as seconds are, with all of its series at 0.
    pub(super) fn fractional_gauge(&self, spec: &Spec) -> GaugeVec {
        let vec = GaugeVec::new(opts(spec), &names(spec)).expect(WELL_FORMED);
        for values in combinations(spec.labels, Label::values) {
            vec.with_label_values(&values);
        }
        self.add(vec)
    }

    /// A gauge that is absent until it is set: 0 would be a lie.
    pub(super) fn absent_gauge(&self, spec: &Spec) -> IntGaugeVec {
        self.add(IntGaugeVec::new(opts(spec), &names(spec)).expect(WELL_FORMED))
    }

    /// A gauge of fractions that is absent until it is set.
    pub(super) fn absent_fractional_gauge(&self, spec: &Spec) -> GaugeVec {
        self.add(GaugeVec::new(opts(spec), &names(spec)).expect(WELL_FORMED))
    }

    /// A histogram, with a series for each program and mode that the engine makes: those of the others
    /// would be hundreds of lines that stay 0.
    pub(super) fn histogram(&self, spec: &Spec) -> HistogramVec {
        let Kind::Histogram(buckets) = spec.kind else { panic!("{} is no histogram", spec.name) };
        let opts = HistogramOpts::new(spec.name, spec.help).buckets(buckets.to_vec());
        let vec = HistogramVec::new(opts, &names(spec)).expect(WELL_FORMED);
        for values in combinations(spec.labels, |label| self.made_here(label)) {
            vec.with_label_values(&values);
        }
        self.add(vec)
    }

    /// Registers what collects itself.
    pub(super) fn add<T: Collector + Clone + 'static>(&self, collector: T) -> T {
        self.registry.register(Box::new(collector.clone())).expect(WELL_FORMED);
        collector
    }

    fn made_here(&self, label: Label) -> Option<Vec<&'static str>> {
        match label {
            Label::Program => {
                Some(self.engine.programs.iter().map(|info| info.program.name()).collect())
            }
            Label::Mode => Some(self.engine.offered().map(|info| info.mode.name()).collect()),
            other => other.values(),
        }
    }
}

/// Each line is registered by the tests of this module, so none fails only in a deployment.
const WELL_FORMED: &str = "the table has well-formed lines, and each once";

/// A counter with all of its series, for a collector of several.
pub(super) fn unregistered_counter(spec: &Spec) -> IntCounterVec {
    let vec = IntCounterVec::new(opts(spec), &names(spec)).expect(WELL_FORMED);
    for values in combinations(spec.labels, Label::values) {
        vec.with_label_values(&values);
    }
    vec
}

/// A gauge with all of its series, for a collector of several.
pub(super) fn unregistered_gauge(spec: &Spec) -> IntGaugeVec {
    let vec = IntGaugeVec::new(opts(spec), &names(spec)).expect(WELL_FORMED);
    for values in combinations(spec.labels, Label::values) {
        vec.with_label_values(&values);
    }
    vec
}

fn opts(spec: &Spec) -> Opts {
    Opts::new(spec.name, spec.help)
}

fn names(spec: &Spec) -> Vec<&'static str> {
    spec.labels.iter().map(|label| label.name()).collect()
}

/// Every combination of values; none if a label's are not known. Without labels there is one, empty.
fn combinations(
    labels: &[Label],
    values: impl Fn(Label) -> Option<Vec<&'static str>>,
) -> Vec<Vec<&'static str>> {
    labels.iter().fold(vec![Vec::new()], |begun, &label| {
        let values = values(label).unwrap_or_default();
        let longer = |begun: Vec<&'static str>| {
            values
                .iter()
                .map(move |&value| [begun.as_slice(), &[value]].concat())
                .collect::<Vec<_>>()
        };
        begun.into_iter().flat_map(longer).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_known_values_is_made_and_none_of_unknown_ones() {
        let values = |label| match label {
            Label::Program => Some(vec!["a", "b"]),
            Label::Mode => Some(vec!["x", "y"]),
            _ => None,
        };
        assert_eq!(
            combinations(&[Label::Program, Label::Mode], values),
            [["a", "x"], ["a", "y"], ["b", "x"], ["b", "y"]]
        );
        assert_eq!(combinations(&[], values), [[""; 0]]);
        assert!(combinations(&[Label::Program, Label::Worker], values).is_empty());
    }
}
