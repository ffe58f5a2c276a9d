//! The server's side: its certificate, whom it lets in, and renewals without a restart.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    sign::SingleCertAndKey,
};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    ClientIdentity, TlsAcceptError, TlsError, TlsStream,
    certificate::{Validity, date},
    files::{FileRole, Pem, pair},
    looks_like_tls, provider,
};

/// How long a client may take to close after its handshake failed. Closing first would reset the
/// connection under whatever it just sent, and could destroy the alert that tells it why.
const ALERT_GRACE: Duration = Duration::from_secs(2);

/// Others may read a file with this in its mode.
const READABLE_BY_ALL: u32 = 0o004;

/// Where a server's TLS comes from. All PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it the chain up to the CA that clients trust.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, SEC1 or PKCS#1.
    pub key: PathBuf,
    /// Only clients with a certificate of one of these CAs are let in.
    pub client_ca: Option<PathBuf>,
}

/// What an operator should know about files that were taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsWarning {
    /// Clients refuse it.
    Expired {
        /// The certificate file.
        certificate: PathBuf,
        /// Since when.
        not_after: SystemTime,
    },
    /// Clients refuse it for the time being.
    NotYetValid {
        /// The certificate file.
        certificate: PathBuf,
        /// Until when.
        not_before: SystemTime,
    },
    /// Every user of the machine can read the key.
    KeyReadableByAll {
        /// The key file.
        key: PathBuf,
    },
}

impl fmt::Display for TlsWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { certificate, not_after } => write!(
                f,
                "the certificate in {} expired at {} and clients refuse it: renew it",
                certificate.display(),
                date(*not_after)
            ),
            Self::NotYetValid { certificate, not_before } => write!(
                f,
                "the certificate in {} is valid from {} on, and clients refuse it until then: check this machine's clock",
                certificate.display(),
                date(*not_before)
            ),
            Self::KeyReadableByAll { key } => write!(
                f,
                "every user of this machine can read the key in {}: chmod 600",
                key.display()
            ),
        }
    }
}

/// What a reload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The files say what they said before.
    Unchanged,
    /// New connections get the new certificate.
    Replaced,
}

/// A server's TLS. Shared by all its connections.
pub struct ServerTls {
    files: TlsFiles,
    serving: RwLock<Arc<Serving>>,
}

/// What new connections get.
struct Serving {
    acceptor: TlsAcceptor,
    validity: Validity,
    key_readable_by_all: bool,
    print: FilesPrint,
}

/// SHA-256 of all files. Their content, not their times: symlinks are swapped, and a file can be written
/// twice within one tick of a file system's clock.
type FilesPrint = [u8; 32];

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls")
            .field("files", &self.files)
            .field("not_after", &date(self.not_after()))
            .finish_non_exhaustive()
    }
}

