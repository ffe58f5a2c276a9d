//! The port for operators: metrics, and whether the server lives and is ready.
//!
//! A scraper comes every some seconds and asks one thing. So a connection carries one request, takes no
//! body, and is cut after some seconds whatever its client does: it cannot be idle, and nobody can keep
//! its place.

mod readiness;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

pub(crate) use readiness::{Need, Readiness};

use crate::metrics::{self, Metrics};

/// Connections at once. Some scrapers and a balancer's probes ask at the same time, a few each; more wait
/// in the kernel's queue, no longer than [`Patience`] allows those before them.
const MAX_CONNECTIONS: usize = 64;

/// Most bytes of a request with its headers, 8 KiB: the least that hyper takes, and twenty times what
/// Prometheus sends.
const MAX_HEADER_BYTES: usize = 8 << 10;

/// Headers of a request: proxies add some, more is noise.
const MAX_HEADERS: usize = 64;

/// After a failed accept. Out of file descriptors is the usual reason, and passes as connections end.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// How long answers that are on their way may take when the server goes down. An answer takes
/// milliseconds; longer is a client that does not read.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// To send its request.
    header: Duration,
    /// Until it has its answer, from its connection on.
    exchange: Duration,
}

impl Patience {
    /// A request is one packet and an answer 100 kB: seconds are for lost packets on bad lines, and
    /// Prometheus itself gives up after 10.
    const DEFAULT: Self =
        Self { header: Duration::from_secs(5), exchange: Duration::from_secs(10) };
}

/// Answers on `listener` until `stop`.
pub(crate) async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
    stop: CancellationToken,
) {
    accept(listener, Patience::DEFAULT, Site { metrics, readiness }, stop).await;
}

async fn accept(listener: TcpListener, patience: Patience, site: Site, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next() => { report(ended); continue }
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(exchange(stream, patience, site.clone()))),
            Err(error) => {
                warn!(%error, "cannot accept a connection on the metrics port");
                stop.run_until_cancelled(sleep(ACCEPT_BACKOFF)).await;
            }
        }
    }
    drop(listener);
    let rest = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    // Dropping the set ends what is left.
    let _ = timeout(STOP_GRACE, rest).await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a task of the metrics port failed");
    }
}

/// One request and its answer.
async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin, patience: Patience, site: Site) {
    let answer = service_fn(|request: Request<Incoming>| {
        let response = site.answer(request.method(), request.uri().path());
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer);
    match timeout(patience.exchange, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "a client of the metrics port went wrong"),
        Err(_) => debug!("a client of the metrics port did not take its answer"),
    }
}

/// What is answered from.
#[derive(Debug, Clone)]
struct Site {
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
}

impl Site {
    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let page = match path {
            "/metrics" => Self::metrics,
            "/healthz" => Self::healthy,
            "/readyz" => Self::ready,
            _ => return text(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n"),
        };
        // Of HEAD, hyper sends the head.
        if method == Method::GET || method == Method::HEAD {
            return page(self);
        }
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "ask with GET or HEAD\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        refusal
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let body = self.metrics.render(self.readiness.is_ready());
        response(StatusCode::OK, metrics::CONTENT_TYPE, body)
    }

    /// That somebody answers is all there is to say: what is broken but alive is for `/readyz`.
    fn healthy(&self) -> Response<Full<Bytes>> {
        text(StatusCode::OK, "serving\n")
    }

    fn ready(&self) -> Response<Full<Bytes>> {
        let reasons = self.readiness.reasons();
        if reasons.is_empty() {
            return text(StatusCode::OK, "ready\n");
        }
        text(StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", body)
}

fn response(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // A proxy that keeps yesterday's readiness would be worse than none.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
