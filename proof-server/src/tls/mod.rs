//! Encryption of connections, and certificates for either side.
//!
//! A server shows a certificate and may demand one of its clients ([`ServerTls`]); a client trusts the
//! CAs that it is told and no others ([`ClientTls`]). TLS 1.2 and 1.3, by rustls with ring. Sessions are
//! never resumed: connections live for hours, so a handshake costs nothing, and a resumed session would
//! outlive the certificate that it was opened with.

#[cfg(feature = "tls")]
pub(crate) mod blocking;
#[cfg(feature = "server")]
mod certificate;
#[cfg(feature = "tls")]
mod client;
#[cfg(feature = "tls")]
mod files;
#[cfg(feature = "tls")]
mod peer;
#[cfg(feature = "server")]
mod refusal;
#[cfg(test)]
#[cfg(feature = "server")]
mod scenarios;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod watch;

#[cfg(feature = "server")]
pub use certificate::{ClientIdentity, KeyFingerprint};
#[cfg(feature = "tls")]
pub use client::{ClientTls, ClientTlsFiles, KeyFiles};
#[cfg(feature = "tls")]
pub use files::{FileRole, TlsError};
#[cfg(feature = "tls")]
pub use peer::TlsPeerError;
#[cfg(feature = "server")]
pub use refusal::TlsAcceptError;
#[cfg(feature = "server")]
pub use server::{Reload, ServerTls, TlsFiles, TlsWarning};
#[cfg(feature = "server")]
pub use watch::TlsEvent;

/// A TLS connection of either side.
#[cfg(feature = "server")]
pub type TlsStream = tokio_rustls::TlsStream<tokio::net::TcpStream>;

/// For the refusal of a client that speaks plain text to a TLS port, sent in plain text.
pub const SPEAKS_TLS: &str = "this server speaks TLS: give the CA of its certificate with --tls-ca";

/// For the refusal of a client that speaks TLS to a plain port. Only other plain readers see it.
pub const SPEAKS_PLAIN_TEXT: &str = "this server speaks plain text and was sent TLS: leave --tls-ca out, or have the server use a certificate";

/// Types of TLS records that can come first: an alert from a server, a handshake from either side.
const ALERT: u8 = 0x15;
const HANDSHAKE: u8 = 0x16;
/// Every TLS record's version is 3 and something.
const MAJOR_VERSION: u8 = 3;

/// Whether a stream that begins like this is TLS. A frame that began like this would be of 336 MiB, where
/// a Hello of some bytes is due. One byte is enough, none is not.
#[must_use]
pub const fn looks_like_tls(first_bytes: &[u8]) -> bool {
    matches!(first_bytes, [ALERT | HANDSHAKE] | [ALERT | HANDSHAKE, MAJOR_VERSION, ..])
}

#[cfg(feature = "tls")]
mod provider {
    use std::sync::Arc;

    use rustls::{SupportedProtocolVersion, crypto::CryptoProvider, version};

    /// Given explicitly: another dependency's choice of a process-wide default must not change ours.
    pub(super) fn ring() -> Arc<CryptoProvider> {
        Arc::new(rustls::crypto::ring::default_provider())
    }

    /// What both sides speak. Older versions are broken (RFC 8996).
    pub(super) const VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_told_from_a_frame_by_its_first_bytes() {
        for tls in [&[0x16][..], &[0x15], &[0x16, 3], &[0x16, 3, 1, 2, 0], &[0x15, 3, 3, 0, 2]] {
            assert!(looks_like_tls(tls), "{tls:02x?}");
        }
        let hello = [0, 0, 0, 24, 0, 0, 0, 0];
        for plain in [&[][..], &hello, &[0x16, 0], &[0x17, 3, 3], b"GET / HTTP/1.1"] {
            assert!(!looks_like_tls(plain), "{plain:02x?}");
        }
    }
}
