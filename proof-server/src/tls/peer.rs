//! What a client says when TLS with a server fails: most faults are a flag or a certificate away from
//! success, so each names its own.

use std::{io, time::Duration};

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// Why there is no TLS with a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsPeerError {
    /// The name to connect by is none.
    #[error(
        "`{host}` is neither a DNS name nor an IP address: give the name in the server's certificate with --tls-server-name"
    )]
    Host {
        /// The host part of the address.
        host: String,
    },
    /// No CA of ours vouches for it.
    #[error(
        "the server's certificate is signed by no CA of {ca}: give the file of the CA that signed it with --tls-ca"
    )]
    Untrusted {
        /// The file of CAs.
        ca: String,
    },
    /// It is for another name.
    #[error(
        "the server's certificate is for {presented}, not for {name}: connect by a name that it has, or give one with --tls-server-name"
    )]
    Name {
        /// The names it is for.
        presented: String,
        /// The one wanted.
        name: String,
    },
    /// It has expired.
    #[error(
        "the server's certificate has expired: have its operator renew it, or set this machine's clock"
    )]
    Expired,
    /// Its time has not come.
    #[error("the server's certificate is not valid yet: set this machine's clock, or the server's")]
    NotYetValid,
    /// It is no certificate for a server.
    #[error(
        "the server's certificate cannot be used: it needs one of X.509 version 3 that is no CA itself and names the server as subjectAltName"
    )]
    Certificate(#[source] Error),
    /// It wants one of us.
    #[error("the server wants a client certificate: give one with --tls-cert and --tls-key")]
    WantsCertificate,
    /// It does not take ours.
    #[error(
        "the server refused this client's certificate ({alert:?}): give a valid one of a CA that it takes"
    )]
    Refused {
        /// What it said.
        alert: AlertDescription,
    },
    /// It answers in plain text.
    #[error(
        "the server does not speak TLS but plain text: leave --tls-ca out, or have the server use a certificate"
    )]
    PlainText,
    /// No TLS 1.2 or 1.3, or no cipher suite in common.
    #[error("the server speaks no TLS that this client does, which is 1.2 and 1.3: upgrade it")]
    Incompatible(#[source] Error),
    /// It closed in the middle.
    #[error(
        "the server closed the connection during the TLS handshake: check that it speaks TLS at this address"
    )]
    Closed,
    /// It is silent.
    #[error("no TLS handshake within {limit:?}: check that the server speaks TLS at this address")]
    Silent {
        /// How long this side waited.
        limit: Duration,
    },
    /// It broke the protocol.
    #[error("TLS with the server failed")]
    Broken(#[source] Error),
    /// The connection failed.
    #[error("the connection to the server failed during the TLS handshake")]
    Io(#[source] io::Error),
}

/// What is known on this side when TLS fails.
#[derive(Debug, Clone)]
pub(super) struct Situation {
    /// The file of CAs.
    pub(super) ca: String,
    /// The name that the server's certificate should have.
    pub(super) name: String,
    /// Whether this side has a certificate to show.
    pub(super) has_certificate: bool,
}

impl Situation {
    /// Which fault it is. Pure.
    pub(super) fn explain(&self, error: Error) -> TlsPeerError {
        match error {
            Error::InvalidCertificate(error) => self.explain_certificate(error),
            Error::AlertReceived(alert) => self.explain_alert(alert),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsPeerError::PlainText,
            Error::PeerIncompatible(_) => TlsPeerError::Incompatible(error),
            _ => TlsPeerError::Broken(error),
        }
    }

    fn explain_certificate(&self, error: CertificateError) -> TlsPeerError {
        match error {
            // A CA of the same name with another key makes a bad signature.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                TlsPeerError::Untrusted { ca: self.ca.clone() }
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TlsPeerError::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsPeerError::NotYetValid
            }
            CertificateError::NotValidForName => self.other_name(&[]),
            CertificateError::NotValidForNameContext { presented, .. } => {
                self.other_name(&presented)
            }
            error => TlsPeerError::Certificate(Error::InvalidCertificate(error)),
        }
    }

    fn other_name(&self, presented: &[String]) -> TlsPeerError {
        let presented =
            if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") };
        TlsPeerError::Name { presented, name: self.name.clone() }
    }

    fn explain_alert(&self, alert: AlertDescription) -> TlsPeerError {
        match alert {
            AlertDescription::CertificateRequired => TlsPeerError::WantsCertificate,
            // Other libraries' words for it in TLS 1.2.
            AlertDescription::HandshakeFailure | AlertDescription::BadCertificate
                if !self.has_certificate =>
            {
                TlsPeerError::WantsCertificate
            }
            alert if is_distrust(alert) => TlsPeerError::Refused { alert },
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity => {
                TlsPeerError::Incompatible(Error::AlertReceived(alert))
            }
            alert => TlsPeerError::Broken(Error::AlertReceived(alert)),
        }
    }

    /// The same for a failed read or write.
    pub(super) fn explain_io(&self, error: io::Error) -> TlsPeerError {
        match error.downcast::<Error>() {
            Ok(error) => self.explain(error),
            Err(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe => TlsPeerError::Closed,
                _ => TlsPeerError::Io(error),
            },
        }
    }
}

/// Whether an alert is about the certificate that its receiver showed. Pure.
pub(super) const fn is_distrust(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(alert: AlertDescription, has_certificate: bool) -> TlsPeerError {
        let situation = Situation { ca: "ca.pem".into(), name: "s".into(), has_certificate };
        situation.explain(Error::AlertReceived(alert))
    }

    #[test]
    fn a_server_that_wants_a_certificate_is_understood_whatever_its_library_says() {
        for alert in [AlertDescription::HandshakeFailure, AlertDescription::BadCertificate] {
            assert!(matches!(explain(alert, false), TlsPeerError::WantsCertificate));
        }
        assert!(matches!(
            explain(AlertDescription::CertificateRequired, false),
            TlsPeerError::WantsCertificate
        ));
        assert!(matches!(
            explain(AlertDescription::HandshakeFailure, true),
            TlsPeerError::Incompatible(_)
        ));
        assert!(matches!(
            explain(AlertDescription::BadCertificate, true),
            TlsPeerError::Refused { .. }
        ));
        assert!(matches!(explain(AlertDescription::InternalError, true), TlsPeerError::Broken(_)));
    }
}
