//! Asking a node over HTTP: with deadlines, a cap on every answer, and patience where another attempt may go better.

use std::{
    io::{self, Read},
    net::IpAddr,
    thread,
    time::Duration,
};

use ureq::{
    Agent, Body, Error,
    http::{Response, Uri, header},
};

/// What SSZ or JSON a beacon node has.
pub(super) const OBJECT: &str = "application/octet-stream;q=1.0,application/json;q=0.9";
const JSON: &str = "application/json";

/// Redirects that are followed: a load balancer needs one or two.
const MAX_REDIRECTS: u32 = 5;

/// Longest pause between attempts, also where a node asks for more: somebody is looking on.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Characters of a refusal that are shown.
const SHOWN: usize = 200;

/// How long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one whole answer.
    pub answer: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// Before the next attempt where the node asks for none; doubled each time.
    pub pause: Duration,
}

impl Default for Patience {
    /// Two minutes: a node restarts in less.
    fn default() -> Self {
        Self { answer: Duration::from_secs(60), retries: 7, pause: Duration::from_secs(1) }
    }
}

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFault {
    /// No answer, or a part of one.
    #[error("no whole answer came: check the address and the node, and run this again to go on")]
    Request(#[source] Box<Error>),
    /// The answer stopped.
    #[error("the answer broke off: run this again to go on")]
    Body(#[source] io::Error),
    /// The answer stopped without saying so.
    #[error("the answer ended after {came} of {announced} bytes: run this again to go on")]
    Short {
        /// Bytes that came.
        came: u64,
        /// Bytes that were announced.
        announced: u64,
    },
    /// The answer is larger than any that is wanted.
    #[error(
        "the answer has more than {0} bytes: this is no answer to what was asked, check the address"
    )]
    TooLarge(u64),
    /// The node has no such thing.
    #[error(
        "the node does not have it ({0}): ask one that keeps light-client data for that period"
    )]
    Missing(String),
    /// The node refuses.
    #[error("the node answered with status {status} ({text}): {remedy}", remedy = remedy(*.status))]
    Status {
        /// The status.
        status: u16,
        /// The beginning of its words.
        text: String,
        /// Seconds after which it wants to be asked again.
        retry_after: Option<u64>,
    },
}

fn remedy(status: u16) -> &'static str {
    match status {
        401 | 403 => "give an address with its key",
        429 => "run this again later to go on, or ask another node",
        500.. => "run this again later to go on",
        _ => "check the address and whether the node serves this API",
    }
}

impl HttpFault {
    /// Whether another attempt may go better.
    const fn is_passing(&self) -> bool {
        match self {
            Self::Request(_) | Self::Body(_) | Self::Short { .. } => true,
            Self::Status { status, .. } => matches!(*status, 408 | 425 | 429 | 500..),
            Self::TooLarge(_) | Self::Missing(_) => false,
        }
    }
}

impl Patience {
    /// Before the next attempt after so many that failed, the last with `fault`; none if there is to be none. Pure.
    fn pause(&self, failures: u32, fault: &HttpFault) -> Option<Duration> {
        if !fault.is_passing() || failures > self.retries {
            return None;
        }
        let wanted = match fault {
            HttpFault::Status { retry_after: Some(seconds), .. } => Duration::from_secs(*seconds),
            _ => self.pause.saturating_mul(1 << failures.saturating_sub(1).min(16)),
        };
        Some(wanted.min(MAX_PAUSE))
    }
}

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    base: String,
    agent: Agent,
    patience: Patience,
}

