//! The flags of an encrypted connection.

use std::path::PathBuf;

use clap::{Args, builder::NonEmptyStringValueParser};
use proof_server::tls::{ClientTls, ClientTlsFiles, KeyFiles, TlsError};

use super::args::path;

/// Whom to trust, and what to show.
#[derive(Debug, Args)]
pub(super) struct TlsArgs {
    /// Speak TLS to the server, and trust the CAs in this PEM file and no others
    #[arg(
        long = "tls-ca",
        env = "LIGHT_CLIENT_TLS_CA",
        value_name = "FILE",
        value_parser = path,
        help_heading = "Encryption"
    )]
    pub(super) ca: Option<PathBuf>,
    /// Certificate to show to a server that wants one, PEM, with its chain
    #[arg(
        id = "tls_cert",
        long = "tls-cert",
        env = "LIGHT_CLIENT_TLS_CERT",
        value_name = "FILE",
        value_parser = path,
        help_heading = "Encryption",
        requires_all = ["ca", "tls_key"]
    )]
    pub(super) certificate: Option<PathBuf>,
    /// That certificate's private key, PEM
    #[arg(
        id = "tls_key",
        long = "tls-key",
        env = "LIGHT_CLIENT_TLS_KEY",
        value_name = "FILE",
        value_parser = path,
        help_heading = "Encryption",
        requires_all = ["ca", "tls_cert"]
    )]
    pub(super) key: Option<PathBuf>,
    /// Name that the server's certificate must have, if not the host in --server
    #[arg(
        long = "tls-server-name",
        env = "LIGHT_CLIENT_TLS_SERVER_NAME",
        value_name = "NAME",
        value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Encryption",
        requires = "ca"
    )]
    pub(super) server_name: Option<String>,
}

impl TlsArgs {
    /// Reads the files; nothing where plain text is to be spoken.
    pub(super) fn load(&self) -> Result<Option<ClientTls>, TlsError> {
        self.files().map(|files| ClientTls::load(&files)).transpose()
    }

    /// Where the files are. Pure.
    fn files(&self) -> Option<ClientTlsFiles> {
        let identity = self.certificate.clone().zip(self.key.clone());
        Some(ClientTlsFiles {
            ca: self.ca.clone()?,
            identity: identity.map(|(certificate, key)| KeyFiles { certificate, key }),
            server_name: self.server_name.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        tls: TlsArgs,
    }

    fn parse(flags: &str) -> Result<Option<ClientTlsFiles>, String> {
        let line = ["x"].into_iter().chain(flags.split_whitespace());
        let parsed = Command::try_parse_from(line).map_err(|error| error.to_string())?;
        Ok(parsed.tls.files())
    }

    #[test]
    fn without_a_ca_plain_text_is_spoken() {
        assert_eq!(parse(""), Ok(None));
    }

    #[test]
    fn a_ca_is_enough_and_the_rest_can_be_added() {
        let only = ClientTlsFiles { ca: "a".into(), identity: None, server_name: None };
        assert_eq!(parse("--tls-ca a"), Ok(Some(only)));
        let all = ClientTlsFiles {
            ca: "a".into(),
            identity: Some(KeyFiles { certificate: "c".into(), key: "k".into() }),
            server_name: Some("s".into()),
        };
        let flags = "--tls-ca a --tls-cert c --tls-key k --tls-server-name s";
        assert_eq!(parse(flags), Ok(Some(all)));
    }

    #[test]
    fn half_of_a_pair_and_anything_without_a_ca_are_refused_with_what_is_missing() {
        for (flags, missing) in [
            ("--tls-ca a --tls-cert c", "--tls-key"),
            ("--tls-ca a --tls-key k", "--tls-cert"),
            ("--tls-cert c --tls-key k", "--tls-ca"),
            ("--tls-server-name s", "--tls-ca"),
            ("--tls-ca=", "value"),
        ] {
            let text = parse(flags).unwrap_err();
            assert!(text.contains(missing), "{flags}: {text}");
        }
    }
}
