//! A blocking client: one connection, one request at a time.
//!
//! Nothing here believes the server: a caller verifies the proof it gets, against the key it pins.

mod pins;
mod stream;

use std::{io, net::Shutdown, time::Duration};

use lc_core::host::input::ProgramInput;

#[cfg(feature = "tls")]
use crate::tls::{ClientTls, TlsPeerError};
use crate::{
    tls::looks_like_tls,
    types::{
        ClientHello, ClientMessage, Failure, FrameError, FrameLimits, FrameReader, Joined,
        Progress, Proof, ProofMode, ProofStats, RequestId, RequestName, ServerHello, ServerMessage,
        StatusReport, write_message,
    },
};
pub use pins::{PinError, check_pins};
use stream::{ReadHalf, WriteHalf};

/// Keepalive intervals without a frame after which a server counts as gone: two may be lost to a busy
/// machine, four are not.
const SILENT_INTERVALS: u32 = 4;

/// How a client connects.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Name and version, for the server's log.
    pub name: String,
    /// Time to connect, and to exchange the Hellos where nothing else is said.
    pub connect_timeout: Duration,
    /// Time for the server's Hello, with the TLS handshake. A balancer that holds connections back until a server is
    /// free has taken this one long before a server sees it. Nothing: `connect_timeout`.
    pub hello_timeout: Option<Duration>,
    /// The one job that the connection is for, told to balancers: [`ClientHello::about`].
    pub job: Option<RequestName>,
    /// Time within which each message must be written.
    pub write_timeout: Duration,
    /// Largest frames to take from the server.
    pub limits: FrameLimits,
    /// How to encrypt, and whom to trust; nothing for plain text.
    #[cfg(feature = "tls")]
    pub tls: Option<ClientTls>,
}

impl ClientOptions {
    /// The defaults, for a program called `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            connect_timeout: Duration::from_secs(10),
            hello_timeout: None,
            job: None,
            write_timeout: Duration::from_secs(60),
            limits: FrameLimits::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    fn hello_timeout(&self) -> Duration {
        self.hello_timeout.unwrap_or(self.connect_timeout)
    }

    fn hello(&self) -> ClientHello {
        match self.job {
            Some(job) => ClientHello::about(job, &self.name),
            None => ClientHello::new(&self.name),
        }
    }
}

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nothing answers there.
    #[error(
        "no connection to {address}: check the address and that `proof-server serve` runs there"
    )]
    Connect {
        /// The address tried.
        address: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// No TLS with the server.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsPeerError),
    /// The server speaks TLS, this client was told nothing about it.
    #[error("the server speaks TLS: give the CA of its certificate with --tls-ca")]
    SpeaksTls,
    /// The server refused the request or the connection.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The stream is broken, or the peer is no proof server of this version.
    #[error("the conversation with the server broke off")]
    Frame(#[from] FrameError),
    /// The server closed the connection without an answer.
    #[error("the server closed the connection without an answer: try again")]
    Closed,
    /// The server is silent for longer than its own keepalive allows.
    #[error("no sign of life from the server for {seconds} s: try again, or try another server")]
    Silent {
        /// How long this side waited.
        seconds: u64,
    },
    /// An answer that does not belong to the request.
    #[error(
        "the server sent {got} where an answer to {request} was due: its release does not fit this one"
    )]
    Unexpected {
        /// The answer's kind.
        got: &'static str,
        /// The request's kind.
        request: &'static str,
    },
}

impl ClientError {
    /// Whether the conversation broke off or none came about, and the same words may be understood next time: the
    /// server, or what lies between, went away.
    #[must_use]
    pub fn is_broken_off(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Closed | Self::Silent { .. } => true,
            Self::Frame(error) => matches!(error, FrameError::Io(_) | FrameError::Torn { .. }),
            #[cfg(feature = "tls")]
            Self::Tls(error) => matches!(
                error,
                TlsPeerError::Closed | TlsPeerError::Silent { .. } | TlsPeerError::Io(_)
            ),
            Self::SpeaksTls | Self::Failed(_) | Self::Unexpected { .. } => false,
        }
    }
}

