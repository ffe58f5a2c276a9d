//! Who is at the other end of a connection.

use std::net::SocketAddr;

use crate::{jobs::ClientKey, tls::ClientIdentity};

/// A client, for its share of the queue and for the log.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) key: ClientKey,
    /// What its certificate says, if it showed one.
    pub(super) name: Option<String>,
}

impl Peer {
    /// A client known by nothing but its address.
    pub(super) fn at(address: SocketAddr) -> Self {
        Self { key: ClientKey::from(address.ip()), name: None }
    }

    /// The same with the certificate that it was let in with.
    pub(super) fn with(self, identity: Option<ClientIdentity>) -> Self {
        identity.map_or(self, |identity| Self {
            key: ClientKey::Certificate(identity.fingerprint.0),
            name: Some(identity.to_string()),
        })
    }
}
