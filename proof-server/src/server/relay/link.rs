//! One connection to the secondary server.

use std::{io, time::Duration};

use tokio::{
    io::{ReadHalf, WriteHalf, split},
    net::TcpStream,
    sync::mpsc,
    task::spawn_blocking,
    time::timeout,
};

use super::{super::connection::Stream, AWAY};
use crate::{
    config::Secondary,
    tls::{ClientTls, TlsError, TlsPeerError},
    types::{
        ClientHello, ClientMessage, Code, EngineInfo, Failure, FrameError, FrameLimits, Limits,
        ProgramId, ProgramInfo, ServerMessage,
        frame_async::{AsyncFrameReader, write_message_async},
    },
};

/// Time to connect and to exchange the Hellos.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for one request to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Keepalive intervals without a frame after which the secondary counts as gone. The heartbeat alone makes it
/// answer more often.
const SILENT_INTERVALS: u32 = 4;

/// Why there is no connection, or no longer one.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("no connection to the secondary {address}: check --secondary and that it runs")]
    Connect { address: String, source: io::Error },
    #[error("the secondary did not answer within {} s", .0.as_secs())]
    Slow(Duration),
    #[error("no TLS for the secondary")]
    TlsFiles(#[source] TlsError),
    #[error("no TLS with the secondary")]
    Tls(#[source] TlsPeerError),
    #[error(
        "the secondary proves another inclusion program ({theirs:?}, this server has {ours:?}): run one release on both"
    )]
    Program { theirs: Option<Box<ProgramInfo>>, ours: Option<Box<ProgramInfo>> },
    #[error("the secondary refused the connection")]
    Refused(#[source] Failure),
    #[error("the secondary sent {0} where that cannot come: run one release on both")]
    Unexpected(&'static str),
    #[error("the conversation with the secondary broke off")]
    Frame(#[from] FrameError),
    #[error("the secondary closed the connection")]
    Closed,
}

/// What clients are told while there is no secondary.
pub(super) fn unavailable(retry: Duration) -> Failure {
    Failure::for_now(Code::Unavailable, AWAY, retry)
}

type Socket = Box<dyn Stream>;

/// A connection after the Hellos.
pub(super) struct Link {
    pub(super) reader: LinkReader,
    pub(super) writer: LinkWriter,
    pub(super) engine: EngineInfo,
    pub(super) limits: Limits,
}

/// Its receiving half.
pub(super) struct LinkReader {
    frames: AsyncFrameReader<ReadHalf<Socket>, ServerMessage>,
    silence: Duration,
}

/// Its sending half.
pub(super) struct LinkWriter {
    stream: WriteHalf<Socket>,
    limits: FrameLimits,
}

impl Link {
    /// Connects, and finds out whether the secondary proves what this server's keys are for.
    pub(super) async fn connect(
        secondary: &Secondary,
        ours: &EngineInfo,
    ) -> Result<Self, LinkError> {
        timeout(CONNECT_TIMEOUT, Self::open(secondary, ours))
            .await
            .unwrap_or(Err(LinkError::Slow(CONNECT_TIMEOUT)))
    }

    async fn open(secondary: &Secondary, ours: &EngineInfo) -> Result<Self, LinkError> {
        let address = secondary.address.clone();
        let connected = TcpStream::connect(&address).await;
        let stream = connected.map_err(|source| LinkError::Connect { address, source })?;
        stream.set_nodelay(true).map_err(FrameError::Io)?;
        let (reader, mut writer) = split(secure(secondary, stream).await?);
        let mut frames = AsyncFrameReader::new(reader, FrameLimits::default());
        let name = concat!("proof-server ", env!("CARGO_PKG_VERSION"));
        let hello = ClientMessage::Hello(ClientHello::new(name));
        let written = write_message_async(&mut writer, &hello, &FrameLimits::default()).await;
        let hello = match frames.next_message().await {
            Ok(Some(ServerMessage::Hello(hello))) => hello,
            Ok(Some(ServerMessage::Failed { failure, .. })) => {
                return Err(LinkError::Refused(failure));
            }
            Ok(Some(other)) => return Err(LinkError::Unexpected(other.name())),
            Ok(None) => return Err(written.err().map_or(LinkError::Closed, LinkError::Frame)),
            Err(error) => return Err(error.into()),
        };
        let [theirs, ours] =
            [&hello.engine, ours].map(|engine| engine.program(ProgramId::Inclusion));
        if theirs != ours {
            let [theirs, ours] = [theirs, ours].map(|info| info.cloned().map(Box::new));
            return Err(LinkError::Program { theirs, ours });
        }
        let keepalive = Duration::from_secs(hello.limits.keepalive_seconds.max(1).into());
        let silence = (keepalive * SILENT_INTERVALS).max(super::HEARTBEAT * 2);
        let limits = FrameLimits {
            request: hello.limits.max_request_bytes,
            proof: hello.limits.max_proof_bytes,
        };
        frames.set_limits(limits);
        Ok(Self {
            reader: LinkReader { frames, silence },
            writer: LinkWriter { stream: writer, limits },
            engine: hello.engine,
            limits: hello.limits,
        })
    }
}

/// The files anew for each connection: certificates are renewed while a server runs.
async fn secure(secondary: &Secondary, stream: TcpStream) -> Result<Socket, LinkError> {
    let Some(files) = secondary.tls.clone() else { return Ok(Box::new(stream)) };
    let tls = spawn_blocking(move || ClientTls::load(&files)).await;
    let tls = tls.map_err(|error| FrameError::Io(io::Error::other(error)))?;
    let tls = tls.map_err(LinkError::TlsFiles)?;
    let host = secondary.address.rsplit_once(':').map_or("", |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let stream = tls.connect_async(host, stream).await.map_err(LinkError::Tls)?;
    Ok(Box::new(stream))
}

impl LinkReader {
    /// The next message. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<ServerMessage, LinkError> {
        match timeout(self.silence, self.frames.next_message()).await {
            Ok(Ok(Some(message))) => Ok(message),
            Ok(Ok(None)) => Err(LinkError::Closed),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(LinkError::Slow(self.silence)),
        }
    }
}

impl LinkWriter {
    /// Writes messages until one does not go out.
    pub(super) async fn write(mut self, mut messages: mpsc::Receiver<ClientMessage>) -> LinkError {
        while let Some(message) = messages.recv().await {
            let write = write_message_async(&mut self.stream, &message, &self.limits);
            match timeout(WRITE_TIMEOUT, write).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.into(),
                Err(_) => return LinkError::Slow(WRITE_TIMEOUT),
            }
        }
        LinkError::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_while_the_secondary_is_away_is_told_when_to_come_back() {
        let failure = unavailable(Duration::from_millis(250));
        assert_eq!((failure.code, failure.retry_after_seconds), (Code::Unavailable, Some(1)));
        assert_eq!(unavailable(Duration::from_secs(15)).retry_after_seconds, Some(15));
    }
}
