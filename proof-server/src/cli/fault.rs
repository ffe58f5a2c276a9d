//! How a command ends when it ends badly: one line and a number.

use std::{error::Error, fmt, process::ExitCode};

/// Exit codes, from `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing is wrong.
    Ok = 0,
    /// `EX_USAGE`: flags or environment.
    Usage = 64,
    /// `EX_DATAERR`: the input is refused.
    Data = 65,
    /// `EX_NOINPUT`: a file cannot be read.
    NoInput = 66,
    /// `EX_UNAVAILABLE`: the machine cannot do it now.
    Unavailable = 69,
    /// `EX_SOFTWARE`: a fault of this program.
    Software = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) exit: Exit,
    text: String,
}

impl Fault {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into() }
    }

    /// Help was asked for and printed.
    pub(crate) fn none() -> Self {
        Self::new(Exit::Ok, "")
    }

    /// An error with its causes.
    pub(crate) fn of(exit: Exit, error: &dyn Error) -> Self {
        Self::new(exit, proof_server::error_chain(error))
    }

    /// The same, about something.
    pub(crate) fn about(exit: Exit, what: impl fmt::Display, error: &dyn Error) -> Self {
        Self::new(exit, format!("{what}: {}", proof_server::error_chain(error)))
    }
}

impl fmt::Display for Fault {
    /// A line for each fault, `error: ` in front; control characters of strangers' files are not passed on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = |line: &str| {
            line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>()
        };
        let lines: Vec<String> =
            self.text.lines().map(|line| format!("error: {}", clean(line))).collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line_with_its_causes() {
        let cause = std::io::Error::other("disk\u{1b}[31m full");
        let fault = Fault::about(Exit::NoInput, "cannot read x", &cause);
        assert_eq!(fault.to_string(), "error: cannot read x: disk [31m full");
    }
}
