//! How long proofs took, and where the time went.

use std::collections::BTreeMap;

use super::{
    Axis, Chart, Figures, Found, Kind, MAX_BARS, MAX_LINES, Series, by_proof, kind, line, warmth,
};
use crate::{
    figures::{Group, Key, Sorted},
    report::{
        curves, format,
        table::{Cell, Table, number, text},
    },
};

pub(super) fn distributions(runs: &[Figures<'_>]) -> Vec<Chart> {
    let chart = |((kind, key), found): ((_, Key<'_>), Found<'_>)| {
        distribution(runs, format!("{key}{kind}"), &found)
    };
    by_proof(runs).into_iter().map(chart).collect()
}

fn distribution(
    runs: &[Figures<'_>],
    title: String,
    found: &[(&Figures<'_>, &Group<'_>)],
) -> Chart {
    let mut table = Table::new([
        text("line"),
        number("proofs"),
        number("min"),
        number("10 %"),
        number("50 %"),
        number("90 %"),
        number("99 %"),
        number("max"),
    ]);
    let mut series = Vec::new();
    for (run, group) in found {
        let warmth = warmth(group.key);
        let name = line(runs, run, if warmth.is_empty() { "all requests" } else { &warmth });
        let total = group.total();
        let at = |share| Cell::maybe(total.quantile(share).map(format::seconds));
        table.push([
            name.as_str().into(),
            total.len().to_string().into(),
            at(0.0),
            at(0.1),
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0),
        ]);
        if series.len() < MAX_LINES {
            series.push(Series::curve(name, curves::distribution(total)));
        }
    }
    Chart {
        title,
        how: "How many of the proofs took at most so long. The steeper and the further left, the better.",
        table,
        kind: Kind::Steps,
        x: Axis::fitting("seconds", found.iter().flat_map(|(_, group)| ends(group.total()))),
        y: Axis::linear("% of proofs"),
        categories: Vec::new(),
        series,
    }
}

fn ends(values: &Sorted) -> impl Iterator<Item = f64> {
    values.min().into_iter().chain(values.max())
}

/// One chart a mode: a SNARK's minutes would leave a STARK's phases no width.
pub(super) fn phases(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut modes: BTreeMap<_, Found<'_>> = BTreeMap::new();
    for run in runs {
        for group in run.groups.iter().filter(|group| !group.mean_phases().is_empty()) {
            modes.entry((kind(run.document), group.key.mode)).or_default().push((run, group));
        }
    }
    modes
        .into_iter()
        .map(|((kind, mode), found)| stack(runs, &format!("{mode}{kind}"), &found))
        .collect()
}

fn stack(runs: &[Figures<'_>], mode: &str, found: &[(&Figures<'_>, &Group<'_>)]) -> Chart {
    let mut table =
        Table::new([text("run"), text("proof"), text("phase"), number("mean"), number("share")]);
    let mut series: Vec<Series> = Vec::new();
    let mut categories = Vec::new();
    for (place, (run, group)) in found.iter().enumerate() {
        let key = group.key;
        let mut lines = vec![key.program.to_owned(), key.recording.to_owned()];
        lines.push(line(runs, run, &warmth(key)));
        lines.retain(|line| !line.is_empty());
        let is_drawn = place < MAX_BARS;
        if is_drawn {
            categories.push(lines);
        }
        let means = group.mean_phases();
        let all: f64 = means.iter().map(|(_, seconds)| seconds).sum();
        for (phase, seconds) in means {
            let run = if runs.len() > 1 { run.label.as_str() } else { "-" };
            let share =
                if all > 0.0 { format!("{:.0} %", 100.0 * seconds / all) } else { "-".into() };
            let time = format::seconds(seconds);
            table.push([
                run.into(),
                key.to_string().into(),
                phase.into(),
                time.into(),
                share.into(),
            ]);
            if !is_drawn {
                continue;
            }
            let point = (place as f64, Some(seconds));
            match series.iter_mut().find(|series| series.name == phase) {
                Some(series) => series.points.push(point),
                None => series.push(Series { name: phase.to_owned(), points: vec![point] }),
            }
        }
    }
    Chart {
        title: format!("Where the time goes, {mode}"),
        how: "Mean seconds of each phase, of the proofs that were made; other is what no phase accounts for.",
        table,
        kind: Kind::Stack,
        x: Axis::linear("seconds"),
        y: Axis::linear(""),
        categories,
        series,
    }
}
