//! What a page's charts show. The page's script draws them and decides nothing.

mod resources;
mod runs;
mod times;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{table::Table, tables::label};
use crate::{
    document::{Document, Run},
    figures::{Group, Key, groups},
};

/// Charts of one kind; what else there is, is in the tables.
const MAX_CHARTS: usize = 24;

/// Lines in a chart that can still be told apart; its table has all.
const MAX_LINES: usize = 12;

/// Bars in a chart that fit on a screen; its table has all.
const MAX_BARS: usize = 24;

/// Largest over smallest from which an axis goes by powers of ten: else the small end is one point.
const LOG_FROM: f64 = 20.0;

/// A chart, with the same in a table.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Chart {
    pub(in crate::report) title: String,
    /// How to read it.
    #[serde(skip)]
    pub(in crate::report) how: &'static str,
    #[serde(skip)]
    pub(in crate::report) table: Table,
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
    /// The same in steps: what was counted.
    Steps,
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
pub(in crate::report) struct Section {
    pub(in crate::report) title: &'static str,
    pub(in crate::report) charts: Vec<Chart>,
    /// How many more there would be.
    pub(in crate::report) left_out: usize,
}

/// All sections that have something to show.
pub(in crate::report) fn sections(runs: &[(String, Document)]) -> Vec<Section> {
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
        ("History", runs::history(&runs)),
        ("Throughput against load", runs::throughput(&runs)),
        ("Latency distribution", times::distributions(&runs)),
        ("Phases", times::phases(&runs)),
        ("Memory over time", resources::memory(&runs)),
        ("Jobs waiting", resources::waiting(&runs)),
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

/// Groups with their runs.
type Found<'a> = Vec<(&'a Figures<'a>, &'a Group<'a>)>;

/// What follows a title: a proof and a request to a server for one are not compared in one chart.
fn kind(run: &Document) -> &'static str {
    match run.run {
        Run::Prove(_) => "",
        Run::Replay(_) => ", replayed",
    }
}

/// Groups of all runs that differ in warmth and run alone: what a chart compares.
fn by_proof<'a>(runs: &'a [Figures<'a>]) -> BTreeMap<(&'static str, Key<'a>), Found<'a>> {
    let mut found: BTreeMap<_, Found<'a>> = BTreeMap::new();
    for run in runs {
        for group in run.groups.iter().filter(|group| group.proved() > 0) {
            let key = (kind(run.document), Key { warmth: None, ..group.key });
            found.entry(key).or_default().push((run, group));
        }
    }
    found
}
