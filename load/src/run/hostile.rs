//! Peers that break the protocol, each in one way after the other.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use proof_server::types::{
    ClientHello, ClientMessage, FrameLimits, RequestId, ServerMessage, encode,
    frame_async::AsyncFrameReader,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::random::Random;

/// Between two connections of a peer. Without it two cores would do nothing but accept.
const PAUSE: Duration = Duration::from_millis(200);

/// Most time that one connection takes: above the 10 s in which the server throws out who says no Hello.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a hostile peer does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Attack {
    /// Closes at once.
    Close,
    /// Bytes of nothing.
    Garbage,
    /// A frame that announces gigabytes, before and after Hello.
    ForgedLength,
    /// Half a request, then the end.
    TornFrame,
    /// Half a Hello, and then nothing more until it is thrown out.
    HalfHello,
    /// A byte now and then.
    SlowLoris,
    /// Asks and asks and reads no answer.
    NeverReads,
    /// Speaks TLS where plain text is spoken.
    Tls,
}

impl Attack {
    const ALL: [Self; 8] = [
        Self::Close,
        Self::Garbage,
        Self::ForgedLength,
        Self::TornFrame,
        Self::HalfHello,
        Self::SlowLoris,
        Self::NeverReads,
        Self::Tls,
    ];
}

/// All hostile peers.
#[derive(Debug)]
pub(crate) struct Hostile {
    peers: JoinSet<()>,
    attacks: Arc<Mutex<Attacks>>,
}

/// How often each attack was made.
pub(crate) type Attacks = BTreeMap<String, usize>;

impl Hostile {
    pub(crate) fn start(count: usize, server: SocketAddr) -> Self {
        let attacks = Arc::default();
        let mut peers = JoinSet::new();
        for number in 0..count {
            peers.spawn(attack(number, server, Arc::clone(&attacks)));
        }
        Self { peers, attacks }
    }

    /// Ends them wherever they are, which is one more way to break off.
    pub(crate) async fn stop(mut self) -> Attacks {
        self.peers.shutdown().await;
        self.attacks.lock().expect("nothing panics while it counts").clone()
    }
}

async fn attack(number: usize, server: SocketAddr, attacks: Arc<Mutex<Attacks>>) {
    let mut random = Random::new(0, number as u64);
    for attack in Attack::ALL.into_iter().cycle().skip(number) {
        // However it ends: it is the clients that say whether the server minds.
        let _ = timeout(PATIENCE, make(attack, number, server, &mut random)).await;
        let name = format!("{attack:?}");
        *attacks.lock().expect("nothing panics while it counts").entry(name).or_default() += 1;
        sleep(PAUSE).await;
    }
}

async fn make(
    attack: Attack,
    number: usize,
    server: SocketAddr,
    random: &mut Random,
) -> std::io::Result<()> {
    let mut stream = connect(number, server).await?;
    match attack {
        Attack::Close => return Ok(()),
        Attack::Garbage => {
            let noise: Vec<u8> = (0..512).flat_map(|_| random.draw().to_le_bytes()).collect();
            stream.write_all(&noise).await?;
        }
        Attack::ForgedLength => {
            if number.is_multiple_of(2) {
                greet(&mut stream).await?;
            }
            // 4 GiB of a Prove: the length is the sender's, the memory would be the server's.
            stream.write_all(&[0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0]).await?;
        }
        Attack::TornFrame => {
            greet(&mut stream).await?;
            // 1 MiB of a Prove, of which 64 KiB come.
            stream.write_all(&[0, 0x10, 0, 0, 1, 0, 0, 0]).await?;
            stream.write_all(&[0; 64 << 10]).await?;
            return stream.shutdown().await;
        }
        Attack::HalfHello => {
            let hello = hello();
            stream.write_all(&hello[..hello.len() / 2]).await?;
        }
        Attack::SlowLoris => {
            for byte in hello() {
                stream.write_all(&[byte]).await?;
                sleep(Duration::from_millis(700)).await;
            }
        }
        Attack::NeverReads => {
            greet(&mut stream).await?;
            stream.write_all(&many_questions()).await?;
            sleep(Duration::from_secs(5)).await;
            return Ok(());
        }
        // The head of a TLS 1.2 ClientHello.
        Attack::Tls => stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await?,
    }
    // Until the server closes.
    let mut waste = [0; 4096];
    while stream.read(&mut waste).await? > 0 {}
    Ok(())
}

/// Each peer has an address of its own: so the server counts it apart, and closed connections do not use up one
/// address's ports.
async fn connect(number: usize, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let last = 2 + (number % 250) as u8;
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
    // Answers that nobody reads are to be the server's worry, not the kernel's.
    socket.set_recv_buffer_size(4 << 10)?;
    socket.connect(server).await
}

fn hello() -> Vec<u8> {
    encode(&ClientMessage::Hello(ClientHello::new("hostile")), &FrameLimits::default())
        .expect("a Hello is small")
}

/// Shakes hands and takes no more than the Hello.
async fn greet(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(&hello()).await?;
    let mut reader = AsyncFrameReader::<_, ServerMessage>::new(stream, FrameLimits::default());
    let _ = reader.next_message().await;
    Ok(())
}

/// Two thousand questions: the answers are some hundred kilobytes.
fn many_questions() -> Vec<u8> {
    let question = |id| {
        let message = ClientMessage::Status { id: RequestId(id) };
        encode(&message, &FrameLimits::default()).expect("a question is small")
    };
    (1..=2000).flat_map(question).collect()
}
