//! What pages and tables of reports promise, on made-up documents.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "support/made_up.rs"]
mod made_up;

use bench::{
    document::{Document, ProveRun, Run},
    report::{page, text},
};
use proof_server::types::ProofMode::{Compressed, Core, Groth16};

fn runs(documents: impl IntoIterator<Item = Document>) -> Vec<(String, Document)> {
    let name = |(index, document)| (format!("run-{index}.json"), document);
    documents.into_iter().enumerate().map(name).collect()
}

fn empty() -> Document {
    made_up::document(5, Run::Prove(ProveRun::default()))
}

/// A page of each kind.
fn pages() -> Vec<String> {
    let all = [
        runs([made_up::prove(2, &[Core, Compressed, Groth16], 12, 1.0)]),
        runs([made_up::with_errors()]),
        runs([empty()]),
        runs([made_up::replay(6, 2.0, 100), made_up::replay(7, 3.6, 100), empty()]),
        runs([made_up::hostile()]),
        runs([]),
    ];
    all.iter().map(|runs| page(runs)).collect()
}

/// The page without the library, which is not ours and has a comment with its address.
fn without_library(page: &str) -> String {
    let library = include_str!("../report/chart.umd.min.js");
    let library = library.split("//# sourceMappingURL").next().unwrap();
    assert!(page.contains(library), "the page has its library");
    page.replace(library, "")
}

#[test]
fn a_page_refers_to_nothing_outside_itself() {
    for page in pages() {
        assert!(!page.contains("sourceMappingURL"));
        let page = without_library(&page).to_lowercase();
        for reference in [
            "http:", "https:", "//cdn", "<link", "@import", "import(", "url(", "fetch(", "xmlhttp",
            "<base", "<iframe",
        ] {
            assert!(!page.contains(reference), "{reference}");
        }
        // In tags of the page; in text of a hostile document these are escaped.
        for attribute in [" src=", " href=", " srcset="] {
            let tags = page.split('<').filter_map(|part| part.split_once('>'));
            // Between the quotes of another attribute it is text.
            let bare = |(tag, _): (&str, _)| tag.split('"').step_by(2).collect::<String>();
            assert!(!tags.map(bare).any(|tag| tag.contains(attribute)), "{attribute}");
        }
    }
}

#[test]
fn a_page_lets_only_its_own_scripts_and_style_run() {
    for page in pages() {
        let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap();
        let policy = policy.split('"').next().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; base-uri 'none'; form-action 'none'; "),
            "{policy}"
        );
        assert_eq!(policy.matches("'sha256-").count(), 3, "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        // Two that run, and the data.
        assert_eq!(page.matches("<script").count(), 3);
        assert_eq!(page.matches("</script").count(), 3);
        assert_eq!(page.matches("<style").count(), 1);
        assert!(!page.contains(" style=\""), "the policy would refuse it");
    }
}

#[test]
fn names_in_a_document_are_text_wherever_they_stand() {
    let page = page(&runs([made_up::hostile()]));
    assert!(!page.contains("<img"));
    assert!(!page.contains("</script><script>document.title"));
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;document.title=&#39;owned&#39;"));
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert!(
        data[0]["title"].as_str().unwrap().starts_with("</script><script>"),
        "the chart has the name"
    );
}

#[test]
fn every_chart_has_a_title_a_label_and_a_table() {
    for page in pages() {
        let figures: Vec<&str> = page.split("<figure>").skip(1).collect();
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(figures.len(), data.as_array().unwrap().len());
        for figure in figures {
            let figure = figure.split("</figure>").next().unwrap();
            for part in [
                "<figcaption><h3>",
                "role=\"img\" aria-label=\"",
                "<details><summary>As a table</summary>",
                "<td",
            ] {
                assert!(figure.contains(part), "{part}");
            }
        }
    }
}

