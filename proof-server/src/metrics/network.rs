//! Connections, frames and TLS.

use std::time::SystemTime;

use prometheus::{IntCounterVec, IntGaugeVec};

use super::{
    jobs::NO_LABELS,
    label::Value,
    reason::{ConnectionRefusal, FrameRefusal, Reload},
    register::Register,
    seconds_since_1970, table,
};

/// The server's socket for clients.
#[derive(Debug, Clone)]
pub(crate) struct NetworkMetrics {
    open: IntGaugeVec,
    connections: IntCounterVec,
    refused: IntCounterVec,
    frames_refused: IntCounterVec,
    received: IntCounterVec,
    sent: IntCounterVec,
    reloads: IntCounterVec,
    expiry: IntGaugeVec,
}

impl NetworkMetrics {
    pub(super) fn register(register: &Register<'_>) -> Self {
        Self {
            open: register.gauge(&table::CONNECTIONS),
            connections: register.counter(&table::CONNECTIONS_TOTAL),
            refused: register.counter(&table::CONNECTIONS_REFUSED),
            frames_refused: register.counter(&table::FRAMES_REFUSED),
            received: register.counter(&table::RECEIVED_BYTES),
            sent: register.counter(&table::SENT_BYTES),
            reloads: register.counter(&table::TLS_RELOADS),
            expiry: register.absent_gauge(&table::TLS_EXPIRY),
        }
    }

    /// A connection was let in; it is open until the guard goes.
    pub(crate) fn connected(&self) -> ConnectionGuard {
        self.connections.with_label_values(NO_LABELS).inc();
        self.open.with_label_values(NO_LABELS).inc();
        ConnectionGuard(self.open.clone())
    }

    /// A connection was refused.
    pub(crate) fn connection_refused(&self, why: ConnectionRefusal) {
        self.refused.with_label_values(&[why.name()]).inc();
    }

    /// A frame was refused.
    pub(crate) fn frame_refused(&self, why: FrameRefusal) {
        self.frames_refused.with_label_values(&[why.name()]).inc();
    }

    /// Bytes of frames came.
    pub(crate) fn received(&self, bytes: usize) {
        self.received.with_label_values(NO_LABELS).inc_by(bytes as u64);
    }

    /// Bytes of frames went.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.with_label_values(NO_LABELS).inc_by(bytes as u64);
    }

    /// The TLS files were read again.
    pub(crate) fn tls_reloaded(&self, outcome: Reload) {
        self.reloads.with_label_values(&[outcome.name()]).inc();
    }

    /// When the certificate that is in use ends.
    pub(crate) fn set_tls_expiry(&self, end: SystemTime) {
        self.expiry.with_label_values(NO_LABELS).set(seconds_since_1970(end));
    }
}

/// An open connection.
#[derive(Debug)]
#[must_use = "the connection counts as open until this is dropped"]
pub(crate) struct ConnectionGuard(IntGaugeVec);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.with_label_values(NO_LABELS).dec();
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{
        metrics::testing::{metrics, value},
        types::FrameError,
    };

    #[test]
    fn a_connection_is_open_until_its_guard_goes_even_by_a_panic() {
        let metrics = metrics();
        let open = || value(&metrics.render(true), "proof_server_connections");
        let first = metrics.network.connected();
        let second = metrics.network.connected();
        assert_eq!(open(), 2.0);
        drop(first);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _second = second;
            panic!("on purpose");
        }))
        .unwrap_err();
        assert_eq!(open(), 0.0);
        assert_eq!(value(&metrics.render(true), "proof_server_connections_total"), 2.0);
    }

    #[test]
    fn a_peers_fault_is_a_refusal_and_a_failed_stream_is_none() {
        let large = FrameError::TooLarge { kind: "Prove", announced: 9, limit: 8 };
        assert_eq!(FrameRefusal::of(&large), Some(FrameRefusal::TooLarge));
        assert_eq!(FrameRefusal::of(&FrameError::Torn { got: 3 }), Some(FrameRefusal::Torn));
        assert_eq!(FrameRefusal::of(&FrameError::Io(io::ErrorKind::TimedOut.into())), None);
    }

    #[test]
    fn the_end_of_the_certificate_is_absent_until_there_is_one() {
        let name = "proof_server_tls_certificate_expiry_timestamp_seconds";
        let metrics = metrics();
        assert!(!metrics.render(true).contains(name));
        metrics
            .network
            .set_tls_expiry(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_900_000_000));
        assert_eq!(value(&metrics.render(true), name), 1.9e9);
    }
}
