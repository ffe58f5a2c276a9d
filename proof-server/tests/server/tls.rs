//! TLS on the real server: who gets in, and as whom.

use std::{fs, path::PathBuf};

use proof_server::{
    client::{Client, ClientError, ClientOptions},
    tls::{ClientTls, ClientTlsFiles, KeyFiles},
    types::{Code, ProofMode},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::support::{
    FOREVER, ServerProcess, ask, failure, inclusion, input, poll_until, wait_failure,
    wait_position, wait_started,
};

/// A CA with certificates in a folder.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        let authority = Self { folder, issuer: Issuer::new(params, key) };
        for name in ["server", "alice", "bob"] {
            authority.issue(name);
        }
        authority
    }

    fn issue(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn server(&self, mutual: bool, flags: &[&str]) -> ServerProcess {
        let (cert, key, ca) =
            (self.text("server.pem"), self.text("server.key"), self.text("ca.pem"));
        let mut all = vec!["--tls-cert", &cert, "--tls-key", &key];
        if mutual {
            all.extend(["--tls-client-ca", &ca]);
        }
        all.extend(flags);
        ServerProcess::start(&all)
    }

    fn options(&self, name: Option<&str>) -> ClientOptions {
        let identity = name.map(|name| KeyFiles {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}.key")),
        });
        let files = ClientTlsFiles { ca: self.path("ca.pem"), identity, server_name: None };
        let tls = Some(ClientTls::load(&files).unwrap());
        ClientOptions { tls, ..ClientOptions::new("test") }
    }

    fn connect(&self, server: &ServerProcess, name: Option<&str>) -> Result<Client, ClientError> {
        Client::connect(&server.address.to_string(), &self.options(name))
    }
}

#[test]
fn a_proof_comes_over_tls() {
    let authority = Authority::new();
    let server = authority.server(false, &[]);
    let mut client = authority.connect(&server, None).unwrap();
    let (proof, _) = client.prove(ProofMode::Core, input(), |_| {}).unwrap();
    assert_eq!(proof.public_values, input().check().unwrap().public_values);
}

#[test]
fn who_speaks_plain_text_to_a_tls_port_is_told_so() {
    let authority = Authority::new();
    let server = authority.server(false, &[]);
    let refused = failure(server.try_connect());
    assert_eq!(refused.code, Code::Unsupported);
    assert!(refused.message.contains("this server speaks TLS"), "{refused}");
    authority.connect(&server, None).unwrap();
}

#[test]
fn who_speaks_tls_to_a_plain_port_is_told_so() {
    let server = ServerProcess::start(&[]);
    let error = Authority::new().connect(&server, None).unwrap_err();
    assert!(matches!(error, ClientError::Tls(_)), "{error:?}");
    server.connect();
}

#[test]
fn with_client_certificates_nobody_else_gets_in() {
    let authority = Authority::new();
    let server = authority.server(true, &[]);
    let stranger = Authority::new();
    assert!(authority.connect(&server, None).is_err(), "no certificate");
    let mut options = authority.options(None);
    let files = ClientTlsFiles {
        ca: authority.path("ca.pem"),
        identity: Some(KeyFiles {
            certificate: stranger.path("alice.pem"),
            key: stranger.path("alice.key"),
        }),
        server_name: None,
    };
    options.tls = Some(ClientTls::load(&files).unwrap());
    assert!(Client::connect(&server.address.to_string(), &options).is_err(), "another CA's");
    let mut alice = authority.connect(&server, Some("alice")).unwrap();
    alice.prove(ProofMode::Core, input(), |_| {}).unwrap();
    assert!(server.log().contains("alice"), "the log says who asked");
}

#[test]
fn clients_have_their_shares_of_the_queue_by_their_certificates() {
    let authority = Authority::new();
    let server = authority.server(true, &[&["--queue", "4"][..], &FOREVER].concat());
    let [mut alice, mut bob] =
        ["alice", "bob"].map(|name| authority.connect(&server, Some(name)).unwrap());
    let running = ask(&mut alice);
    wait_started(&mut alice, running);
    for position in 1..=2 {
        let waiting = ask(&mut alice);
        wait_position(&mut alice, waiting, position);
    }
    let refused = ask(&mut alice);
    assert_eq!(wait_failure(&mut alice, refused).code, Code::Busy);
    // From the same address, and yet somebody else: bob is next but one.
    let waiting = ask(&mut bob);
    wait_position(&mut bob, waiting, 2);
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let authority = Authority::new();
    let server = authority.server(false, &["--metrics", "127.0.0.1:0"]);
    let mut old = authority.connect(&server, None).unwrap();
    authority.issue("server");
    let reloads = "proof_server_tls_reloads_total{outcome=\"ok\"}";
    poll_until("a reload", || (server.metric(reloads) == 1.0).then_some(()));
    authority.connect(&server, None).unwrap().prove(ProofMode::Core, input(), |_| {}).unwrap();
    old.prove(ProofMode::Core, input(), |_| {}).expect("an old connection goes on");
}

#[test]
fn a_primary_reaches_its_secondary_over_mutual_tls() {
    let authority = Authority::new();
    let second = authority.server(true, &["--role", "secondary"]);
    let address = second.address.to_string();
    let (ca, cert, key) =
        (authority.text("ca.pem"), authority.text("alice.pem"), authority.text("alice.key"));
    let own = ["--role", "primary", "--secondary", &address, "--secondary-tls-ca", &ca];
    let first = ServerProcess::start(
        &[&own[..], &["--secondary-tls-cert", &cert, "--secondary-tls-key", &key]].concat(),
    );
    let mut client = first.connect();
    poll_until("inclusion", || client.prove(ProofMode::Core, inclusion(), |_| {}).ok());
    // And not without a certificate.
    let bare = ServerProcess::start(&own);
    assert_eq!(bare.connect().status().unwrap().secondary, Some(false));
    assert_eq!(
        failure(bare.connect().prove(ProofMode::Core, inclusion(), |_| {})).code,
        Code::Unavailable
    );
}

#[test]
fn tls_faults_are_named_before_the_server_listens() {
    let authority = Authority::new();
    let (cert, key, other) =
        (authority.text("server.pem"), authority.text("server.key"), authority.text("bob.key"));
    for (flags, exit, says) in [
        (vec!["--tls-cert", cert.as_str()], 64, "give --tls-key too"),
        (vec!["--tls-client-ca", cert.as_str()], 64, "give --tls-cert and --tls-key too"),
        (vec!["--tls-cert", cert.as_str(), "--tls-key", other.as_str()], 64, "no TLS"),
        (vec!["--tls-cert", "/nowhere", "--tls-key", key.as_str()], 64, "/nowhere"),
    ] {
        let output = crate::support::binary()
            .args(["serve", "--listen", "127.0.0.1:0", "--engine", "mock"])
            .args(&flags)
            .output()
            .unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{log}");
        assert!(log.contains(says), "{log}");
        assert!(!log.contains("PRIVATE"), "no secret in a log");
    }
}
