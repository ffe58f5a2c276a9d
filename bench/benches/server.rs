//! What the server adds to a proof: requests over loopback to a real server process whose mock engine proves nothing
//! and takes no time.
#![allow(clippy::unwrap_used, missing_docs, reason = "a failure shows by panicking")]

use std::{env, path::Path, time::Duration};

use bench::recording::Recording;
use criterion::{Criterion, criterion_group, criterion_main};
use lc_core::host::ProgramInput;
use proof_server::{
    client::{Client, ClientOptions},
    types::ProofMode,
};
use proof_server_load::server::{Launch, Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/simulated");

struct Scene {
    runtime: Runtime,
    server: Option<Server>,
    _folder: TempDir,
}

impl Scene {
    fn new(keep: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = env::current_exe().unwrap().parent().unwrap().with_file_name("proof-server");
        let launch = Launch {
            binary,
            flags: ["--mock-delay", "0s", "--keep-time", keep].map(str::to_owned).to_vec(),
            temporary: folder.path().to_owned(),
            log: folder.path().join("server.log"),
        };
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(Server::start(&launch, 0)).unwrap();
        Self { runtime, server: Some(server), _folder: folder }
    }

    fn connect(&self) -> Client {
        let address = self.server.as_ref().unwrap().address().to_string();
        Client::connect(&address, &ClientOptions::new("bench")).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Its end belongs to the runtime that started it.
        let _entered = self.runtime.enter();
        drop(self.server.take());
    }
}

fn input(name: &str) -> ProgramInput {
    let recording = Recording::load(Path::new(FOLDER)).unwrap();
    recording.requests.into_iter().find(|request| request.name == name).unwrap().input
}

fn server(c: &mut Criterion) {
    let scene = Scene::new("0s");
    let mut group = c.benchmark_group("server");
    group.bench_function("connect and Hello", |b| b.iter(|| scene.connect()));
    let mut client = scene.connect();
    group.bench_function("Status", |b| b.iter(|| client.status().unwrap()));
    for name in ["committee-change/100", "inclusion/101/token"] {
        let input = input(name);
        group.bench_function(format!("Prove {name}"), |b| {
            b.iter(|| client.prove(ProofMode::Core, input.clone(), drop).unwrap());
        });
    }
    group.finish();

    let scene = Scene::new("1h");
    let (mut client, input) = (scene.connect(), input("committee-change/100"));
    c.bench_function("server/Prove committee-change/100, proven before", |b| {
        b.iter(|| client.prove(ProofMode::Core, input.clone(), drop).unwrap());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    targets = server
}
criterion_main!(benches);
