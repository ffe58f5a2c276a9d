//! The flags of encrypted connections, as `light-client` has them.

use std::path::PathBuf;

use clap::{Args, builder::NonEmptyStringValueParser};
use proof_server::tls::{ClientTls, ClientTlsFiles, KeyFiles, TlsError};

/// Whom to trust, and what to show.
#[derive(Debug, Clone, Args)]
pub(super) struct TlsArgs {
    /// Speak TLS to the servers, and trust the CAs in this PEM file and no others
    #[arg(long = "tls-ca", value_name = "FILE", help_heading = "Encryption")]
    ca: Option<PathBuf>,

    /// Certificate to show to servers that want one, PEM, with its chain
    #[arg(
        long = "tls-cert",
        value_name = "FILE",
        help_heading = "Encryption",
        requires_all = ["ca", "key"]
    )]
    certificate: Option<PathBuf>,

    /// That certificate's private key, PEM
    #[arg(
        long = "tls-key",
        value_name = "FILE",
        help_heading = "Encryption",
        requires_all = ["ca", "certificate"]
    )]
    key: Option<PathBuf>,

    /// Name that the servers' certificates must have, if not the host in --server
    #[arg(
        long = "tls-server-name",
        value_name = "NAME",
        value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Encryption",
        requires = "ca"
    )]
    server_name: Option<String>,
}

impl TlsArgs {
    /// Reads the files; nothing where plain text is to be spoken.
    pub(super) fn load(&self) -> Result<Option<ClientTls>, TlsError> {
        let Some(ca) = self.ca.clone() else { return Ok(None) };
        let identity = self.certificate.clone().zip(self.key.clone());
        let identity = identity.map(|(certificate, key)| KeyFiles { certificate, key });
        let server_name = self.server_name.clone();
        ClientTls::load(&ClientTlsFiles { ca, identity, server_name }).map(Some)
    }
}