/// What happens to a request before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The input passed the server's checks.
    Accepted {
        /// The request's name on every server, and in its log.
        request: RequestName,
        /// Whether the same request was there already.
        joined: Joined,
    },
    /// Where the job stands: this many come first; the estimate is in seconds.
    Queued {
        /// Jobs that come first, the running one included.
        position: u32,
        /// Estimated seconds until it starts, if the server has an idea.
        eta_seconds: Option<u32>,
    },
    /// A worker has it.
    Started,
    /// How far it is. May repeat.
    Progress(Progress),
}

/// A connection to a proof server.
#[derive(Debug)]
pub struct Client {
    reader: FrameReader<ReadHalf, ServerMessage>,
    writer: WriteHalf,
    hello: ServerHello,
    send_limits: FrameLimits,
    next_id: u64,
}

impl Client {
    /// Connects and exchanges the Hellos. Tries each address that `address` resolves to.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; a server that is full or speaks another version says so.
    pub fn connect(address: &str, options: &ClientOptions) -> Result<Self, ClientError> {
        let (reader, mut writer) = stream::connect(address, options)?;
        let mut reader = FrameReader::new(reader, options.limits);
        let hello = ClientMessage::Hello(options.hello());
        // A server that has no room answers before it reads, so a failed write is not yet the answer.
        let written = write_message(&mut writer, &hello, &options.limits);
        let hello = match receive(&mut reader) {
            Ok(ServerMessage::Hello(hello)) => hello,
            Ok(ServerMessage::Failed { failure, .. }) => return Err(failure.into()),
            Ok(other) => {
                return Err(ClientError::Unexpected { got: other.name(), request: "Hello" });
            }
            Err(_) if reader.stream().is_plain() && looks_like_tls(reader.begun()) => {
                return Err(ClientError::SpeaksTls);
            }
            #[cfg(feature = "tls")]
            Err(error @ ClientError::Tls(_)) => return Err(error),
            Err(error) => return Err(written.err().map_or(error, ClientError::Frame)),
        };
        let silence =
            Duration::from_secs(hello.limits.keepalive_seconds.max(1).into()) * SILENT_INTERVALS;
        reader.stream().socket().set_read_timeout(Some(silence)).map_err(FrameError::Io)?;
        let send_limits = FrameLimits {
            request: hello.limits.max_request_bytes,
            proof: hello.limits.max_proof_bytes,
        };
        Ok(Self { reader, writer, hello, send_limits, next_id: 1 })
    }

    /// What the server said of itself.
    #[must_use]
    pub fn hello(&self) -> &ServerHello {
        &self.hello
    }

    /// Ends the connection, also under the handles that [`Client::canceller`] gave out, which a drop would wait for. To
    /// be called with the last answer: at a balancer an open connection is a prover that nobody else gets.
    pub fn close(self) {
        // One that is broken already is closed too.
        let _ = self.reader.stream().socket().shutdown(Shutdown::Both);
    }

    /// Asks for a proof and waits for it, passing on what happens meanwhile. Without an answer the job goes on for the
    /// server's grace period once the connection is gone.
    ///
    /// # Errors
    ///
    /// [`ClientError::Failed`] where the server says why, [`ClientError`] otherwise.
    pub fn prove(
        &mut self,
        mode: ProofMode,
        input: ProgramInput,
        mut on_event: impl FnMut(Event),
    ) -> Result<(Proof, ProofStats), ClientError> {
        let id = self.new_id();
        self.send(&ClientMessage::Prove { id, mode, input })?;
        loop {
            match self.receive_for(id)? {
                ServerMessage::Proof { proof, stats, .. } => return Ok((proof, stats)),
                ServerMessage::Failed { failure, .. } => return Err(failure.into()),
                other => on_event(event(&other, "Prove")?),
            }
        }
    }

    /// Has the server verify `proof` against its own keys; the verified public values.
    ///
    /// # Errors
    ///
    /// As [`Client::prove`].
    pub fn verify(
        &mut self,
        proof: Proof,
        mut on_event: impl FnMut(Event),
    ) -> Result<Vec<u8>, ClientError> {
        let id = self.new_id();
        self.send(&ClientMessage::Verify { id, proof })?;
        loop {
            match self.receive_for(id)? {
                ServerMessage::Verified { public_values, .. } => return Ok(public_values),
                ServerMessage::Failed { failure, .. } => return Err(failure.into()),
                other => on_event(event(&other, "Verify")?),
            }
        }
    }

