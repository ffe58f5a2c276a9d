//! Tables, for a terminal and for a page.

use std::fmt::Write as _;

use super::html::escape;

/// How a cell is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Bad,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }
}

impl Cell {
    /// A value that may be unknown.
    pub(crate) fn maybe(value: Option<String>) -> Self {
        value.map_or_else(|| "-".into(), Self::from)
    }

    pub(crate) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// A column's title, and whether its values are numbers: those are aligned right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    numeric: bool,
}

pub(crate) const fn text(title: &'static str) -> Column {
    Column { title, numeric: false }
}

pub(crate) const fn number(title: &'static str) -> Column {
    Column { title, numeric: true }
}

impl Cell {
    fn to_html(&self, Column { title, numeric }: Column) -> String {
        let classes = [
            numeric.then_some("number"),
            (self.tone == Tone::Bad).then_some("bad"),
            (self.text == "-").then_some("none"),
            self.text.chars().nth(LONG).map(|_| "long"),
        ];
        let classes: Vec<&str> = classes.into_iter().flatten().collect();
        let class = match classes.as_slice() {
            [] => String::new(),
            some => format!(" class=\"{}\"", some.join(" ")),
        };
        let text = escape(&self.text);
        format!("<td role=\"cell\" data-title=\"{title}\"{class}>{text}</td>")
    }
}

/// Rows of cells under titles.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// Widest text of a cell on a terminal, in characters; the page has all of it.
const MAX_WIDTH: usize = 100;

/// From so many characters on a cell of the page has several lines.
const LONG: usize = 40;

/// From so many rows on a table of the page scrolls by itself.
const TALL: usize = 24;

impl Table {
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; it has a cell for each column.
    pub(crate) fn push(&mut self, row: impl Into<Vec<Cell>>) {
        let row = row.into();
        debug_assert_eq!(row.len(), self.columns.len(), "a cell for each column");
        self.rows.push(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Lines of text, columns apart by two spaces. Columns that say nothing are left out.
    pub(crate) fn to_text(&self) -> String {
        let lines: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| one_line(&cell.text)).collect())
            .collect();
        let shown: Vec<usize> = (0..self.columns.len()).filter(|at| self.says(*at)).collect();
        let width = |at: usize| {
            let widths = lines.iter().map(|row| row[at].chars().count());
            widths.max().unwrap_or(0).max(self.columns[at].title.len())
        };
        let widths: Vec<usize> = shown.iter().map(|at| width(*at)).collect();
        let titles = self.columns.iter().map(|column| column.title.to_owned()).collect();
        let mut text = String::new();
        for line in std::iter::once(&titles).chain(&lines) {
            let mut padded = String::new();
            for (at, width) in shown.iter().zip(&widths) {
                let cell: &str = &line[*at];
                // A write to a string cannot fail.
                let _ = if self.columns[*at].numeric {
                    write!(padded, "{cell:>width$}  ")
                } else {
                    write!(padded, "{cell:<width$}  ")
                };
            }
            text.push_str(padded.trim_end());
            text.push('\n');
        }
        text
    }

    /// A `table` element that scrolls by itself; all text is escaped. Columns that say nothing are left out.
    pub(crate) fn to_html(&self, caption: &str) -> String {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|at| self.says(*at)).collect();
        let label = escape(caption);
        let tall = if self.rows.len() > TALL { " tall" } else { "" };
        // The roles stay where a phone's style makes cards of rows, which takes the elements' own away.
        let mut html = format!(
            "<div class=\"scroll{tall}\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\"><table role=\"table\">\
             <caption>{label}</caption><thead role=\"rowgroup\"><tr role=\"row\">"
        );
        for at in &shown {
            let Column { title, numeric } = self.columns[*at];
            let class = if numeric { " class=\"number\"" } else { "" };
            let _ = write!(html, "<th scope=\"col\" role=\"columnheader\"{class}>{title}</th>");
        }
        html.push_str("</tr></thead><tbody role=\"rowgroup\">");
        for row in &self.rows {
            html.push_str("<tr role=\"row\">");
            for at in &shown {
                html.push_str(&row[*at].to_html(self.columns[*at]));
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div>");
        html
    }

    fn says(&self, column: usize) -> bool {
        self.rows.iter().any(|row| row[column].text != "-")
    }
}

/// Text of a document on one line of a terminal: no character that moves the cursor.
pub(crate) fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(MAX_WIDTH)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if text.chars().nth(MAX_WIDTH).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([text("program"), number("seconds"), number("energy")]);
        table.push(["inclusion".into(), "61.9".into(), "-".into()]);
        table.push(["<b>".into(), Cell::from("4").toned(Tone::Bad), "-".into()]);
        table
    }

    #[test]
    fn columns_line_up_and_those_that_say_nothing_are_left_out() {
        assert_eq!(
            table().to_text(),
            "program    seconds\ninclusion     61.9\n<b>              4\n"
        );
    }

    #[test]
    fn a_page_has_the_same_cells_escaped() {
        let html = table().to_html("a & b");
        assert!(html.contains(">&lt;b&gt;</td>"), "{html}");
        assert!(html.contains("data-title=\"seconds\" class=\"number bad\">4</td></tr>"), "{html}");
        assert!(html.contains("<caption>a &amp; b</caption>") && !html.contains("energy"));
    }

    #[test]
    fn text_stays_on_its_line_and_cannot_move_the_cursor() {
        assert_eq!(one_line("a\n\u{1b}[2Jb"), "a  [2Jb");
        assert_eq!(one_line(&"x".repeat(101)).chars().count(), 100);
        assert!(one_line(&"x".repeat(101)).ends_with('…'));
        assert_eq!(one_line(&"x".repeat(100)), "x".repeat(100));
    }
}
