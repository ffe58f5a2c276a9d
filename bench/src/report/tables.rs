//! What a report says in tables: the same on a terminal and in a page.

use super::{
    format,
    table::{Cell, Table, Tone, number, text},
};
use crate::{
    document::{Document, Hardware, Run},
    figures::{Failed, GPU_BUSY, Group, Sorted, Unit, groups, servers},
};

/// Kinds of failure shown of one group; the rest is counted. Reasons may differ in a number each.
const MAX_REASONS: usize = 10;

/// What a run is called where there are several: its place and what was measured.
pub(super) fn label(index: usize, run: &Document) -> String {
    let what = match &run.git {
        Some(git) => git.short(),
        None => format::date(run.started_unix_seconds),
    };
    format!("{} {what}", index + 1)
}

/// One line that says which run it is.
pub(super) fn headline(file: &str, run: &Document) -> String {
    let revision = run.git.as_ref().map_or_else(|| "no revision".to_owned(), |git| git.short());
    let date = format::date(run.started_unix_seconds);
    format!("{}, {date}, {revision}, {}", run.run.name(), super::table::one_line(file))
}

fn machine(hardware: &Hardware) -> String {
    let memory = format::value(Unit::Bytes, hardware.memory_bytes as f64);
    let mut text =
        format!("{}, {} cores, {memory} of memory", hardware.cpu, hardware.logical_cores);
    for gpu in &hardware.gpus {
        let memory = format::value(Unit::Bytes, gpu.memory_bytes as f64);
        text += &format!(", {} with {memory} (driver {})", gpu.name, gpu.driver);
    }
    format!("{text}, Linux {}", hardware.kernel)
}

/// What else is known of a run, by title.
pub(super) fn facts(run: &Document) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(run.note.iter().map(|note| ("note", note.clone())));
    facts.push(("machine", machine(&run.hardware)));
    if let Run::Replay(replay) = &run.run {
        for server in &replay.servers {
            if let Some(hardware) = &server.hardware {
                facts.push(("server", format!("{}: {}", server.address, machine(hardware))));
            }
        }
    }
    let versions = format!("SP1 {}, bench {}", run.sp1_version, run.tool_version);
    facts.push(("versions", versions));
    let took = format::seconds(run.duration_seconds.get());
    facts.push(("took", took));
    if let Some(git) = &run.git {
        let dirt = if git.dirty { ", changed since" } else { "" };
        facts.push(("revision", format!("{}{dirt}", git.revision)));
    }
    if let Some(price) = run.price_dollars_per_hour {
        facts.push(("price", format!("{} an hour", format::dollars(price.get()))));
    }
    for (key, value) in &run.settings {
        facts.push(("setting", format!("{key} = {value}")));
    }
    for program in &run.programs {
        facts.push(("program", format!("{}, key {}", program.name, program.vkey)));
    }
    for fixture in &run.fixtures {
        facts.push(("recording", format!("{}, SHA-256 {}", fixture.name, fixture.sha256)));
    }
    facts
}

/// Whether a run has no samples.
pub(super) fn is_empty(run: &Document) -> bool {
    match &run.run {
        Run::Prove(run) => run.samples.is_empty(),
        Run::Replay(run) => run.samples.is_empty(),
    }
}

/// All tables that have rows, by title.
pub(super) fn all(runs: &[(String, Document)]) -> Vec<(&'static str, Table)> {
    let tables = [
        ("Results", results(runs)),
        ("Failures", failures(runs)),
        ("Servers", of_servers(runs)),
        ("GPUs", gpus(runs)),
        ("Work", work(runs)),
    ];
    tables.into_iter().filter(|(_, table)| !table.is_empty()).collect()
}

/// The cells that say which group a row is of; the run only where there are several.
fn name(runs: &[(String, Document)], index: usize, group: &Group<'_>) -> Vec<Cell> {
    let run = if runs.len() > 1 { label(index, &runs[index].1) } else { "-".to_owned() };
    vec![
        run.into(),
        group.key.program.into(),
        group.key.recording.into(),
        group.key.mode.name().into(),
        Cell::maybe(group.key.warmth.map(|warmth| warmth.to_string())),
    ]
}

fn count_of_bad(count: usize) -> Cell {
    let tone = if count > 0 { Tone::Bad } else { Tone::Plain };
    Cell::from(count.to_string()).toned(tone)
}

fn time(seconds: Option<f64>) -> Cell {
    Cell::maybe(seconds.map(format::seconds))
}

/// Least to largest; 90 and 99 % only where they say something.
fn spread(values: &Sorted) -> [Cell; 5] {
    [
        time(values.min()),
        time(values.median()),
        time(values.telling_quantile(0.9)),
        time(values.telling_quantile(0.99)),
        time(values.max()),
    ]
}

