//! What a document's format promises: golden files, and a refusal for each fault.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "support/made_up.rs"]
mod made_up;

use std::{fs, path::Path};

use bench::document::*;
use proof_server::types::ProofMode::Core;
use serde_json::{Value, json};

/// A document with every field of every kind of sample, of proofs.
fn prove() -> Document {
    let mut document = made_up::prove(3, &[Core], 0, 1.0);
    let Run::Prove(run) = &mut document.run else { unreachable!() };
    run.samples.truncate(2);
    run.samples.iter_mut().for_each(|sample| sample.memory.truncate(2));
    run.samples[0].gpu = Some(GpuUse {
        peak_memory_bytes: Some(12_000_000_000),
        utilisation_percent: Some(made_up::quantity(87.5)),
        energy_joules: Some(made_up::quantity(1234.5)),
    });
    run.samples[1].outcome =
        ProveOutcome::Failed(Failure { code: "CRASHED".to_owned(), reason: "signal 6".to_owned() });
    document.hardware.gpus = vec![Gpu {
        name: "NVIDIA H100 80GB HBM3".to_owned(),
        memory_bytes: 81_559 << 20,
        driver: "570.86.15".to_owned(),
    }];
    document
}

/// The same of a replay.
fn replay() -> Document {
    let mut document = made_up::replay(6, 2.0, 3);
    let Run::Replay(run) = &mut document.run else { unreachable!() };
    run.samples[2].outcome = ReplayOutcome::Failed(Failure {
        code: "BUSY".to_owned(),
        reason: "the queue is full".to_owned(),
    });
    for server in &mut run.servers {
        server.resources.truncate(1);
    }
    document
}

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// With `UPDATE_GOLDEN=1` the files are made anew: only for a new version of the format.
#[test]
fn the_format_is_that_of_the_golden_documents() {
    let folder = tempfile::tempdir().unwrap();
    for (name, document) in [("prove.json", prove()), ("replay.json", replay())] {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            document.write(&golden(name)).unwrap();
        }
        assert_eq!(Document::read(&golden(name)).unwrap(), document, "{name}");
        document.write(&folder.path().join(name)).unwrap();
        let written = fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(written, fs::read_to_string(golden(name)).unwrap(), "{name}");
    }
}

/// What is said of the golden document of `name` with one value put in at a JSON pointer, or taken out.
fn refusal(name: &str, pointer: &str, value: Option<Value>) -> String {
    let mut json: Value = serde_json::from_slice(&fs::read(golden(name)).unwrap()).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = json.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Array(list), Some(value)) => list[key.parse::<usize>().unwrap()] = value,
        (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
        (Value::Object(map), None) => drop(map.remove(key).unwrap()),
        _ => panic!("{pointer}"),
    }
    let error = Document::parse(Path::new("a.json"), json.to_string().as_bytes()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("a.json: at `") && text.ends_with("; docs/bench.md has the format"),
        "{text}"
    );
    text
}

