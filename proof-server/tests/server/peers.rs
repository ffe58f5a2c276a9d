//! Peers that are many, gone, or silent, and a machine that is full.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::Stdio,
    thread,
    time::Duration,
};

use proof_server::{
    client::{Client, ClientOptions},
    types::{ProofMode, ServerMessage},
};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::support::{ServerProcess, assert_proves, binary, input, poll_until, say_hello, send};

/// Lets this process have so many open files; `false` where it may not.
fn allow_files(wanted: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: Some(wanted), maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).is_ok()
}

#[test]
fn ten_thousand_connections_opened_and_left_take_nothing_from_who_comes_after() {
    if !allow_files(10_500) {
        println!("skipped: this process may not have 10,500 open files (ulimit -Hn)");
        return;
    }
    let many = ["--max-connections", "11000", "--max-connections-per-address", "11000"];
    let server = ServerProcess::start(
        &[&many[..], &["--handshake-timeout", "20s", "--metrics", "127.0.0.1:0"]].concat(),
    );
    let mut left = Vec::with_capacity(10_000);
    for _ in 0..10_000 {
        left.push(TcpStream::connect(server.address).unwrap());
    }
    poll_until("ten thousand connections", || {
        (server.metric("proof_server_connections_total") >= 10_000.0).then_some(())
    });
    assert_proves(&server);
    // They never say Hello, and are let go.
    poll_until("their end", || (server.metric("proof_server_connections") == 0.0).then_some(()));
    assert_proves(&server);
    drop(left);
}

#[test]
fn one_address_cannot_take_all_connections() {
    let server = ServerProcess::start(&["--max-connections-per-address", "2"]);
    let (_one, _two) = (server.connect(), server.connect());
    let refused = crate::support::failure(server.try_connect());
    assert_eq!(
        refused.message,
        "2 connections from your address are open already: try again in 10 s"
    );
    // From another address of this machine there is room.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    socket.connect(&server.address.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    say_hello(&stream);
}

#[test]
fn a_peer_that_is_gone_without_a_word_is_noticed_by_the_kernel() {
    let server = ServerProcess::start(&[]);
    let stream = server.raw();
    say_hello(&stream);
    // Timer 2 of /proc/net/tcp is that of keep-alive.
    let (server_port, our_port) = (server.address.port(), stream.local_addr().unwrap().port());
    let ends = [format!(":{server_port:04X}"), format!(":{our_port:04X}")];
    poll_until("a keep-alive timer", || {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let ours = fields[1].ends_with(&ends[0]) && fields[2].ends_with(&ends[1]);
            (ours && fields[5].starts_with("02:")).then_some(())
        })
    });
}

#[test]
fn a_log_on_a_full_disk_ends_nothing() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut server = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--engine", "mock", "--log", "debug"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(full)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening ").unwrap();
    let mut client = Client::connect(address, &ClientOptions::new("test")).unwrap();
    client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    send(server.id(), Signal::TERM);
    let status = poll_until("the server's end", || server.try_wait().unwrap());
    assert!(status.success());
}

#[test]
fn frames_that_come_byte_by_byte_are_as_good_as_whole_ones() {
    let server = ServerProcess::start(&[]);
    let hello = proof_server::types::encode(
        &proof_server::types::ClientMessage::Hello(proof_server::types::ClientHello::new("slow")),
        &proof_server::types::FrameLimits::default(),
    )
    .unwrap();
    let mut stream = server.raw();
    stream.set_nodelay(true).unwrap();
    for byte in hello {
        stream.write_all(&[byte]).unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    let mut reader = proof_server::types::FrameReader::<_, ServerMessage>::new(
        stream,
        proof_server::types::FrameLimits::default(),
    );
    assert!(matches!(reader.next_message().unwrap(), Some(ServerMessage::Hello(_))));
}
