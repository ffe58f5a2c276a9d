//! One connection, from Hello to its last answer.

use std::{future::Future, io, sync::Arc, time::Duration};

use socket2::{SockRef, TcpKeepalive};

use tokio::{
    io::{
        AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter, ReadHalf,
        WriteHalf, split,
    },
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep, timeout, timeout_at},
};
use tracing::{debug, info, warn};

use super::{Shared, Shutdown, counted::Counted, peer::Peer, requests::Requests};
use crate::{
    error_chain,
    metrics::{ConnectionRefusal, FrameRefusal, Metrics},
    tls::{SPEAKS_PLAIN_TEXT, SPEAKS_TLS, TlsAcceptError, looks_like_tls},
    types::{
        ClientMessage, Code, Failure, FrameError, FrameLimits, ServerMessage,
        frame::CONTROL_FRAME_BYTES,
        frame_async::{AsyncFrameReader, put_message_async, write_message_async},
    },
};

/// Answers on their way to the socket. Requests wait here for a slow reader, each holding its newest
/// state only, so a few are enough to keep the socket busy.
const OUTBOX: usize = 8;

/// Bytes read ahead and gathered for writing on each connection: some small messages. Larger ones pass by.
const BUFFER: usize = 2 << 10;

/// How long the last message may take, and how long the peer may take to close after it. Closing first
/// would reset the connection under whatever the peer just sent, and could destroy that message.
const LEAVE_GRACE: Duration = Duration::from_secs(2);

/// A stream, plain or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Half<S> = WriteHalf<Counted<S>>;
type Reader<S> = AsyncFrameReader<BufReader<ReadHalf<Counted<S>>>, ClientMessage>;

/// Why a conversation is over.
#[derive(Debug)]
enum Ending {
    /// The peer closed or cannot be reached.
    Gone,
    /// The peer broke the protocol or a limit: it is told how.
    Refused(Failure),
    /// The server goes down.
    Stopping,
}

/// Serves one connection to its end. What was asked on it and not answered goes on for the grace period.
pub(super) async fn serve(
    stream: TcpStream,
    peer: Peer,
    shared: &Arc<Shared>,
    shutdown: &Shutdown,
) {
    if stream.set_nodelay(true).and_then(|()| notice_silence(&stream)).is_err() {
        return;
    }
    // TLS and Hello together: a peer that is slow in either holds a place for nothing.
    let deadline = Instant::now() + shared.config.handshake_timeout;
    let Some(tls) = &shared.tls else {
        return talk(stream, peer, deadline, shared, shutdown).await;
    };
    let accepted = shutdown.drain.run_until_cancelled(timeout_at(deadline, tls.accept(stream)));
    match accepted.await {
        Some(Ok(Ok((stream, identity)))) => {
            talk(stream, peer.with(identity), deadline, shared, shutdown).await;
        }
        Some(Ok(Err(error))) => {
            shared.metrics.network.connection_refused(ConnectionRefusal::Tls);
            info!(reason = error.reason(), error = error_chain(&error), "no TLS");
            if let TlsAcceptError::PlainText { stream } = error {
                refuse(stream, Failure::new(Code::Unsupported, SPEAKS_TLS), &shared.metrics).await;
            }
        }
        Some(Err(_)) => {
            shared.metrics.network.connection_refused(ConnectionRefusal::Handshake);
            debug!("the TLS handshake took too long");
        }
        None => shared.metrics.network.connection_refused(ConnectionRefusal::Draining),
    }
}

/// Has the kernel find out about a peer that is gone without a word, as a machine without power is: after 30 s of
/// silence it asks, and after three questions without an answer, or 60 s without an acknowledgement of what was
/// sent, the connection is broken.
fn notice_silence(stream: &TcpStream) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(Duration::from_secs(60)))
}

