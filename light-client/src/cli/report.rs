//! What is printed: a label and a value on each line, labels aligned and, on a terminal, bold.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use super::fault::Fault;

/// Columns of a label and the space after it.
const LABEL: usize = 11;
/// The same where labels are the names of public values, the longest of which is `executionStateRoot`.
const PUBLIC_VALUE: usize = 19;

/// Where the lines go: results to standard output, what happens meanwhile to standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    width: usize,
    bold_out: bool,
    bold_err: bool,
}

impl Report {
    /// With short labels.
    pub(super) fn new() -> Self {
        Self::wide(LABEL)
    }

    /// With the labels of public values.
    pub(super) fn of_public_values() -> Self {
        Self::wide(PUBLIC_VALUE)
    }

    fn wide(width: usize) -> Self {
        // <https://no-color.org>: any value but the empty one.
        let colour = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            width,
            bold_out: colour && io::stdout().is_terminal(),
            bold_err: colour && io::stderr().is_terminal(),
        }
    }

    /// A line of the result.
    pub(super) fn result(&self, label: &str, value: impl Display) -> Result<(), Fault> {
        writeln!(io::stdout(), "{}", line(self.bold_out, self.width, label, value))
            .map_err(Fault::Print)
    }

    /// Text of the result, as it is.
    pub(super) fn text(&self, text: impl Display) -> Result<(), Fault> {
        write!(io::stdout(), "{text}").map_err(Fault::Print)
    }

    /// A line about what happens. Nobody waits for it, so nothing fails with it.
    pub(super) fn note(&self, label: &str, value: impl Display) {
        let _ = writeln!(io::stderr(), "{}", line(self.bold_err, self.width, label, value));
    }
}

fn line(bold: bool, width: usize, label: &str, value: impl Display) -> String {
    if bold {
        format!("\x1b[1m{label:<width$}\x1b[0m{value}")
    } else {
        format!("{label:<width$}{value}")
    }
}

/// A label and its value, without colour.
pub(super) fn plain(label: &str, value: impl Display) -> String {
    line(false, LABEL, label, value)
}

/// A time for people: `0.512 s`, `97.3 s`, `12 min 5 s`.
pub(super) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.3} s", time.as_secs_f64()),
        10..180 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// A size for people, in powers of a thousand: `12.2 MB`.
pub(super) fn bytes(count: u64) -> String {
    let (unit, name) = match count {
        0..1_000 => return format!("{count} bytes"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{:.1} {name}", count as f64 / unit)
}

/// A number with its thousands apart: `3,368,467`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 update`, `2 updates`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(seconds(Duration::from_millis(512)), "0.512 s");
        assert_eq!(seconds(Duration::from_millis(97_349)), "97.3 s");
        assert_eq!(seconds(Duration::from_secs(725)), "12 min 5 s");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(12_200_000), "12.2 MB");
        assert_eq!(bytes(8_200_000_000), "8.2 GB");
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(100), "100");
        assert_eq!(grouped(3_368_467), "3,368,467");
        assert_eq!(
            (counted(1, "update"), counted(2, "update")),
            ("1 update".into(), "2 updates".into())
        );
    }

    #[test]
    fn labels_are_aligned_with_and_without_colour() {
        assert_eq!(line(false, LABEL, "store", 7), "store      7");
        assert_eq!(line(true, LABEL, "store", 7), "\x1b[1mstore      \x1b[0m7");
    }
}
