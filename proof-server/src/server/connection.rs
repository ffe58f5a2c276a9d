//! One connection, from Hello to its last answer.

use std::{future::Future, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Shared, requests::Requests};
use crate::types::{
    ClientMessage, Code, Failure, FrameError, FrameLimits, ServerMessage,
    frame::CONTROL_FRAME_BYTES,
    frame_async::{AsyncFrameReader, write_message_async},
};

/// Answers on their way to the socket. Requests wait here for a slow reader, each holding its newest
/// state only, so a few are enough to keep the socket busy.
const OUTBOX: usize = 8;

/// How long the last message may take, and how long the peer may take to close after it. Closing first
/// would reset the connection under whatever the peer just sent, and could destroy that message.
const LEAVE_GRACE: Duration = Duration::from_secs(2);

type Reader = AsyncFrameReader<OwnedReadHalf, ClientMessage>;

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

/// Serves one connection to its end. Whatever was asked on it ends with it.
pub(super) async fn serve(stream: TcpStream, shared: &Shared, stop: &CancellationToken) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (reader, mut writer) = stream.into_split();
    // Nothing but a Hello may come first, so nothing larger is read.
    let small = FrameLimits { request: CONTROL_FRAME_BYTES, proof: CONTROL_FRAME_BYTES };
    let mut reader = AsyncFrameReader::new(reader, small);
    let shaken =
        timeout(shared.config.handshake_timeout, handshake(&mut reader, &mut writer, shared));
    let ending = match stop.run_until_cancelled(shaken).await {
        None => Ending::Stopping,
        Some(Ok(Ok(()))) => {
            reader.set_limits(shared.config.frames);
            converse(&mut reader, &mut writer, shared, stop).await
        }
        Some(Ok(Err(ending))) => ending,
        Some(Err(_)) => {
            let limit = shared.config.handshake_timeout;
            Ending::Refused(Failure::new(
                Code::Timeout,
                format!("no Hello within {limit:?}: connect when you have something to ask"),
            ))
        }
    };
    leave(ending, &mut reader, writer).await;
}

/// Tells a client that there is no room for its connection.
pub(super) async fn refuse(stream: TcpStream, failure: Failure) {
    let (reader, writer) = stream.into_split();
    let mut reader = AsyncFrameReader::new(reader, FrameLimits::default());
    leave(Ending::Refused(failure), &mut reader, writer).await;
}

async fn handshake(
    reader: &mut Reader,
    writer: &mut OwnedWriteHalf,
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
        Ok(Some(_)) => Err(violation("the first message must be Hello")),
        Ok(None) => Err(Ending::Gone),
        Err(error) => Err(broken(&error)),
    }
}

/// Reads requests and writes answers until one of the two ends.
async fn converse(
    reader: &mut Reader,
    writer: &mut OwnedWriteHalf,
    shared: &Shared,
    stop: &CancellationToken,
) -> Ending {
    let (outbox, answers) = mpsc::channel(OUTBOX);
    let mut requests = Requests::new(shared, outbox);
    let write = write_answers(answers, writer, shared);
    tokio::pin!(write);
    let ending = tokio::select! {
        ending = read_requests(reader, &mut requests, shared, stop) => ending,
        () = &mut write => return Ending::Gone,
    };
    let flushed = match ending {
        Ending::Gone => None,
        // The lanes have ended every job; their last words are on the way.
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

async fn read_requests(
    reader: &mut Reader,
    requests: &mut Requests<'_>,
    shared: &Shared,
    stop: &CancellationToken,
) -> Ending {
    loop {
        let begun = tokio::select! {
            biased;
            () = stop.cancelled() => return Ending::Stopping,
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
            Ok(Err(error)) => return broken(&error),
            Err(_) => {
                let message = format!(
                    "a frame took longer than {:?}: send it without pauses",
                    shared.config.frame_timeout
                );
                return Ending::Refused(Failure::new(Code::Timeout, message));
            }
        };
        if let Err(failure) = handled {
            return Ending::Refused(failure);
        }
    }
}

/// Writes answers until there are no more askers, or the peer does not take them.
async fn write_answers(
    mut answers: mpsc::Receiver<ServerMessage>,
    writer: &mut OwnedWriteHalf,
    shared: &Shared,
) {
    let limits = &shared.config.frames;
    while let Some(answer) = answers.recv().await {
        let written = match timeout(
            shared.config.frame_timeout,
            write_message_async(writer, &answer, limits),
        )
        .await
        {
            // Nothing of it is out yet: the client learns why its answer does not come.
            Ok(Err(error @ FrameError::TooLarge { .. })) => {
                warn!(%error, "an answer is too large to send");
                let failure = Failure::new(Code::Internal, error.to_string());
                let failed = ServerMessage::Failed { id: answer.request(), failure };
                timeout(shared.config.frame_timeout, write_message_async(writer, &failed, limits))
                    .await
            }
            written => written,
        };
        if !matches!(written, Ok(Ok(()))) {
            debug!(?written, "the peer does not take its answers");
            return;
        }
    }
}

/// Says the last word and closes.
async fn leave(ending: Ending, reader: &mut Reader, mut writer: OwnedWriteHalf) {
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
async fn discard(reader: &mut Reader) {
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
fn broken(error: &FrameError) -> Ending {
    let code = match error {
        FrameError::Io(_) | FrameError::Torn { .. } => return Ending::Gone,
        FrameError::Version { .. } => Code::Unsupported,
        _ => Code::InvalidInput,
    };
    Ending::Refused(Failure::new(code, error.to_string()))
}