/// Serves one connection whose bytes are frames.
async fn talk<S: Stream>(
    stream: S,
    peer: Peer,
    deadline: Instant,
    shared: &Arc<Shared>,
    shutdown: &Shutdown,
) {
    let (reader, mut writer) = split(Counted::new(stream, &shared.metrics));
    // Nothing but a Hello may come first, so nothing larger is read.
    let small = FrameLimits { request: CONTROL_FRAME_BYTES, proof: CONTROL_FRAME_BYTES };
    let mut reader = AsyncFrameReader::new(BufReader::with_capacity(BUFFER, reader), small);
    let shaken = timeout_at(deadline, handshake(&mut reader, &mut writer, shared));
    let ending = match shutdown.drain.run_until_cancelled(shaken).await {
        None => Ending::Stopping,
        Some(Ok(Ok(()))) => {
            reader.set_limits(shared.config.frames);
            converse(&mut reader, &mut writer, peer, shared, shutdown).await
        }
        Some(Ok(Err(ending))) => ending,
        Some(Err(_)) => {
            shared.metrics.network.connection_refused(ConnectionRefusal::Handshake);
            let limit = shared.config.handshake_timeout;
            Ending::Refused(Failure::new(
                Code::Timeout,
                format!("no Hello within {limit:?}: connect when you have something to ask"),
            ))
        }
    };
    leave(ending, &mut reader, writer).await;
}

/// Tells a client that there is no room for its connection, in the language that it expects.
pub(super) async fn turn_away(stream: TcpStream, failure: Failure, shared: &Shared) {
    let Some(tls) = &shared.tls else { return refuse(stream, failure, &shared.metrics).await };
    if let Ok(Ok((stream, _))) = timeout(shared.config.handshake_timeout, tls.accept(stream)).await
    {
        refuse(stream, failure, &shared.metrics).await;
    }
}

/// Sends a failure of the connection as its only message.
pub(super) async fn refuse(stream: impl Stream, failure: Failure, metrics: &Arc<Metrics>) {
    let (reader, writer) = split(Counted::new(stream, metrics));
    let reader = BufReader::with_capacity(BUFFER, reader);
    let mut reader = AsyncFrameReader::new(reader, FrameLimits::default());
    leave(Ending::Refused(failure), &mut reader, writer).await;
}

async fn handshake<S: Stream>(
    reader: &mut Reader<S>,
    writer: &mut Half<S>,
    shared: &Shared,
) -> Result<(), Ending> {
    let hello = ServerMessage::Hello(shared.hello.clone());
    let first = reader.next_message().await;
    // A peer of another version gets our Hello all the same: it reads our version there.
    if matches!(first, Ok(Some(ClientMessage::Hello(_))) | Err(FrameError::Version { .. })) {
        write_message_async(writer, &hello, &shared.config.frames)
            .await
            .map_err(|_| Ending::Gone)?;
    }
    match first {
        Ok(Some(ClientMessage::Hello(hello))) => {
            debug!(client = ?hello.client, "connected");
            Ok(())
        }
        Ok(Some(_)) => {
            shared.metrics.network.frame_refused(FrameRefusal::Violation);
            Err(violation("the first message must be Hello"))
        }
        Ok(None) => Err(Ending::Gone),
        Err(_) if looks_like_tls(reader.begun()) => Err(violation(SPEAKS_PLAIN_TEXT)),
        Err(error) => Err(broken(&error, shared)),
    }
}

/// Reads requests and writes answers until one of the two ends.
async fn converse<S: Stream>(
    reader: &mut Reader<S>,
    writer: &mut Half<S>,
    peer: Peer,
    shared: &Arc<Shared>,
    shutdown: &Shutdown,
) -> Ending {
    let (outbox, answers) = mpsc::channel(OUTBOX);
    let mut requests = Requests::new(shared, peer, outbox);
    let write = write_answers(answers, writer, shared);
    tokio::pin!(write);
    let ending = tokio::select! {
        ending = read_requests(reader, &mut requests, shared, shutdown) => ending,
        () = &mut write => return Ending::Gone,
    };
    let flushed = match ending {
        Ending::Gone => None,
        // Every job has ended; their last words are on the way.
        Ending::Stopping => {
            with_deadline(async {
                tokio::join!(requests.finish(), &mut write);
            })
            .await
        }
        Ending::Refused(_) => {
            drop(requests);
            with_deadline(&mut write).await
        }
    };
    // Nothing may follow half a frame.
    flushed.map_or(Ending::Gone, |()| ending)
}

