//! Lines as messages of WebSocket: what is heard, at either end.

use std::io;
use std::time::Duration;

use futures_util::stream::{SplitStream, StreamExt};
use futures_util::{Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::codec::LinesCodecError;

use super::wire::MAX_LINE;

/// The hub asks so often whether a client is still there.
pub(super) const PING: Duration = Duration::from_secs(10);
/// Who sends nothing for so long, not even that or the answer to it, is gone. A link that is cut somewhere on its way says nothing of it.
const SILENT: Duration = Duration::from_secs(30);

/// No message is longer than a line may be.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MAX_LINE)).max_frame_size(Some(MAX_LINE))
}

/// What is heard. It ends where nothing is heard any more.
pub(super) fn lines<S>(read: SplitStream<WebSocketStream<S>>) -> impl Stream<Item = Result<String, LinesCodecError>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream::unfold(read, async |mut read| {
        loop {
            let line = match timeout(SILENT, read.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => Ok(text.as_str().to_owned()),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => continue,
                Ok(Some(Ok(Message::Binary(_)) | Err(Error::Utf8(_)))) => {
                    Err(LinesCodecError::Io(io::ErrorKind::InvalidData.into()))
                }
                Ok(Some(Err(Error::Capacity(_)))) => Err(LinesCodecError::MaxLineLengthExceeded),
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return None,
                Err(_) => {
                    tracing::info!("the other end was not heard of for 30 s, and is taken to be gone");
                    return None;
                }
            };
            return Some((line, read));
        }
    })
}
