use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use prometheus::proto::MetricFamily;

use super::{
    label::Value,
    table::{Kind, Spec, all},
    testing::{metrics, observe_everything, value},
    *,
};
use crate::types::{Code, ProgramId, ProofMode};

const SUBJECT: Subject = Subject::prove(ProgramId::CommitteeChange, ProofMode::Core);
const LABELS: &str = "mode=\"core\",program=\"committee-change\",task=\"prove\"}";

fn families(metrics: &Metrics) -> BTreeMap<String, MetricFamily> {
    metrics.render(true);
    metrics.registry.gather().into_iter().map(|family| (family.name().to_owned(), family)).collect()
}

fn outcome(text: &str, code: &str) -> f64 {
    value(text, &format!("proof_server_request_outcomes_total{{code=\"{code}\",{LABELS}"))
}

/// Of all subjects together: what came, what ended, what is open.
fn balance(families: &[MetricFamily]) -> (f64, f64, f64) {
    let sum = |name: &str| -> f64 {
        let family = families.iter().find(|family| family.name() == name).unwrap();
        let values = family.get_metric().iter();
        values.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value()).sum()
    };
    (
        sum("proof_server_requests_total"),
        sum("proof_server_request_outcomes_total"),
        sum("proof_server_requests_in_flight"),
    )
}

#[test]
fn what_is_registered_is_what_the_table_has() {
    let metrics = metrics();
    observe_everything(&metrics);
    let families = families(&metrics);
    let registered: BTreeSet<&str> = families.keys().map(String::as_str).collect();
    let table: BTreeSet<&str> = all().map(|spec| spec.name).collect();
    assert_eq!(registered, table);
    assert_eq!(table.len(), all().count(), "each once");
    for spec in all() {
        let family = &families[spec.name];
        assert_eq!(family.help(), spec.help);
        assert_eq!(format!("{:?}", family.get_field_type()).to_lowercase(), spec.kind.name());
        assert!(spec.help.ends_with('.'), "{}: a sentence", spec.name);
    }
}

#[test]
fn a_histogram_has_rising_bounds_from_its_table() {
    let metrics = metrics();
    observe_everything(&metrics);
    let families = families(&metrics);
    for spec in all() {
        let Kind::Histogram(bounds) = spec.kind else { continue };
        assert!(bounds.is_sorted_by(|a, b| a < b), "{}", spec.name);
        let found: Vec<f64> = families[spec.name].get_metric()[0]
            .get_histogram()
            .get_bucket()
            .iter()
            .map(|bucket| bucket.upper_bound())
            .collect();
        assert_eq!(found, bounds, "{}", spec.name);
    }
}

#[test]
fn label_values_are_those_of_the_code_and_no_others() {
    let metrics = metrics();
    observe_everything(&metrics);
    for (name, family) in families(&metrics) {
        let spec = all().find(|spec| spec.name == name).unwrap();
        for metric in family.get_metric() {
            let labels = metric.get_label();
            assert_eq!(labels.len(), spec.labels.len(), "{name}");
            for pair in labels {
                let label = spec.labels.iter().find(|label| label.name() == pair.name()).unwrap();
                if let Some(values) = label.values() {
                    assert!(values.contains(&pair.value()), "{name}: {}", pair.value());
                }
            }
        }
    }
}

