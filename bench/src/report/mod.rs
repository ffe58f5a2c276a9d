//! `bench report`: documents as tables on a terminal, and as one page that opens from disk.

mod charts;
mod curves;
pub(crate) mod format;
mod html;
mod page;
pub(crate) mod table;
mod tables;

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

pub use page::page;

use crate::document::{Document, DocumentError};

/// Documents in one report. Charts have a line for each; more could not be told apart.
pub const MAX_DOCUMENTS: usize = 64;

/// What `bench report` takes.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Documents of runs, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also write a page with charts: one file that needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A report that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A document cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// More documents than one report shows.
    #[error("{0} documents were given, a report takes {MAX_DOCUMENTS}: leave some out")]
    TooMany(usize),
    /// The page cannot be written.
    #[error("cannot write {}: name a file in a folder where you may write", path.display())]
    Write {
        /// The page.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Reads the documents, writes the page if there is to be one, and returns the tables. Blocks.
///
/// # Errors
///
/// [`ReportError`] names the file and its fault.
pub fn run(args: &ReportArgs) -> Result<String, ReportError> {
    if args.files.len() > MAX_DOCUMENTS {
        return Err(ReportError::TooMany(args.files.len()));
    }
    let read = |path: &PathBuf| Ok((file_name(path), Document::read(path)?));
    let mut runs: Vec<(String, Document)> =
        args.files.iter().map(read).collect::<Result<_, DocumentError>>()?;
    in_order(&mut runs);
    let mut report = text(&runs);
    if let Some(path) = &args.html {
        fs::write(path, page(&runs))
            .map_err(|source| ReportError::Write { path: path.clone(), source })?;
        let _ = writeln!(report, "\nthe page is in {}", path.display());
    }
    Ok(report)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// By the age of what was measured, then by when: as history is read.
fn in_order(runs: &mut [(String, Document)]) {
    runs.sort_by_key(|(_, run)| {
        let committed = run.git.as_ref().and_then(|git| git.committed_unix_seconds);
        (committed.unwrap_or(run.started_unix_seconds), run.started_unix_seconds)
    });
}

/// The tables of these documents, each with its file's name.
#[must_use]
pub fn text(runs: &[(String, Document)]) -> String {
    let mut text = String::new();
    for (index, (file, run)) in runs.iter().enumerate() {
        let _ = writeln!(text, "run {}: {}", index + 1, tables::headline(file, run));
        for (title, value) in tables::facts(run) {
            let _ = writeln!(text, "  {title}: {}", table::one_line(&value));
        }
    }
    for (title, table) in tables::all(runs) {
        let _ = write!(text, "\n{title}\n{}", table.to_text());
    }
    if runs.iter().all(|(_, run)| tables::is_empty(run)) {
        text.push_str("\nno samples: nothing was measured\n");
    }
    text
}
