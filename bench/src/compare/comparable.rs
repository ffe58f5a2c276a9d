//! Whether two runs measured the same thing in the same place.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Document, Hardware, Load, Run};

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Differences {
    /// Makes a comparison meaningless unless somebody says that it is meant.
    pub(super) refused: Vec<String>,
    /// To know when reading one: perhaps the very change that is measured.
    pub(super) noted: Vec<String>,
}

/// How much memory may differ: kernels keep some for themselves.
const MEMORY_SLACK: f64 = 0.02;

/// Pure.
pub(super) fn differences(a: &Document, b: &Document) -> Differences {
    let mut found = Differences::default();
    machine("machine", &a.hardware, &b.hardware, &mut found);
    let programs = |run: &Document| -> BTreeMap<String, String> {
        let text = |program: &crate::document::Program| format!("ELF {}", program.elf_sha256);
        run.programs.iter().map(|program| (program.name.clone(), text(program))).collect()
    };
    let fixtures = |run: &Document| -> BTreeMap<String, String> {
        run.fixtures
            .iter()
            .map(|fixture| (fixture.name.clone(), fixture.sha256.to_string()))
            .collect()
    };
    by_name("program", &programs(a), &programs(b), &mut found.refused);
    by_name("recording", &fixtures(a), &fixtures(b), &mut found.refused);
    if let (Run::Replay(a), Run::Replay(b)) = (&a.run, &b.run) {
        if a.load != b.load {
            found.refused.push(format!("load: A {}, B {}", load(a.load), load(b.load)));
        }
        let count = |run: &crate::document::ReplayRun| run.servers.len();
        if count(a) != count(b) {
            found.refused.push(format!("servers: A {}, B {}", count(a), count(b)));
        }
        for (a, b) in a.servers.iter().zip(&b.servers) {
            if let (Some(of_a), Some(of_b)) = (&a.hardware, &b.hardware) {
                machine(&format!("server {} and {}", a.address, b.address), of_a, of_b, &mut found);
            }
        }
    }
    let mut note = |what: &str, a: &str, b: &str| {
        if a != b {
            found.noted.push(format!("{what}: A {a}, B {b}"));
        }
    };
    note("SP1", &a.sp1_version, &b.sp1_version);
    note("bench", &a.tool_version, &b.tool_version);
    let revision = |run: &Document| run.git.as_ref().map_or("none".to_owned(), |git| git.short());
    note("revision", &revision(a), &revision(b));
    let keys: BTreeSet<&String> = a.settings.keys().chain(b.settings.keys()).collect();
    for key in keys {
        let value = |run: &Document| run.settings.get(key).map_or("none".to_owned(), Clone::clone);
        note(&format!("setting {key}"), &value(a), &value(b));
    }
    found
}

fn machine(what: &str, a: &Hardware, b: &Hardware, found: &mut Differences) {
    let gpus = |machine: &Hardware| {
        let names: Vec<&str> = machine.gpus.iter().map(|gpu| gpu.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(" and ") }
    };
    let drivers = |machine: &Hardware| {
        machine.gpus.iter().map(|gpu| gpu.driver.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut refuse = |part: &str, a: String, b: String| {
        if a != b {
            found.refused.push(format!("{what}, {part}: A {a}, B {b}"));
        }
    };
    refuse("CPU", a.cpu.clone(), b.cpu.clone());
    refuse("cores", a.logical_cores.to_string(), b.logical_cores.to_string());
    let (less, more) = (a.memory_bytes.min(b.memory_bytes), a.memory_bytes.max(b.memory_bytes));
    if (more - less) as f64 > more as f64 * MEMORY_SLACK {
        refuse("bytes of memory", a.memory_bytes.to_string(), b.memory_bytes.to_string());
    }
    refuse("GPUs", gpus(a), gpus(b));
    for (part, a, b) in
        [("kernel", a.kernel.clone(), b.kernel.clone()), ("GPU driver", drivers(a), drivers(b))]
    {
        if a != b {
            found.noted.push(format!("{what}, {part}: A {a}, B {b}"));
        }
    }
}

/// Names that both sides have must mean the same. What only one has shows as a group that only one has.
fn by_name(
    what: &str,
    a: &BTreeMap<String, String>,
    b: &BTreeMap<String, String>,
    refused: &mut Vec<String>,
) {
    for (name, of_a) in a {
        if let Some(of_b) = b.get(name).filter(|of_b| *of_b != of_a) {
            refused.push(format!("{what} {name}: A {of_a}, B {of_b}"));
        }
    }
}

fn load(load: Load) -> String {
    match load {
        Load::Open { requests_per_second } => format!("{requests_per_second} requests a second"),
        Load::Closed { clients } => format!("{clients} clients"),
    }
}
