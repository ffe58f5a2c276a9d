//! `docs/metrics.md` shows the table.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use super::{
    label::Label,
    table::{Kind, Spec, TABLE, all},
};

const FILE: &str = "docs/metrics.md";
const REMAKE: &str = "PROOF_SERVER_BLESS=1 cargo test -p proof-server --no-default-features --features server --lib metrics::docs";

fn line(spec: &Spec) -> String {
    let labels: Vec<String> =
        spec.labels.iter().map(|label| format!("`{}`", label.name())).collect();
    let (kind, unit) = (spec.kind.name(), spec.unit().unwrap_or_default());
    format!("| `{}` | {kind} | {} | {unit} | {} |\n", spec.name, labels.join(", "), spec.help)
}

fn metrics_part() -> String {
    let mut text = String::new();
    for (part, specs) in TABLE {
        let _ = write!(
            text,
            "## {part}\n\n| name | type | labels | unit | meaning |\n|---|---|---|---|---|\n"
        );
        specs.iter().for_each(|spec| text.push_str(&line(spec)));
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// The values of each label, with the metrics that it is on where its name has several meanings.
fn labels_part() -> String {
    let mut users: BTreeMap<&str, Vec<(Label, &str)>> = BTreeMap::new();
    for spec in all() {
        for &label in spec.labels {
            let of = users.entry(label.name()).or_default();
            if !of.iter().any(|&(known, _)| known == label) {
                of.push((label, spec.name));
            }
        }
    }
    let mut text = "| label | values |\n|---|---|\n".to_owned();
    for (name, meanings) in users {
        for &(label, metric) in &meanings {
            let on = if meanings.len() > 1 { format!(" of `{metric}`") } else { String::new() };
            let _ = writeln!(text, "| `{name}`{on} | {} |", values(label));
        }
    }
    text
}

fn values(label: Label) -> String {
    let Some(values) = label.values() else {
        return match label {
            Label::Gpu => "the GPU's number, as `nvidia-smi` counts",
            Label::Worker => "`0` up to the configured number of workers, less one",
            Label::Version => "the release of the server",
            Label::Sp1Version => "the release of SP1",
            Label::Engine => "`mock`, `cpu`, `cuda`, `cluster`",
            Label::Role => "the role that is configured",
            Label::Vkey => "the program's verifying key, as clients pin it",
            Label::ElfSha256 => "SHA-256 of the program's ELF",
            other => panic!("{other:?} has neither values nor a text"),
        }
        .to_owned();
    };
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

fn buckets_part() -> String {
    let mut text = "| histogram | bounds |\n|---|---|\n".to_owned();
    for spec in all() {
        let Kind::Histogram(bounds) = spec.kind else { continue };
        let bounds: Vec<String> = bounds.iter().map(|bound| bound_text(spec, *bound)).collect();
        let _ = writeln!(text, "| `{}` | {} |", spec.name, bounds.join(", "));
    }
    text
}

fn bound_text(spec: &Spec, bound: f64) -> String {
    if spec.unit() == Some("bytes") {
        return format!("{} GiB", bound / f64::from(1 << 30));
    }
    format!("{bound}")
}

/// `document` with the text between the marks of `part` replaced.
fn with_part(document: &str, part: &str, text: &str) -> String {
    let begin = format!("<!-- {part}: made by proof-server/src/metrics/docs.rs -->\n");
    let end = format!("<!-- end of {part} -->");
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("no mark {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no mark {end}"));
    format!("{before}{begin}\n{text}\n{end}{after}")
}

fn remade(document: &str) -> String {
    let document = with_part(document, "metrics", &metrics_part());
    let document = with_part(&document, "labels", &labels_part());
    with_part(&document, "buckets", &buckets_part())
}

#[test]
fn the_documentation_shows_the_table_of_the_code() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    let kept = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    let made = remade(&kept);
    if std::env::var_os("PROOF_SERVER_BLESS").is_some_and(|value| !value.is_empty()) {
        fs::write(&path, made).unwrap();
    } else {
        assert_eq!(made, kept, "{FILE} differs from the table, remake it: {REMAKE}");
    }
}

#[test]
fn a_line_that_was_changed_by_hand_is_found() {
    let part = |name| {
        format!(
            "<!-- {name}: made by proof-server/src/metrics/docs.rs -->\n<!-- end of {name} -->\n"
        )
    };
    let made = remade(&["metrics", "labels", "buckets"].map(part).concat());
    assert_eq!(remade(&made), made);
    let edited = made.replace("`proof_server_ready` | gauge", "`proof_server_ready` | counter");
    assert_ne!(edited, made);
    assert_eq!(remade(&edited), made);
}
