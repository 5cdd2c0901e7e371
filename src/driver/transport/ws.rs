//! WebSocket (FluidNC 4 on its HTTP port, grblHAL where built in).
//!
//! The machine's bytes come in binary and text frames alike. FluidNC adds text frames of its own
//! (`currentID:n`, `CURRENT_ID:n`, `ACTIVE_ID:n`, `PING`), which are not the machine's. Ours go out in binary
//! frames: a realtime byte above 0x7F in a text frame would be encoded as two.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::error::OpenError;
use super::tcp;

const READ_BUFFER: usize = 4096;
const LARGEST_MESSAGE: usize = 1 << 20;

/// Text frames that begin so are FluidNC's, not the machine's.
const CONTROL_TEXTS: [&str; 4] = ["currentID:", "CURRENT_ID:", "ACTIVE_ID:", "PING"];

/// Connects.
///
/// # Errors
/// See [`OpenError`].
pub(super) async fn connect(host: &str, port: u16, path: &str) -> Result<WsStream<TcpStream>, OpenError> {
    let stream = tcp::connect(host, port).await?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let url = format!("ws://{host}:{port}{path}");
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    match timeout(tcp::CONNECT_TIMEOUT, client_async_with_config(url.as_str(), stream, Some(config))).await {
        Ok(Ok((inner, _response))) => Ok(WsStream::new(inner)),
        Ok(Err(error)) => Err(OpenError::NoWebSocket { url, why: error.to_string() }),
        Err(_elapsed) => Err(tcp::timed_out(&format!("{host}:{port}"))),
    }
}

/// The bytes of a WebSocket as a plain stream. Pings are answered while it is read.
#[derive(Debug)]
pub struct WsStream<S> {
    inner: WebSocketStream<S>,
    received: Bytes,
    /// A frame was queued that may not have left yet.
    unflushed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WsStream<S> {
    /// Over an established WebSocket.
    pub fn new(inner: WebSocketStream<S>) -> Self {
        Self { inner, received: Bytes::new(), unflushed: false }
    }

    fn poll_pending_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(Pin::new(&mut self.inner).poll_flush(cx)).map_err(into_io)?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WsStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Whoever waits here also pushes out what could not leave at once.
        if let Poll::Ready(Err(error)) = self.poll_pending_flush(cx) {
            return Poll::Ready(Err(error));
        }
        while self.received.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                // The peer may leave the connection itself open for long: its farewell is the end.
                Some(Ok(Message::Close(_))) => return Poll::Ready(Ok(())),
                Some(Ok(message)) => self.received = payload(message),
                Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) | None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(into_io(error))),
            }
        }
        let n = self.received.len().min(buf.remaining());
        buf.put_slice(&self.received.split_to(n));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WsStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending_flush(cx))?;
        ready!(Pin::new(&mut self.inner).poll_ready(cx)).map_err(into_io)?;
        let frame = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.inner).start_send(frame).map_err(into_io)?;
        self.unflushed = true;
        // Pending is fine: the bytes are taken, and the next read or write pushes on.
        if let Poll::Ready(Err(error)) = self.poll_pending_flush(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_pending_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(into_io)
    }
}

/// The machine's bytes in a message; none for pings and FluidNC's own texts.
fn payload(message: Message) -> Bytes {
    match message {
        Message::Binary(bytes) => bytes,
        Message::Text(text) if !CONTROL_TEXTS.iter().any(|own| text.starts_with(own)) => text.into(),
        _ => Bytes::new(),
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt, StreamExt};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    async fn pair() -> (WsStream<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = duplex(4096);
        let ours = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        (WsStream::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Server, None).await)
    }

    #[tokio::test]
    async fn text_and_binary_are_bytes_and_fluidnc_talks_to_itself() {
        let (mut ours, mut theirs) = pair().await;
        for text in ["currentID:1", "CURRENT_ID:1", "<Idle|MPos:0.000>\n", "ACTIVE_ID:1", "PING\n"] {
            theirs.send(Message::text(text)).await.unwrap();
        }
        theirs.send(Message::binary(&b"ok\n"[..])).await.unwrap();
        theirs.close(None).await.unwrap();
        let mut got = Vec::new();
        ours.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"<Idle|MPos:0.000>\nok\n");
    }

    #[tokio::test]
    async fn bytes_go_out_in_binary_frames_and_pings_are_answered() {
        let (mut ours, mut theirs) = pair().await;
        ours.write_all(&[0x85]).await.unwrap();
        assert_eq!(theirs.next().await.unwrap().unwrap(), Message::binary(vec![0x85]));
        theirs.send(Message::Ping(Bytes::from_static(b"hi"))).await.unwrap();
        theirs.send(Message::text("ok\n")).await.unwrap();
        let mut got = [0; 2];
        ours.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ok");
        assert_eq!(theirs.next().await.unwrap().unwrap(), Message::Pong(Bytes::from_static(b"hi")));
    }

    #[tokio::test]
    async fn a_small_read_leaves_the_rest_for_the_next() {
        let (mut ours, mut theirs) = pair().await;
        theirs.send(Message::text("abcdef")).await.unwrap();
        let mut got = [0; 4];
        ours.read_exact(&mut got).await.unwrap();
        ours.read_exact(&mut got[..2]).await.unwrap();
        assert_eq!(&got, b"efcd");
    }

    #[tokio::test]
    async fn a_web_server_that_is_none_is_named() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 512];
            let _ = socket.read(&mut request).await.unwrap();
            socket.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        });
        let error = connect("127.0.0.1", port, "/").await.unwrap_err();
        assert!(matches!(&error, OpenError::NoWebSocket { why, .. } if why.contains("404")), "{error}");
        server.await.unwrap();
    }
}
