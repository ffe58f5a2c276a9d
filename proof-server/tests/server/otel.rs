//! The requests' spans at a collector.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use proof_server::types::ProofMode;
use rustix::process::Signal;

use crate::support::{ServerProcess, input};

/// A collector that answers one batch, and gives what came.
fn collector() -> (String, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let batch = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split('\r').next()?.parse::<usize>().ok());
            let body = text.find("\r\n\r\n").map(|at| bytes.len() - at - 4);
            if length.is_some() && body >= length {
                break;
            }
            let read = stream.read(&mut chunk).unwrap();
            bytes.extend_from_slice(&chunk[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        bytes
    });
    (address, batch)
}

#[test]
fn a_collector_gets_each_requests_span_with_its_name_and_its_job() {
    let (address, batch) = collector();
    let mut server = ServerProcess::start(&["--otlp", &address]);
    let mut name = None;
    server
        .connect()
        .prove(ProofMode::Core, input(), |event| {
            if let proof_server::client::Event::Accepted { request, .. } = event {
                name = Some(request.to_string());
            }
        })
        .unwrap();
    server.signal(Signal::TERM);
    assert!(server.wait().success());
    let batch = batch.join().unwrap();
    let has = |text: &str| batch.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("POST /v1/traces"));
    for text in ["proof-server", "request", &name.unwrap(), "committee-change", "job"] {
        assert!(has(text), "{text}");
    }
}

#[test]
fn a_collector_that_is_away_holds_nothing_up() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = ServerProcess::start(&["--otlp", &format!("http://{nobody}")]);
    server.connect().prove(ProofMode::Core, input(), |_| {}).unwrap();
    server.signal(Signal::TERM);
    assert!(server.wait().success());
}
