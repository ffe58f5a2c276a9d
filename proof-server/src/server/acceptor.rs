//! Takes connections, up to a limit, and refuses the rest with a word.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info_span, warn};

use super::{SHUTDOWN_GRACE, Shared, connection};
use crate::types::{Code, Failure};

/// Refusals that are being told at once. A flood beyond that is dropped without a word.
const MAX_REFUSALS: usize = 32;

/// What a refused client is told to wait: connections are long-lived, so none frees in a moment.
const REFUSED_RETRY: Duration = Duration::from_secs(10);

/// Longest wait after a failed `accept`. Out of file descriptors is the usual reason, and it passes
/// when a connection ends.
const ACCEPT_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How long to wait after this many failed accepts in a row. Pure.
fn accept_backoff(failures: u32) -> Duration {
    Duration::from_millis(10)
        .saturating_mul(2_u32.saturating_pow(failures.min(16)))
        .min(ACCEPT_BACKOFF_MAX)
}

/// Accepts until `stop`, then waits for the connections to take their leave.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let mut connections = JoinSet::new();
    let mut failures = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next() => { report(ended); continue }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                failures = 0;
                admit(&mut connections, stream, peer, &shared, &refusals, &stop);
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(accept_backoff(failures)).await;
                failures += 1;
            }
        }
    }
    drop(listener);
    let leave = async {
        while let Some(ended) = connections.join_next().await {
            report(ended)
        }
    };
    if timeout(SHUTDOWN_GRACE, leave).await.is_err() {
        warn!("connections cut short");
    }
}

fn admit(
    connections: &mut JoinSet<()>,
    stream: TcpStream,
    peer: SocketAddr,
    shared: &Arc<Shared>,
    refusals: &Arc<Semaphore>,
    stop: &CancellationToken,
) {
    let span = info_span!("connection", %peer);
    if let Ok(permit) = Arc::clone(&shared.connections).try_acquire_owned() {
        let (shared, stop) = (Arc::clone(shared), stop.clone());
        let serve = async move {
            connection::serve(stream, &shared, &stop).await;
            drop(permit);
        };
        connections.spawn(serve.instrument(span));
    } else if let Ok(permit) = Arc::clone(refusals).try_acquire_owned() {
        let limit = shared.config.max_connections;
        let message = format!(
            "{limit} connections are open already: try again in {} s",
            REFUSED_RETRY.as_secs()
        );
        let failure = Failure::new(Code::Busy, message).with_retry_after(REFUSED_RETRY);
        let refuse = async move {
            debug!("refused: too many connections");
            connection::refuse(stream, failure).await;
            drop(permit);
        };
        connections.spawn(refuse.instrument(span));
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        error!(%error, "a connection's task failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_accepts_are_tried_again_ever_slower_up_to_a_second() {
        let millis: Vec<u128> = (0..9).map(|n| accept_backoff(n).as_millis()).collect();
        assert_eq!(millis, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(accept_backoff(u32::MAX), ACCEPT_BACKOFF_MAX);
    }
}
