//! Several runs beside each other: over their loads, and over their commits.

use std::collections::BTreeMap;

use super::{Axis, Chart, Figures, Kind, MAX_LINES, Series};
use crate::{
    document::{Document, ReplayRun, Run},
    figures::{Group, Key, Sorted, offered},
    report::{
        format,
        table::{Cell, Table, number, text},
    },
};

/// A point a replay: what was asked and what came, open and closed loops apart.
pub(super) fn throughput(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut loads: BTreeMap<&'static str, Vec<(&Figures<'_>, &ReplayRun, f64)>> = BTreeMap::new();
    for run in runs {
        if let Run::Replay(replay) = &run.document.run {
            let (load, unit) = offered(replay.load);
            loads.entry(unit).or_default().push((run, replay, load));
        }
    }
    // One point is no line, and its numbers are in the tables.
    loads.retain(|_, found| found.len() > 1);
    let mut charts = Vec::new();
    for (unit, mut found) in loads {
        found.sort_by(|(.., a), (.., b)| a.total_cmp(b));
        charts.extend(against_load(unit, &found));
    }
    charts
}

fn against_load(unit: &'static str, found: &[(&Figures<'_>, &ReplayRun, f64)]) -> [Chart; 2] {
    let columns = [
        text("run"),
        number("load"),
        number("proofs a second"),
        number("failed"),
        number("p50"),
        number("p99"),
    ];
    let mut table = Table::new(columns);
    let (mut rates, mut middles, mut worst) = (Vec::new(), Vec::new(), Vec::new());
    for (run, replay, load) in found {
        let rate: f64 = run.groups.iter().filter_map(|group| group.per_second).sum();
        let failed: usize = run.groups.iter().map(Group::failed).sum();
        let totals = run.groups.iter().flat_map(|group| group.total().values()).copied();
        let totals = Sorted::new(totals.collect());
        let (p50, p99) = (totals.median(), totals.quantile(0.99));
        rates.push((*load, Some(rate)));
        middles.push((*load, p50));
        worst.push((*load, p99));
        table.push([
            run.label.as_str().into(),
            format::count(*load).into(),
            format::count(rate).into(),
            format!("{failed} of {}", replay.samples.len()).into(),
            Cell::maybe(p50.map(format::seconds)),
            Cell::maybe(p99.map(format::seconds)),
        ]);
    }
    let series = |name: &str, points| Series { name: name.to_owned(), points };
    let times = middles.iter().chain(&worst).filter_map(|(_, time)| *time);
    let latency_axis = Axis::fitting("seconds", times);
    let chart = |title, how, y, series| Chart {
        title,
        how,
        table: table.clone(),
        kind: Kind::Marks,
        x: Axis::linear(unit),
        y,
        categories: Vec::new(),
        series,
    };
    [
        chart(
            format!("Proofs a second, by {unit}"),
            "Where the line bends, the servers are full.",
            Axis::linear("proofs a second"),
            vec![series("proofs a second", rates)],
        ),
        chart(
            format!("Waiting, by {unit}"),
            "From the moment a request was due to its proof.",
            latency_axis,
            vec![series("p50", middles), series("p99", worst)],
        ),
    ]
}

/// Medians over runs, for what more than one run measured.
pub(super) fn history(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut kinds: BTreeMap<(String, &str), Vec<&Figures<'_>>> = BTreeMap::new();
    for run in runs {
        for group in &run.groups {
            let of = kinds.entry((load(run.document), group.key.mode.name())).or_default();
            if !of.iter().any(|known| std::ptr::eq(*known, run)) {
                of.push(run);
            }
        }
    }
    kinds.retain(|_, runs| runs.len() > 1);
    kinds.into_iter().filter_map(|((load, mode), runs)| over_runs(&load, mode, &runs)).collect()
}

/// Runs under one load are of one history; a server under twice the load is not slower by that.
fn load(run: &Document) -> String {
    match &run.run {
        Run::Prove(_) => "alone".to_owned(),
        Run::Replay(replay) => {
            let (load, unit) = offered(replay.load);
            format!("{} {unit}", format::count(load))
        }
    }
}

fn over_runs(load: &str, mode: &str, runs: &[&Figures<'_>]) -> Option<Chart> {
    let mut table = Table::new([text("run"), text("proof"), number("proofs"), number("p50")]);
    let mut lines: BTreeMap<Key<'_>, Vec<(f64, Option<f64>)>> = BTreeMap::new();
    for (place, run) in runs.iter().enumerate() {
        for group in run.groups.iter().filter(|group| group.key.mode.name() == mode) {
            let median = group.total().median();
            lines.entry(group.key).or_default().push((place as f64, median));
            table.push([
                run.label.as_str().into(),
                group.key.to_string().into(),
                format!("{} of {}", group.proved(), group.runs).into(),
                Cell::maybe(median.map(format::seconds)),
            ]);
        }
    }
    lines.retain(|_, points| points.len() > 1);
    let medians = lines.values().flatten().filter_map(|(_, median)| *median);
    let y = Axis::fitting("seconds, median", medians);
    let series = lines.into_iter().take(MAX_LINES);
    let series: Vec<Series> =
        series.map(|(key, points)| Series { name: key.to_string(), points }).collect();
    let chart = Chart {
        title: format!("Median over runs, {mode}, {load}"),
        how: "One mark a run, in the order of its commits. A gap is a run in which no proof was made.",
        table,
        kind: Kind::History,
        x: Axis::linear("run"),
        y,
        categories: runs.iter().map(|run| vec![run.label.clone()]).collect(),
        series,
    };
    (!chart.series.is_empty()).then_some(chart)
}