#[test]
fn a_run_of_several_modes_has_all_charts_of_one_run() {
    let page = page(&runs([made_up::prove(2, &[Core, Groth16], 12, 1.0)]));
    for section in ["Results", "Work", "Latency distribution", "Phases", "Memory over time"] {
        assert!(page.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
    for absent in ["Failures", "Servers", "History", "Throughput against load"] {
        assert!(!page.contains(&format!("<h2>{absent}</h2>")), "{absent}");
    }
}

#[test]
fn several_runs_have_a_history_and_replays_a_throughput_against_load() {
    let history =
        page(&runs([made_up::prove(0, &[Core], 7, 1.5), made_up::prove(1, &[Core], 7, 1.0)]));
    assert!(history.contains("<h2>History</h2>"));
    assert!(history.contains("Median over runs, core, alone"));
    let loads = page(&runs([made_up::replay(6, 1.0, 100), made_up::replay(6, 2.0, 100)]));
    assert!(loads.contains("<h2>Throughput against load</h2>"));
    assert!(loads.contains("Proofs a second, by requests a second"));
    // Under different loads times are no history of the program.
    assert!(!loads.contains("<h2>History</h2>"));
}

#[test]
fn failures_are_rows_with_their_reason() {
    let runs = runs([made_up::with_errors()]);
    let text = text(&runs);
    assert!(text.contains("Failures\n"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("OUT_OF_MEMORY")).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows[0].contains("3 of 3") && rows[0].contains("killed at 23.4 GB"), "{}", rows[0]);
    // A mode without one proof is a row as well.
    assert!(
        text.lines().any(|line| line.contains("plonk") && line.contains("  3       3  ")),
        "{text}"
    );
    let page = page(&runs);
    assert!(page.contains(">OUT_OF_MEMORY</td>") && page.contains("index out of bounds"));
}

#[test]
fn an_empty_run_says_so() {
    let runs = runs([empty()]);
    assert!(text(&runs).contains("no samples: nothing was measured"));
    assert!(page(&runs).contains("No samples: nothing was measured."));
    let one_of_two =
        [runs[0].clone(), ("full.json".to_owned(), made_up::prove(1, &[Core], 2, 1.0))];
    assert!(page(&one_of_two).contains("has no samples."));
}

#[test]
fn a_replay_tells_what_clients_waited_and_how_many_proofs_were_checked() {
    let text = text(&runs([made_up::replay(6, 2.0, 200)]));
    assert!(text.contains("p99") && text.contains("20 of 100"), "{text}");
    assert!(
        text.contains("Servers\n") && text.contains("10.0.0.2:7600       100       0"),
        "{text}"
    );
}

#[test]
fn the_cost_of_a_proof_is_all_that_was_paid_over_the_proofs_that_came() {
    // 2 of 5 attempts fail; each takes its time and is paid for.
    let mut document = made_up::prove(0, &[Core], 2, 1.0);
    let Run::Prove(run) = &mut document.run else { unreachable!() };
    run.samples.retain(|sample| sample.program == "inclusion" && !sample.cold);
    for sample in &mut run.samples {
        sample.total_seconds = made_up::quantity(100.0);
    }
    document.price_dollars_per_hour = Some(made_up::quantity(36.0));
    let cost = |document: &Document| {
        let text = text(&runs([document.clone()]));
        let row = text.lines().find(|line| line.starts_with("inclusion")).unwrap();
        row.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(cost(&document), "$1.00");
    let Run::Prove(run) = &mut document.run else { unreachable!() };
    run.samples[0].outcome = bench::document::ProveOutcome::Failed(bench::document::Failure {
        code: "CRASHED".to_owned(),
        reason: String::new(),
    });
    assert_eq!(cost(&document), "$2.00");
}

#[test]
fn a_page_is_the_same_every_time() {
    let runs = runs([made_up::prove(2, &[Core], 3, 1.0)]);
    assert_eq!(page(&runs), page(&runs));
}

#[test]
fn what_does_not_fit_into_a_chart_is_in_its_table() {
    let many = (0..20).map(|commit| made_up::prove(commit, &[Core], 1, 1.0));
    let page = page(&runs(many));
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    for chart in data.as_array().unwrap() {
        assert!(chart["series"].as_array().unwrap().len() <= 12);
        if chart["kind"] == "stack" {
            assert_eq!(chart["categories"].as_array().unwrap().len(), 24);
        }
    }
    let phases =
        page.split("<h3>Where the time goes").nth(1).unwrap().split("</figure>").next().unwrap();
    // 20 runs, 2 programs, cold and warm, each with core.
    assert_eq!(phases.matches(">core</td>").count(), 80);
    assert!(page.contains("12 lines or 24 bars at most"));
}