#[test]
fn every_fault_is_refused_with_its_place_and_what_to_do() {
    let long = "x".repeat(MAX_NAME_CHARS + 1);
    let sample = "/run/prove/samples/0";
    let at = |rest: &str| format!("{sample}{rest}");
    let proofs: Vec<(String, Option<Value>, &str, &str)> = vec![
        (
            "/schema".into(),
            Some(json!("proof-server-bench/2")),
            "`schema`",
            "use the `bench` that wrote",
        ),
        ("/schema".into(), None, "`.`", "missing field `schema`"),
        ("/sp1_version".into(), None, "`.`", "missing field `sp1_version`"),
        ("/surprise".into(), Some(json!(1)), "`surprise`", "unknown field `surprise`"),
        ("/hardware/surprise".into(), Some(json!(1)), "`hardware.surprise`", "unknown field"),
        (
            "/duration_seconds".into(),
            Some(json!(-1)),
            "`duration_seconds`",
            "finite and not negative",
        ),
        (
            "/duration_seconds".into(),
            Some(json!("1")),
            "`duration_seconds`",
            "invalid type: string",
        ),
        (
            "/price_dollars_per_hour".into(),
            Some(json!(-0.1)),
            "`price_dollars_per_hour`",
            "not negative",
        ),
        ("/note".into(), Some(json!("\u{1b}[2J")), "`note`", "control characters"),
        ("/note".into(), Some(json!("x".repeat(MAX_TEXT_CHARS + 1))), "`note`", "longer than 4000"),
        ("/git/revision".into(), Some(json!("main")), "`git.revision`", "give the full hash"),
        ("/hardware/cpu".into(), Some(json!("")), "`hardware.cpu`", "is empty"),
        (
            "/settings/engine".into(),
            Some(json!("\u{7}")),
            "`settings.engine`",
            "control characters",
        ),
        ("/programs/0/name".into(), Some(json!("inclusion")), "`programs[1]`", "names are unique"),
        (
            "/programs/0/elf_sha256".into(),
            Some(json!("cc")),
            "`programs[0].elf_sha256`",
            "64 hex digits",
        ),
        ("/programs/0/vkey".into(), Some(json!("0x")), "`programs[0].vkey`", "64 hex digits"),
        ("/fixtures/0/sha256".into(), Some(json!("zz")), "`fixtures[0].sha256`", "64 hex digits"),
        ("/fixtures/0/name".into(), Some(json!(long)), "`fixtures[0]`", "longer than 200"),
        (at("/program"), Some(json!("other")), "`run.prove.samples[0].program", "list it there"),
        (
            at("/recording"),
            Some(json!("other")),
            "`run.prove.samples[0].recording",
            "list it there",
        ),
        (at("/mode"), Some(json!("snork")), "`run.prove.samples[0].mode`", "it is core (or stark)"),
        (at("/index"), Some(json!(-1)), "`run.prove.samples[0].index`", "invalid value"),
        (
            at("/total_seconds"),
            Some(json!(1)),
            "`run.prove.samples[0].phases",
            "more than the total",
        ),
        (
            at("/phases/0/seconds"),
            Some(json!(-1)),
            "`run.prove.samples[0].phases[0].seconds`",
            "not negative",
        ),
        (
            at("/memory/0/seconds"),
            Some(json!(99)),
            "`run.prove.samples[0].memory",
            "in order of `seconds`",
        ),
        (
            at("/gpu/utilisation_percent"),
            Some(json!(101)),
            "`run.prove.samples[0].gpu.",
            "100 percent at most",
        ),
        (
            at("/outcome"),
            Some(json!({"lost": {}})),
            "`run.prove.samples[0].outcome",
            "unknown variant `lost`",
        ),
        (
            "/run/prove/samples/1/outcome/failed/code".into(),
            Some(json!("")),
            "`run.prove.samples[1].",
            "is empty",
        ),
    ];
    for (pointer, value, place, said) in proofs {
        let text = refusal("prove.json", &pointer, value);
        assert!(text.contains(place) && text.contains(said), "{pointer}: {text}");
    }
    let requests = [
        (
            "/run/replay/samples/0/server",
            json!("other"),
            "`run.replay.samples[0].server",
            "list it there",
        ),
        (
            "/run/replay/samples/0/queue_us",
            json!(1.5),
            "`run.replay.samples[0].queue_us`",
            "invalid type",
        ),
        ("/run/replay/load/open/requests_per_second", json!(0), "`run.replay.load.open", "is 0"),
        (
            "/run/replay/load",
            json!({"closed": {"clients": 0}}),
            "`run.replay.load.closed.clients",
            "is 0",
        ),
        (
            "/run/replay/servers/0/address",
            json!("10.0.0.3:7600"),
            "`run.replay.servers[1]",
            "names are unique",
        ),
    ];
    for (pointer, value, place, said) in requests {
        let text = refusal("replay.json", pointer, Some(value));
        assert!(text.contains(place) && text.contains(said), "{pointer}: {text}");
    }
}

#[test]
fn a_document_that_could_not_be_read_back_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    fs::write(&path, "before").unwrap();
    let mut document = prove();
    document.sp1_version.clear();
    let error = document.write(&path).unwrap_err();
    assert!(error.to_string().contains("at `sp1_version`: is empty"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

    let error = prove().write(&folder.path().join("no-folder/run.json")).unwrap_err();
    assert!(error.to_string().contains("no-folder/run.json: name a file in a folder"), "{error}");
}

#[test]
fn what_is_no_document_is_refused_and_an_endless_file_is_not_read_to_its_end() {
    let parse =
        |text: &str| Document::parse(Path::new("a.json"), text.as_bytes()).unwrap_err().to_string();
    assert!(parse("").contains("EOF while parsing"), "{}", parse(""));
    assert!(
        parse("[]").contains("invalid type") || parse("[]").contains("invalid length"),
        "{}",
        parse("[]")
    );
    assert!(parse(&"[".repeat(100_000)).contains("at `"), "deep nesting is no overflow");
    let twice = fs::read_to_string(golden("prove.json")).unwrap().repeat(2);
    assert!(parse(&twice).contains("at `the end`: trailing characters"), "{}", parse(&twice));
    let infinite = fs::read_to_string(golden("prove.json")).unwrap();
    let infinite =
        infinite.replacen("\"duration_seconds\": ", "\"duration_seconds\": 1e999, \"was\": ", 1);
    assert!(parse(&infinite).contains("number out of range"), "{}", parse(&infinite));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.json");
    // A hole: it takes no room on the disk.
    fs::File::create(&path).unwrap().set_len(MAX_DOCUMENT_BYTES + 1).unwrap();
    let error = Document::read(&path).unwrap_err();
    assert!(error.to_string().contains("has more than 268435456 bytes"), "{error}");
    let error = Document::read(&folder.path().join("absent.json")).unwrap_err();
    assert!(error.to_string().contains("absent.json: is it the document"), "{error}");
}
