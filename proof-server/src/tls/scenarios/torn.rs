//! The blocking halves with a network that tears records, and a peer that breaks them.

use std::{
    io::{self, Read, Write},
    net, thread,
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::spawn_blocking,
};

use super::*;
use crate::tls::blocking;

/// Passes bytes on between a client and `server`: towards the client a few at a time, with a pause after
/// each.
pub(super) fn torn(server: SocketAddr, few: usize, pause: Duration) -> SocketAddr {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = net::TcpStream::connect(server).unwrap();
        client.set_nodelay(true).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(net::Shutdown::Write);
        });
        let mut bytes = vec![0; few];
        while let Ok(read @ 1..) = server.read(&mut bytes) {
            if client.write_all(&bytes[..read]).is_err() {
                return;
            }
            thread::sleep(pause);
        }
        let _ = client.shutdown(net::Shutdown::Write);
    });
    address
}

#[tokio::test]
async fn reads_that_time_out_in_the_middle_of_a_record_lose_nothing() {
    let desk = Desk::new();
    let (server, client) = (desk.server(), desk.client());
    let (listener, address) = listen().await;
    // A frame of 67 bytes and TLS's own make 7 pieces at least.
    let slow = torn(address, 13, Duration::from_millis(30));
    let read = spawn_blocking(move || {
        let stream = net::TcpStream::connect(slow).unwrap();
        let (mut reader, mut writer) =
            blocking::connect(&client, "localhost:1", stream, PATIENCE).unwrap();
        reader.socket().set_read_timeout(Some(Duration::from_millis(3))).unwrap();
        writer.write_all(b"x").unwrap();
        let (mut got, mut timeouts, begun) = (Vec::<u8>::new(), 0, Instant::now());
        while got.len() < 200 && begun.elapsed() < PATIENCE {
            let mut bytes = [0; 7];
            match reader.read(&mut bytes) {
                Ok(0) => break,
                Ok(read) => got.extend(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => timeouts += 1,
                Err(error) => panic!("{error}"),
            }
        }
        (got, timeouts)
    });
    let (mut stream, _) = server.accept(listener.accept().await.unwrap().0).await.unwrap();
    stream.read_u8().await.unwrap();
    let sent: Vec<u8> = (0..200).collect();
    for record in sent.chunks(100) {
        stream.write_all(record).await.unwrap();
        stream.flush().await.unwrap();
    }
    let (got, timeouts) = timeout(PATIENCE, read).await.unwrap().unwrap();
    assert_eq!(got, sent);
    assert!(timeouts > 5, "{timeouts}");
}

#[tokio::test]
async fn what_came_before_a_broken_record_is_still_read() {
    let desk = Desk::new();
    let (server, client) = (desk.server(), desk.client());
    let (listener, address) = listen().await;
    let read = spawn_blocking(move || {
        let stream = net::TcpStream::connect(address).unwrap();
        let (mut reader, _writer) =
            blocking::connect(&client, "localhost:1", stream, PATIENCE).unwrap();
        let mut got = [0; 4];
        reader.read_exact(&mut got).unwrap();
        (got, reader.read(&mut [0; 4]).unwrap_err())
    });
    let (stream, _) = server.accept(listener.accept().await.unwrap().0).await.unwrap();
    let tokio_rustls::TlsStream::Server(stream) = stream else { panic!("of a server") };
    let (mut socket, mut tls) = stream.into_inner();
    io::Write::write_all(&mut tls.writer(), b"good").unwrap();
    let mut bytes = Vec::new();
    tls.write_tls(&mut bytes).unwrap();
    // Application data that nobody encrypted.
    bytes.extend([0x17, 3, 3, 0, 20]);
    bytes.extend([9; 20]);
    socket.write_all(&bytes).await.unwrap();
    let (got, error) = timeout(PATIENCE, read).await.unwrap().unwrap();
    assert_eq!(&got, b"good");
    let said = text(&error.downcast::<TlsPeerError>().unwrap());
    assert!(said.starts_with("TLS with the server failed: "), "{said}");
}

#[tokio::test]
async fn a_handshake_that_trickles_in_ends_at_the_deadline_all_the_same() {
    let desk = Desk::new();
    let (server, client) = (desk.server(), desk.client());
    let (listener, address) = listen().await;
    let slow = torn(address, 1, Duration::from_millis(10));
    let connect = spawn_blocking(move || {
        let stream = net::TcpStream::connect(slow).unwrap();
        let limit = Duration::from_millis(300);
        blocking::connect(&client, "localhost:1", stream, limit).map(|_| ()).unwrap_err()
    });
    let accept = async { server.accept(listener.accept().await.unwrap().0).await.map(|_| ()) };
    let both = async { tokio::join!(connect, accept) };
    let (error, _) = timeout(PATIENCE, both).await.unwrap();
    assert!(matches!(error.unwrap(), TlsPeerError::Silent { .. }));
}