    /// Asks what the server is doing.
    ///
    /// # Errors
    ///
    /// As [`Client::prove`].
    pub fn status(&mut self) -> Result<StatusReport, ClientError> {
        let id = self.new_id();
        self.send(&ClientMessage::Status { id })?;
        match self.receive_for(id)? {
            ServerMessage::Status { report, .. } => Ok(report),
            ServerMessage::Failed { failure, .. } => Err(failure.into()),
            other => Err(ClientError::Unexpected { got: other.name(), request: "Status" }),
        }
    }

    /// Sends one message, for callers that keep several requests open.
    ///
    /// # Errors
    ///
    /// [`ClientError::Frame`]; [`FrameError::TooLarge`] before anything is sent.
    pub fn send(&mut self, message: &ClientMessage) -> Result<(), ClientError> {
        Ok(write_message(&mut self.writer, message, &self.send_limits)?)
    }

    /// Waits for the next message, whatever request it belongs to.
    ///
    /// # Errors
    ///
    /// [`ClientError::Closed`], [`ClientError::Silent`] after four of the server's keepalive intervals,
    /// [`ClientError::Frame`].
    pub fn receive(&mut self) -> Result<ServerMessage, ClientError> {
        receive(&mut self.reader)
    }

    /// A handle to give up the next request from another thread, while this one waits for its answer.
    ///
    /// # Errors
    ///
    /// [`ClientError::Frame`] if the system has no handle left.
    pub fn canceller(&self) -> Result<Canceller, ClientError> {
        let writer = self.writer.try_clone().map_err(FrameError::Io)?;
        Ok(Canceller { writer, id: RequestId(self.next_id), limits: self.send_limits })
    }

    /// A request id that this connection has not used.
    pub fn new_id(&mut self) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        id
    }

    /// The next message of this request or of the connection; what belongs to older requests is dropped.
    fn receive_for(&mut self, id: RequestId) -> Result<ServerMessage, ClientError> {
        loop {
            let message = self.receive()?;
            if message.request().is_none_or(|of| of == id) {
                return Ok(message);
            }
        }
    }
}

/// Gives up one request of a [`Client`] that another thread waits for.
#[derive(Debug)]
pub struct Canceller {
    writer: WriteHalf,
    id: RequestId,
    limits: FrameLimits,
}

impl Canceller {
    /// Sends the `Cancel`. If the request itself is still being written, the server sees a broken frame instead
    /// and drops the connection: the job ends either way.
    ///
    /// # Errors
    ///
    /// [`ClientError::Frame`] if it cannot be sent; closing the connection then does the same.
    pub fn cancel(&mut self) -> Result<(), ClientError> {
        Ok(write_message(&mut self.writer, &ClientMessage::Cancel { id: self.id }, &self.limits)?)
    }
}

fn receive(
    reader: &mut FrameReader<ReadHalf, ServerMessage>,
) -> Result<ServerMessage, ClientError> {
    match reader.next_message() {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(ClientError::Closed),
        Err(FrameError::Io(error))
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            let waited = reader.stream().socket().read_timeout().ok().flatten().unwrap_or_default();
            Err(ClientError::Silent { seconds: waited.as_secs() })
        }
        Err(error) => Err(lift(error)),
    }
}

/// What TLS says of a failed read is more than that it failed.
#[cfg(feature = "tls")]
fn lift(error: FrameError) -> ClientError {
    match error {
        FrameError::Io(error) => {
            error.downcast().map_or_else(|error| FrameError::Io(error).into(), ClientError::Tls)
        }
        error => error.into(),
    }
}

#[cfg(not(feature = "tls"))]
fn lift(error: FrameError) -> ClientError {
    error.into()
}

fn event(message: &ServerMessage, request: &'static str) -> Result<Event, ClientError> {
    match *message {
        ServerMessage::Accepted { request, joined, .. } => Ok(Event::Accepted { request, joined }),
        ServerMessage::Queued { position, eta_seconds, .. } => {
            Ok(Event::Queued { position, eta_seconds })
        }
        ServerMessage::Started { .. } => Ok(Event::Started),
        ServerMessage::Progress { progress, .. } => Ok(Event::Progress(progress)),
        ref other => Err(ClientError::Unexpected { got: other.name(), request }),
    }
}
