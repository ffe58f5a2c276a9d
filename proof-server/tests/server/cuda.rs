//! The engine `cuda`, as far as a machine without a GPU can show it. What a GPU does: docs/performance.md.

use std::path::Path;

use crate::support::binary;

fn serve(args: &[&str]) -> (Option<i32>, String) {
    let output =
        binary().args(["serve", "--engine", "cuda", "--listen", "127.0.0.1:0"]).args(args).output();
    let output = output.unwrap();
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    (output.status.code(), errors.join("\n"))
}

#[test]
fn a_machine_without_a_driver_is_told_so_at_once_and_what_to_do() {
    if Path::new("/dev/nvidiactl").exists() {
        println!("SKIPPED: this machine has an NVIDIA driver");
        return;
    }
    let (code, text) = serve(&[]);
    assert_eq!(code, Some(69), "{text}");
    assert!(text.contains("no NVIDIA driver was found"), "{text}");
    assert!(text.contains("--gpus all") && text.contains("--engine cpu"), "{text}");
}

#[test]
fn gpus_that_are_none_and_workers_beside_them_are_named_together() {
    let (code, text) = serve(&["--devices", "first", "--workers", "2"]);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("--devices: `first` names no GPUs: give `all`, or numbers"), "{text}");
    assert!(text.contains("--workers: with --engine cuda there is one a GPU"), "{text}");
}

#[test]
fn gpus_for_another_engine_are_refused_so_that_nobody_proves_on_the_cpu_unaware() {
    let output = binary().args(["serve", "--engine", "mock", "--devices", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--devices: only GPUs have numbers: add --engine cuda"), "{text}");
}