impl Node {
    pub(super) fn new(url: &str, patience: Patience) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // No redirect leads from encryption to plain text.
            .https_only(url.starts_with("https:"))
            .max_redirects(MAX_REDIRECTS)
            .user_agent(concat!("proof-server-bench/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(patience.answer));
        if is_here(url) {
            // No proxy of the environment's leads back to this machine.
            config = config.proxy(None);
        }
        let agent = config.build().into();
        Self { base: url.trim_end_matches('/').to_owned(), agent, patience }
    }

    /// Its address without what may be secret: keys are in paths, queries and before the `@`.
    pub(super) fn shown(&self) -> String {
        let uri = self.base.parse::<Uri>().ok();
        let authority = uri.as_ref().and_then(Uri::authority).map(|authority| authority.as_str());
        let host = authority.map(|text| text.rsplit_once('@').map_or(text, |(_, host)| host));
        host.unwrap_or("the node").to_owned()
    }

    /// What is at `path`, of at most `cap` bytes.
    pub(super) fn get(&self, path: &str, accept: &str, cap: u64) -> Result<Vec<u8>, HttpFault> {
        let url = format!("{}{path}", self.base);
        self.patiently(cap, || self.agent.get(&url).header(header::ACCEPT, accept).call())
    }

    /// The JSON at `path`.
    pub(super) fn get_json(&self, path: &str, cap: u64) -> Result<Vec<u8>, HttpFault> {
        self.get(path, JSON, cap)
    }

    /// The answer to a JSON-RPC call.
    pub(super) fn post_json(&self, body: &str, cap: u64) -> Result<Vec<u8>, HttpFault> {
        let send = || {
            let request = self.agent.post(&self.base).header(header::CONTENT_TYPE, JSON);
            request.header(header::ACCEPT, JSON).send(body)
        };
        self.patiently(cap, send)
    }

    fn patiently(
        &self,
        cap: u64,
        call: impl Fn() -> Result<Response<Body>, Error>,
    ) -> Result<Vec<u8>, HttpFault> {
        let mut failures = 0;
        loop {
            let response = call().map_err(|error| HttpFault::Request(Box::new(error)));
            let fault = match response.and_then(|response| read(response, cap)) {
                Ok(bytes) => return Ok(bytes),
                Err(fault) => fault,
            };
            failures += 1;
            let Some(pause) = self.patience.pause(failures, &fault) else { return Err(fault) };
            let note = proof_server::error_chain(&fault);
            eprintln!("{}: {note}; trying again in {:.1} s", self.shown(), pause.as_secs_f64());
            thread::sleep(pause);
        }
    }
}

/// The body of an answer that is one.
fn read(response: Response<Body>, cap: u64) -> Result<Vec<u8>, HttpFault> {
    let text = |name| response.headers().get(name)?.to_str().ok();
    let number = |name| text(name)?.trim().parse::<u64>().ok();
    let (status, announced) = (response.status(), number(header::CONTENT_LENGTH));
    let retry_after = number(header::RETRY_AFTER);
    if !status.is_success() {
        let mut said = Vec::new();
        // What it says is worth showing; that it does not say it is no other fault.
        let _ = response.into_body().into_reader().take(4 * SHOWN as u64).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        let text: String = said.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
        return Err(match status.as_u16() {
            404 => HttpFault::Missing(text),
            status => HttpFault::Status { status, text, retry_after },
        });
    }
    let mut bytes = Vec::new();
    let mut body = response.into_body().into_reader().take(cap + 1);
    body.read_to_end(&mut bytes).map_err(HttpFault::Body)?;
    match (bytes.len() as u64, announced) {
        (came, _) if came > cap => Err(HttpFault::TooLarge(cap)),
        (came, Some(announced)) if came < announced => Err(HttpFault::Short { came, announced }),
        _ => Ok(bytes),
    }
}

fn is_here(url: &str) -> bool {
    let uri = url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn status(status: u16, retry_after: Option<u64>) -> HttpFault {
        HttpFault::Status { status, text: String::new(), retry_after }
    }

    #[test]
    fn what_passes_is_tried_again_with_growing_pauses_or_when_the_node_says() {
        let patience = Patience { retries: 8, ..Patience::default() };
        let seconds = |failures, fault: &HttpFault| {
            patience.pause(failures, fault).map(|pause| pause.as_secs())
        };
        let short = HttpFault::Short { came: 1, announced: 2 };
        let pauses: Vec<_> = (1..=9).map(|failures| seconds(failures, &short)).collect();
        let wanted = [1, 2, 4, 8, 16, 32, 60, 60].map(Some);
        assert_eq!(pauses, [&wanted[..], &[None]].concat());
        assert_eq!(seconds(5, &status(429, Some(3))), Some(3));
        assert_eq!(seconds(1, &status(503, Some(100_000))), Some(60));
        for never in [
            status(400, Some(1)),
            status(401, None),
            HttpFault::TooLarge(1),
            HttpFault::Missing(String::new()),
        ] {
            assert_eq!(seconds(1, &never), None, "{never}");
        }
        let one = Patience { retries: u32::MAX, ..patience };
        assert_eq!(one.pause(u32::MAX, &short), Some(MAX_PAUSE));
    }

    #[test]
    fn a_nodes_keys_are_not_shown() {
        for url in [
            "https://user:secret@node.example:8545/v3/secret",
            "https://node.example:8545/?key=secret",
        ] {
            assert_eq!(Node::new(url, Patience::default()).shown(), "node.example:8545");
        }
        assert_eq!(Node::new("nonsense secret", Patience::default()).shown(), "the node");
    }

    #[test]
    fn loopback_needs_no_proxy() {
        for url in ["http://127.0.0.1:1/x", "http://[::1]:1", "http://LOCALHOST"] {
            assert!(is_here(url), "{url}");
        }
        assert!(!is_here("http://node.example") && !is_here("nonsense"));
    }
}