#[test]
fn whatever_happens_makes_no_series_that_was_not_there_from_the_start() {
    // These are absent until there is something to say.
    const LATE: [&str; 5] = [
        "proof_server_secondary_up",
        "proof_server_tls_certificate_expiry_timestamp_seconds",
        "proof_server_worker_memory_limit_bytes{task=\"prove\",worker=\"0\"}",
        "proof_server_worker_memory_limit_bytes{task=\"prove\",worker=\"1\"}",
        "proof_server_worker_memory_limit_bytes{task=\"verify\",worker=\"0\"}",
    ];
    let series = |metrics: &Metrics| -> BTreeSet<String> {
        let text = metrics.render(true);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    let metrics = metrics();
    let before = series(&metrics);
    observe_everything(&metrics);
    let after = series(&metrics);
    let new = after.difference(&before).map(String::as_str);
    // Those of a GPU come with it, when the server starts.
    let new: Vec<_> = new.filter(|series| !series.starts_with("proof_server_gpu_")).collect();
    assert_eq!(new, LATE);
}

#[test]
fn a_code_of_a_later_release_makes_no_series_of_its_own() {
    let metrics = metrics();
    metrics.requests.begin(SUBJECT).end(Outcome::Failed(Code::Unknown(77)));
    let text = metrics.render(true);
    assert_eq!(outcome(&text, "UNKNOWN"), 1.0);
    assert!(!text.contains("UNKNOWN("));
}

#[test]
fn every_code_of_the_protocol_is_an_outcome() {
    for code in Code::ALL {
        assert!(Outcome::ALL.contains(&Outcome::Failed(code)), "{code}");
    }
    assert_eq!(Outcome::ALL.len(), Code::ALL.len() + 2, "OK and UNKNOWN");
}

#[test]
fn a_request_ends_once_and_with_the_outcome_it_was_given() {
    let metrics = metrics();
    let guard = metrics.requests.begin(SUBJECT);
    let text = metrics.render(true);
    assert_eq!(value(&text, &format!("proof_server_requests_in_flight{{{LABELS}")), 1.0);
    assert_eq!(value(&text, &format!("proof_server_requests_total{{{LABELS}")), 1.0);
    guard.end(Outcome::Ok);
    let text = metrics.render(true);
    assert_eq!(value(&text, &format!("proof_server_requests_in_flight{{{LABELS}")), 0.0);
    assert_eq!((outcome(&text, "OK"), outcome(&text, "CANCELLED")), (1.0, 0.0));
    assert_eq!(value(&text, &format!("proof_server_request_seconds_count{{{LABELS}")), 1.0);
}

#[test]
fn a_request_that_nobody_ended_is_cancelled_and_has_no_duration() {
    let metrics = metrics();
    drop(metrics.requests.begin(SUBJECT));
    let text = metrics.render(true);
    assert_eq!((outcome(&text, "OK"), outcome(&text, "CANCELLED")), (0.0, 1.0));
    assert_eq!(value(&text, &format!("proof_server_request_seconds_count{{{LABELS}")), 0.0);
}

#[test]
fn a_request_whose_task_panics_ends_as_a_fault_of_the_server() {
    let metrics = metrics();
    let guard = metrics.requests.begin(SUBJECT);
    catch_unwind(AssertUnwindSafe(move || {
        let _guard = guard;
        panic!("on purpose");
    }))
    .unwrap_err();
    let text = metrics.render(true);
    assert_eq!((outcome(&text, "INTERNAL"), outcome(&text, "CANCELLED")), (1.0, 0.0));
    assert_eq!(value(&text, &format!("proof_server_requests_in_flight{{{LABELS}")), 0.0);
}

#[test]
fn what_is_open_is_what_came_minus_what_ended_at_every_scrape() {
    // Some hundred: without the lock on the books the first few see half of a change already.
    const SCRAPES: usize = 300;
    let metrics = metrics();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let ended = metrics.requests.begin(SUBJECT);
                    let dropped = metrics.requests.begin(Subject { work: Work::Verify, ..SUBJECT });
                    ended.end(Outcome::Ok);
                    drop(dropped);
                }
            });
        }
        let wrong = (0..SCRAPES)
            .map(|_| balance(&metrics.registry.gather()))
            .find(|(came, ended, open)| came - ended != *open || *open > 6.0);
        done.store(true, Ordering::Relaxed);
        assert_eq!(wrong, None);
    });
    let (came, ended, open) = balance(&metrics.registry.gather());
    assert!(came > 0.0);
    assert_eq!((came - ended, open), (0.0, 0.0));
}

#[test]
fn a_request_that_is_never_ended_stays_open() {
    let metrics = metrics();
    std::mem::forget(metrics.requests.begin(SUBJECT));
    assert_eq!(balance(&metrics.registry.gather()), (1.0, 0.0, 1.0));
}

#[test]
fn names_say_their_kind_and_unit() {
    for spec in all() {
        let Spec { name, kind, .. } = *spec;
        assert!(name.starts_with("proof_server_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        if matches!(kind, Kind::Histogram(_)) {
            assert!(spec.unit().is_some(), "{name}");
        }
    }
    let units =
        ["proof_server_worker_busy_seconds_total", "proof_server_kept_bytes", "proof_server_ready"]
            .map(|name| all().find(|spec| spec.name == name).unwrap().unit());
    assert_eq!(units, [Some("seconds"), Some("bytes"), None]);
}

#[test]
fn what_the_server_is_can_be_read_from_its_series() {
    let text = metrics().render(true);
    assert_eq!(
        value(
            &text,
            "proof_server_build_info{engine=\"mock\",role=\"standalone\",sp1_version=\"none (MOCK)\",version=\"0.1.0\"}"
        ),
        1.0
    );
    let engine = crate::engine::mock::MockEngine::info();
    let info = engine.program(ProgramId::Inclusion).unwrap();
    let series = format!(
        "proof_server_program_info{{elf_sha256=\"{}\",program=\"inclusion\",vkey=\"{}\"}}",
        info.elf_sha256, info.vkey
    );
    assert_eq!(value(&text, &series), 1.0);
}

#[test]
fn only_the_modes_that_are_made_here_have_empty_histograms() {
    let engine = crate::types::EngineInfo {
        modes: vec![crate::types::ModeInfo::offered(ProofMode::Core, None)],
        ..crate::engine::mock::MockEngine::info()
    };
    let build = BuildLabels { version: "0.1.0", engine: &engine, role: "standalone", workers: 1 };
    let text = Metrics::new(&build).render(true);
    assert!(text.contains("proof_server_check_seconds_count{mode=\"core\""));
    assert!(!text.contains("proof_server_check_seconds_count{mode=\"plonk\""));
    // Requests for the others are refused, which counts.
    assert!(text.contains("proof_server_requests_total{mode=\"plonk\""));
}

/// What `promtool check metrics` says of a text; `None` where there is no promtool.
fn promtool(text: &str) -> Option<Result<(), String>> {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // Some versions warn and exit with 0.
    Some(if output.status.success() && said.is_empty() { Ok(()) } else { Err(said) })
}

#[test]
fn promtool_takes_everything_that_is_exported_and_sees_what_is_wrong() {
    let metrics = metrics();
    observe_everything(&metrics);
    let text = metrics.render(true);
    let Some(verdict) = promtool(&text) else {
        eprintln!("SKIPPED: no promtool on PATH (Debian: apt-get install prometheus)");
        return;
    };
    assert_eq!(verdict, Ok(()));
    let wrong =
        text.replace("# TYPE proof_server_ready gauge", "# TYPE proof_server_ready counter");
    let said = promtool(&wrong).unwrap().unwrap_err();
    assert!(said.contains("proof_server_ready"), "{said}");
}
