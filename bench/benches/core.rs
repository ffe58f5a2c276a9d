//! What a server and a client do natively with a request, on the recording that the repository ships.
#![allow(clippy::unwrap_used, missing_docs, reason = "a failure shows by panicking")]

use std::{fs, hint::black_box, path::Path, time::Duration};

use bench::recording::{Recording, Request};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_core::{
    ChainSpec,
    host::{NativeCrypto, chain_spec_from_config_yaml, eth_get_proof::EthGetProof},
    objects::file::{read_bootstrap, read_updates},
};
use proof_server::types::{ClientMessage, FrameLimits, FrameReader, ProofMode, RequestId, encode};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/simulated");

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(FOLDER).join(name)).unwrap()
}

fn recording() -> Recording {
    Recording::load(Path::new(FOLDER)).unwrap()
}

fn chain(recording: &Recording) -> ChainSpec {
    let yaml = String::from_utf8(file("config.yaml")).unwrap();
    chain_spec_from_config_yaml(&yaml, recording.meta.genesis_validators_root).unwrap()
}

fn request<'a>(recording: &'a Recording, name: &str) -> &'a Request {
    recording.requests.iter().find(|request| request.name == name).unwrap()
}

/// The checks that a server makes before it queues a request, and a client before it sends one: with a signature of up
/// to 512 keys for each update.
fn check(c: &mut Criterion) {
    let recording = recording();
    let mut group = c.benchmark_group("check");
    for name in
        ["committee-change/100", "committee-change/100-104", "inclusion/101/token", "inclusion/101"]
    {
        let input = &request(&recording, name).input;
        group.bench_function(name, |b| b.iter(|| black_box(input).check().unwrap()));
    }
    group.finish();
}

/// What nodes hand out, to objects.
fn read(c: &mut Criterion) {
    let recording = recording();
    let chain = chain(&recording);
    let (updates, bootstrap) = (file("updates.ssz"), file("bootstrap.ssz"));
    let account = file("period-101/token.json");
    let mut group = c.benchmark_group("read");
    group.bench_function("updates.ssz, 5 updates", |b| {
        b.iter(|| read_updates(&chain, black_box(&updates)).unwrap())
    });
    group.bench_function("bootstrap.ssz", |b| {
        b.iter(|| read_bootstrap(&chain, black_box(&bootstrap)).unwrap())
    });
    group.bench_function("eth_getProof", |b| {
        b.iter(|| EthGetProof::from_json(black_box(&account)).unwrap())
    });
    group.finish();
}

/// `hash_tree_root` of a committee of 512.
fn hash(c: &mut Criterion) {
    let recording = recording();
    let bootstrap = read_bootstrap(&chain(&recording), &file("bootstrap.ssz")).unwrap();
    let committee = &bootstrap.current_sync_committee;
    c.bench_function("hash_tree_root(SyncCommittee)", |b| {
        b.iter(|| black_box(committee).hash_tree_root::<NativeCrypto>());
    });
}

/// A request to bytes and back.
fn frames(c: &mut Criterion) {
    const LIMITS: FrameLimits = FrameLimits { request: 16 << 20, proof: 64 << 20 };
    let recording = recording();
    let mut group = c.benchmark_group("frame");
    for name in ["committee-change/100", "inclusion/101"] {
        let input = request(&recording, name).input.clone();
        let message = ClientMessage::Prove { id: RequestId(1), mode: ProofMode::Core, input };
        let bytes = encode(&message, &LIMITS).unwrap();
        group.bench_function(format!("encode {name}"), |b| {
            b.iter(|| encode(black_box(&message), &LIMITS).unwrap())
        });
        group.bench_function(format!("decode {name}"), |b| {
            b.iter(|| {
                let mut reader =
                    FrameReader::<_, ClientMessage>::new(black_box(&bytes[..]), LIMITS);
                reader.next_message().unwrap().unwrap()
            });
        });
    }
    group.finish();
}

/// The hints that a program gets for its signatures.
#[cfg(feature = "cpu")]
fn hints(c: &mut Criterion) {
    let recording = recording();
    let mut group = c.benchmark_group("hints");
    for name in ["committee-change/100", "inclusion/101/token"] {
        let checked = request(&recording, name).input.check().unwrap();
        group.bench_function(name, |b| {
            b.iter(|| {
                proof_server::guest_input::guest_input(checked.program, black_box(&checked.witness))
            });
        });
    }
    group.finish();
}

#[cfg(not(feature = "cpu"))]
fn hints(_: &mut Criterion) {}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = check, read, hash, frames, hints
}
criterion_main!(benches);
