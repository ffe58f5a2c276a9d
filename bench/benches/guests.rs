//! What the programs cost on every recording at hand: cycles, gas and system calls are SP1's and the same on every
//! machine, so they are compared exactly. `--save-baseline NAME` and `--baseline NAME` are criterion's; a word chooses
//! recordings. With the programs' symbols (`BENCH_SYMBOLS`, a folder that `make profile` fills) also what each function took.
#![allow(clippy::unwrap_used, reason = "a failure shows by panicking")]

#[path = "../../proof-server/tests/inputs/mod.rs"]
mod inputs;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{self, ExitCode},
    time::Instant,
};

use bench::recording::Recording;
use lc_core::{
    ProgramId,
    host::{Checked, ProgramInput},
};
use lc_emulator::{Memory, Program};
use proof_server::{execute::execute, guest_input::guest_input};
use serde::{Deserialize, Serialize};
use simulator::RecordOptions;

/// What one run of a program took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    cycles: u64,
    gas: u64,
    system_calls: BTreeMap<String, u64>,
}

type Costs = BTreeMap<String, Cost>;

#[derive(Debug, Default)]
struct Args {
    save: Option<String>,
    compare: Option<String>,
    words: Vec<String>,
}

fn args() -> Args {
    let (mut args, mut rest) = (Args::default(), env::args().skip(1));
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--save-baseline" => args.save = rest.next(),
            "--baseline" => args.compare = rest.next(),
            // Cargo's own, and criterion's that mean nothing here.
            flag if flag.starts_with('-') => {}
            word => args.words.push(word.to_owned()),
        }
    }
    args
}

/// The recordings beside the repository, and those in it: of other tries only what depends on them.
fn all() -> Vec<(String, ProgramInput)> {
    let shipped = RecordOptions::SHIPPED.into_iter().flat_map(|(folder, _)| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings").join(folder);
        let requests = Recording::load(&path).unwrap().requests.into_iter();
        let wanted = move |program| folder == "simulated" || program == ProgramId::Inclusion;
        requests
            .filter(move |request| wanted(request.program()))
            .map(move |request| (format!("{folder} {}", request.name), request.input))
    });
    let beside = inputs::recorded().into_iter().map(|(name, input)| (name.to_owned(), input));
    beside.chain(shipped).collect()
}

fn main() -> ExitCode {
    let args = args();
    let wanted = |name: &str| {
        args.words.is_empty() || args.words.iter().any(|word| name.contains(word.as_str()))
    };
    let before = read(args.compare.as_deref().or(args.save.is_none().then_some("base")));
    let mut costs = Costs::new();
    println!(
        "{:<60} {:>10} {:>11} {:>7}  system calls",
        "program, recording", "cycles", "gas", "s"
    );
    for (name, input) in all().into_iter().filter(|(name, _)| wanted(name)) {
        let checked = input.check().unwrap();
        let begun = Instant::now();
        let run = execute(checked.program, &checked.witness).unwrap();
        let seconds = begun.elapsed().as_secs_f64();
        assert_eq!(run.public_values, checked.public_values, "{name}");
        let name = format!("{}, {name}", checked.program);
        let cost = Cost { cycles: run.cycles, gas: run.gas, system_calls: run.syscalls };
        println!(
            "{name:<60} {:>10} {:>11} {seconds:>7.2}  {}",
            cost.cycles,
            cost.gas,
            calls(&cost.system_calls)
        );
        if let Some(change) = before.get(&name).and_then(|before| change(before, &cost)) {
            println!("    {change}");
        }
        if let Some(folder) = env::var_os("BENCH_SYMBOLS") {
            println!("{}", by_function(Path::new(&folder), &checked));
        }
        costs.insert(name, cost);
    }
    // Criterion keeps every run as `base`, and one under each other name that it is told.
    for name in [Some("base"), args.save.as_deref()]
        .into_iter()
        .flatten()
        .filter(|_| args.compare.is_none())
    {
        write(name, &costs);
    }
    ExitCode::SUCCESS
}

/// Cycles and system calls of each function, on the emulator.
fn by_function(folder: &Path, checked: &Checked) -> String {
    /// Far above what any recording takes.
    const LIMIT: u64 = 1 << 32;
    let path = folder.join(format!("{}.elf", checked.program));
    let elf = fs::read(&path).unwrap_or_else(|error| {
        eprintln!("guests: {}: {error}: `make profile` builds it", path.display());
        process::exit(1)
    });
    let input = guest_input(checked.program, &checked.witness);
    let program = Program::from_elf(&elf).unwrap();
    let run = program.run(&input, Memory::Random { seed: 1 }, LIMIT).unwrap();
    assert_eq!(run.public_values, checked.public_values);
    run.profile.to_string()
}

fn calls(calls: &BTreeMap<String, u64>) -> String {
    let called: Vec<String> = calls.iter().map(|(name, count)| format!("{name} {count}")).collect();
    called.join(", ")
}

/// In words; `None` where nothing changed.
fn change(before: &Cost, now: &Cost) -> Option<String> {
    let percent = |before: u64, now: u64| (now as f64 / before as f64 - 1.0) * 100.0;
    (before != now).then(|| {
        format!(
            "it was {} cycles ({:+.2} %), {} gas ({:+.2} %), {}",
            before.cycles,
            percent(before.cycles, now.cycles),
            before.gas,
            percent(before.gas, now.gas),
            calls(&before.system_calls)
        )
    })
}

/// Where criterion keeps its own.
fn path(name: &str) -> PathBuf {
    let target = env::current_exe().unwrap();
    target.ancestors().nth(3).unwrap().join("criterion/guests").join(format!("{name}.json"))
}

fn read(name: Option<&str>) -> Costs {
    let Some(name) = name else { return Costs::new() };
    let text = fs::read_to_string(path(name)).unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str(&text).unwrap_or_default()
}

fn write(name: &str, costs: &Costs) {
    let path = path(name);
    let mut all = read(Some(name));
    all.extend(costs.clone());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, serde_json::to_string_pretty(&all).unwrap()).unwrap();
}
