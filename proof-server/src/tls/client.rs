//! A client's side: whom it trusts, and what it shows.

use std::{fmt, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection,
    client::Resumption,
    pki_types::{IpAddr, ServerName},
    sign::SingleCertAndKey,
};

use super::{
    TlsError, TlsPeerError,
    files::{FileRole, Pem, pair},
    peer::Situation,
    provider,
};

/// A certificate and its key. All PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The certificate, and behind it the chain up to the CA that the server takes.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, SEC1 or PKCS#1.
    pub key: PathBuf,
}

/// Where a client's TLS comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTlsFiles {
    /// The CAs to trust, PEM. There is no default: a proof server's operator has a CA of its own.
    pub ca: PathBuf,
    /// What to show to a server that wants a certificate.
    pub identity: Option<KeyFiles>,
    /// The name that the server's certificate must have, if not the one that is connected to.
    pub server_name: Option<String>,
}

/// A client's TLS. Cheap to clone. It keeps what the files said when it was loaded: whoever connects over
/// months loads it anew for each connection.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    ca: PathBuf,
    has_certificate: bool,
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("ca", &self.ca)
            .field("has_certificate", &self.has_certificate)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

impl ClientTls {
    /// Reads and checks the files. Blocking.
    ///
    /// # Errors
    ///
    /// [`TlsError`], with the file, its fault and the remedy.
    pub fn load(files: &ClientTlsFiles) -> Result<Self, TlsError> {
        let provider = provider::ring();
        let roots = Pem::read(FileRole::ServerCa, &files.ca)?.roots()?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(provider::VERSIONS)
            .map_err(|error| TlsError::Setup(error.into()))?
            .with_root_certificates(roots);
        let mut config = match &files.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let certificate = Pem::read(FileRole::Certificate, &identity.certificate)?;
                let key = Pem::read(FileRole::Key, &identity.key)?;
                let pair = pair(&certificate, &key, &provider)?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair)))
            }
        };
        config.resumption = Resumption::disabled();
        let server_name = files.server_name.clone().map(|name| {
            ServerName::try_from(name.clone()).map_err(|_| TlsError::ServerName { name })
        });
        Ok(Self {
            config: Arc::new(config),
            server_name: server_name.transpose()?,
            ca: files.ca.clone(),
            has_certificate: files.identity.is_some(),
        })
    }

    /// Takes a connection to `host` through its handshake. Has no deadline of its own: the caller sets
    /// one, and giving up closes the connection.
    ///
    /// # Errors
    ///
    /// [`TlsPeerError`]. A server that does not take this side's certificate may say so only at the first
    /// read: [`Self::explain`] reads that.
    #[cfg(feature = "server")]
    pub async fn connect_async(
        &self,
        host: &str,
        stream: tokio::net::TcpStream,
    ) -> Result<super::TlsStream, TlsPeerError> {
        let (name, situation) = self.towards(host)?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.config));
        let connected = connector.connect(name, stream).await;
        connected.map(Into::into).map_err(|error| situation.explain_io(error))
    }

    /// Why a stream of [`Self::connect_async`] failed, where TLS is the reason.
    ///
    /// # Errors
    ///
    /// The error itself, where it has nothing to do with TLS.
    #[cfg(feature = "server")]
    pub fn explain(
        &self,
        host: &str,
        error: std::io::Error,
    ) -> Result<TlsPeerError, std::io::Error> {
        let (_, situation) = self.towards(host).map_err(std::io::Error::other)?;
        error.downcast().map(|error| situation.explain(error))
    }

    pub(super) fn begin(&self, host: &str) -> Result<(ClientConnection, Situation), TlsPeerError> {
        let (name, situation) = self.towards(host)?;
        let connection = ClientConnection::new(Arc::clone(&self.config), name);
        Ok((connection.map_err(|error| situation.explain(error))?, situation))
    }

    fn towards(&self, host: &str) -> Result<(ServerName<'static>, Situation), TlsPeerError> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned())
                .map_err(|_| TlsPeerError::Host { host: host.to_owned() })?,
        };
        let situation = Situation {
            ca: self.ca.display().to_string(),
            name: shown(&name),
            has_certificate: self.has_certificate,
        };
        Ok((name, situation))
    }
}

fn shown(name: &ServerName<'_>) -> String {
    match name {
        ServerName::IpAddress(IpAddr::V4(ip)) => std::net::Ipv4Addr::from(*ip).to_string(),
        ServerName::IpAddress(IpAddr::V6(ip)) => std::net::Ipv6Addr::from(*ip).to_string(),
        name => name.to_str().into_owned(),
    }
}

/// The host of `HOST:PORT`, an IPv6 address without its brackets. Pure.
pub(crate) fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_what_comes_before_the_port() {
        assert_eq!(host_of("prover.example:7600"), "prover.example");
        assert_eq!(host_of("127.0.0.1:7600"), "127.0.0.1");
        assert_eq!(host_of("[::1]:7600"), "::1");
        assert_eq!(host_of("prover.example"), "prover.example");
    }
}
