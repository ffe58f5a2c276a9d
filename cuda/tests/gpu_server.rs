//! The GPU server's life and end, with a stand-in that speaks SP1's messages over SP1's socket.
//!
//! The stand-in is this very program, started by a script that answers `--version`; it proves nothing.
//! What a real one does is in `docs/performance.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use lc_cuda::{Fault, GpuError, GpuServer, KeyId, Launch, StartError};
use lc_stark::{VerifyingKey, elsewhere::Kind};
use sp1_cuda::{
    api::{Request, Response},
    client::socket_path,
};
use sp1_primitives::{SP1_CRATE_VERSION, io::SP1PublicValues};
use sp1_verifier::{Groth16Bn254Proof, ProofFromNetwork, SP1Proof};
use tempfile::TempDir;

const KEY: &[u8] = include_bytes!("../../artifacts/committee-change.vk");

/// Tells the stand-in what to do.
const ROLE: &str = "LC_CUDA_STAND_IN";

/// The stand-in, as a program that can be given to a launch.
struct StandIn {
    folder: TempDir,
    launch: Launch,
}

impl StandIn {
    fn new(role: &str) -> Self {
        Self::with_script(&format!(
            "[ \"$1\" = --version ] && echo {SP1_CRATE_VERSION} && exit\n\
             export {ROLE}={role}\nexec {:?} --exact stand_in --ignored --nocapture\n",
            std::env::current_exe().unwrap()
        ))
    }

    fn with_script(script: &str) -> Self {
        // No machine has as many GPUs, and each test has its own.
        static DEVICES: AtomicU32 = AtomicU32::new(0);
        let device =
            100_000 + process::id() % 50_000 * 100 + DEVICES.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sp1-gpu-server");
        fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, launch: Launch { program, device, environment: Vec::new() } }
    }

    fn start(&self) -> Result<GpuServer, StartError> {
        GpuServer::start(&self.launch)
    }

    /// A server that has set a program up.
    fn ready(&self) -> (GpuServer, KeyId) {
        let mut server = self.start().unwrap();
        let (key, verifying) = server.set_up(b"a program").unwrap();
        assert_eq!(verifying.hash(), VerifyingKey::from_bytes(KEY).unwrap().hash());
        (server, key)
    }

    /// What it says when it is asked for a proof.
    fn proof(role: &str) -> GpuError {
        let stand_in = Self::new(role);
        let (mut server, key) = stand_in.ready();
        server.prove(Kind::Groth16, key, b"input").unwrap_err()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = fs::remove_file(socket_path(self.launch.device));
    }
}

fn receive(stream: &mut UnixStream) -> Option<Request> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut request = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut request).unwrap();
    Some(bincode::deserialize(&request).unwrap())
}

fn answer(stream: &mut UnixStream, response: &Response) {
    let response = bincode::serialize(response).unwrap();
    stream.write_all(&u32::try_from(response.len()).unwrap().to_le_bytes()).unwrap();
    stream.write_all(&response).unwrap();
}

fn proof(input: &[u8]) -> ProofFromNetwork {
    let proof = Groth16Bn254Proof {
        public_inputs: Default::default(),
        encoded_proof: "0aff".to_owned(),
        raw_proof: String::new(),
        groth16_vkey_hash: [0; 32],
    };
    ProofFromNetwork {
        proof: SP1Proof::Groth16(proof),
        public_values: SP1PublicValues::from(input),
        sp1_version: SP1_CRATE_VERSION.to_owned(),
    }
}

#[test]
#[ignore = "not a test: what the tests below start"]
fn stand_in() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let device = std::env::var("CUDA_VISIBLE_DEVICES").unwrap().parse().unwrap();
    assert_eq!(std::env::var("CUDA_DEVICE_ORDER").unwrap(), "PCI_BUS_ID");
    if role == "no-gpu" {
        eprintln!("cudaGetDeviceCount failed: no CUDA-capable device is detected");
        process::exit(3);
    }
    let path = socket_path(device);
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    while let Some(request) = receive(&mut stream) {
        match (request, role.as_str()) {
            (Request::Setup { .. }, _) => {
                let vk = bincode::deserialize(KEY).unwrap();
                answer(&mut stream, &Response::Setup { id: [7; 32], vk });
            }
            (Request::ProveWithMode { .. }, "killed") => {
                Command::new("kill").arg("-9").arg(process::id().to_string()).status().unwrap();
            }
            (Request::ProveWithMode { .. }, "out-of-memory") => {
                // As SP1's does: a task is gone, and the process waits for it for ever.
                eprintln!("thread 'tokio-runtime-worker' panicked at lib.rs:1:1:");
                eprintln!("called `Result::unwrap()` on an `Err` value: OutOfMemory");
                thread::sleep(Duration::from_secs(600));
            }
            (Request::ProveWithMode { .. }, "refuses") => {
                answer(&mut stream, &Response::ProverError("shard 3: no".to_owned()));
            }
            (Request::ProveWithMode { key, stdin, .. }, _) => {
                assert_eq!(key, [7; 32]);
                answer(&mut stream, &Response::Proof { proof: proof(&stdin.buffer[0]) });
            }
            (Request::Destroy { .. }, _) => unreachable!("nobody asks for it"),
        }
    }
}

