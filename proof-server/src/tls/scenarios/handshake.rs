//! Who gets in, who does not, and what either side is told.

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, pki_types::ServerName, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::*;

/// Sends a word each way.
async fn talk(one: &mut TlsStream, other: &mut TlsStream) {
    let mut heard = [0; 4];
    one.write_all(b"ping").await.unwrap();
    one.flush().await.unwrap();
    other.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"ping");
    other.write_all(b"pong").await.unwrap();
    other.flush().await.unwrap();
    one.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"pong");
}

#[tokio::test]
async fn a_client_that_trusts_the_ca_talks_with_the_server_by_name_and_by_address() {
    let desk = Desk::new();
    for host in ["localhost", "127.0.0.1"] {
        let (accepted, connected) = meet(&desk.server(), &desk.client(), host).await;
        let (mut far, identity) = accepted.unwrap();
        assert_eq!(identity, None, "no certificate was asked for");
        talk(&mut connected.unwrap(), &mut far).await;
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let desk = Desk::new();
    for (offered, version) in
        [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let mut roots = RootCertStore::empty();
        roots.add(desk.ca.0.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(crate::tls::provider::ring())
            .with_protocol_versions(&[offered])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (near, far) = wire().await;
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let server = desk.server();
        let (accepted, connected) = tokio::join!(server.accept(far), connector.connect(name, near));
        let (mut far, _) = accepted.unwrap();
        assert_eq!(far.get_ref().1.protocol_version(), Some(version));
        talk(&mut connected.unwrap().into(), &mut far).await;
    }
}

#[tokio::test]
async fn tls_1_1_is_refused_with_an_alert_about_the_version() {
    let desk = Desk::new();
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    hello.push(0);
    // TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, no compression; an extension with the one signature scheme.
    hello.extend([0, 2, 0xc0, 0x09, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut record = vec![0x16, 3, 1, 0, hello.len() as u8 + 4, 1, 0, 0, hello.len() as u8];
    record.extend(hello);
    let (mut near, far) = wire().await;
    near.write_all(&record).await.unwrap();
    let client = async {
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.unwrap();
        drop(near);
        answer
    };
    let server = desk.server();
    let (accepted, answer) = tokio::join!(server.accept(far), client);
    let error = accepted.unwrap_err();
    assert_eq!(error.reason(), "incompatible", "{}", text(&error));
    // Alert, fatal, protocol_version.
    assert_eq!((answer[0], &answer[5..]), (0x15, &[2, 70][..]));
}

#[tokio::test]
async fn a_server_of_another_ca_is_refused_and_learns_it() {
    let desk = Desk::new();
    for ca in ["another", "ca"] {
        desk.write("ca.pem", &Ca::new(ca).pem());
        let (accepted, connected) = meet(&desk.server(), &desk.client(), "localhost").await;
        let said = text(&connected.unwrap_err());
        let path = desk.path("ca.pem");
        let wanted = format!(
            "the server's certificate is signed by no CA of {}: give the file of the CA that signed it with --tls-ca",
            path.display()
        );
        assert_eq!(said, wanted, "also for a CA of the same name");
        assert_eq!(accepted.unwrap_err().reason(), "distrusted");
    }
}

#[tokio::test]
async fn an_expired_server_is_refused_and_warned_of_on_its_side() {
    let desk = Desk::new();
    desk.issue("server", &expired("server", &["localhost"]));
    let server = desk.server();
    let warning = server.warnings(crate::date()).remove(0).to_string();
    assert!(warning.contains("expired at 2020-01-01T00:00:00Z"), "{warning}");
    assert!(format!("{server:?}").contains("2020-01-01T00:00:00Z"));
    let (accepted, connected) = meet(&server, &desk.client(), "localhost").await;
    let said = text(&connected.unwrap_err());
    assert!(said.contains("has expired: have its operator renew it"), "{said}");
    assert_eq!(accepted.unwrap_err().reason(), "distrusted");
}

#[tokio::test]
async fn a_server_of_another_name_is_refused_with_the_names_that_it_has() {
    let desk = Desk::new();
    let (_, connected) = meet(&desk.server(), &desk.client(), "prover.example").await;
    let said = text(&connected.unwrap_err());
    assert!(said.contains("localhost") && said.contains("not for prover.example"), "{said}");
    assert!(said.contains("--tls-server-name"), "{said}");

    let named =
        |name: &str| ClientTlsFiles { server_name: Some(name.to_owned()), ..desk.client_files() };
    let client = ClientTls::load(&named("localhost")).unwrap();
    let (_, connected) = meet(&desk.server(), &client, "prover.example").await;
    connected.unwrap();
    let said = text(&ClientTls::load(&named("no name")).unwrap_err());
    assert!(said.contains("`no name` is neither a DNS name nor an IP address"), "{said}");
    let (_, connected) = meet(&desk.server(), &desk.client(), "no name").await;
    assert!(matches!(connected, Err(TlsPeerError::Host { .. })));
}

#[tokio::test]
async fn a_client_of_the_ca_is_let_in_and_known_by_its_key_through_renewals() {
    let desk = Desk::new();
    let key = desk.issue("bridge", &leaf("bridge", &[]));
    let server = desk.strict_server();
    let identity = async || {
        let (accepted, connected) = meet(&server, &desk.client_as("bridge"), "localhost").await;
        let (mut far, identity) = accepted.unwrap();
        talk(&mut connected.unwrap(), &mut far).await;
        identity.unwrap()
    };
    let first = identity().await;
    assert_eq!(first.name, "bridge");
    desk.write("bridge.pem", &desk.ca.issue(&leaf("bridge renewed", &[]), &key));
    let renewed = identity().await;
    assert_eq!(renewed.name, "bridge renewed");
    assert_eq!(renewed.fingerprint, first.fingerprint);
    desk.issue("bridge", &leaf("bridge", &[]));
    assert_ne!(identity().await.fingerprint, first.fingerprint);
}

/// What a client hears that is refused for its certificate: at the handshake, or at its first read.
async fn refused(desk: &Desk, client: &ClientTls) -> (TlsAcceptError, TlsPeerError) {
    let (near, far) = wire().await;
    let server = desk.strict_server();
    let ask = async {
        let mut stream = match client.connect_async("localhost", near).await {
            Ok(stream) => stream,
            Err(error) => return error,
        };
        // As a client does that does not know yet: the words of the server must survive it.
        stream.write_all(b"hello").await.unwrap();
        stream.flush().await.unwrap();
        let error = stream.read_u8().await.unwrap_err();
        client.explain("localhost", error).unwrap()
    };
    let both = async { tokio::join!(server.accept(far), ask) };
    let (accepted, error) = timeout(PATIENCE, both).await.unwrap();
    (accepted.unwrap_err(), error)
}

#[tokio::test]
async fn a_client_without_a_certificate_is_told_that_it_needs_one() {
    let desk = Desk::new();
    let (server, client) = refused(&desk, &desk.client()).await;
    assert!(matches!(server, TlsAcceptError::NoCertificate), "{}", text(&server));
    assert_eq!(
        text(&client),
        "the server wants a client certificate: give one with --tls-cert and --tls-key"
    );
}

#[tokio::test]
async fn a_client_of_another_ca_or_expired_or_of_another_purpose_is_told_so() {
    let desk = Desk::new();
    let key = desk.issue("late", &expired("late", &[]));
    desk.write("stranger.pem", &Ca::new("another").issue(&leaf("stranger", &[]), &key));
    desk.write("stranger.key", &key.serialize_pem());
    let mut server = leaf("server", &[]);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    desk.issue("purpose", &server);
    for name in ["late", "stranger", "purpose"] {
        let (server, client) = refused(&desk, &desk.client_as(name)).await;
        assert_eq!(server.reason(), "certificate", "{name}: {}", text(&server));
        let said = text(&client);
        assert!(said.contains("the server refused this client's certificate"), "{name}: {said}");
    }
}

#[tokio::test]
async fn plain_text_to_a_tls_port_is_recognised_and_can_still_be_answered() {
    let desk = Desk::new();
    let (mut near, far) = wire().await;
    near.write_all(&[0, 0, 0, 12, 0, 0, 0, 0]).await.unwrap();
    let error = desk.server().accept(far).await.unwrap_err();
    assert!(text(&error).contains("speaks plain text and this port TLS"), "{}", text(&error));
    let TlsAcceptError::PlainText { mut stream } = error else { panic!("{error:?}") };
    let mut sent = [0; 8];
    stream.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent[3], 12, "nothing of it was taken");
    stream.write_all(b"no").await.unwrap();
    near.read_exact(&mut sent[..2]).await.unwrap();
    assert_eq!(&sent[..2], b"no");
}

#[tokio::test]
async fn a_client_that_speaks_tls_to_a_plain_server_is_told_so() {
    let desk = Desk::new();
    let (near, mut far) = wire().await;
    let server = async {
        let mut first = [0; 3];
        far.read_exact(&mut first).await.unwrap();
        assert!(crate::tls::looks_like_tls(&first));
        far.write_all(&[0, 0, 0, 9, 7, 0, 0, 0, 0]).await.unwrap();
        far
    };
    let client = desk.client();
    let (connected, _) = tokio::join!(client.connect_async("localhost", near), server);
    let said = text(&connected.unwrap_err());
    assert!(said.contains("does not speak TLS but plain text: leave --tls-ca out"), "{said}");
}

#[tokio::test]
async fn a_client_that_stalls_in_its_handshake_is_cut_off_by_the_callers_deadline() {
    let desk = Desk::new();
    for sent in [&[][..], &[0x16], &[0x16, 3, 1, 2, 0, 1]] {
        let (mut near, far) = wire().await;
        near.write_all(sent).await.unwrap();
        let short = Duration::from_millis(50);
        assert!(timeout(short, desk.server().accept(far)).await.is_err(), "{sent:?}");
        let mut heard = [0; 8];
        // The end, or a reset where bytes were not read.
        let end = timeout(PATIENCE, near.read(&mut heard)).await.unwrap();
        assert!(!matches!(end, Ok(1..)), "{end:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_or_sends_garbage_ends_its_handshake() {
    let desk = Desk::new();
    for (sent, reason) in
        [(&[][..], "closed"), (&[0x16, 3, 1], "closed"), (&[0x16, 9, 9, 9, 9, 9], "handshake")]
    {
        let (mut near, far) = wire().await;
        near.write_all(sent).await.unwrap();
        near.shutdown().await.unwrap();
        let error = timeout(PATIENCE, desk.server().accept(far)).await.unwrap().unwrap_err();
        assert_eq!(error.reason(), reason, "{sent:?}: {}", text(&error));
    }
}
