//! Every fault of a file, and the words for it.

use super::*;
use crate::tls::{TlsError, TlsWarning};

const RSA: (&str, &str) = (include_str!("keys/rsa.pem"), include_str!("keys/rsa-pkcs1.key"));
const EC: (&str, &str) = (include_str!("keys/ec.pem"), include_str!("keys/ec-sec1.key"));
const ENCRYPTED: &str = include_str!("keys/ec-encrypted.key");

#[tokio::test]
async fn keys_are_taken_as_pkcs8_sec1_and_pkcs1() {
    for (certificate, key) in [RSA, EC] {
        let desk = Desk::new();
        desk.write("server.pem", certificate);
        desk.write("server.key", key);
        desk.write("ca.pem", certificate);
        let (accepted, connected) = meet(&desk.server(), &desk.client(), "localhost").await;
        assert!(accepted.is_ok() && connected.is_ok(), "{connected:?}");
    }
}

/// What loading the server says when `name` holds `content`.
fn fault(name: &str, content: &str) -> String {
    let desk = Desk::new();
    desk.write(name, content);
    let client_ca = Some(desk.path("ca.pem"));
    let error = ServerTls::load(TlsFiles { client_ca, ..desk.server_files() }).unwrap_err();
    text(&error).replace(&format!("{}/", desk.folder.path().display()), "")
}

#[test]
fn each_fault_of_a_file_is_named_with_its_remedy() {
    let key = KeyPair::generate().unwrap().serialize_pem();
    let torn = &EC.0[..EC.0.len() / 2];
    let garbled = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let odd = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (name, content, says) in [
        (
            "server.pem",
            "",
            "certificate file server.pem has no certificate: give PEM with BEGIN CERTIFICATE",
        ),
        ("server.pem", &key, "certificate file server.pem has no certificate"),
        (
            "server.pem",
            torn,
            "certificate file server.pem is damaged, a BEGIN line has no END line: write it anew",
        ),
        ("server.pem", garbled, "damaged, what is between BEGIN and END is not base64"),
        ("server.pem", "-----BEGIN CERT", "damaged, a BEGIN line is malformed"),
        ("server.pem", hollow, "certificate 1 in certificate file server.pem cannot be used"),
        (
            "server.key",
            "",
            "key file server.key has no private key: give PEM with BEGIN PRIVATE KEY",
        ),
        ("server.key", EC.0, "key file server.key has no private key"),
        (
            "server.key",
            ENCRYPTED,
            "the key in server.key is encrypted: decrypt it with `openssl pkey`",
        ),
        ("server.key", odd, "the key in server.key cannot be used: give ECDSA P-256"),
        (
            "server.key",
            &key,
            "the key in server.key is not that of the certificate in server.pem: give the pair",
        ),
        ("ca.pem", "", "client CA file ca.pem has no certificate"),
        ("ca.pem", hollow, "certificate 1 in client CA file ca.pem cannot be used"),
        ("server.pem", &"x".repeat((1 << 20) + 1), "server.pem is no file of at most 1024 KiB"),
    ] {
        let said = fault(name, content);
        assert!(said.contains(says), "{said}\nwanted: {says}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_file_is_named() {
    let desk = Desk::new();
    let files = |key: &str| TlsFiles { key: desk.path(key), ..desk.server_files() };
    let said = text(&ServerTls::load(files("none.key")).unwrap_err());
    assert!(said.contains("none.key does not exist: check the path"), "{said}");
    let said = text(&ServerTls::load(files(".")).unwrap_err());
    assert!(said.contains("is no file of at most 1024 KiB"), "{said}");
    let error = ServerTls::load(files("server.key/below")).unwrap_err();
    assert!(matches!(error, TlsError::Unreadable { .. }), "{error}");
    let missing = ClientTlsFiles { ca: desk.path("none.pem"), ..desk.client_files() };
    let said = text(&ClientTls::load(&missing).unwrap_err());
    assert!(said.contains("server CA file") && said.contains("none.pem does not exist"), "{said}");
}

#[test]
fn nothing_of_a_key_gets_into_an_error_or_a_debug_print() {
    let desk = Desk::new();
    let secret = "MHcCAQEEIIrtSecretSecretSecret";
    let broken = format!("-----BEGIN PRIVATE KEY {secret}\n{secret}\n");
    for name in ["server.pem", "server.key"] {
        let said = fault(name, &broken);
        assert!(!said.contains("Secret"), "{said}");
    }
    desk.issue("bridge", &leaf("bridge", &[]));
    let printed = format!("{:?} {:?}", desk.strict_server(), desk.client_as("bridge"));
    assert!(!printed.contains("PRIVATE") && printed.len() < 1000, "{printed}");
}

#[cfg(unix)]
#[test]
fn a_key_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let now = crate::date();
    assert_eq!(desk.server().warnings(now), []);
    let key = desk.path("server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = desk.server().warnings(now);
    assert_eq!(warnings, [TlsWarning::KeyReadableByAll { key }]);
    assert!(warnings[0].to_string().contains("chmod 600"));
}

#[test]
fn a_certificate_of_the_future_is_warned_of() {
    let desk = Desk::new();
    let early = std::time::SystemTime::UNIX_EPOCH;
    let warnings = desk.server().warnings(early);
    assert!(matches!(warnings[..], [TlsWarning::NotYetValid { .. }]), "{warnings:?}");
    assert!(warnings[0].to_string().contains("check this machine's clock"));
}
