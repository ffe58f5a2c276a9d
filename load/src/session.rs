//! A connection of a client that believes nothing: every message must be one that can come next.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use proof_server::types::{
    ClientHello, ClientMessage, Failure, FrameError, FrameLimits, Joined, Proof, ProofMode,
    ProofStats, RequestId, ServerMessage, encode,
    frame_async::{AsyncFrameReader, write_message_async},
};
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::{Instant, timeout, timeout_at},
};

use crate::inputs::Subject;

/// Time to connect and to exchange the Hellos: the server allows itself 10 s, and a machine may be busy.
const HELLO_PATIENCE: Duration = Duration::from_secs(20);

/// Longest silence about an open request: the protocol promises a frame in each 15 s, and a machine may be busy.
const SILENCE: Duration = Duration::from_secs(30);

/// Why a connection is of no use any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It ended without a word.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The server closed it and said why.
    #[error("the connection was refused: {0}")]
    Refused(Failure),
    /// The server said what it must not.
    #[error("{0}")]
    Fault(#[from] Fault),
}

/// A message that must not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A second answer to a request, or one that nobody asked for.
    #[error("a {message} for request {id}, which is not open")]
    Stray { id: RequestId, message: &'static str },
    /// Not what comes next.
    #[error("a {message} for request {id} {why}")]
    Order { id: RequestId, message: &'static str, why: &'static str },
    /// Not a message.
    #[error("the server sent no message: {0}")]
    Frame(String),
    /// Signs of life and no end.
    #[error("a request has no answer after {} s", .0.as_secs())]
    Endless(Duration),
    /// Nothing came.
    #[error("not a word about an open request for {} s", SILENCE.as_secs())]
    Silence,
}

/// What one message is about.
#[derive(Debug)]
pub(crate) enum Step {
    /// An open request goes on.
    News(News),
    /// A request is over.
    Ended(RequestId, Box<(Asked, Final)>),
    /// The answer to a `Status`: whatever was asked before is answered as far as it will be.
    Fence,
}

/// How far a request is. In the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum News {
    Accepted,
    Queued,
    Started,
    Progress,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Final {
    Proof(Proof, ProofStats),
    Verified(Vec<u8>),
    Failed(Failure),
}

/// A request that is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) sent: Instant,
    pub(crate) accepted: Option<(Instant, Joined)>,
    /// The mode of the proof asked for; none where one is to be verified.
    mode: Option<ProofMode>,
    started: bool,
}

/// A connection after the Hellos, with its open requests.
#[derive(Debug)]
pub(crate) struct Session {
    reader: AsyncFrameReader<OwnedReadHalf, ServerMessage>,
    writer: OwnedWriteHalf,
    limits: FrameLimits,
    /// How long a request may be open.
    patience: Duration,
    last_id: u64,
    open: BTreeMap<RequestId, Asked>,
}

impl Session {
    /// Connects. A request that is open for longer than `patience` is a fault.
    pub(crate) async fn connect(address: SocketAddr, patience: Duration) -> Result<Self, Trouble> {
        timeout(HELLO_PATIENCE, Self::open(address, patience))
            .await
            .unwrap_or_else(|_| Err(Trouble::Broken("no Hello".to_owned())))
    }

    async fn open(address: SocketAddr, patience: Duration) -> Result<Self, Trouble> {
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        let limits = FrameLimits::default();
        let (reader, writer) = stream.into_split();
        let reader = AsyncFrameReader::new(reader, limits);
        let open = BTreeMap::new();
        let mut session = Self { reader, writer, limits, patience, last_id: 0, open };
        let hello = ClientMessage::Hello(ClientHello::new("load"));
        let sent = session.send(&hello).await;
        match session.receive().await? {
            ServerMessage::Hello(_) => sent.map(|()| session),
            other => Err(Trouble::Broken(format!("{} in place of Hello", other.name()))),
        }
    }

    /// Asks for a proof.
    pub(crate) async fn ask(
        &mut self,
        subject: &Subject,
        mode: ProofMode,
    ) -> Result<RequestId, Trouble> {
        let id = self.new_id();
        // The clock starts before the request is encoded: that is the client's own time and a tenth of a millisecond.
        self.open_request(id, Some(mode));
        let message = ClientMessage::Prove { id, mode, input: subject.input.clone() };
        self.send(&message).await.map(|()| id)
    }

    /// Has a proof verified.
    pub(crate) async fn verify(&mut self, proof: Proof) -> Result<RequestId, Trouble> {
        let id = self.new_id();
        self.open_request(id, None);
        self.send(&ClientMessage::Verify { id, proof }).await.map(|()| id)
    }

    /// Sends half of a request. The connection is of no use after it.
    pub(crate) async fn tear(&mut self, subject: &Subject, mode: ProofMode) -> Result<(), Trouble> {
        let message =
            ClientMessage::Prove { id: self.new_id(), mode, input: subject.input.clone() };
        let frame = encode(&message, &self.limits).map_err(broken)?;
        self.writer.write_all(&frame[..frame.len() / 2]).await.map_err(broken)
    }

