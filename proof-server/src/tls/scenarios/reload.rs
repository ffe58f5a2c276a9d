//! Renewals without a restart.

use std::sync::mpsc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
};

use super::*;
use crate::tls::{Reload, TlsEvent};

/// How often the tests' watchers look.
const OFTEN: Duration = Duration::from_millis(5);

/// The server's certificate, as a new client sees it.
async fn shown(server: &ServerTls, client: &ClientTls) -> Vec<u8> {
    let (_, connected) = meet(server, client, "localhost").await;
    certificate(&connected.unwrap())
}

fn certificate(stream: &TlsStream) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections_while_old_ones_go_on() {
    let desk = Desk::new();
    let (server, client) = (desk.server(), desk.client());
    let (accepted, connected) = meet(&server, &client, "localhost").await;
    let (mut far, mut near) = (accepted.unwrap().0, connected.unwrap());
    let before = certificate(&near);
    assert_eq!(server.reload().unwrap(), Reload::Unchanged);

    let mut renewed = leaf("renewed", &["localhost"]);
    renewed.not_after = date_time_ymd(2051, 1, 1);
    desk.issue("server", &renewed);
    let expiry = server.not_after();
    assert_eq!(server.reload().unwrap(), Reload::Replaced);
    assert!(server.not_after() != expiry);
    assert_ne!(shown(&server, &client).await, before);
    assert_eq!(server.reload().unwrap(), Reload::Unchanged);

    far.write_all(b"still here").await.unwrap();
    far.flush().await.unwrap();
    let mut heard = [0; 10];
    near.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"still here");
}

#[tokio::test]
async fn broken_files_leave_the_old_certificate_in_service() {
    let desk = Desk::new();
    let (server, client) = (desk.server(), desk.client());
    let before = shown(&server, &client).await;
    for broken in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n", "garbage"] {
        desk.write("server.pem", broken);
        server.reload().unwrap_err();
        assert_eq!(shown(&server, &client).await, before);
    }
    fs::remove_file(desk.path("server.pem")).unwrap();
    server.reload().unwrap_err();
    assert_eq!(shown(&server, &client).await, before);
}

#[tokio::test]
async fn whom_a_server_lets_in_changes_with_its_client_ca_file() {
    let desk = Desk::new();
    desk.write("clients.pem", &Ca::new("another").pem());
    let client_ca = Some(desk.path("clients.pem"));
    let server = ServerTls::load(TlsFiles { client_ca, ..desk.server_files() }).unwrap();
    desk.issue("bridge", &leaf("bridge", &[]));
    let client = desk.client_as("bridge");
    assert!(meet(&server, &client, "localhost").await.0.is_err());
    desk.write("clients.pem", &desk.ca.pem());
    assert_eq!(server.reload().unwrap(), Reload::Replaced);
    assert!(meet(&server, &client, "localhost").await.0.is_ok());
}

/// Watches until the test ends; what there is to say comes through the channel.
fn watched(server: &Arc<ServerTls>) -> (JoinSet<()>, mpsc::Receiver<TlsEvent>) {
    let (events, told) = mpsc::channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(server).watch_every(OFTEN, move |event| {
        // The test may be over.
        let _ = events.send(event);
    }));
    (tasks, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_follows_swapped_symlinks_and_tells_of_trouble_once() {
    let desk = Desk::new();
    // As a kubelet mounts a secret: the files are links into a folder that is itself a link.
    for (folder, name) in [("one", "first"), ("two", "second")] {
        desk.issue("new", &leaf(name, &["localhost"]));
        fs::create_dir(desk.path(folder)).unwrap();
        for kind in ["pem", "key"] {
            fs::rename(desk.path(&format!("new.{kind}")), desk.path(folder).join(kind)).unwrap();
        }
    }
    fs::create_dir(desk.path("bad")).unwrap();
    let point_to = |folder: &str| {
        std::os::unix::fs::symlink(folder, desk.path("next")).unwrap();
        fs::rename(desk.path("next"), desk.path("data")).unwrap();
    };
    point_to("one");
    for kind in ["pem", "key"] {
        let link = desk.path(&format!("server.{kind}"));
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(format!("data/{kind}"), link).unwrap();
    }
    let server = desk.server();
    let before = shown(&server, &desk.client()).await;
    let (_watcher, told) = watched(&server);
    let next = || told.recv_timeout(PATIENCE).unwrap();

    point_to("two");
    assert!(matches!(next(), TlsEvent::Reloaded { .. }));
    assert_ne!(shown(&server, &desk.client()).await, before);
    point_to("bad");
    let event = next();
    let TlsEvent::Failed(error) = event else { panic!("{event:?}") };
    assert!(text(&error).contains("server.pem does not exist"), "{}", text(&error));
    point_to("two");
    assert!(matches!(next(), TlsEvent::Recovered), "and the same fault only once");
    point_to("one");
    assert!(matches!(next(), TlsEvent::Reloaded { .. }));
    assert_eq!(shown(&server, &desk.client()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_and_its_key_may_be_replaced_one_after_the_other() {
    let desk = Desk::new();
    let (server, client) = (desk.server(), desk.client());
    let before = shown(&server, &client).await;
    desk.issue("next", &leaf("next", &["localhost"]));

    fs::copy(desk.path("next.pem"), desk.path("server.pem")).unwrap();
    let said = text(&server.reload().unwrap_err());
    assert!(said.contains("is not that of the certificate"), "{said}");
    assert_eq!(shown(&server, &client).await, before, "the old pair meanwhile");
    fs::copy(desk.path("next.key"), desk.path("server.key")).unwrap();
    let (_watcher, told) = watched(&server);
    let event = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(event, TlsEvent::Reloaded { .. }), "{event:?}");
    assert_ne!(shown(&server, &client).await, before);
}

#[tokio::test]
async fn watching_ends_when_it_is_told_to() {
    let desk = Desk::new();
    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    timeout(PATIENCE, desk.server().watch(stop, |event| panic!("{event:?}"))).await.unwrap();
}
