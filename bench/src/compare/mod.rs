//! `bench compare`: what became better or worse from one run to another, by intervals and not by eye.

mod bootstrap;
mod comparable;
mod verdict;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use self::verdict::{Line, Verdict};
use crate::{
    document::{Document, DocumentError},
    figures::{Group, Key, Unit, groups},
    report::{
        format,
        table::{Cell, Table, number, one_line, text},
    },
};

/// What `bench compare` takes.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The run before.
    a: PathBuf,
    /// The run after.
    b: PathBuf,
    /// How much worse fails: a percentage.
    #[arg(long, default_value = "5%", value_parser = parse_threshold)]
    threshold: Threshold,
    /// Compare runs of other machines, programs, recordings or loads too: the difference is what is asked for.
    #[arg(long)]
    across: bool,
}

/// A share of change, not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold(f64);

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// For a terminal.
    pub text: String,
    /// Whether something is worse by more than the threshold.
    pub regressed: bool,
}

/// Runs that cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A document cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// They measured other things.
    #[error(
        "the runs cannot be compared:\n  {}\nmeasure both on one machine with the same input, or pass --across if the difference is \
         what you ask for",
        .0.join("\n  ")
    )]
    Different(Vec<String>),
    /// They have nothing in common.
    #[error(
        "the runs cannot be compared: no program, recording, mode and start is in both; A has {a}, B has {b}"
    )]
    Disjoint {
        /// What A measured.
        a: String,
        /// What B measured.
        b: String,
    },
}

fn parse_threshold(text: &str) -> Result<Threshold, String> {
    let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    match percent.filter(|percent| (0.0..=1000.0).contains(percent)) {
        Some(percent) => Ok(Threshold(percent / 100.0)),
        None => Err(format!("{text:?} is no percentage from 0% to 1000%: give one such as 5%")),
    }
}

/// Reads and compares two documents. Blocks.
///
/// # Errors
///
/// [`CompareError`]: a document cannot be read, or they cannot be compared.
pub fn run(args: &CompareArgs) -> Result<Comparison, CompareError> {
    let read = |path: &Path| Document::read(path);
    compare(&read(&args.a)?, &read(&args.b)?, args.threshold, args.across)
}

impl Threshold {
    /// From a share: 0.05 is 5 %. Amounts below 0 and no numbers are 0.
    #[must_use]
    pub fn of(share: f64) -> Self {
        Self(if share > 0.0 { share } else { 0.0 })
    }
}

/// Compares two documents; `across` also such as measured other things. Pure.
///
/// # Errors
///
/// [`CompareError::Different`] and [`CompareError::Disjoint`].
pub fn compare(
    a: &Document,
    b: &Document,
    threshold: Threshold,
    across: bool,
) -> Result<Comparison, CompareError> {
    let pairs = Pairs::of(a, b)?;
    let mut differences = comparable::differences(a, b);
    differences.refused.extend(pairs.only.iter().cloned());
    if !across && !differences.refused.is_empty() {
        return Err(CompareError::Different(differences.refused));
    }
    let mut text = String::new();
    for difference in differences.refused.iter().chain(&differences.noted) {
        let _ = writeln!(text, "differs: {}", one_line(difference));
    }
    let mut table = columns();
    let mut tally = Tally::default();
    for (of_a, of_b) in &pairs.both {
        for line in verdict::lines(of_a, of_b, threshold.0) {
            tally.count(line.verdict, line.regressed);
            table.push(row(of_a.key, &line));
        }
        let verdict = verdict::failures(of_a, of_b, threshold.0);
        tally.count(verdict, verdict == Verdict::Worse);
        table.push(failures_row(of_a, of_b, verdict));
    }
    let _ = write!(text, "{}\n{}", table.to_text(), tally.text(threshold));
    Ok(Comparison { text, regressed: tally.regressed > 0 })
}

/// Groups of both sides.
struct Pairs<'a> {
    both: Vec<(Group<'a>, Group<'a>)>,
    /// What only one side has, in words.
    only: Vec<String>,
}

