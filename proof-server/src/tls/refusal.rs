//! Why a client was not let in.

use std::io;

use rustls::{AlertDescription, Error};
use tokio::net::TcpStream;

use super::peer::is_distrust;

/// Why a connection has no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsAcceptError {
    /// Not TLS from its first byte on. Nothing has been read from the stream: whoever asked can still be
    /// told, in plain text ([`SPEAKS_TLS`](super::SPEAKS_TLS)).
    #[error("the client speaks plain text and this port TLS: it needs --tls-ca")]
    PlainText {
        /// The connection.
        stream: TcpStream,
    },
    /// It went away.
    #[error("the client went away before the TLS handshake was over")]
    Closed,
    /// It showed no certificate.
    #[error(
        "the client showed no certificate and this server wants one: it needs --tls-cert and --tls-key"
    )]
    NoCertificate,
    /// Its certificate is of another CA, expired, for something else, or broken.
    #[error(
        "the client's certificate is not accepted: it needs a valid one of the CAs configured here"
    )]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It does not believe this server.
    #[error(
        "the client refused this server's certificate ({alert:?}): it needs the CA in --tls-ca and the name that it connects by in the certificate"
    )]
    Distrusted {
        /// What it said.
        alert: AlertDescription,
    },
    /// No TLS 1.2 or 1.3, or no cipher suite in common.
    #[error("the client speaks no TLS that this server does, which is 1.2 and 1.3: upgrade it")]
    Incompatible(#[source] Error),
    /// It broke the protocol, or gave up.
    #[error("the TLS handshake failed")]
    Handshake(#[source] Error),
    /// The connection failed.
    #[error("the connection failed during the TLS handshake")]
    Io(#[source] io::Error),
}

impl TlsAcceptError {
    /// One word for a metric's label.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::PlainText { .. } => "plain_text",
            Self::Closed => "closed",
            Self::NoCertificate => "no_certificate",
            Self::Certificate(_) => "certificate",
            Self::Distrusted { .. } => "distrusted",
            Self::Incompatible(_) => "incompatible",
            Self::Handshake(_) => "handshake",
            Self::Io(_) => "io",
        }
    }

    pub(super) fn identity(error: x509_cert::der::Error) -> Self {
        Self::Certificate(Box::new(error))
    }
}

impl From<io::Error> for TlsAcceptError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => Self::from_tls(error),
            Err(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe => Self::Closed,
                _ => Self::Io(error),
            },
        }
    }
}

impl TlsAcceptError {
    /// Which of them it is. Pure.
    fn from_tls(error: Error) -> Self {
        match error {
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::InvalidCertificate(_) => Self::Certificate(Box::new(error)),
            Error::AlertReceived(alert) if is_distrust(alert) => Self::Distrusted { alert },
            Error::PeerIncompatible(_)
            | Error::AlertReceived(
                AlertDescription::ProtocolVersion
                | AlertDescription::HandshakeFailure
                | AlertDescription::InsufficientSecurity,
            ) => Self::Incompatible(error),
            _ => Self::Handshake(error),
        }
    }
}
