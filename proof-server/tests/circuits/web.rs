//! A web server that does what a test wants of it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use proof_server::circuits::Source;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// First byte of `Range`.
    pub(crate) range: Option<usize>,
    pub(crate) if_range: Option<String>,
}

/// Bytes as they go over the wire, and whether the connection stays open after them.
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hang: bool,
}

impl Reply {
    pub(crate) fn new(status: &str, headers: &[String], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        for header in headers {
            head += &format!("{header}\r\n");
        }
        head += "\r\n";
        Self { bytes: [head.as_bytes(), body].concat(), hang: false }
    }

    /// Only a status.
    pub(crate) fn status(status: &str) -> Self {
        Self::new(status, &["Content-Length: 0".to_owned()], &[])
    }

    pub(crate) fn hang(self) -> Self {
        Self { hang: true, ..self }
    }
}

/// A file on the server.
#[derive(Clone)]
pub(crate) struct Hosted {
    pub(crate) content: Vec<u8>,
    pub(crate) etag: &'static str,
}

impl Hosted {
    /// As RFC 9110 has it.
    pub(crate) fn reply(&self, request: &Request) -> Reply {
        self.reply_up_to(request, usize::MAX)
    }

    /// The same, but it breaks off after `most` bytes of content.
    pub(crate) fn reply_up_to(&self, request: &Request, most: usize) -> Reply {
        let total = self.content.len();
        let current = request.if_range.as_deref().is_none_or(|tag| tag == self.etag);
        let from = request.range.filter(|_| current);
        let tag = format!("ETag: {}", self.etag);
        match from {
            Some(from) if from >= total => {
                let range = format!("Content-Range: bytes */{total}");
                Reply::new("416 Range Not Satisfiable", &[range, "Content-Length: 0".into()], &[])
            }
            Some(from) => {
                let length = format!("Content-Length: {}", total - from);
                let range = format!("Content-Range: bytes {from}-{}/{total}", total - 1);
                let body = &self.content[from..];
                Reply::new(
                    "206 Partial Content",
                    &[tag, length, range],
                    &body[..most.min(body.len())],
                )
            }
            None => {
                let length = format!("Content-Length: {total}");
                Reply::new("200 OK", &[tag, length], &self.content[..most.min(total)])
            }
        }
    }
}

/// A running server.
pub(crate) struct Web {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    /// Answers each request, of which this is number `n` from 0, by `reply`.
    pub(crate) fn start(reply: impl Fn(&Request, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, ended) = (Arc::clone(&requests), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            // Connections that stay open.
            let mut hanging = Vec::new();
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let Some(request) = read(&stream) else { continue };
                let count = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.clone());
                    seen.len() - 1
                };
                let reply = reply(&request, count);
                // The client may have seen enough.
                let _ = stream.write_all(&reply.bytes);
                if reply.hang {
                    hanging.push(stream);
                }
            }
        });
        Self { address, requests, stop, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/circuit.tar.gz", self.address)
    }

    pub(crate) fn source(&self) -> Source {
        Source::Url(self.url())
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The first bytes that were asked for.
    pub(crate) fn ranges(&self) -> Vec<Option<usize>> {
        self.requests().iter().map(|request| request.range).collect()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut request = Request { path, range: None, if_range: None };
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let from = value.strip_prefix("bytes=")?.strip_suffix('-')?;
                request.range = Some(from.parse().unwrap());
            }
            "if-range" => request.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(request)
}
