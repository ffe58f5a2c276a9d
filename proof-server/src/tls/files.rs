//! PEM files: what is wrong with one, and what to do about it. Nothing of a file's content gets into an
//! error: the wrong file may be a key.

use std::{
    fmt, fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use rustls::{
    Error, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};

/// Most bytes to read of one file, 1 MiB: every root that a browser trusts is 0.2 MB. A path that is
/// mistaken should not fill the memory.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// The certificate to show, with the chain up to its CA behind it.
    Certificate,
    /// The certificate's private key.
    Key,
    /// The CAs whose clients a server takes.
    ClientCa,
    /// The CAs whose servers a client trusts.
    ServerCa,
}

impl fmt::Display for FileRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate file",
            Self::Key => "key file",
            Self::ClientCa => "client CA file",
            Self::ServerCa => "server CA file",
        })
    }
}

/// Why TLS cannot be set up from these files and settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Nothing is there.
    #[error("{role} {} does not exist: check the path", path.display())]
    Missing {
        /// What it is for.
        role: FileRole,
        /// Where.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("{role} {} cannot be read: let this process's user read it", path.display())]
    Unreadable {
        /// What it is for.
        role: FileRole,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is a folder, a device, or far too large.
    #[error("{role} {} is no file of at most {} KiB: give a PEM file", path.display(), MAX_FILE_BYTES >> 10)]
    NoFile {
        /// What it is for.
        role: FileRole,
        /// Where.
        path: PathBuf,
    },
    /// It is PEM, but not whole.
    #[error("{role} {} is damaged, {fault}: write it anew", path.display())]
    Damaged {
        /// What it is for.
        role: FileRole,
        /// Where.
        path: PathBuf,
        /// How.
        fault: &'static str,
    },
    /// It has none.
    #[error("{role} {} has no certificate: give PEM with BEGIN CERTIFICATE in it", path.display())]
    NoCertificate {
        /// What it is for.
        role: FileRole,
        /// Where.
        path: PathBuf,
    },
    /// What it calls a certificate is none that can be used.
    #[error("certificate {number} in {role} {} cannot be used: have it issued again", path.display())]
    BadCertificate {
        /// What it is for.
        role: FileRole,
        /// Where.
        path: PathBuf,
        /// Which one, from 1.
        number: usize,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It has none.
    #[error(
        "key file {} has no private key: give PEM with BEGIN PRIVATE KEY (PKCS#8), BEGIN EC PRIVATE KEY or BEGIN RSA PRIVATE KEY in it",
        path.display()
    )]
    NoKey {
        /// Where.
        path: PathBuf,
    },
    /// It has a passphrase, and nobody to ask for it.
    #[error("the key in {} is encrypted: decrypt it with `openssl pkey` and protect the file instead", path.display())]
    EncryptedKey {
        /// Where.
        path: PathBuf,
    },
    /// The key is of a kind, size or form that is not supported.
    #[error("the key in {} cannot be used: give ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits", path.display())]
    BadKey {
        /// Where.
        path: PathBuf,
        /// What rustls said.
        #[source]
        source: Error,
    },
    /// The two do not belong together.
    #[error("the key in {} is not that of the certificate in {}: give the pair that was issued together", key.display(), certificate.display())]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// A server's name that is none.
    #[error(
        "`{name}` is neither a DNS name nor an IP address: give what the server's certificate names"
    )]
    ServerName {
        /// The name.
        name: String,
    },
    /// rustls does not take the whole although its parts are well.
    #[error("TLS cannot be set up with these files")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A file's content.
pub(super) struct Pem<'a> {
    role: FileRole,
    path: &'a Path,
    bytes: Vec<u8>,
}

impl<'a> Pem<'a> {
    pub(super) fn read(role: FileRole, path: &'a Path) -> Result<Self, TlsError> {
        let fault = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => TlsError::Missing { role, path: path.to_owned() },
            _ => TlsError::Unreadable { role, path: path.to_owned(), source },
        };
        // Before it is opened: a pipe would wait for a writer.
        let mut fits = fs::metadata(path).map_err(fault)?.is_file();
        let mut bytes = Vec::new();
        if fits {
            let file = fs::File::open(path).map_err(fault)?;
            file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
            fits = bytes.len() as u64 <= MAX_FILE_BYTES;
        }
        if fits {
            Ok(Self { role, path, bytes })
        } else {
            Err(TlsError::NoFile { role, path: path.to_owned() })
        }
    }

    #[cfg(feature = "server")]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All certificates, at least one, in the file's order.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let (role, path) = (self.role, self.path.to_owned());
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found {
            Ok(found) if found.is_empty() => Err(TlsError::NoCertificate { role, path }),
            Ok(found) => Ok(found),
            Err(error) => Err(self.damaged(&error)),
        }
    }

    /// The first key.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let path = || self.path.to_owned();
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| {
            // PKCS#8's way to say so, and the older one.
            if self.has(b"BEGIN ENCRYPTED PRIVATE KEY") || self.has(b"Proc-Type: 4,ENCRYPTED") {
                TlsError::EncryptedKey { path: path() }
            } else if matches!(error, pem::Error::NoItemsFound) {
                TlsError::NoKey { path: path() }
            } else {
                self.damaged(&error)
            }
        })
    }

    /// All certificates, to be trusted as CAs.
    pub(super) fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        for (certificate, number) in self.certificates()?.into_iter().zip(1..) {
            roots.add(certificate).map_err(|source| self.bad_certificate(number, source))?;
        }
        Ok(roots)
    }

    pub(super) fn bad_certificate(
        &self,
        number: usize,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> TlsError {
        let (role, path) = (self.role, self.path.to_owned());
        TlsError::BadCertificate { role, path, number, source: Box::new(source) }
    }

    fn has(&self, text: &[u8]) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text)
    }

    /// The error's own text may quote the file.
    fn damaged(&self, error: &pem::Error) -> TlsError {
        let fault = match error {
            pem::Error::MissingSectionEnd { .. } => "a BEGIN line has no END line",
            pem::Error::IllegalSectionStart { .. } => "a BEGIN line is malformed",
            pem::Error::Base64Decode(_) => "what is between BEGIN and END is not base64",
            _ => "it is not PEM",
        };
        TlsError::Damaged { role: self.role, path: self.path.to_owned(), fault }
    }
}

/// A certificate's chain with its key, checked to belong together.
pub(super) fn pair(
    certificate: &Pem<'_>,
    key: &Pem<'_>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = certificate.certificates()?;
    let signer = provider
        .key_provider
        .load_private_key(key.key()?)
        .map_err(|source| TlsError::BadKey { path: key.path.to_owned(), source })?;
    let pair = CertifiedKey::new(chain, signer);
    match pair.keys_match() {
        Ok(()) => Ok(pair),
        Err(Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            certificate: certificate.path.to_owned(),
            key: key.path.to_owned(),
        }),
        Err(source) => Err(certificate.bad_certificate(1, source)),
    }
}
