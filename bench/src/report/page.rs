//! The page: one file that opens from disk and asks for nothing else.
//!
//! Tables are in the page as they are; charts are drawn by a script from a data block. A content security policy lets
//! this style and these scripts run, by their hashes, and nothing else: no request leaves the page, and text of a
//! document that got past the escaping still could not run.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{
    charts::{self, Chart, Section},
    html::{escape, json},
    tables,
};
use crate::document::Document;

const STYLE: &str = include_str!("../../report/page.css");
const SCRIPT: &str = include_str!("../../report/page.js");
/// Chart.js, as its package has it; `report/README.md` has version, licence and hash.
const LIBRARY: &str = include_str!("../../report/chart.umd.min.js");

/// A page of these runs, each with its file's name.
#[must_use]
pub fn page(runs: &[(String, Document)]) -> String {
    let library = without_source_map(LIBRARY);
    let sections = charts::sections(runs);
    let all: Vec<&Chart> = sections.iter().flat_map(|section| &section.charts).collect();
    // Maps with keys that are no text are what JSON cannot have, and there are none.
    let data = json(&all).unwrap_or_else(|_| "[]".to_owned());
    let title = title(runs);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; \
         style-src '{}'; script-src '{}' '{}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1><button id=\"theme\" type=\"button\" hidden>Theme</button></header>\n<main>\n",
        policy_hash(STYLE),
        policy_hash(library),
        policy_hash(SCRIPT),
    );
    html.push_str(&facts(runs));
    html.push_str(&results(runs));
    let mut place = 0;
    for section in &sections {
        html.push_str(&figures(section, &mut place));
    }
    let _ = write!(
        html,
        "</main>\n<script type=\"application/json\" id=\"data\">{data}</script>\n\
         <script>{library}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    );
    html
}

/// A browser's tools would ask for the map beside the page.
fn without_source_map(library: &str) -> &str {
    library.find("//# sourceMappingURL=").map_or(library, |at| &library[..at])
}

fn policy_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

fn title(runs: &[(String, Document)]) -> String {
    match runs {
        [(_, run)] => format!("Proof server bench: {}", run.run.name()),
        _ => format!("Proof server bench: {} runs", runs.len()),
    }
}

fn facts(runs: &[(String, Document)]) -> String {
    let mut html = "<h2>Runs</h2>\n<div class=\"grid\">\n".to_owned();
    for (index, (file, run)) in runs.iter().enumerate() {
        let _ = write!(
            html,
            "<section class=\"panel\"><h3>{}: {}</h3>",
            index + 1,
            escape(&tables::headline(file, run))
        );
        if let Some(note) = &run.note {
            let _ = write!(html, "<p class=\"note\">{}</p>", escape(note));
        }
        // Of several runs the hashes would push everything else off the screen.
        let open = if runs.len() == 1 { " open" } else { "" };
        let _ = write!(html, "<details{open}><summary>What ran where</summary><dl>");
        for (title, value) in tables::facts(run).iter().filter(|(title, _)| *title != "note") {
            let _ = write!(html, "<dt>{title}</dt><dd>{}</dd>", escape(value));
        }
        html.push_str("</dl></details></section>\n");
    }
    html.push_str("</div>\n");
    html
}

fn results(runs: &[(String, Document)]) -> String {
    let mut html = String::new();
    for (title, table) in tables::all(runs) {
        let _ = write!(html, "<h2>{title}</h2>\n{}\n", table.to_html(title));
    }
    let all_empty = runs.iter().all(|(_, run)| tables::is_empty(run));
    for (index, (_, run)) in runs.iter().enumerate() {
        if !all_empty && tables::is_empty(run) {
            let _ = writeln!(html, "<p>Run {} has no samples.</p>", tables::label(index, run));
        }
    }
    if all_empty {
        html.push_str(
            "<h2>Results</h2>\n<p class=\"note\">No samples: nothing was measured.</p>\n",
        );
    } else {
        html.push_str(
            "<p class=\"dim\">Times are of requests that ended in a proof. 90 % and 99 % are shown from 10 and 100 proofs on: with \
             fewer they are the largest. Memory is the most that was seen; a proof's cost includes the failed attempts. Charts have 12 \
             lines or 24 bars at most, the tables below them all.</p>\n",
        );
    }
    html
}

fn figures(section: &Section, place: &mut usize) -> String {
    let mut html = format!("<h2>{}</h2>\n<div class=\"grid\">\n", section.title);
    for chart in &section.charts {
        let title = escape(&chart.title);
        let _ = writeln!(
            html,
            "<figure><figcaption><h3>{title}</h3><p>{}</p></figcaption>\
             <div class=\"chart\"><canvas id=\"chart-{place}\" role=\"img\" aria-label=\"{}: {title}. The table below has its \
             numbers.\"></canvas></div>\
             <details><summary>As a table</summary>{}</details></figure>",
            escape(chart.how),
            section.title,
            chart.table.to_html(&chart.title),
        );
        *place += 1;
    }
    html.push_str("</div>\n");
    if section.left_out > 0 {
        let _ = writeln!(
            html,
            "<p>{} more are left out here; the tables above have them.</p>",
            section.left_out
        );
    }
    html
}