fn results(runs: &[(String, Document)]) -> Table {
    let mut table = Table::new([
        text("run"),
        text("program"),
        text("recording"),
        text("mode"),
        text("start"),
        number("runs"),
        number("failed"),
        number("min"),
        number("p50"),
        number("p90"),
        number("p99"),
        number("max"),
        number("verify"),
        number("throughput"),
        number("memory"),
        number("proof"),
        number("cost/proof"),
        number("retries"),
        number("verified"),
    ]);
    for (index, (_, run)) in runs.iter().enumerate() {
        let is_replay = matches!(run.run, Run::Replay(_));
        for group in groups(run) {
            let of_replay =
                |count: String| if is_replay { count.into() } else { Cell::maybe(None) };
            let mut row = name(runs, index, &group);
            row.push(group.runs.to_string().into());
            row.push(count_of_bad(group.failed()));
            row.extend(spread(group.total()));
            row.push(median(&group, "verify", Unit::Seconds));
            row.push(Cell::maybe(group.per_second.map(format::rate)));
            let peak = group.peak_memory().max();
            row.push(Cell::maybe(peak.map(|bytes| format::value(Unit::Bytes, bytes))));
            row.push(median(&group, "proof size", Unit::Bytes));
            row.push(Cell::maybe(group.dollars.map(format::dollars)));
            row.push(of_replay(group.retries.to_string()));
            row.push(of_replay(format!("{} of {}", group.checked, group.proved())));
            table.push(row);
        }
    }
    table
}

fn failures(runs: &[(String, Document)]) -> Table {
    let mut table = Table::new([
        text("run"),
        text("program"),
        text("recording"),
        text("mode"),
        text("start"),
        number("failed"),
        text("code"),
        text("reason"),
    ]);
    for (index, (_, run)) in runs.iter().enumerate() {
        for group in groups(run) {
            let mut push = |failed: &Failed| {
                let mut row = name(runs, index, &group);
                row.push(format!("{} of {}", failed.count, group.runs).into());
                row.push(Cell::from(failed.code.as_str()).toned(Tone::Bad));
                row.push(failed.reason.as_str().into());
                table.push(row);
            };
            group.failures.iter().take(MAX_REASONS).for_each(&mut push);
            let rest: &[Failed] = group.failures.get(MAX_REASONS..).unwrap_or_default();
            if !rest.is_empty() {
                push(&Failed {
                    code: "others".to_owned(),
                    reason: format!("{} more reasons", rest.len()),
                    count: rest.iter().map(|failed| failed.count).sum(),
                });
            }
        }
    }
    table
}

fn of_servers(runs: &[(String, Document)]) -> Table {
    let mut table = Table::new([
        text("run"),
        text("server"),
        number("requests"),
        number("failed"),
        number("min"),
        number("p50"),
        number("p90"),
        number("p99"),
        number("max"),
        number("throughput"),
    ]);
    for (index, (_, run)) in runs.iter().enumerate() {
        let Run::Replay(replay) = &run.run else { continue };
        for server in servers(run, replay) {
            let run = if runs.len() > 1 { label(index, run) } else { "-".to_owned() };
            let mut row: Vec<Cell> = vec![
                run.into(),
                server.address.into(),
                server.requests.to_string().into(),
                count_of_bad(server.failed),
            ];
            row.extend(spread(&server.total));
            row.push(Cell::maybe(server.per_second.map(format::rate)));
            table.push(row);
        }
    }
    table
}

/// What program and input alone decide; once for a proof that was made cold and warm.
fn work(runs: &[(String, Document)]) -> Table {
    let columns = ["run", "program", "recording", "mode"].map(text).into_iter();
    let mut table: Table =
        Table::new(columns.chain(["cycles", "gas", "shards"].map(number)).collect::<Vec<_>>());
    for (index, (_, run)) in runs.iter().enumerate() {
        let mut last = Vec::new();
        for group in groups(run) {
            let exact =
                ["cycles", "gas", "shards"].map(|metric| median(&group, metric, Unit::Count));
            let mut row = name(runs, index, &group);
            row.pop();
            row.extend(exact);
            if row.iter().rev().take(3).any(|cell| cell.text != "-") && row != last {
                table.push(row.clone());
            }
            last = row;
        }
    }
    table
}

fn gpus(runs: &[(String, Document)]) -> Table {
    let mut table = Table::new([
        text("run"),
        text("program"),
        text("recording"),
        text("mode"),
        text("start"),
        number("memory"),
        number("busy"),
        number("energy"),
    ]);
    for (index, (_, run)) in runs.iter().enumerate() {
        for group in groups(run) {
            let cells = [
                median(&group, "GPU memory", Unit::Bytes),
                median(&group, GPU_BUSY, Unit::Percent),
                median(&group, "GPU energy", Unit::Joules),
            ];
            if cells.iter().any(|cell| cell.text != "-") {
                let mut row = name(runs, index, &group);
                row.extend(cells);
                table.push(row);
            }
        }
    }
    table
}

fn median(group: &Group<'_>, metric: &str, unit: Unit) -> Cell {
    Cell::maybe(group.values(metric).median().map(|value| format::value(unit, value)))
}
