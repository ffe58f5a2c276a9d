//! Documents that look like real ones and are made up: every one says so in its note.
//!
//! Times and sizes are near those of `docs/performance.md`, so that pages look as they will.

use std::collections::BTreeMap;

use bench::document::*;
use proof_server::types::ProofMode;

const NOTE: &str = "MADE UP for tests and screenshots: nothing of this was measured";

/// Days between the commits of a history, in seconds.
const DAY: u64 = 86_400;

/// 2026-11-01, noon.
const START: u64 = 1_793_534_400;

/// Shares from 0 to 1 that look random.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1_u64 << 24) as f64
    }
}

pub(crate) fn quantity(number: f64) -> Quantity {
    // To six digits, as people would write it.
    Quantity::try_from((number * 1e6).round() / 1e6).expect("made-up amounts are positive")
}

/// A run without samples, of commit number `commit`.
pub(crate) fn document(commit: u64, run: Run) -> Document {
    let program = |name: &str, byte: u8, vkey: &str| Program {
        name: name.to_owned(),
        elf_sha256: [byte; 32].into(),
        vkey: vkey.parse().expect("a key from artifacts/manifest.json"),
    };
    let fixture = |name: &str| Fixture { name: name.to_owned(), sha256: Hash::of(name.as_bytes()) };
    Document {
        schema: Schema,
        started_unix_seconds: START + commit * DAY + 600,
        duration_seconds: quantity(600.0),
        note: Some(NOTE.to_owned()),
        tool_version: "0.1.0".to_owned(),
        git: Some(Git {
            revision: Hash::of(&commit.to_le_bytes()).to_string(),
            dirty: commit == 3,
            committed_unix_seconds: Some(START + commit * DAY),
        }),
        hardware: hardware(),
        settings: BTreeMap::from([("engine".to_owned(), "cpu".to_owned())]),
        sp1_version: "6.10.0".to_owned(),
        programs: vec![
            program(
                "committee-change",
                0xcc,
                "0x00c9d433c10a860d7b70664577517305d4f400e465abe5b997fdd89c66032fbd",
            ),
            program(
                "inclusion",
                0x1c,
                "0x0078503f07de1c44410251891a39737cc41cc3b8b435185ade06108f2197e6a3",
            ),
        ],
        fixtures: vec![fixture("update-first"), fixture("period-101")],
        price_dollars_per_hour: Some(quantity(0.34)),
        run,
    }
}

fn hardware() -> Hardware {
    Hardware {
        cpu: "AMD EPYC (made up)".to_owned(),
        logical_cores: 2,
        memory_bytes: 24 << 30,
        gpus: vec![],
        kernel: "6.1.0".to_owned(),
    }
}

/// Program, recording, core seconds, cycles, gas, shards.
const PROOFS: [(&str, &str, f64, u64, u64, u32); 2] = [
    ("committee-change", "update-first", 34.0, 97_817, 258_890, 1),
    ("inclusion", "period-101", 61.0, 295_764, 758_409, 2),
];

/// What a mode adds to the core proof: phases with their seconds, and a proof's bytes a shard, if they depend on it.
fn after_core(mode: ProofMode) -> (&'static [(&'static str, f64)], Option<u64>) {
    match mode {
        ProofMode::Core => (&[], None),
        ProofMode::Compressed => (&[("compress", 62.0)], Some(1_270_000)),
        ProofMode::Groth16 | ProofMode::Plonk => {
            (&[("compress", 62.0), ("shrink", 38.0), ("wrap", 96.0), ("outer", 204.0)], Some(356))
        }
    }
}

/// Proofs in several modes, `warm` warm ones each after three cold ones; all times `slower` times what they are.
pub(crate) fn prove(commit: u64, modes: &[ProofMode], warm: u32, slower: f64) -> Document {
    let mut noise = Noise(commit + 1);
    let mut samples = Vec::new();
    for mode in modes {
        for proof in PROOFS {
            for index in 0..3 + warm {
                samples.push(prove_sample(proof, *mode, index, slower, &mut noise));
            }
        }
    }
    let seconds = samples.iter().map(|sample| sample.total_seconds.get()).sum();
    let mut document = document(commit, Run::Prove(ProveRun { samples }));
    document.duration_seconds = quantity(seconds);
    document
}

fn prove_sample(
    (program, recording, core, cycles, gas, shards): (&str, &str, f64, u64, u64, u32),
    mode: ProofMode,
    index: u32,
    slower: f64,
    noise: &mut Noise,
) -> ProveSample {
    let cold = index < 3;
    let mut phase = |name: &str, seconds: f64| Phase {
        name: name.to_owned(),
        seconds: quantity(seconds * slower * (0.95 + 0.1 * noise.next())),
    };
    let mut phases = Vec::new();
    if cold {
        phases.push(phase("setup", 2.0));
    }
    phases.extend([phase("check", 0.0023), phase("execute", 0.4), phase("core", core)]);
    let (more, size) = after_core(mode);
    phases.extend(more.iter().map(|(name, seconds)| phase(name, *seconds)));
    let total: f64 = phases.iter().map(|phase| phase.seconds.get()).sum::<f64>() * 1.01;
    let peak = if mode == ProofMode::Groth16 { 18.0e9 } else { 2.05e9 + 0.3e9 * f64::from(shards) };
    let memory = (0..=60).map(|at| {
        let part = f64::from(at) / 60.0;
        let share = (part * std::f64::consts::PI).sin().max(0.05) * (0.9 + 0.1 * noise.next());
        MemoryPoint { seconds: quantity(total * part), bytes: (peak * share) as u64 }
    });
    ProveSample {
        program: program.to_owned(),
        recording: recording.to_owned(),
        mode,
        index,
        cold,
        total_seconds: quantity(total),
        outcome: ProveOutcome::Proved(Proved {
            verify_seconds: quantity(if mode == ProofMode::Groth16 { 0.7 } else { 0.08 }),
            proof_bytes: size.unwrap_or(1_530_000 * u64::from(shards) + 60_000),
            cycles: Some(cycles),
            gas: Some(gas),
            shards: Some(shards),
        }),
        phases,
        peak_memory_bytes: Some(peak as u64),
        memory: memory.collect(),
        gpu: None,
    }
}