#[test]
fn a_proof_comes_back_with_what_the_server_says_was_proven() {
    let stand_in = StandIn::new("proves");
    let (mut server, key) = stand_in.ready();
    let made = server.prove(Kind::Groth16, key, b"input").unwrap();
    assert_eq!((made.bytes, made.public_values), (vec![0x0a, 0xff], b"input".to_vec()));
    // A proof of another kind than was asked for is none.
    let error = server.prove(Kind::Core, key, b"input").unwrap_err();
    assert!(error.to_string().contains("a Groth16 proof"), "{error}");
}

#[test]
fn a_server_that_is_killed_during_a_proof_is_lost_at_once_and_says_how() {
    let error = StandIn::proof("killed");
    assert!(matches!(error, GpuError::Lost { fault: Fault::Server, .. }), "{error}");
    assert!(error.to_string().contains("was ended by signal 9"), "{error}");
}

#[test]
fn memory_that_runs_out_is_told_as_such_though_the_server_hangs() {
    let error = StandIn::proof("out-of-memory");
    assert_eq!(error.fault(), Fault::Memory);
    let text = error.to_string();
    assert!(text.starts_with("the GPU's memory ran out") && text.contains("OutOfMemory"), "{text}");
}

#[test]
fn a_failure_that_the_server_tells_leaves_it_in_use() {
    let stand_in = StandIn::new("refuses");
    let (mut server, key) = stand_in.ready();
    for _ in 0..2 {
        let error = server.prove(Kind::Groth16, key, b"input").unwrap_err();
        assert!(
            matches!(&error, GpuError::Failed { said, .. } if said == "shard 3: no"),
            "{error}"
        );
    }
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = StandIn::new("no-gpu").start().unwrap_err();
    let StartError::Ended { what, fault: Fault::Device, said, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(what, "ended with exit code 3");
    assert!(said.contains("no CUDA-capable device"), "{said}");
}

#[test]
fn no_program_and_one_of_another_release_are_refused_with_the_remedy() {
    let mut none = StandIn::new("proves");
    none.launch.program = none.folder.path().join("nothing");
    let error = none.start().unwrap_err().to_string();
    assert!(
        error.contains("cargo install sp1-gpu-server") && error.contains("--gpu-server"),
        "{error}"
    );

    let other = StandIn::with_script("echo 6.9.0\n");
    let error = other.start().unwrap_err().to_string();
    assert!(error.contains("is no sp1-gpu-server 6.10.0 (`--version` gives \"6.9.0\")"), "{error}");

    let broken = StandIn::with_script("echo cannot open libcudart.so.13 >&2; exit 127\n");
    let error = broken.start().unwrap_err().to_string();
    assert!(error.contains("cannot open libcudart.so.13"), "{error}");
}

#[test]
fn a_gpu_that_another_process_proves_on_is_refused_with_its_number() {
    let stand_in = StandIn::new("proves");
    let _other = UnixListener::bind(socket_path(stand_in.launch.device)).unwrap();
    let error = stand_in.start().unwrap_err().to_string();
    assert!(error.contains(&format!("process {} listens", process::id())), "{error}");
}

#[test]
fn what_a_killed_prover_left_behind_is_ended_and_replaced() {
    let stand_in = StandIn::new("proves");
    let device = stand_in.launch.device;
    // The number of a process that is over.
    let mut over = Command::new("true").spawn().unwrap();
    over.wait().unwrap();
    let mut left = Command::new(&stand_in.launch.program)
        .env("CUDA_VISIBLE_DEVICES", device.to_string())
        .env("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        .env("LC_CUDA_OWNER", over.id().to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&socket_path(device));
    // Whoever started it takes note of its end.
    let reaper = thread::spawn(move || left.wait().unwrap());
    stand_in.ready();
    assert!(!reaper.join().unwrap().success());
}

fn wait_for(path: &Path) {
    for _ in 0..500 {
        if path.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("no {}", path.display());
}

#[test]
fn a_server_ends_with_its_owner() {
    let stand_in = StandIn::new("proves");
    let (server, _) = stand_in.ready();
    let mut stream = UnixStream::connect(socket_path(stand_in.launch.device)).unwrap();
    drop(server);
    // The kernel closed what the server had.
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    assert!(UnixStream::connect(socket_path(stand_in.launch.device)).is_err());
}
