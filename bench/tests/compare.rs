//! What a comparison promises, on made-up documents.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test takes what it needs")]
#[path = "support/made_up.rs"]
mod made_up;

use bench::{
    compare::{CompareError, Comparison, Threshold, compare},
    document::*,
};
use proof_server::types::ProofMode::{Compressed, Core};

const FIVE_PERCENT: f64 = 0.05;

fn of(a: &Document, b: &Document, across: bool) -> Result<Comparison, CompareError> {
    compare(a, b, Threshold::of(FIVE_PERCENT), across)
}

fn core(commit: u64, slower: f64) -> Document {
    made_up::prove(commit, &[Core], 12, slower)
}

/// The verdict of a metric of warm committee changes.
fn verdict(comparison: &Comparison, metric: &str) -> String {
    let row = |line: &&str| {
        line.starts_with("committee-change")
            && line.contains("warm")
            && line.contains(&format!("  {metric}  "))
    };
    let line = comparison
        .text
        .lines()
        .find(row)
        .unwrap_or_else(|| panic!("{metric}\n{}", comparison.text));
    line.rsplit("  ").next().unwrap().trim().to_owned()
}

fn samples(document: &mut Document) -> &mut Vec<ProveSample> {
    let Run::Prove(run) = &mut document.run else { unreachable!() };
    &mut run.samples
}

#[test]
fn a_run_is_the_same_as_itself_and_as_another_of_the_same_speed() {
    let a = core(0, 1.0);
    for b in [a.clone(), core(1, 1.0)] {
        let comparison = of(&a, &b, false).unwrap();
        assert!(!comparison.regressed, "{}", comparison.text);
        assert_eq!(verdict(&comparison, "total"), "same");
        assert_eq!(verdict(&comparison, "cycles"), "same");
    }
}

#[test]
fn a_slower_run_is_worse_and_a_faster_one_better() {
    let slower = of(&core(0, 1.0), &core(1, 1.2), false).unwrap();
    assert!(slower.regressed);
    assert_eq!(verdict(&slower, "total"), "WORSE, beyond the threshold");
    let faster = of(&core(0, 1.2), &core(1, 1.0), false).unwrap();
    assert!(!faster.regressed);
    assert_eq!(verdict(&faster, "total"), "better");
}

#[test]
fn worse_within_the_threshold_is_told_and_fails_nothing() {
    let run =
        |threshold| compare(&core(0, 1.0), &core(1, 1.2), Threshold::of(threshold), false).unwrap();
    let comparison = run(0.5);
    assert!(!comparison.regressed);
    assert_eq!(verdict(&comparison, "total"), "WORSE");
    assert!(run(0.1).regressed);
}

#[test]
fn few_samples_have_no_verdict_however_far_apart_they_are() {
    let few = |slower| made_up::prove(0, &[Core], 4, slower);
    let comparison = of(&few(1.0), &few(3.0), false).unwrap();
    assert_eq!(verdict(&comparison, "total"), "too few");
    assert!(!comparison.regressed);
}

#[test]
fn one_cycle_more_is_worse_with_one_sample_and_six_percent_more_is_beyond_the_threshold() {
    let a = core(0, 1.0);
    let with = |cycles| {
        let mut b = a.clone();
        for sample in samples(&mut b) {
            if let ProveOutcome::Proved(proved) = &mut sample.outcome
                && sample.program == "committee-change"
            {
                proved.cycles = Some(cycles);
            }
        }
        of(&a, &b, false).unwrap()
    };
    assert_eq!(verdict(&with(97_818), "cycles"), "WORSE");
    assert!(!with(97_818).regressed);
    assert_eq!(verdict(&with(97_816), "cycles"), "better");
    assert!(with(103_800).regressed);
}

#[test]
fn a_proof_that_fails_where_none_did_is_a_regression() {
    let a = core(0, 1.0);
    let mut b = a.clone();
    samples(&mut b)[5].outcome =
        ProveOutcome::Failed(Failure { code: "CRASHED".to_owned(), reason: "signal 6".to_owned() });
    let comparison = of(&a, &b, false).unwrap();
    assert!(comparison.regressed);
    assert_eq!(verdict(&comparison, "failed"), "WORSE, beyond the threshold");
    assert!(!of(&b, &a, false).unwrap().regressed);
}

