//! Takes connections, up to a limit, and refuses the rest with a word.

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{Instrument, debug, error, info_span, warn};

use super::{SHUTDOWN_GRACE, Shared, Shutdown, connection, peer::Peer};
use crate::{
    jobs::ClientKey,
    metrics::ConnectionRefusal,
    types::{Code, Failure},
};

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

/// Connections of each address.
type Addresses = Arc<Mutex<HashMap<ClientKey, usize>>>;

/// A connection's place among those of its address; dropping it gives it back.
struct Place {
    key: ClientKey,
    addresses: Addresses,
}

impl Place {
    fn take(addresses: &Addresses, key: ClientKey, limit: usize) -> Option<Self> {
        let mut open = addresses.lock().expect("nothing panics while it counts");
        let count = open.entry(key).or_insert(0);
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Self { key, addresses: Arc::clone(addresses) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.lock().expect("nothing panics while it counts");
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// Accepts until the server drains, then waits for the connections to take their leave: those whose requests
/// go on have time until it stops.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>, shutdown: Shutdown) {
    let addresses = Addresses::default();
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let mut connections = JoinSet::new();
    let mut failures = 0;
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.drain.cancelled() => break,
            Some(ended) = connections.join_next() => { report(ended); continue }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                failures = 0;
                let admission = admit(&shared, &addresses, peer);
                serve(&mut connections, stream, peer, admission, &shared, &refusals, &shutdown);
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(accept_backoff(failures)).await;
                failures += 1;
            }
        }
    }
    drop(listener);
    let mut leave = pin!(async {
        while let Some(ended) = connections.join_next().await {
            report(ended)
        }
    });
    let left = tokio::select! {
        () = &mut leave => true,
        () = shutdown.stop.cancelled() => timeout(SHUTDOWN_GRACE, leave).await.is_ok(),
    };
    if !left {
        warn!("connections cut short");
    }
}

/// What a connection that is let in holds while it lasts.
type Admission = Result<(OwnedSemaphorePermit, Place), String>;

fn admit(shared: &Shared, addresses: &Addresses, peer: SocketAddr) -> Admission {
    let (all, each) = (shared.config.max_connections, shared.config.max_connections_per_address);
    let permit = Arc::clone(&shared.connections).try_acquire_owned();
    let permit = permit.map_err(|_| format!("{all} connections are open already"))?;
    let place = Place::take(addresses, ClientKey::from(peer.ip()), each);
    let place =
        place.ok_or_else(|| format!("{each} connections from your address are open already"))?;
    Ok((permit, place))
}

fn serve(
    connections: &mut JoinSet<()>,
    stream: TcpStream,
    peer: SocketAddr,
    admission: Admission,
    shared: &Arc<Shared>,
    refusals: &Arc<Semaphore>,
    shutdown: &Shutdown,
) {
    let span = info_span!("connection", %peer);
    match admission {
        Ok(held) => {
            let (shared, shutdown) = (Arc::clone(shared), shutdown.clone());
            let open = shared.metrics.network.connected();
            let serve = async move {
                connection::serve(stream, Peer::at(peer), &shared, &shutdown).await;
                drop((held, open));
            };
            connections.spawn(serve.instrument(span));
        }
        Err(why) => {
            let network = &shared.metrics.network;
            let Ok(permit) = Arc::clone(refusals).try_acquire_owned() else {
                return network.connection_refused(ConnectionRefusal::Flood);
            };
            network.connection_refused(ConnectionRefusal::Limit);
            let failure = Failure::for_now(Code::Busy, &why, REFUSED_RETRY);
            let shared = Arc::clone(shared);
            let refuse = async move {
                debug!("refused: too many connections");
                connection::turn_away(stream, failure, &shared).await;
                drop(permit);
            };
            connections.spawn(refuse.instrument(span));
        }
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
    fn an_address_has_a_limited_number_of_places_and_gets_them_back() {
        let addresses = Addresses::default();
        let key = |last| ClientKey::from(std::net::IpAddr::from([192, 0, 2, last]));
        let first = Place::take(&addresses, key(1), 2).unwrap();
        let _second = Place::take(&addresses, key(1), 2).unwrap();
        assert!(Place::take(&addresses, key(1), 2).is_none());
        let other = Place::take(&addresses, key(2), 2).unwrap();
        drop((first, other));
        assert!(Place::take(&addresses, key(1), 2).is_some());
        assert_eq!(addresses.lock().unwrap().len(), 1, "an address that left is forgotten");
    }

    #[test]
    fn failed_accepts_are_tried_again_ever_slower_up_to_a_second() {
        let millis: Vec<u128> = (0..9).map(|n| accept_backoff(n).as_millis()).collect();
        assert_eq!(millis, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(accept_backoff(u32::MAX), ACCEPT_BACKOFF_MAX);
    }
}
