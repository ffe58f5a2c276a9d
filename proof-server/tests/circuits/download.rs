//! Gigabytes over connections that break, from servers that change their mind.

use std::{fs, net::TcpListener, sync::Arc, thread, time::Duration};

use proof_server::{
    circuits::{FileHash, Install, InstallError, Patience, Snark},
    error_chain,
};

use crate::{
    support::{KEY, OTHER_KEY, Place, archive, files, from},
    web::{Hosted, Reply, Request, Web},
};

const INSTALLED: [&str; 1] = ["v6.1.0-groth16"];
const PART: &str = ".download-v6.1.0-groth16.tar.gz.part";
const STATE: &str = ".download-v6.1.0-groth16.tar.gz.json";

fn hosted(key: &[u8]) -> Hosted {
    Hosted { content: archive(&files(Snark::Groth16, key)), etag: "\"one\"" }
}

/// Installs what is not installed, and says why not.
fn fails(place: &Place, web: &Web) -> String {
    let error = place.install(&from(web.source())).unwrap_err();
    assert!(place.open().best(Snark::Groth16).is_err());
    error_chain(&error)
}

#[test]
fn a_download_that_breaks_goes_on_where_it_stopped() {
    let file = hosted(KEY);
    let web = Web::start(move |request, count| {
        file.reply_up_to(request, [100_000, 50_000, 1, usize::MAX][count])
    });
    let place = Place::new();
    let mut notes = Vec::new();
    let circuit = place
        .installer()
        .install(&from(web.source()), &mut |event| {
            if let proof_server::circuits::Event::Note(text) = event {
                notes.push(text.to_owned());
            }
        })
        .unwrap();
    assert_eq!(web.ranges(), [None, Some(100_000), Some(150_000), Some(150_001)]);
    assert!(web.requests()[1..].iter().all(|r| r.if_range.as_deref() == Some("\"one\"")));
    assert!(circuit.check(&mut |_| {}).is_empty());
    assert_eq!(circuit.source, web.url());
    assert_eq!(place.names(), INSTALLED);
    assert_eq!(notes.len(), 3);
    assert!(
        notes[0].starts_with("the connection broke") && notes[0].contains("; trying again in"),
        "{notes:?}"
    );
}

#[test]
fn a_download_that_was_given_up_goes_on_the_next_time() {
    let file = hosted(KEY);
    let web = Web::start(move |request, count| match count {
        0 => file.reply_up_to(request, 70_000),
        1..=3 => Reply::status("503 Service Unavailable"),
        _ => file.reply(request),
    });
    let place = Place::new();
    let text = fails(&place, &web);
    assert!(
        text.contains(&format!("cannot fetch {}: the server answered with status 503", web.url())),
        "{text}"
    );
    assert_eq!(place.names(), [STATE, PART]);
    assert_eq!(fs::metadata(place.path().join(PART)).unwrap().len(), 70_000);
    place.install(&from(web.source())).unwrap();
    assert_eq!(web.ranges(), [None, Some(70_000), Some(70_000), Some(70_000), Some(70_000)]);
    assert_eq!(place.names(), INSTALLED);
}

#[test]
fn a_file_that_changed_on_the_server_is_fetched_from_its_start() {
    let (old, mut new) = (hosted(OTHER_KEY), hosted(KEY));
    new.etag = "\"two\"";
    let web = Web::start(move |request, count| match count {
        0 => old.reply_up_to(request, 200_000),
        _ => new.reply(request),
    });
    let place = Place::new();
    let circuit = place.install(&from(web.source())).unwrap();
    assert_eq!(web.ranges(), [None, Some(200_000)]);
    assert_eq!(circuit.verifying_key, KEY);
    assert!(circuit.check(&mut |_| {}).is_empty());
}

#[test]
fn parts_of_two_files_are_not_put_together_even_if_the_server_does_not_care() {
    let (old, mut new) = (hosted(OTHER_KEY), hosted(KEY));
    new.etag = "\"two\"";
    let web = Web::start(move |request, count| match count {
        0 => old.reply_up_to(request, 200_000),
        _ => new.reply(&Request { if_range: None, ..request.clone() }),
    });
    let place = Place::new();
    let circuit = place.install(&from(web.source())).unwrap();
    assert_eq!(web.ranges(), [None, Some(200_000), None]);
    assert!(circuit.check(&mut |_| {}).is_empty());
}

