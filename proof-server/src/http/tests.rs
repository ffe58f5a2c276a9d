use std::{net::SocketAddr, time::Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpStream,
};

use super::*;
use crate::metrics::testing;

/// Nothing here takes longer; what does hangs.
const DEADLINE: Duration = Duration::from_secs(20);

/// As short as a loaded machine allows without cutting a client that does its part.
const IMPATIENT: Patience =
    Patience { header: Duration::from_millis(300), exchange: Duration::from_millis(600) };

fn site() -> Site {
    let readiness = Arc::new(Readiness::starting());
    readiness.set(Need::Start, None);
    Site { metrics: Arc::new(testing::metrics()), readiness }
}

/// What comes back for these bytes, to the end.
async fn ask(site: &Site, request: &str) -> String {
    let (mut client, server) = duplex(64 << 10);
    let serving = exchange(server, Patience::DEFAULT, site.clone());
    let asking = async {
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    };
    timeout(DEADLINE, async { tokio::join!(serving, asking).1 }).await.unwrap()
}

async fn get(site: &Site, method: &str, path: &str) -> (String, String) {
    let answer = ask(site, &format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// A server on a port of its own, and what ends it.
fn start(patience: Patience) -> (SocketAddr, JoinSet<()>, CancellationToken) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let mut services = JoinSet::new();
    services.spawn(accept(listener, patience, site(), stop.clone()));
    (address, services, stop)
}

async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    // A reset is an end too.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut all)).await.expect("cut in time");
    all
}

#[tokio::test]
async fn metrics_come_as_text_of_the_format_that_prometheus_reads() {
    let (head, body) = get(&site(), "GET", "/metrics").await;
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert_eq!(testing::value(&body, "proof_server_ready"), 1.0);
    assert!(body.ends_with('\n'));
    let (_, filtered) = get(&site(), "GET", "/metrics?name=x").await;
    assert!(filtered.contains("proof_server_ready 1"));
}

#[tokio::test]
async fn a_living_server_says_so_in_one_line_ready_or_not() {
    let site = site();
    site.readiness.set(Need::Prover, Some("exited with code 1".to_owned()));
    let (head, body) = get(&site, "GET", "/healthz").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, "serving\n");
}

#[tokio::test]
async fn a_server_is_ready_or_says_why_not_a_line_each() {
    let site = site();
    let (head, body) = get(&site, "GET", "/readyz").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, "ready\n");

    site.readiness.set(Need::Stay, Some("going down".to_owned()));
    site.readiness.set(Need::Prover, Some("exited with code 1".to_owned()));
    let (head, body) = get(&site, "GET", "/readyz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert_eq!(body, "prover: exited with code 1\ndrain: going down\n");
    let (_, metrics) = get(&site, "GET", "/metrics").await;
    assert_eq!(testing::value(&metrics, "proof_server_ready"), 0.0);
}

#[tokio::test]
async fn head_gets_the_head_that_get_has_and_no_body() {
    for path in ["/metrics", "/healthz", "/readyz", "/nothing"] {
        let (got, headed) = (get(&site(), "GET", path).await, get(&site(), "HEAD", path).await);
        assert_eq!(headed.1, "", "{path}");
        assert_eq!(headed.0.lines().next(), got.0.lines().next(), "{path}");
        let length = headed.0.lines().find_map(|line| line.strip_prefix("content-length: "));
        assert!(length.unwrap().parse::<usize>().unwrap() > 0, "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_allowed() {
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let (head, _) = get(&site(), method, "/metrics").await;
        assert!(head.starts_with("http/1.1 405"), "{head}");
        assert!(head.contains("allow: get, head"), "{head}");
    }
}

#[tokio::test]
async fn other_paths_are_answered_with_those_that_there_are() {
    for path in ["/", "/metric", "/metrics/", "/METRICS", "/../metrics"] {
        let (head, body) = get(&site(), "GET", path).await;
        assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
        assert_eq!(body, "there are /metrics, /healthz and /readyz\n");
    }
}

#[tokio::test]
async fn a_connection_carries_one_request_and_no_body() {
    let two = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n".repeat(2);
    let answer = ask(&site(), &two).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    // The announced body never comes, and nobody waits for it.
    let head = "POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n";
    assert!(ask(&site(), head).await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn what_is_no_request_or_too_large_a_one_is_refused() {
    assert!(ask(&site(), "\0\0\0\x08nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    let long = format!("GET /healthz HTTP/1.1\r\nx: {}", "a".repeat(MAX_HEADER_BYTES + 1));
    assert!(ask(&site(), &long).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(MAX_HEADERS + 1));
    assert!(ask(&site(), &many).await.starts_with("HTTP/1.1 431"));
    let enough = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(MAX_HEADERS));
    assert!(ask(&site(), &enough).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_dribbles_its_request_is_cut() {
    let (mut client, server) = duplex(64 << 10);
    let dribble = async {
        for byte in b"GET /healthz HTTP/1.1\r\nx: ".iter().chain(std::iter::repeat(&b'a')) {
            if client.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    // Nothing but the limit on the header can end this in time.
    let patience = Patience { exchange: DEADLINE * 2, ..IMPATIENT };
    let begun = Instant::now();
    let cut = async { tokio::join!(exchange(server, patience, site()), dribble) };
    timeout(DEADLINE, cut).await.expect("cut");
    assert!(begun.elapsed() >= patience.header, "not before its time");
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut() {
    // Smaller than the answer, so that it cannot be written to its end.
    let (mut client, server) = duplex(256);
    let begun = Instant::now();
    let asked = client.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    let (asked, ()) =
        timeout(DEADLINE, async { tokio::join!(asked, exchange(server, IMPATIENT, site())) })
            .await
            .expect("cut");
    asked.unwrap();
    assert!(begun.elapsed() >= IMPATIENT.exchange, "not before its time");
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() <= 256, "the rest never came");
}

#[tokio::test]
async fn one_connection_more_waits_until_another_ends() {
    let (address, mut services, stop) = start(Patience::DEFAULT);
    let mut silent = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut last = TcpStream::connect(address).await.unwrap();
    last.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first_byte = [0];
    let early = timeout(Duration::from_millis(200), last.read(&mut first_byte)).await;
    assert!(early.is_err(), "served beside {MAX_CONNECTIONS} others: {early:?}");
    silent.pop();
    assert!(read_all(&mut last).await.ends_with(b"serving\n"));
    stop.cancel();
    timeout(DEADLINE, services.join_next()).await.unwrap();
}

#[tokio::test]
async fn silent_clients_lose_their_places_to_those_who_ask() {
    let (address, _services, _stop) = start(IMPATIENT);
    let mut silent = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut asker = TcpStream::connect(address).await.unwrap();
    asker.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read_all(&mut asker).await.ends_with(b"ready\n"));
}

#[tokio::test]
async fn a_stop_frees_the_port_whatever_clients_do() {
    let (address, mut services, stop) = start(Patience::DEFAULT);
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(b"GET /me").await.unwrap();
    let mut asker = TcpStream::connect(address).await.unwrap();
    asker.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read_all(&mut asker).await.ends_with(b"serving\n"));
    let begun = Instant::now();
    stop.cancel();
    timeout(DEADLINE, services.join_next()).await.unwrap().unwrap().unwrap();
    assert!(begun.elapsed() < Patience::DEFAULT.header, "the silent one held it up");
    assert!(read_all(&mut silent).await.is_empty());
    TcpListener::bind(address).await.expect("the port is free");
}