#[test]
fn a_slower_phase_of_a_proof_that_is_no_slower_fails_nothing() {
    let a = core(0, 1.0);
    let mut b = a.clone();
    for sample in samples(&mut b) {
        for phase in &mut sample.phases {
            if phase.name == "execute" {
                phase.seconds = made_up::quantity(phase.seconds.get() * 1.3);
            }
        }
    }
    let comparison = of(&a, &b, false).unwrap();
    assert_eq!(verdict(&comparison, "phase execute"), "WORSE");
    assert!(!comparison.regressed, "{}", comparison.text);
}

#[test]
fn other_machines_programs_recordings_and_modes_are_not_compared_unless_one_says_so() {
    let a = core(0, 1.0);
    let changed = |change: fn(&mut Document)| {
        let mut b = a.clone();
        change(&mut b);
        b
    };
    let others = [
        ("machine, CPU: A AMD EPYC", changed(|b| b.hardware.cpu = "Xeon".to_owned())),
        ("machine, cores: A 2, B 4", changed(|b| b.hardware.logical_cores = 4)),
        ("machine, bytes of memory", changed(|b| b.hardware.memory_bytes /= 2)),
        (
            "machine, GPUs: A none, B H100",
            changed(|b| {
                let gpu = Gpu { name: "H100".to_owned(), memory_bytes: 1, driver: "1".to_owned() };
                b.hardware.gpus.push(gpu);
            }),
        ),
        ("program inclusion: A ELF", changed(|b| b.programs[1].elf_sha256 = [9; 32].into())),
        ("recording period-101: A", changed(|b| b.fixtures[1].sha256 = Hash([9; 32]))),
        ("only B has committee-change", made_up::prove(0, &[Core, Compressed], 12, 1.0)),
    ];
    for (said, b) in others {
        let error = of(&a, &b, false).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("pass --across"), "{error}");
        let text = of(&a, &b, true).unwrap().text;
        assert!(text.contains(&format!("differs: {said}")), "{text}");
    }
}

#[test]
fn a_driver_a_setting_and_a_revision_are_told_and_refuse_nothing() {
    let a = core(0, 1.0);
    let mut b = core(1, 1.0);
    b.settings.insert("engine".to_owned(), "cuda".to_owned());
    b.hardware.kernel = "6.2".to_owned();
    b.hardware.memory_bytes -= 1 << 20;
    let text = of(&a, &b, false).unwrap().text;
    for said in ["setting engine: A cpu, B cuda", "kernel: A 6.1.0, B 6.2", "revision: A "] {
        assert!(
            text.contains(&format!("differs: {said}")) || text.contains(said),
            "{said}: {text}"
        );
    }
}

#[test]
fn runs_with_nothing_in_common_are_never_compared() {
    let empty = made_up::document(0, Run::Prove(ProveRun::default()));
    let replay = made_up::replay(6, 2.0, 100);
    for (b, said) in
        [(empty, "B has prove: no samples"), (replay, "B has replay: committee-change")]
    {
        let error = of(&core(0, 1.0), &b, true).unwrap_err().to_string();
        assert!(error.contains("cannot be compared") && error.contains(said), "{error}");
    }
}

#[test]
fn replays_under_another_load_are_refused_and_tails_are_compared_where_there_are_many() {
    let at = |rate| made_up::replay(6, rate, 2000);
    let error = of(&at(1.0), &at(2.0), false).unwrap_err().to_string();
    assert!(error.contains("load: A 1 requests a second, B 2 requests a second"), "{error}");
    let text = of(&at(2.0), &at(2.0), false).unwrap().text;
    assert!(text.contains("total p99") && text.contains("phase queue"), "{text}");
}

#[test]
fn a_comparison_says_the_same_every_time() {
    let compare = || of(&core(0, 1.0), &core(1, 1.03), false).unwrap();
    assert_eq!(compare(), compare());
}
