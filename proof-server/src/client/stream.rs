//! The connection below a client, plain or encrypted.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use super::{ClientError, ClientOptions};
#[cfg(feature = "tls")]
use crate::tls::blocking::{self, TlsReader, TlsWriter};
use crate::types::FrameError;

/// Connects, and shakes hands where the options say so.
pub(super) fn connect(
    address: &str,
    options: &ClientOptions,
) -> Result<(ReadHalf, WriteHalf), ClientError> {
    let stream = open(address, options.connect_timeout)
        .map_err(|source| ClientError::Connect { address: address.to_owned(), source })?;
    stream.set_nodelay(true).map_err(FrameError::Io)?;
    stream.set_write_timeout(Some(options.write_timeout)).map_err(FrameError::Io)?;
    let (reader, writer) = halves(address, stream, options)?;
    reader.socket().set_read_timeout(Some(options.hello_timeout())).map_err(FrameError::Io)?;
    Ok((reader, writer))
}

#[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "plain text needs no more"))]
fn halves(
    address: &str,
    stream: TcpStream,
    options: &ClientOptions,
) -> Result<(ReadHalf, WriteHalf), ClientError> {
    #[cfg(feature = "tls")]
    if let Some(tls) = &options.tls {
        let (reader, writer) = blocking::connect(tls, address, stream, options.hello_timeout())?;
        return Ok((ReadHalf::Tls(reader), WriteHalf::Tls(writer)));
    }
    let writer = stream.try_clone().map_err(FrameError::Io)?;
    Ok((ReadHalf::Plain(stream), WriteHalf::Plain(writer)))
}

fn open(address: &str, timeout: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + timeout;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Where answers come from. A read that timed out can be tried again.
#[derive(Debug)]
pub(super) enum ReadHalf {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(TlsReader),
}

impl ReadHalf {
    /// The stream below, for its time-outs.
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            #[cfg(feature = "tls")]
            Self::Tls(reader) => reader.socket(),
        }
    }

    /// Whether nothing but this side's own TLS could make the peer send TLS.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

impl Read for ReadHalf {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(reader) => reader.read(buffer),
        }
    }
}

/// Where requests go.
#[derive(Debug)]
pub(super) enum WriteHalf {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(TlsWriter),
}

impl WriteHalf {
    /// A handle to the same connection for another thread.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Plain(stream) => stream.try_clone().map(Self::Plain),
            #[cfg(feature = "tls")]
            Self::Tls(writer) => Ok(Self::Tls(writer.clone())),
        }
    }
}

impl Write for WriteHalf {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(writer) => writer.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(writer) => writer.flush(),
        }
    }
}
