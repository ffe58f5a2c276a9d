//! A client's TLS over a blocking stream, in two halves, so that one thread can cancel what another waits
//! for. The lock is never held while the socket is read: rustls gets bytes that have already arrived. So
//! nothing is lost either when a read times out in the middle of a record.

use std::{
    fmt,
    io::{self, Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustls::ClientConnection;

use super::{ClientTls, TlsPeerError, client::host_of, peer::Situation};

/// Most bytes to take from the socket at once, 16 KiB: the largest record, about.
const RAW_BYTES: usize = 16 << 10;

/// What both halves use.
struct Shared {
    connection: Mutex<ClientConnection>,
    /// Taken before `connection` by whoever sends, and held until the records are out: they are numbered.
    output: Mutex<TcpStream>,
}

impl Shared {
    fn connection(&self) -> MutexGuard<'_, ClientConnection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn output(&self) -> MutexGuard<'_, TcpStream> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the records that are due.
    fn flush(&self, output: &mut TcpStream) -> io::Result<()> {
        let mut records = Vec::new();
        {
            let mut connection = self.connection();
            while connection.wants_write() {
                connection.write_tls(&mut records)?;
            }
        }
        output.write_all(&records)
    }

    /// Sends what TLS itself has to say, a key update or an alert. Where a writer is at work, it goes out
    /// with the next message: the reader must not wait for a peer that reads nothing.
    fn flush_if_free(&self) {
        if let Ok(mut output) = self.output.try_lock() {
            // If it cannot be sent, the next read or write fails too.
            let _ = self.flush(&mut output);
        }
    }
}

/// Shakes hands with the server at `address` within `limit`. The stream's read timeout is afterwards the
/// caller's to set.
pub(crate) fn connect(
    tls: &ClientTls,
    address: &str,
    stream: TcpStream,
    limit: Duration,
) -> Result<(TlsReader, TlsWriter), TlsPeerError> {
    let (connection, situation) = tls.begin(host_of(address))?;
    let output = stream.try_clone().map_err(TlsPeerError::Io)?;
    let shared =
        Arc::new(Shared { connection: Mutex::new(connection), output: Mutex::new(output) });
    let writer = TlsWriter { shared: Arc::clone(&shared) };
    let raw = Raw { bytes: vec![0; RAW_BYTES].into(), begin: 0, end: 0 };
    let mut reader = TlsReader { shared, socket: stream, raw, situation, failed: None };
    match reader.shake_hands(Instant::now() + limit) {
        Ok(()) => Ok((reader, writer)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            Err(TlsPeerError::Silent { limit })
        }
        Err(error) => Err(reader.situation.explain_io(error)),
    }
}

/// Bytes from the socket that rustls has not seen.
struct Raw {
    bytes: Box<[u8]>,
    begin: usize,
    end: usize,
}

impl Raw {
    fn is_empty(&self) -> bool {
        self.begin == self.end
    }
}

/// The half that reads.
pub(crate) struct TlsReader {
    shared: Arc<Shared>,
    socket: TcpStream,
    raw: Raw,
    situation: Situation,
    /// Why nothing comes any more, to be told once everything before is read.
    failed: Option<rustls::Error>,
}

impl fmt::Debug for TlsReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsReader").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl TlsReader {
    /// The stream below, for its time-outs.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    fn shake_hands(&mut self, deadline: Instant) -> io::Result<()> {
        loop {
            self.shared.flush(&mut self.shared.output())?;
            if !self.shared.connection().is_handshaking() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.socket.set_read_timeout(Some(left))?;
            if self.raw.is_empty() && self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.digest()?;
            if let Some(error) = self.failed.take() {
                return Err(io::Error::other(error));
            }
        }
    }

    /// Reads from the socket, where nothing is left of the last time.
    fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.socket.read(&mut self.raw.bytes) {
                Ok(read) => {
                    (self.raw.begin, self.raw.end) = (0, read);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands rustls what has arrived.
    fn digest(&mut self) -> io::Result<()> {
        let mut connection = self.shared.connection();
        let mut fresh = &self.raw.bytes[self.raw.begin..self.raw.end];
        let taken = connection.read_tls(&mut fresh)?;
        if taken == 0 {
            // The peer has said goodbye, and goes on.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.raw.begin += taken;
        self.failed = connection.process_new_packets().err();
        let due = connection.wants_write();
        drop(connection);
        if due {
            self.shared.flush_if_free();
        }
        Ok(())
    }
}

impl Read for TlsReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.shared.connection().reader().read(buffer);
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            if let Some(error) = self.failed.take() {
                let error = self.situation.explain(error);
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
            if self.raw.is_empty() && self.fill()? == 0 {
                // Without TLS's own goodbye it is the end all the same: frames say how long they are.
                return Ok(0);
            }
            self.digest()?;
        }
    }
}

/// The half that writes. Clones write to the same connection.
#[derive(Clone)]
pub(crate) struct TlsWriter {
    shared: Arc<Shared>,
}

impl fmt::Debug for TlsWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsWriter").finish_non_exhaustive()
    }
}

impl Write for TlsWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut output = self.shared.output();
        let taken = self.shared.connection().writer().write(buffer)?;
        self.shared.flush(&mut output)?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.shared.flush(&mut self.shared.output())
    }
}