#[test]
fn a_server_without_versions_is_asked_for_all_again() {
    let file = hosted(KEY);
    let web = Web::start(move |_, count| {
        let length = format!("Content-Length: {}", file.content.len());
        let most = if count == 0 { 1000 } else { file.content.len() };
        Reply::new("200 OK", &[length], &file.content[..most])
    });
    let place = Place::new();
    place.install(&from(web.source())).unwrap();
    assert_eq!(web.ranges(), [None, None]);
}

#[test]
fn another_part_than_was_asked_for_is_thrown_away() {
    let file = hosted(KEY);
    let web = Web::start(move |request, count| match (count, request.range) {
        (0, _) => file.reply_up_to(request, 1000),
        (1, _) => {
            // From the wrong byte on.
            file.reply(&Request { range: Some(900), ..request.clone() })
        }
        _ => file.reply(request),
    });
    let place = Place::new();
    let circuit = place.install(&from(web.source())).unwrap();
    assert_eq!(web.ranges(), [None, Some(1000), None]);
    assert!(circuit.check(&mut |_| {}).is_empty());
}

#[test]
fn a_server_that_always_gives_another_part_is_given_up_and_named() {
    let file = hosted(KEY);
    let web = Web::start(move |request, _| match request.range {
        None => file.reply_up_to(request, 1000),
        Some(_) => file.reply(&Request { range: Some(7), ..request.clone() }),
    });
    let place = Place::new();
    let text = fails(&place, &web);
    assert!(text.contains("the server answered with `bytes 7-"), "{text}");
    assert!(text.ends_with("when asked for the bytes from 1000: give another address"), "{text}");
    assert_eq!(web.ranges(), [None, Some(1000), None, Some(1000)]);
}

#[test]
fn a_server_in_trouble_is_asked_again_and_only_so_often() {
    let file = hosted(KEY);
    let web = Web::start(move |request, count| match count {
        0 | 1 => Reply::status("500 Internal Server Error"),
        _ => file.reply(request),
    });
    Place::new().install(&from(web.source())).unwrap();
    let web = Web::start(|_, _| Reply::status("500 Internal Server Error"));
    let text = fails(&Place::new(), &web);
    assert!(
        text.ends_with(
            "the server answered with status 500: check the address, or give --from FILE"
        ),
        "{text}"
    );
    assert_eq!(web.requests().len(), 3);
}

#[test]
fn a_file_that_is_not_there_is_asked_for_once() {
    let web = Web::start(|_, _| Reply::status("404 Not Found"));
    let place = Place::new();
    let text = fails(&place, &web);
    assert!(text.contains("the server answered with status 404: check the address"), "{text}");
    assert_eq!(web.requests().len(), 1);
    assert!(place.names().is_empty());
}

#[test]
fn redirects_are_followed_and_endless_ones_are_not() {
    let file = hosted(KEY);
    let web = Web::start(move |request, count| match request.path.as_str() {
        "/moved" => file.reply_up_to(request, if count == 1 { 1000 } else { usize::MAX }),
        _ => Reply::new("302 Found", &["Location: /moved".into(), "Content-Length: 0".into()], &[]),
    });
    Place::new().install(&from(web.source())).unwrap();
    assert_eq!(web.ranges(), [None, None, Some(1000), Some(1000)]);

    let web = Web::start(|_, count| {
        Reply::new("302 Found", &[format!("Location: /{count}"), "Content-Length: 0".into()], &[])
    });
    let text = fails(&Place::new(), &web);
    assert!(text.contains("too many redirects"), "{text}");
    assert!(web.requests().len() <= 7, "{}", web.requests().len());
}

