//! What a page's charts show. The page's script draws them and decides nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    curves, format,
    table::{Cell, Table, number, text},
    tables::label,
};
use crate::{
    document::{Document, ProveOutcome, ReplayRun, Run},
    figures::{Group, Key, Sorted, groups, offered},
};

/// Charts of one kind; what else there is, is in the tables.
const MAX_CHARTS: usize = 24;

/// Lines in a chart that can still be told apart.
const MAX_LINES: usize = 12;

/// Largest over smallest from which an axis goes by powers of ten: else the small end is one point.
const LOG_FROM: f64 = 20.0;

/// A chart, with the same in a table.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub(super) title: String,
    /// How to read it.
    #[serde(skip)]
    pub(super) how: &'static str,
    #[serde(skip)]
    pub(super) table: Table,
    kind: Kind,
    x: Axis,
    y: Axis,
    /// Of bars, and of a history: what stands along the axis, each in lines.
    categories: Vec<Vec<String>>,
    series: Vec<Series>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// A curve over numbers.
    Line,
    /// Marks at numbers, joined.
    Marks,
    /// A mark for each category, joined.
    History,
    /// Stacked and lying, a bar a category.
    Stack,
}

#[derive(Debug, Serialize)]
struct Axis {
    title: &'static str,
    log: bool,
}

impl Axis {
    const fn linear(title: &'static str) -> Self {
        Self { title, log: false }
    }

    /// By powers of ten where these values need it.
    fn fitting(title: &'static str, values: impl Iterator<Item = f64>) -> Self {
        let positive = values.filter(|value| *value > 0.0);
        let (least, most) =
            positive.fold((f64::INFINITY, 0.0_f64), |(least, most), v| (least.min(v), most.max(v)));
        Self { title, log: most > least * LOG_FROM }
    }
}

#[derive(Debug, Serialize)]
struct Series {
    name: String,
    /// By number, or by the place of the category; no value is a gap.
    points: Vec<(f64, Option<f64>)>,
}

impl Series {
    fn curve(name: String, points: Vec<(f64, f64)>) -> Self {
        Self { name, points: points.into_iter().map(|(x, y)| (x, Some(y))).collect() }
    }
}

/// A kind of chart with all that there are of it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) charts: Vec<Chart>,
    /// How many more there would be.
    pub(super) left_out: usize,
}

/// All sections that have something to show.
pub(super) fn sections(runs: &[(String, Document)]) -> Vec<Section> {
    let runs: Vec<Figures<'_>> = runs
        .iter()
        .enumerate()
        .map(|(index, (_, run))| Figures {
            label: label(index, run),
            document: run,
            groups: groups(run),
        })
        .collect();
    let all = [
        ("Latency distribution", distributions(&runs)),
        ("Phases", phases(&runs)),
        ("Memory over time", memory(&runs)),
        ("Jobs waiting", waiting(&runs)),
        ("Throughput against load", throughput(&runs)),
        ("History", history(&runs)),
    ];
    let section = |(title, mut charts): (_, Vec<Chart>)| {
        let left_out = charts.len().saturating_sub(MAX_CHARTS);
        charts.truncate(MAX_CHARTS);
        Section { title, charts, left_out }
    };
    all.into_iter().map(section).filter(|section| !section.charts.is_empty()).collect()
}

struct Figures<'a> {
    label: String,
    document: &'a Document,
    groups: Vec<Group<'a>>,
}

/// The name of a line: the run if there are several, and what tells it from the chart's other ones.
fn line(runs: &[Figures<'_>], run: &Figures<'_>, rest: &str) -> String {
    match (runs.len() > 1, rest.is_empty()) {
        (true, true) => run.label.clone(),
        (true, false) => format!("{}, {rest}", run.label),
        (false, _) => rest.to_owned(),
    }
}

fn warmth(key: Key<'_>) -> String {
    key.warmth.map(|warmth| warmth.to_string()).unwrap_or_default()
}

/// Groups of all runs that differ in warmth and run alone: what a chart compares.
fn by_proof<'a>(
    runs: &'a [Figures<'a>],
) -> BTreeMap<Key<'a>, Vec<(&'a Figures<'a>, &'a Group<'a>)>> {
    let mut found: BTreeMap<Key<'a>, Vec<_>> = BTreeMap::new();
    for run in runs {
        for group in run.groups.iter().filter(|group| group.proved() > 0) {
            found.entry(Key { warmth: None, ..group.key }).or_default().push((run, group));
        }
    }
    found
}