impl ServerTls {
    /// Reads and checks the files. Blocking. An expired certificate is taken: see [`Self::warnings`].
    ///
    /// # Errors
    ///
    /// [`TlsError`], with the file, its fault and the remedy.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let serving = RwLock::new(Arc::new(ReadFiles::read(&files)?.check()?));
        Ok(Self { files, serving })
    }

    /// Reads the files again. If they changed and are good, connections accepted from now on get the new
    /// ones; those that are open go on with what they have. Blocking.
    ///
    /// # Errors
    ///
    /// [`TlsError`]; what was served before stays.
    pub fn reload(&self) -> Result<Reload, TlsError> {
        let read = ReadFiles::read(&self.files)?;
        if read.print() == self.serving().print {
            return Ok(Reload::Unchanged);
        }
        let next = Arc::new(read.check()?);
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(Reload::Replaced)
    }

    /// The files it is made from.
    #[must_use]
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// When the certificate expires. That of the server itself: chains often carry old roots along.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.serving().validity.not_after
    }

    /// What should be said about the files, as of `now`.
    #[must_use]
    pub fn warnings(&self, now: SystemTime) -> Vec<TlsWarning> {
        let serving = self.serving();
        let Validity { not_before, not_after } = serving.validity;
        let certificate = || self.files.certificate.clone();
        let mut warnings = Vec::new();
        if now > not_after {
            warnings.push(TlsWarning::Expired { certificate: certificate(), not_after });
        }
        if now < not_before {
            warnings.push(TlsWarning::NotYetValid { certificate: certificate(), not_before });
        }
        if serving.key_readable_by_all {
            warnings.push(TlsWarning::KeyReadableByAll { key: self.files.key.clone() });
        }
        warnings
    }

    /// Takes a connection through its handshake. Has no deadline of its own: the caller sets one, and
    /// giving up closes the connection. The identity is there exactly if client CAs are configured.
    ///
    /// # Errors
    ///
    /// [`TlsAcceptError`]. The client has been told why, as far as TLS can.
    pub async fn accept(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream, Option<ClientIdentity>), TlsAcceptError> {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(0) => return Err(TlsAcceptError::Closed),
            Ok(_) if looks_like_tls(&first) => {}
            Ok(_) => return Err(TlsAcceptError::PlainText { stream }),
            Err(error) => return Err(error.into()),
        }
        let acceptor = self.serving().acceptor.clone();
        match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => {
                let certificates = stream.get_ref().1.peer_certificates();
                let leaf = certificates.and_then(|chain| chain.first());
                let identity = leaf.map(|leaf| ClientIdentity::of(leaf)).transpose();
                Ok((stream.into(), identity.map_err(TlsAcceptError::identity)?))
            }
            Err((error, stream)) => {
                // The alert is out, or could not be sent.
                let _ = timeout(ALERT_GRACE, see_off(stream)).await;
                Err(error.into())
            }
        }
    }

    fn serving(&self) -> Arc<Serving> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Closes this side and reads until the peer closes too.
async fn see_off(mut stream: TcpStream) {
    let mut waste = [0; 4096];
    if stream.shutdown().await.is_ok() {
        while matches!(stream.read(&mut waste).await, Ok(1..)) {}
    }
}

/// The files' content, as it was at one moment.
struct ReadFiles<'a> {
    certificate: Pem<'a>,
    key: Pem<'a>,
    client_ca: Option<Pem<'a>>,
    key_readable_by_all: bool,
}

impl<'a> ReadFiles<'a> {
    fn read(files: &'a TlsFiles) -> Result<Self, TlsError> {
        let ca = |path: &'a PathBuf| Pem::read(FileRole::ClientCa, path);
        Ok(Self {
            certificate: Pem::read(FileRole::Certificate, &files.certificate)?,
            key: Pem::read(FileRole::Key, &files.key)?,
            client_ca: files.client_ca.as_ref().map(ca).transpose()?,
            key_readable_by_all: readable_by_all(&files.key),
        })
    }

    fn print(&self) -> FilesPrint {
        let mut hash = Sha256::new();
        for file in [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()] {
            let bytes = file.map_or(&[][..], Pem::bytes);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        hash.finalize().into()
    }

    fn check(&self) -> Result<Serving, TlsError> {
        let provider = provider::ring();
        let pair = pair(&self.certificate, &self.key, &provider)?;
        let validity = Validity::of(&pair.cert[0])
            .map_err(|source| self.certificate.bad_certificate(1, source))?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(provider::VERSIONS)
            .map_err(|error| TlsError::Setup(error.into()))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let roots = Arc::new(ca.roots()?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                    .build()
                    .map_err(|error| TlsError::Setup(error.into()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Serving {
            acceptor: Arc::new(config).into(),
            validity,
            key_readable_by_all: self.key_readable_by_all,
            print: self.print(),
        })
    }
}

#[cfg(unix)]
fn readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & READABLE_BY_ALL != 0)
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> bool {
    false
}