/// The same with crashes: one proof of many, all of a mode, and one with a long reason.
pub(crate) fn with_errors() -> Document {
    let mut document = prove(4, &[ProofMode::Core, ProofMode::Groth16, ProofMode::Plonk], 2, 1.0);
    let Run::Prove(run) = &mut document.run else { unreachable!("made by prove") };
    for sample in &mut run.samples {
        let (code, reason) = match (sample.mode, sample.index) {
            (ProofMode::Plonk, _) => (
                "OUT_OF_MEMORY",
                "the prover was killed at 23.4 GB: a PLONK circuit needs more than this machine has",
            ),
            (ProofMode::Core, 4) => (
                "CRASHED",
                "signal 6 (abort)\nthread 'main' panicked: index out of bounds: the len is 3 but the index is 3",
            ),
            (ProofMode::Groth16, 1) => ("TIMEOUT", "no proof within 900 s"),
            _ => continue,
        };
        sample.phases.truncate(2);
        sample.outcome =
            ProveOutcome::Failed(Failure { code: code.to_owned(), reason: reason.to_owned() });
    }
    document
}

/// Requests to two servers at a rate; from 3 a second on they cannot keep up.
pub(crate) fn replay(commit: u64, requests_per_second: f64, requests: u32) -> Document {
    let mut noise = Noise(commit + 100);
    let duration = f64::from(requests) / requests_per_second;
    let capacity = 3.0;
    let behind = (requests_per_second / capacity - 1.0).max(0.0);
    let servers = ["10.0.0.2:7600", "10.0.0.3:7600"];
    let samples = (0..requests).map(|index| {
        let intended = f64::from(index) / requests_per_second;
        let prove = 0.5 + 0.2 * noise.next();
        let queue = 0.002 + 0.3 * noise.next() * requests_per_second / capacity + intended * behind;
        let busy = queue > 20.0 && index % 7 == 0;
        let late = 0.001 * noise.next();
        let (program, recording, ..) = PROOFS[index as usize % 2];
        ReplaySample {
            intended_start_seconds: quantity(intended),
            start_seconds: quantity(intended + late),
            client: index % 8,
            server: servers[index as usize % 2].to_owned(),
            program: program.to_owned(),
            recording: recording.to_owned(),
            mode: ProofMode::Core,
            queue_us: (!busy).then_some((queue * 1e6) as u64),
            prove_us: (!busy).then_some((prove * 1e6) as u64),
            total_us: ((late + queue + if busy { 0.0 } else { prove + 0.002 }) * 1e6) as u64,
            retries: u32::from(busy) * 3,
            outcome: if busy {
                ReplayOutcome::Failed(Failure {
                    code: "BUSY".to_owned(),
                    reason: "the queue is full, retry in 5 s".to_owned(),
                })
            } else {
                ReplayOutcome::Proved { proof_bytes: 1_590_000 }
            },
            verified: (!busy && index % 10 == 0).then_some(true),
        }
    });
    let samples: Vec<_> = samples.collect();
    let points = |noise: &mut Noise| {
        let points = (0..120).map(|at| {
            let part = f64::from(at) / 119.0;
            ResourcePoint {
                seconds: quantity(duration * part),
                memory_bytes: Some((2.2e9 + 0.2e9 * noise.next()) as u64),
                cpu_seconds: Some(quantity(duration * part * 1.9)),
                queue_depth: Some((2.0 * noise.next() + duration * part * behind) as u64),
                busy_workers: Some(1),
                ..ResourcePoint::default()
            }
        });
        points.collect::<Vec<_>>()
    };
    let servers = servers.map(|address| Server {
        address: address.to_owned(),
        hardware: Some(hardware()),
        resources: points(&mut noise),
    });
    let load = Load::Open { requests_per_second: quantity(requests_per_second) };
    let run = ReplayRun { load, samples, servers: servers.to_vec() };
    let mut document = document(commit, Run::Replay(run));
    document.duration_seconds = quantity(duration * (1.0 + behind));
    document
}

/// A run that names things as an attacker would.
pub(crate) fn hostile() -> Document {
    let name = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";
    let mut document = prove(0, &[ProofMode::Core], 2, 1.0);
    document.note = Some(name.to_owned());
    document.settings.insert(name.to_owned(), name.to_owned());
    document.programs[0].name = name.to_owned();
    document.fixtures[0].name = name.to_owned();
    document.hardware.cpu = name.to_owned();
    let Run::Prove(run) = &mut document.run else { unreachable!("made by prove") };
    for (index, sample) in run.samples.iter_mut().enumerate() {
        if sample.program == "committee-change" {
            sample.program = name.to_owned();
            sample.recording = name.to_owned();
        }
        sample.phases.iter_mut().for_each(|phase| phase.name = name.to_owned());
        if index == 4 {
            sample.outcome =
                ProveOutcome::Failed(Failure { code: name.to_owned(), reason: name.to_owned() });
        }
    }
    document
}