impl<'a> Pairs<'a> {
    fn of(a: &'a Document, b: &'a Document) -> Result<Self, CompareError> {
        let by_key = |run| -> BTreeMap<Key<'a>, Group<'a>> {
            groups(run).into_iter().map(|group| (group.key, group)).collect()
        };
        let (of_a, mut of_b) = (by_key(a), by_key(b));
        let names = |run: &Document, groups: &BTreeMap<Key<'_>, Group<'_>>| {
            let names: Vec<String> = groups.keys().map(Key::to_string).collect();
            let names = if names.is_empty() { "no samples".to_owned() } else { names.join("; ") };
            format!("{}: {names}", run.run.name())
        };
        if a.run.name() != b.run.name() || !of_a.keys().any(|key| of_b.contains_key(key)) {
            return Err(CompareError::Disjoint { a: names(a, &of_a), b: names(b, &of_b) });
        }
        let mut pairs = Self { both: Vec::new(), only: Vec::new() };
        for (key, group) in of_a {
            match of_b.remove(&key) {
                Some(other) => pairs.both.push((group, other)),
                None => pairs.only.push(format!("only A has {key}")),
            }
        }
        pairs.only.extend(of_b.keys().map(|key| format!("only B has {key}")));
        Ok(pairs)
    }
}

fn columns() -> Table {
    Table::new([
        text("program"),
        text("recording"),
        text("mode"),
        text("start"),
        text("metric"),
        number("A"),
        number("B"),
        number("change"),
        text("95 % interval"),
        number("samples"),
        text("verdict"),
    ])
}

fn name(key: Key<'_>) -> Vec<Cell> {
    vec![
        key.program.into(),
        key.recording.into(),
        key.mode.name().into(),
        Cell::maybe(key.warmth.map(|warmth| warmth.to_string())),
    ]
}

fn change(ratio: f64) -> String {
    if ratio.is_finite() { format!("{:+.1} %", (ratio - 1.0) * 100.0) } else { "from 0".to_owned() }
}

fn row(key: Key<'_>, line: &Line) -> Vec<Cell> {
    let exact = line.interval.is_none() && line.verdict != Verdict::TooFew;
    let value = |number| match line.unit {
        // To the last digit: nothing of an exact number is noise.
        Unit::Bytes if exact => format!("{} B", format::count(number)),
        unit => format::value(unit, number),
    };
    let interval = line
        .interval
        .map(|interval| format!("{} to {}", change(interval.low), change(interval.high)))
        .or_else(|| exact.then(|| "exact".to_owned()));
    let mut row = name(key);
    row.extend([
        line.name.as_str().into(),
        value(line.a).into(),
        value(line.b).into(),
        change(bootstrap::over(line.b, line.a)).into(),
        Cell::maybe(interval),
        format!("{}, {}", line.samples.0, line.samples.1).into(),
        word(line.verdict, line.regressed).into(),
    ]);
    row
}

fn failures_row(a: &Group<'_>, b: &Group<'_>, verdict: Verdict) -> Vec<Cell> {
    let failed = |group: &Group<'_>| Cell::from(group.failed().to_string());
    let mut row = name(a.key);
    row.extend([
        "failed".into(),
        failed(a),
        failed(b),
        Cell::maybe(None),
        Cell::maybe(None),
        format!("{}, {}", a.runs, b.runs).into(),
        word(verdict, verdict == Verdict::Worse).into(),
    ]);
    row
}

fn word(verdict: Verdict, regressed: bool) -> String {
    let beyond = if regressed { ", beyond the threshold" } else { "" };
    format!("{}{beyond}", verdict.word())
}

/// How often each verdict was given.
#[derive(Debug, Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    regressed: usize,
}

impl Tally {
    fn count(&mut self, verdict: Verdict, regressed: bool) {
        *self.counts.entry(verdict.word()).or_default() += 1;
        self.regressed += usize::from(regressed);
    }

    fn text(&self, Threshold(threshold): Threshold) -> String {
        let counts: Vec<String> =
            self.counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let beyond = match self.regressed {
            0 => "none is worse by more than".to_owned(),
            1 => "1 is worse by more than".to_owned(),
            several => format!("{several} are worse by more than"),
        };
        format!("{}; {beyond} {:.1} %\n", counts.join(", "), threshold * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_percentage() {
        assert_eq!(parse_threshold("5%"), Ok(Threshold(0.05)));
        assert_eq!(parse_threshold("0%"), Ok(Threshold(0.0)));
        for wrong in ["5", "", "%", "-1%", "nan%", "inf%", "1001%", "five%"] {
            let error = parse_threshold(wrong).unwrap_err();
            assert!(
                error.ends_with("is no percentage from 0% to 1000%: give one such as 5%"),
                "{error}"
            );
        }
    }
}
