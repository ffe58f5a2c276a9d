//! `proof-server health`: asks a running server whether requests should be sent to it. For what can only run a
//! command, such as a container's health check in an image that has no HTTP client.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use clap::Args;
use proof_server::config::parse_duration;

use super::{Exit, Fault, print};

pub(super) const EXAMPLES: &str = "\
Examples:
  proof-server health --metrics 127.0.0.1:9600
      `ready` and exit code 0, or the reasons, one a line, and exit code 69.
  PROOF_SERVER_METRICS=0.0.0.0:9600 proof-server health
      What a server with the same variable says: it is asked on loopback.";

/// A server's reasons are some lines; more than this is somebody else on the port.
const MAX_ANSWER: u64 = 64 << 10;

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// Where the server has its metrics, IP:PORT, as `serve` was told
    #[arg(long, env = "PROOF_SERVER_METRICS", value_name = "ADDR")]
    metrics: Option<String>,

    /// How long it may take to answer
    #[arg(long, default_value = "3s", value_name = "TIME", value_parser = parse_duration)]
    timeout: Duration,
}

pub(super) fn run(args: &HealthArgs) -> Result<(), Fault> {
    let address = address(args.metrics.as_deref())?;
    let answer = ask(address, Instant::now() + args.timeout).map_err(|error| {
        let what = format!(
            "nothing answers on {address} within {:?}: is the server up, and was it given --metrics",
            args.timeout
        );
        Fault::about(Exit::Unavailable, what, &error)
    })?;
    judge(address, &String::from_utf8_lossy(&answer))?;
    print("ready\n");
    Ok(())
}

/// Where to ask: a server that listens on every address is asked on loopback.
fn address(metrics: Option<&str>) -> Result<SocketAddr, Fault> {
    let Some(text) = metrics else {
        let text = "--metrics: not given: name the address that the server was given";
        return Err(Fault::new(Exit::Usage, text));
    };
    let mut address: SocketAddr = text.parse().map_err(|_| {
        let text =
            format!("--metrics: `{text}` is no address: give IP:PORT, for example 127.0.0.1:9600");
        Fault::new(Exit::Usage, text)
    })?;
    if address.port() == 0 {
        let text =
            format!("--metrics: {address} names no port: give the one that the server printed");
        return Err(Fault::new(Exit::Usage, text));
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

/// The whole answer to `/readyz`. `deadline` holds over all reads, or a peer that sends a byte a second would hold
/// whoever asks.
fn ask(address: SocketAddr, deadline: Instant) -> io::Result<Vec<u8>> {
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok::<_, io::Error>(left) }
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while (answer.len() as u64) < MAX_ANSWER {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What a read says whose time is up.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

/// What an answer means: 200 is ready, 503 carries the reasons, and anything else is no proof server.
fn judge(address: SocketAddr, answer: &str) -> Result<(), Fault> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    match status {
        Some("200") => Ok(()),
        Some("503") => {
            let reasons: Vec<String> =
                body.lines().map(|reason| format!("not ready: {reason}")).collect();
            Err(Fault::new(Exit::Unavailable, reasons.join("\n")))
        }
        _ => {
            let first = head.lines().next().unwrap_or_default();
            let text = format!(
                "{address} answers `{first}`, which is no proof server's metrics port: check --metrics"
            );
            Err(Fault::new(Exit::Unavailable, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    fn somewhere() -> SocketAddr {
        "127.0.0.1:9600".parse().unwrap()
    }

    #[test]
    fn a_server_on_every_address_is_asked_on_loopback() {
        for (given, asked) in [
            ("0.0.0.0:9600", "127.0.0.1:9600"),
            ("[::]:9600", "[::1]:9600"),
            ("10.0.0.7:9600", "10.0.0.7:9600"),
        ] {
            assert_eq!(address(Some(given)).unwrap().to_string(), asked);
        }
    }

    #[test]
    fn an_address_that_cannot_be_asked_is_refused_with_the_remedy() {
        for (given, says) in [
            (None, "not given: name the address"),
            (Some("localhost"), "`localhost` is no address: give IP:PORT"),
            (Some("127.0.0.1:0"), "names no port: give the one that the server printed"),
        ] {
            let fault = address(given).unwrap_err();
            assert_eq!(fault.exit, Exit::Usage);
            assert!(fault.to_string().contains(says), "{fault}");
        }
    }

    #[test]
    fn only_200_is_ready_and_every_reason_is_told() {
        judge(somewhere(), "HTTP/1.1 200 OK\r\na: b\r\n\r\nready\n").unwrap();
        let busy = "HTTP/1.1 503 Service Unavailable\r\n\r\nprover: signal 9\ndrain: going down\n";
        let fault = judge(somewhere(), busy).unwrap_err();
        assert_eq!(fault.exit, Exit::Unavailable);
        assert_eq!(
            fault.to_string(),
            "error: not ready: prover: signal 9\nerror: not ready: drain: going down"
        );
    }

    #[test]
    fn a_stranger_on_the_port_is_not_ready() {
        for answer in ["", "HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 2\u{e9}"] {
            let fault = judge(somewhere(), answer).unwrap_err();
            assert_eq!(fault.exit, Exit::Unavailable);
            assert!(fault.to_string().contains("check --metrics"), "{fault}");
        }
    }

    #[test]
    fn one_that_never_ends_its_answer_is_given_up_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let drip = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let error = ask(address, Instant::now() + Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drip.join().unwrap();
    }
}
