//! Both sides with each other, with certificates made for the test. One file a subject.

mod conversation;
mod files;
mod handshake;
mod reload;
mod torn;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{
    ClientIdentity, ClientTls, ClientTlsFiles, KeyFiles, ServerTls, TlsAcceptError, TlsFiles,
    TlsPeerError, TlsStream,
};

/// No test waits for longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate authority.
struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `key`, PEM.
    fn issue(&self, leaf: &CertificateParams, key: &KeyPair) -> String {
        leaf.signed_by(key, &self.0).unwrap().pem()
    }
}

/// A good certificate's content.
fn leaf(name: &str, sans: &[&str]) -> CertificateParams {
    let sans: Vec<String> = sans.iter().map(|&san| san.to_owned()).collect();
    let mut params = CertificateParams::new(sans).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// One that was good until 2020.
fn expired(name: &str, sans: &[&str]) -> CertificateParams {
    let mut params = leaf(name, sans);
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2020, 1, 1);
    params
}

/// A folder with the files of both sides.
struct Desk {
    folder: TempDir,
    ca: Ca,
}

impl Desk {
    /// With `ca.pem`, and a server `server.pem` and `server.key` for `localhost` and `127.0.0.1`.
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), ca: Ca::new("ca") };
        desk.write("ca.pem", &desk.ca.pem());
        desk.issue("server", &leaf("server", &["localhost", "127.0.0.1"]));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that only its owner reads.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        protect(&path);
        path
    }

    /// Writes a certificate of the desk's CA for a new key, and the key.
    fn issue(&self, name: &str, params: &CertificateParams) -> KeyPair {
        let key = KeyPair::generate().unwrap();
        self.write(&format!("{name}.pem"), &self.ca.issue(params, &key));
        self.write(&format!("{name}.key"), &key.serialize_pem());
        key
    }

    fn server_files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
            client_ca: None,
        }
    }

    fn server(&self) -> Arc<ServerTls> {
        Arc::new(ServerTls::load(self.server_files()).unwrap())
    }

    /// A server that lets in only clients with a certificate of the desk's CA.
    fn strict_server(&self) -> Arc<ServerTls> {
        let client_ca = Some(self.path("ca.pem"));
        Arc::new(ServerTls::load(TlsFiles { client_ca, ..self.server_files() }).unwrap())
    }

    fn client_files(&self) -> ClientTlsFiles {
        ClientTlsFiles { ca: self.path("ca.pem"), identity: None, server_name: None }
    }

    fn client(&self) -> ClientTls {
        ClientTls::load(&self.client_files()).unwrap()
    }

    /// A client that shows `name.pem`.
    fn client_as(&self, name: &str) -> ClientTls {
        let identity = KeyFiles {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}.key")),
        };
        ClientTls::load(&ClientTlsFiles { identity: Some(identity), ..self.client_files() })
            .unwrap()
    }
}

#[cfg(unix)]
fn protect(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn protect(_: &Path) {}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The two ends of a connection: the client's first.
async fn wire() -> (TcpStream, TcpStream) {
    let (listener, address) = listen().await;
    let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

type Accepted = Result<(TlsStream, Option<ClientIdentity>), TlsAcceptError>;

/// Has a client and a server shake hands; what either says of it.
async fn meet(
    server: &ServerTls,
    client: &ClientTls,
    host: &str,
) -> (Accepted, Result<TlsStream, TlsPeerError>) {
    let (near, far) = wire().await;
    // The client's stream goes as soon as it fails, as it would in a client.
    let both = async { tokio::join!(server.accept(far), client.connect_async(host, near)) };
    timeout(PATIENCE, both).await.unwrap()
}

fn text(error: &dyn std::error::Error) -> String {
    crate::error_chain(error)
}
