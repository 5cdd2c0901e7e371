//! One step of reading or writing, without a lock and without two halves of a stream.

use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::ReadBuf;

use crate::driver::transport::Stream;

/// What moved.
#[derive(Debug)]
pub(super) enum Moved {
    /// So many of the unsent bytes were taken.
    Out(usize),
    /// So many bytes came; 0: the stream has ended.
    In(usize),
}

/// Waits until `unsent` can be written in part or bytes can be read into `buf`, whichever comes first; writing goes
/// before reading. Does not write when there is nothing unsent, and does not read into an empty `buf`.
///
/// Nothing is lost when this future is dropped.
pub(super) async fn exchange(stream: &mut dyn Stream, unsent: &[u8], buf: &mut [u8]) -> io::Result<Moved> {
    std::future::poll_fn(|cx| {
        if !unsent.is_empty()
            && let Poll::Ready(taken) = Pin::new(&mut *stream).poll_write(cx, unsent)
        {
            return Poll::Ready(match taken {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                taken => taken.map(Moved::Out),
            });
        }
        if buf.is_empty() {
            return Poll::Pending;
        }
        let mut read = ReadBuf::new(buf);
        Pin::new(&mut *stream).poll_read(cx, &mut read).map_ok(|()| Moved::In(read.filled().len()))
    })
    .await
}

/// Writes what can be written of `unsent` without a wait: so many bytes, none where it would have to wait.
pub(super) async fn write_now(stream: &mut dyn Stream, unsent: &[u8]) -> io::Result<usize> {
    std::future::poll_fn(|cx| match Pin::new(&mut *stream).poll_write(cx, unsent) {
        Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        Poll::Ready(taken) => Poll::Ready(taken),
        Poll::Pending => Poll::Ready(Ok(0)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_full_pipe_does_not_stop_reading() {
        let (mut ours, mut theirs) = tokio::io::duplex(4);
        let mut buf = [0; 8];
        assert!(matches!(exchange(&mut ours, b"abcdef", &mut buf).await.unwrap(), Moved::Out(4)));
        theirs.write_all(b"ok").await.unwrap();
        assert!(matches!(exchange(&mut ours, b"ef", &mut buf).await.unwrap(), Moved::In(2)));
        assert_eq!(&buf[..2], b"ok");
        theirs.read_exact(&mut buf[..4]).await.unwrap();
        assert!(matches!(exchange(&mut ours, b"ef", &mut []).await.unwrap(), Moved::Out(2)));
        drop(theirs);
        assert!(matches!(exchange(&mut ours, b"", &mut buf).await.unwrap(), Moved::In(0)));
    }

    #[tokio::test]
    async fn writing_now_waits_for_no_room() {
        let (mut ours, theirs) = tokio::io::duplex(4);
        assert_eq!(write_now(&mut ours, b"abcdef").await.unwrap(), 4);
        assert_eq!(write_now(&mut ours, b"ef").await.unwrap(), 0);
        drop(theirs);
        assert!(write_now(&mut ours, b"ef").await.is_err());
    }
}