async fn read_requests<S: Stream>(
    reader: &mut Reader<S>,
    requests: &mut Requests<'_>,
    shared: &Shared,
    shutdown: &Shutdown,
) -> Ending {
    let stop = &shutdown.stop;
    loop {
        // A server that drains answers what is open, and then only takes its leave.
        let leaving = shutdown.drain.is_cancelled();
        if leaving && requests.is_idle() {
            return Ending::Stopping;
        }
        let begun = tokio::select! {
            biased;
            () = stop.cancelled() => return Ending::Stopping,
            () = shutdown.drain.cancelled(), if !leaving => continue,
            () = requests.one_ended() => continue,
            begun = reader.frame_begins() => begun,
            () = sleep(shared.config.idle_timeout), if requests.is_idle() => {
                let message = format!("no request for {:?}: connect again when there is one", shared.config.idle_timeout);
                return Ending::Refused(Failure::new(Code::Timeout, message));
            }
        };
        if !matches!(begun, Ok(true)) {
            return Ending::Gone;
        }
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return Ending::Stopping,
            next = timeout(shared.config.frame_timeout, reader.next_message()) => next,
        };
        let handled = match next {
            Ok(Ok(Some(message))) => requests.handle(message, stop).await,
            Ok(Ok(None)) => return Ending::Gone,
            Ok(Err(error)) => return broken(&error, shared),
            Err(_) => {
                shared.metrics.network.frame_refused(FrameRefusal::Timeout);
                let message = format!(
                    "a frame took longer than {:?}: send it without pauses",
                    shared.config.frame_timeout
                );
                return Ending::Refused(Failure::new(Code::Timeout, message));
            }
        };
        if let Err(failure) = handled {
            shared.metrics.network.frame_refused(FrameRefusal::Violation);
            return Ending::Refused(failure);
        }
    }
}

/// Writes answers until there are no more askers, or the peer does not take them. Those that are there together go out
/// together: a peer with many questions does not cost a system call for each.
async fn write_answers<S: Stream>(
    mut answers: mpsc::Receiver<ServerMessage>,
    writer: &mut Half<S>,
    shared: &Shared,
) {
    let limits = &shared.config.frames;
    let mut writer = BufWriter::with_capacity(BUFFER, writer);
    while let Some(answer) = answers.recv().await {
        let write = async {
            match put_message_async(&mut writer, &answer, limits).await {
                // Nothing of it is out yet: the client learns why its answer does not come.
                Err(error @ FrameError::TooLarge { .. }) => {
                    warn!(%error, "an answer is too large to send");
                    let failure = Failure::new(Code::Internal, error.to_string());
                    let failed = ServerMessage::Failed { id: answer.request(), failure };
                    put_message_async(&mut writer, &failed, limits).await?;
                }
                written => written?,
            }
            if answers.is_empty() { writer.flush().await.map_err(FrameError::Io) } else { Ok(()) }
        };
        let written = timeout(shared.config.frame_timeout, write).await;
        if !matches!(written, Ok(Ok(()))) {
            debug!(?written, "the peer does not take its answers");
            return;
        }
    }
}

/// Says the last word and closes.
async fn leave<S: Stream>(ending: Ending, reader: &mut Reader<S>, mut writer: Half<S>) {
    let failure = match ending {
        Ending::Gone => {
            debug!("disconnected");
            return;
        }
        Ending::Refused(failure) => failure,
        Ending::Stopping => {
            Failure::new(Code::ShuttingDown, "the server is going down: try another one")
        }
    };
    debug!(code = %failure.code, reason = failure.message, "closing");
    let last = ServerMessage::Failed { id: None, failure };
    with_deadline(async {
        write_message_async(&mut writer, &last, &FrameLimits::default()).await?;
        writer.shutdown().await.map_err(FrameError::Io)
    })
    .await;
    with_deadline(discard(reader)).await;
}

/// Reads until the peer closes too.
async fn discard<S: Stream>(reader: &mut Reader<S>) {
    let mut waste = [0; 4096];
    while matches!(reader.stream().read(&mut waste).await, Ok(1..)) {}
}

async fn with_deadline<T>(work: impl Future<Output = T>) -> Option<T> {
    timeout(LEAVE_GRACE, work).await.ok()
}

fn violation(message: &str) -> Ending {
    Ending::Refused(Failure::new(Code::InvalidInput, message))
}

/// What to tell a peer about its frame; nothing where it cannot be told.
fn broken(error: &FrameError, shared: &Shared) -> Ending {
    if let Some(refusal) = FrameRefusal::of(error) {
        shared.metrics.network.frame_refused(refusal);
    }
    let code = match error {
        FrameError::Io(_) | FrameError::Torn { .. } => return Ending::Gone,
        FrameError::Version { .. } => Code::Unsupported,
        _ => Code::InvalidInput,
    };
    Ending::Refused(Failure::new(code, error.to_string()))
}
