//! Where the prover is, and who asks.

use std::{fmt, str::FromStr};

use sp1_sdk::network::{
    InvalidBearerToken, NetworkBearerToken, NetworkMode,
    signer::{NetworkSigner, NetworkSignerError},
};

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A cluster of one's own, or anything that speaks its messages: `http://` or `https://`.
    Url(String),
    /// SP1's hosted network, with capacity that was reserved.
    Hosted,
    /// SP1's hosted network, where provers bid for each proof.
    Mainnet,
}

impl Endpoint {
    pub(crate) const fn mode(&self) -> NetworkMode {
        match self {
            Self::Url(_) | Self::Hosted => NetworkMode::Reserved,
            Self::Mainnet => NetworkMode::Mainnet,
        }
    }

    /// `None` where SP1's own address of the service is meant.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Url(url) => Some(url),
            Self::Hosted | Self::Mainnet => None,
        }
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "hosted" => Ok(Self::Hosted),
            "mainnet" => Ok(Self::Mainnet),
            url => {
                let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
                match rest {
                    Some(host) if !host.is_empty() => Ok(Self::Url(url.to_owned())),
                    _ => Err(format!(
                        "`{text}` is no endpoint: give https://HOST:PORT of a cluster, or `hosted` or `mainnet` for SP1's network"
                    )),
                }
            }
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url(url) => url,
            Self::Hosted => "hosted",
            Self::Mainnet => "mainnet",
        })
    }
}

/// What a client shows of itself, PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate and those between it and the CA's.
    pub certificate: Vec<u8>,
    /// The certificate's private key.
    pub key: Vec<u8>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Who asks, and how that is shown. Prints no secret.
#[derive(Clone)]
pub struct Access {
    /// Where requests go.
    pub endpoint: Endpoint,
    /// The secp256k1 key that signs requests: 32 bytes as hex.
    pub key: String,
    /// Sent with each request, where the endpoint wants one.
    pub token: Option<String>,
    /// A certificate, where the endpoint wants one.
    pub identity: Option<Identity>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.is_some())
            .field("identity", &self.identity.is_some())
            .finish_non_exhaustive()
    }
}

/// Credentials that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The key is none.
    #[error("the key is no secp256k1 private key: give 64 hex digits")]
    Key(#[source] NetworkSignerError),
    /// The token cannot be sent.
    #[error("the token cannot be sent in a header: give it without spaces and line ends")]
    Token(#[source] InvalidBearerToken),
    /// A certificate needs encryption.
    #[error("a client certificate needs https://, and the endpoint is {0}")]
    PlainText(Endpoint),
}

impl Access {
    pub(crate) fn signer(&self) -> Result<NetworkSigner, AccessError> {
        NetworkSigner::local(self.key.trim()).map_err(AccessError::Key)
    }

    pub(crate) fn bearer(&self) -> Result<Option<NetworkBearerToken>, AccessError> {
        let token = self.token.as_deref().map(str::trim);
        token.map(NetworkBearerToken::new).transpose().map_err(AccessError::Token)
    }

    pub(crate) fn identity(&self) -> Result<Option<&Identity>, AccessError> {
        let plain = self.endpoint.url().is_some_and(|url| url.starts_with("http://"));
        if plain && self.identity.is_some() {
            return Err(AccessError::PlainText(self.endpoint.clone()));
        }
        Ok(self.identity.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access {
            endpoint: Endpoint::Url("http://127.0.0.1:1".to_owned()),
            key: "11".repeat(32),
            token: None,
            identity: None,
        }
    }

    #[test]
    fn endpoints_are_addresses_or_the_names_of_sp1s_services() {
        assert_eq!("hosted".parse(), Ok(Endpoint::Hosted));
        assert_eq!("mainnet".parse(), Ok(Endpoint::Mainnet));
        let url = "https://cluster.internal:50051";
        assert_eq!(url.parse(), Ok(Endpoint::Url(url.to_owned())));
        for text in ["", "cluster:50051", "ftp://x", "https://"] {
            let fault = text.parse::<Endpoint>().unwrap_err();
            assert!(fault.contains("is no endpoint: give https://HOST:PORT"), "{fault}");
        }
    }

    #[test]
    fn credentials_that_cannot_be_used_are_refused_before_anything_is_sent() {
        access().signer().unwrap();
        let bad = Access { key: "no key".to_owned(), ..access() };
        assert!(bad.signer().unwrap_err().to_string().contains("64 hex digits"));
        let bad = Access { token: Some("two\nlines".to_owned()), ..access() };
        assert!(bad.bearer().map(drop).unwrap_err().to_string().contains("without spaces"));
        let bad = Access {
            identity: Some(Identity { certificate: Vec::new(), key: Vec::new() }),
            ..access()
        };
        assert!(bad.identity().unwrap_err().to_string().contains("needs https://"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let access = Access { token: Some("s3cret".to_owned()), ..access() };
        let text = format!("{access:?}");
        assert!(!text.contains("1111") && !text.contains("s3cret"), "{text}");
    }
}
