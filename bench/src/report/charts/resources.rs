//! What provers and servers had of memory, and what waited for them, over time.

use super::{Axis, Chart, Figures, Kind, MAX_LINES, Series, by_proof, line, warmth};
use crate::{
    document::{Document, ProveOutcome, ProveSample, ResourcePoint, Run},
    figures::Group,
    report::{
        curves,
        table::{Cell, Table, number, text},
    },
};

/// Points of a series over time.
type Points = Vec<(f64, f64)>;

const GIGABYTE: f64 = 1e9;

pub(super) fn memory(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut charts = Vec::new();
    for ((kind, key), found) in by_proof(runs) {
        let lines = found.iter().filter_map(|(run, group)| {
            Some((line(runs, run, &warmth(group.key)), typical_memory(run.document, group)?))
        });
        charts.extend(over_time(
            format!("{key}{kind}"),
            "Resident memory, child processes included, of the proof that took the median time.",
            "GB",
            lines.collect(),
        ));
    }
    let gigabytes = |bytes| bytes as f64 / GIGABYTE;
    let servers = of_servers(runs, |point| point.memory_bytes.map(gigabytes));
    let how = "Resident memory of each server, its workers included.";
    charts.extend(over_time("Servers".to_owned(), how, "GB", servers));
    let gpus = of_servers(runs, |point| point.gpu_memory_bytes.map(gigabytes));
    let how = "Memory in use on each server's GPUs.";
    charts.extend(over_time("GPUs of servers".to_owned(), how, "GB", gpus));
    charts
}

pub(super) fn waiting(runs: &[Figures<'_>]) -> Vec<Chart> {
    let lines = of_servers(runs, |point| point.queue_depth.map(|jobs| jobs as f64));
    let how = "Jobs that wait for a worker. A line that keeps rising is more load than the server can take.";
    over_time("Servers".to_owned(), how, "jobs", lines).into_iter().collect()
}

/// Memory of the proof whose time is the median's.
fn typical_memory(run: &Document, group: &Group<'_>) -> Option<Points> {
    let (Run::Prove(run), Some(median)) = (&run.run, group.total().median()) else { return None };
    let is_typical = |sample: &&ProveSample| {
        group.key.is_of(sample)
            && matches!(sample.outcome, ProveOutcome::Proved(_))
            && sample.total_seconds.get() == median
            && !sample.memory.is_empty()
    };
    let points = &run.samples.iter().find(is_typical)?.memory;
    Some(curves::over_time(
        points.iter().map(|point| (point.seconds, point.bytes as f64 / GIGABYTE)),
    ))
}

fn of_servers(
    runs: &[Figures<'_>],
    value: impl Fn(&ResourcePoint) -> Option<f64>,
) -> Vec<(String, Points)> {
    let mut lines = Vec::new();
    for run in runs {
        let Run::Replay(replay) = &run.document.run else { continue };
        for server in &replay.servers {
            let points: Vec<_> = server
                .resources
                .iter()
                .filter_map(|point| Some((point.seconds, value(point)?)))
                .collect();
            if !points.is_empty() {
                let points = curves::over_time(points.into_iter());
                lines.push((line(runs, run, &server.address), points));
            }
        }
    }
    lines
}

/// A chart over time, of lines that there are.
fn over_time(
    title: String,
    how: &'static str,
    unit: &'static str,
    lines: Vec<(String, Points)>,
) -> Option<Chart> {
    let mut table = Table::new([
        text("line"),
        number("seconds"),
        number("first"),
        number("most"),
        number("last"),
    ]);
    for (name, points) in &lines {
        let (first, last) = (points.first()?, points.last()?);
        let most = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let cell = |value: f64| Cell::from(format!("{value:.2} {unit}"));
        table.push([
            name.as_str().into(),
            format!("{:.1}", last.0).into(),
            cell(first.1),
            cell(most),
            cell(last.1),
        ]);
    }
    let series = lines
        .into_iter()
        .take(MAX_LINES)
        .map(|(name, points)| Series::curve(name, points))
        .collect();
    let chart = Chart {
        title,
        how,
        table,
        kind: Kind::Line,
        x: Axis::linear("seconds since the start"),
        y: Axis::linear(unit),
        categories: Vec::new(),
        series,
    };
    (!chart.table.is_empty()).then_some(chart)
}