fn distributions(runs: &[Figures<'_>]) -> Vec<Chart> {
    by_proof(runs).into_iter().map(|(key, found)| distribution(runs, key, &found)).collect()
}

fn distribution(runs: &[Figures<'_>], key: Key<'_>, found: &[(&Figures<'_>, &Group<'_>)]) -> Chart {
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
        title: key.to_string(),
        how: "How many of the proofs took at most so long. The steeper and the further left, the better.",
        table,
        kind: Kind::Line,
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
fn phases(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut modes: BTreeMap<_, Vec<(&Figures<'_>, &Group<'_>)>> = BTreeMap::new();
    for run in runs {
        for group in run.groups.iter().filter(|group| !group.mean_phases().is_empty()) {
            modes.entry(group.key.mode).or_default().push((run, group));
        }
    }
    modes.into_iter().map(|(mode, found)| stack(runs, mode.name(), &found)).collect()
}

fn stack(runs: &[Figures<'_>], mode: &str, found: &[(&Figures<'_>, &Group<'_>)]) -> Chart {
    let mut table =
        Table::new([text("run"), text("proof"), text("phase"), number("mean"), number("share")]);
    let mut series: Vec<Series> = Vec::new();
    let mut categories = Vec::new();
    for (place, (run, group)) in found.iter().take(2 * MAX_LINES).enumerate() {
        let key = group.key;
        let mut lines = vec![key.program.to_owned(), key.recording.to_owned()];
        lines.push(line(runs, run, &warmth(key)));
        lines.retain(|line| !line.is_empty());
        categories.push(lines);
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
            let point = (place as f64, Some(seconds));
            match series.iter_mut().find(|series| series.name == phase) {
                Some(series) => series.points.push(point),
                None => series.push(Series { name: phase.to_owned(), points: vec![point] }),
            }
        }
    }
    Chart {
        title: format!("Where the time goes, {mode}"),
        how: "Mean seconds of each phase, of the proofs that were made; `other` is what no phase accounts for.",
        table,
        kind: Kind::Stack,
        x: Axis::linear("seconds"),
        y: Axis::linear(""),
        categories,
        series,
    }
}

/// Points of a series over time.
type Points = Vec<(f64, f64)>;

const GIGABYTE: f64 = 1e9;

fn memory(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut charts = Vec::new();
    for (key, found) in by_proof(runs) {
        let lines = found.iter().filter_map(|(run, group)| {
            Some((line(runs, run, &warmth(group.key)), typical_memory(run.document, group)?))
        });
        charts.extend(over_time(
            key.to_string(),
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

fn waiting(runs: &[Figures<'_>]) -> Vec<Chart> {
    let lines = of_servers(runs, |point| point.queue_depth.map(|jobs| jobs as f64));
    let how = "Jobs that wait for a worker. A line that keeps rising is more load than the server can take.";
    over_time("Servers".to_owned(), how, "jobs", lines).into_iter().collect()
}

/// Memory of the proof whose time is the median's.
fn typical_memory(run: &Document, group: &Group<'_>) -> Option<Points> {
    let (Run::Prove(run), Some(median)) = (&run.run, group.total().median()) else { return None };
    let is_typical = |sample: &&crate::document::ProveSample| {
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
    value: impl Fn(&crate::document::ResourcePoint) -> Option<f64>,
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
    mut lines: Vec<(String, Points)>,
) -> Option<Chart> {
    let mut table = Table::new([
        text("line"),
        number("seconds"),
        number("first"),
        number("most"),
        number("last"),
    ]);
    lines.truncate(MAX_LINES);
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
    let series = lines.into_iter().map(|(name, points)| Series::curve(name, points)).collect();
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

/// A point a replay: what was asked and what came, open and closed loops apart.
fn throughput(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut loads: BTreeMap<&'static str, Vec<(&Figures<'_>, &ReplayRun, f64)>> = BTreeMap::new();
    for run in runs {
        if let Run::Replay(replay) = &run.document.run {
            let (load, unit) = offered(replay.load);
            loads.entry(unit).or_default().push((run, replay, load));
        }
    }
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
fn history(runs: &[Figures<'_>]) -> Vec<Chart> {
    let mut kinds: BTreeMap<(&str, &str), Vec<&Figures<'_>>> = BTreeMap::new();
    for run in runs {
        for group in &run.groups {
            let of = kinds.entry((run.document.run.name(), group.key.mode.name())).or_default();
            if !of.iter().any(|known| std::ptr::eq(*known, run)) {
                of.push(run);
            }
        }
    }
    kinds.retain(|_, runs| runs.len() > 1);
    kinds.into_iter().filter_map(|((kind, mode), runs)| over_runs(kind, mode, &runs)).collect()
}

fn over_runs(kind: &str, mode: &str, runs: &[&Figures<'_>]) -> Option<Chart> {
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
        title: format!("Median over runs, {kind}, {mode}"),
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
