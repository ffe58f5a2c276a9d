//! The same frames over tokio streams.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::frame::{FrameBuffer, FrameError, FrameLimits, Message, Next, encode};

/// Reads messages from an async stream.
#[derive(Debug)]
pub struct AsyncFrameReader<R, M> {
    stream: R,
    buffer: FrameBuffer<M>,
}

impl<R: AsyncRead + Unpin, M: Message> AsyncFrameReader<R, M> {
    /// Reads `M` from `stream`, refusing frames over `limits`.
    pub fn new(stream: R, limits: FrameLimits) -> Self {
        Self { stream, buffer: FrameBuffer::new(limits) }
    }

    /// Waits for the next message; `None` if the stream ended between two. Cancel safe: what arrived
    /// stays in the reader.
    ///
    /// # Errors
    ///
    /// [`FrameError`]. After any of them the stream is of no use any more.
    pub async fn next_message(&mut self) -> Result<Option<M>, FrameError> {
        loop {
            match self.buffer.next()? {
                Next::Message(message) => return Ok(Some(message)),
                Next::Read(wanted) => {
                    if self.read(wanted).await? == 0 {
                        return self.buffer.end().map(|()| None);
                    }
                }
            }
        }
    }

    /// Waits until the next frame begins; `false` if the stream ended instead. Cancel safe. It lets a
    /// caller time the frame itself apart from the idle time before it.
    ///
    /// # Errors
    ///
    /// [`FrameError::Io`].
    pub async fn frame_begins(&mut self) -> Result<bool, FrameError> {
        Ok(self.buffer.has_begun() || self.read(1).await? > 0)
    }

    /// Takes frames up to other limits from the next one on.
    pub fn set_limits(&mut self, limits: FrameLimits) {
        self.buffer.set_limits(limits);
    }

    /// What has arrived of a frame that is not whole, or was refused: it tells what the peer speaks.
    pub fn begun(&self) -> &[u8] {
        self.buffer.begun()
    }

    /// The stream below. Bytes read from it are lost to this reader.
    pub fn stream(&mut self) -> &mut R {
        &mut self.stream
    }

    async fn read(&mut self, wanted: usize) -> Result<usize, FrameError> {
        let mut chunk = (&mut self.stream).take(wanted as u64);
        chunk.read_buf(self.buffer.bytes()).await.map_err(FrameError::Io)
    }
}

/// Writes one message and flushes. Not cancel safe: half a frame may be out.
///
/// # Errors
///
/// [`encode`]'s, and [`FrameError::Io`].
pub async fn write_message_async<M: Message>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &M,
    limits: &FrameLimits,
) -> Result<(), FrameError> {
    put_message_async(stream, message, limits).await?;
    stream.flush().await.map_err(FrameError::Io)
}

/// [`write_message_async`] without the flush, for a writer that gathers messages.
///
/// # Errors
///
/// As there.
pub async fn put_message_async<M: Message>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &M,
    limits: &FrameLimits,
) -> Result<(), FrameError> {
    let frame = encode(message, limits)?;
    stream.write_all(&frame).await.map_err(FrameError::Io)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncWriteExt, duplex},
        time::{Duration, timeout},
    };

    use super::*;
    use crate::types::{ClientHello, ClientMessage, RequestId};

    #[tokio::test]
    async fn messages_arrive_through_a_stream_of_three_bytes_also_when_reading_is_given_up_meanwhile()
     {
        let (mut writer, reader) = duplex(3);
        let mut reader = AsyncFrameReader::new(reader, FrameLimits::default());
        let messages = [
            ClientMessage::Hello(ClientHello::new("test")),
            ClientMessage::Cancel { id: RequestId(7) },
        ];
        let sent = messages.clone();
        let sender = tokio::spawn(async move {
            for message in &sent {
                for byte in encode(message, &FrameLimits::default()).unwrap() {
                    writer.write_all(&[byte]).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        for message in &messages {
            let got = loop {
                // Gives up again and again: nothing that arrived may be lost.
                if let Ok(got) = timeout(Duration::ZERO, reader.next_message()).await {
                    break got.unwrap();
                }
            };
            assert_eq!(got.as_ref(), Some(message));
        }
        sender.await.unwrap();
        assert!(reader.next_message().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_frame_begins_with_its_first_byte() {
        let (mut writer, reader) = duplex(64);
        let mut reader = AsyncFrameReader::<_, ClientMessage>::new(reader, FrameLimits::default());
        assert!(timeout(Duration::from_millis(1), reader.frame_begins()).await.is_err());
        writer.write_all(&[0]).await.unwrap();
        assert!(reader.frame_begins().await.unwrap());
        assert!(reader.frame_begins().await.unwrap(), "still the same frame");
        drop(writer);
        assert!(matches!(reader.next_message().await, Err(FrameError::Torn { got: 1 })));
    }

    #[tokio::test]
    async fn a_stream_that_ends_begins_no_frame() {
        let (writer, reader) = duplex(64);
        let mut reader = AsyncFrameReader::<_, ClientMessage>::new(reader, FrameLimits::default());
        drop(writer);
        assert!(!reader.frame_begins().await.unwrap());
    }
}