#[test]
fn a_server_that_falls_silent_is_left() {
    let file = hosted(KEY);
    let web = Web::start(move |request, count| match count {
        // Before its answer, in the middle of it, and then not any more.
        0 => Reply { bytes: b"HTTP/1.1 200".to_vec(), hang: true },
        1 => file.reply_up_to(request, 1000).hang(),
        _ => file.reply(request),
    });
    let mut what = from(web.source());
    what.patience.silence = Duration::from_millis(300);
    Place::new().install(&what).unwrap();
    assert_eq!(web.ranges(), [None, None, Some(1000)]);

    let web = Web::start(|_, _| Reply { bytes: Vec::new(), hang: true });
    let what = Install { source: web.source(), ..what };
    let error = Place::new().install(&what).unwrap_err();
    assert!(error_chain(&error).contains("no answer came"), "{}", error_chain(&error));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.tar.gz?token=secret", listener.local_addr().unwrap());
    drop(listener);
    let place = Place::new();
    let source = proof_server::circuits::Source::Url(url.clone());
    let patience = Patience { retries: 0, ..from(source.clone()).patience };
    let error = place.install(&Install { patience, ..from(source) }).unwrap_err();
    assert!(matches!(error, InstallError::Download { .. }));
    let text = error_chain(&error);
    assert!(
        text.starts_with(&format!(
            "cannot fetch {}: no answer came",
            url.replace("?token=secret", "")
        )),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_server_that_cannot_show_who_it_is_is_left_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/a.tar.gz", listener.local_addr().unwrap());
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        connection.complete_io(&mut stream).unwrap_err();
        // Once is all: the address is free again.
    });
    let place = Place::new();
    let what = from(proof_server::circuits::Source::Url(url));
    let error = place.install(&what).unwrap_err();
    server.join().unwrap();
    let text = error_chain(&error);
    assert!(text.contains("the server's certificate is not trusted: where a proxy"), "{text}");
    assert!(place.names().is_empty());
}

#[test]
fn a_pinned_download_is_hashed_from_its_start_though_it_was_fetched_in_parts() {
    let file = hosted(KEY);
    let sha256 = Some(FileHash::of(&file.content));
    let web = Web::start(move |request, count| {
        file.reply_up_to(request, if count == 0 { 123_456 } else { usize::MAX })
    });
    let place = Place::new();
    place.install(&Install { sha256, ..from(web.source()) }).unwrap();
    assert_eq!(place.names(), INSTALLED);
}

#[test]
fn a_download_that_is_not_the_pinned_one_is_thrown_away() {
    let file = hosted(KEY);
    let found = FileHash::of(&file.content);
    let web = Web::start(move |request, _| file.reply(request));
    let wanted = FileHash::of(b"what its publisher says");
    let place = Place::new();
    let what = Install { sha256: Some(wanted), ..from(web.source()) };
    let text = place.install(&what).unwrap_err().to_string();
    assert!(text.contains(&format!("has SHA-256 {found}, {wanted} was asked for")), "{text}");
    assert!(place.names().is_empty());
}

#[test]
fn an_archive_that_cannot_be_unpacked_is_not_kept() {
    let file = Hosted { content: b"<html>a login page</html>".to_vec(), etag: "\"one\"" };
    let web = Web::start(move |request, _| file.reply(request));
    let place = Place::new();
    let text = fails(&place, &web);
    assert!(text.contains("is no .tar.gz, or is damaged or cut short"), "{text}");
    assert!(place.names().is_empty());
}

#[test]
fn an_archive_with_another_key_is_kept_for_whoever_wants_it_after_all() {
    let file = hosted(OTHER_KEY);
    let length = file.content.len();
    let web = Web::start(move |request, _| file.reply(request));
    let place = Place::new();
    let text = fails(&place, &web);
    assert!(text.contains("add --development"), "{text}");
    assert_eq!(place.names(), [STATE, PART]);
    place.install(&Install { development: true, ..from(web.source()) }).unwrap();
    // Nothing was missing.
    assert_eq!(web.ranges(), [None, Some(length)]);
    assert_eq!(place.names(), ["v6.1.0-groth16-dev"]);
}

#[test]
fn a_file_of_unknown_length_is_taken_and_one_of_no_possible_length_is_not() {
    let file = hosted(KEY);
    let web = Web::start(move |_, _| Reply::new("200 OK", &[], &file.content));
    Place::new().install(&from(web.source())).unwrap();
    let web =
        Web::start(|_, _| Reply::new("200 OK", &["Content-Length: 99999999999999".into()], b"x"));
    let place = Place::new();
    let text = fails(&place, &web);
    assert!(text.contains("the server has more than 68719476736 bytes there"), "{text}");
    assert_eq!(web.requests().len(), 1);
    assert!(place.names().is_empty());
}

#[test]
fn what_is_installed_already_is_not_fetched() {
    let file = hosted(KEY);
    let web = Web::start(move |request, _| file.reply(request));
    let place = Place::new();
    place.install(&from(web.source())).unwrap();
    let error = place.install(&from(web.source())).unwrap_err();
    assert!(matches!(error, InstallError::Exists(_)));
    assert_eq!(web.requests().len(), 1);
    place.install(&Install { replace: true, ..from(web.source()) }).unwrap();
    assert_eq!(web.requests().len(), 2);
}