    /// Gives a request up. It stays open until its answer comes.
    pub(crate) async fn cancel(&mut self, id: RequestId) -> Result<(), Trouble> {
        self.send(&ClientMessage::Cancel { id }).await
    }

    /// Waits until the server has said all that it has to say. Nothing may be open: so anything that comes is a
    /// second answer to something.
    pub(crate) async fn fence(&mut self) -> Result<(), Trouble> {
        let id = self.new_id();
        self.send(&ClientMessage::Status { id }).await?;
        match self.step().await? {
            Step::Fence => Ok(()),
            step => Err(Trouble::Broken(format!("not fenced: {step:?}"))),
        }
    }

    /// What the next message says. Cancel safe.
    pub(crate) async fn step(&mut self) -> Result<Step, Trouble> {
        let oldest = self.open.values().map(|asked| asked.sent).min();
        let end = oldest.unwrap_or_else(Instant::now) + self.patience;
        let silence = Instant::now() + SILENCE;
        match timeout_at(end.min(silence), self.receive()).await {
            Ok(message) => Ok(self.place(message?, Instant::now())?),
            Err(_) if end < silence => Err(Fault::Endless(self.patience).into()),
            Err(_) => Err(Fault::Silence.into()),
        }
    }

    async fn receive(&mut self) -> Result<ServerMessage, Trouble> {
        match self.reader.next_message().await {
            Ok(Some(ServerMessage::Failed { id: None, failure })) => Err(Trouble::Refused(failure)),
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(Trouble::Broken("closed".to_owned())),
            Err(error) => Err(unread(error)),
        }
    }

    /// Where a message belongs in the story of its request. Pure but for the books.
    fn place(&mut self, message: ServerMessage, now: Instant) -> Result<Step, Fault> {
        let name = message.name();
        let Some(id) = message.request() else {
            return Err(Fault::Stray { id: RequestId(0), message: name });
        };
        if matches!(message, ServerMessage::Status { .. }) {
            return Ok(Step::Fence);
        }
        let Some(asked) = self.open.get_mut(&id) else {
            return Err(Fault::Stray { id, message: name });
        };
        let order = |why| Fault::Order { id, message: name, why };
        if !matches!(message, ServerMessage::Accepted { .. } | ServerMessage::Failed { .. })
            && asked.accepted.is_none()
        {
            return Err(order("that was not accepted"));
        }
        let news = match message {
            ServerMessage::Accepted { joined, .. } => {
                if asked.accepted.replace((now, joined)).is_some() {
                    return Err(order("that was accepted already"));
                }
                News::Accepted
            }
            ServerMessage::Queued { .. } => News::Queued,
            ServerMessage::Started { .. } => {
                asked.started = true;
                News::Started
            }
            ServerMessage::Progress { .. } if !asked.started => {
                return Err(order("that has not started"));
            }
            ServerMessage::Progress { .. } => News::Progress,
            ServerMessage::Proof { proof, stats, .. } => {
                if !asked.started {
                    return Err(order("that has not started"));
                }
                if asked.mode != Some(proof.mode) {
                    return Err(order("that asked for another mode"));
                }
                return Ok(self.end(id, Final::Proof(proof, stats)));
            }
            ServerMessage::Verified { public_values, .. } => {
                if asked.mode.is_some() {
                    return Err(order("that asked for a proof"));
                }
                return Ok(self.end(id, Final::Verified(public_values)));
            }
            ServerMessage::Failed { failure, .. } => {
                return Ok(self.end(id, Final::Failed(failure)));
            }
            ServerMessage::Hello(_) | ServerMessage::Status { .. } => {
                return Err(Fault::Stray { id, message: name });
            }
        };
        Ok(Step::News(news))
    }

    fn end(&mut self, id: RequestId, how: Final) -> Step {
        let asked = self.open.remove(&id).expect("only open requests are ended");
        Step::Ended(id, Box::new((asked, how)))
    }

    fn open_request(&mut self, id: RequestId, mode: Option<ProofMode>) {
        let asked = Asked { sent: Instant::now(), accepted: None, mode, started: false };
        self.open.insert(id, asked);
    }

    fn new_id(&mut self) -> RequestId {
        self.last_id += 1;
        RequestId(self.last_id)
    }

    async fn send(&mut self, message: &ClientMessage) -> Result<(), Trouble> {
        write_message_async(&mut self.writer, message, &self.limits).await.map_err(broken)
    }
}

fn broken(error: impl std::error::Error) -> Trouble {
    Trouble::Broken(proof_server::error_chain(&error))
}

/// A server that dies may leave half a frame, but no wrong one.
fn unread(error: FrameError) -> Trouble {
    match error {
        FrameError::Io(_) | FrameError::Torn { .. } => broken(error),
        error => Fault::Frame(proof_server::error_chain(&error)).into(),
    }
}

#[cfg(test)]
mod tests;
