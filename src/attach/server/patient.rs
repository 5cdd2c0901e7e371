//! Writing to who reads slowly: for as long as it reads at all.
//!
//! What the kernel holds for a client goes out in pieces, and it tells of room only when much of that is gone, which takes who reads
//! slowly longer than anybody waits for who does not read. So room is looked for again and again while there is none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::{SendFlags, send};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, Sleep, sleep_until};

/// A client that takes nothing for so long is cut off.
pub(super) const STUCK: Duration = Duration::from_secs(5);
/// How often room is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// No more goes out in one piece: the kernel gives back the room of whole pieces.
const PIECE: usize = 4096;

/// A way out whose room can be looked for.
pub(super) trait WayOut: AsyncWrite + Unpin {
    /// Writes what finds room now, whatever was told of room before.
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl WayOut for TcpStream {
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self, bytes, SendFlags::NOSIGNAL)?)
    }
}

impl WayOut for UnixStream {
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self, bytes, SendFlags::NOSIGNAL)?)
    }
}

impl WayOut for OwnedWriteHalf {
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        self.as_ref().write_now(bytes)
    }
}

/// Writes end with [`io::ErrorKind::TimedOut`] where the other end takes nothing for [`STUCK`].
#[derive(Debug)]
pub(super) struct Patient<W> {
    way: W,
    /// There was no room the last time.
    waits: Option<Waits>,
}

#[derive(Debug)]
struct Waits {
    /// Something was taken last then, or it began.
    since: Instant,
    look: Pin<Box<Sleep>>,
    /// There was room when it was looked for: there may be more.
    found: bool,
}

impl<W> Patient<W> {
    pub(super) const fn new(way: W) -> Self {
        Self { way, waits: None }
    }
}

impl<W: WayOut> AsyncWrite for Patient<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let piece = &bytes[..bytes.len().min(PIECE)];
        if let Poll::Ready(written) = Pin::new(&mut this.way).poll_write(cx, piece) {
            this.waits = None;
            return Poll::Ready(written);
        }
        let now = Instant::now();
        let waits = this.waits.get_or_insert_with(|| Waits {
            since: now,
            look: Box::pin(sleep_until(now + LOOK)),
            found: false,
        });
        loop {
            if !waits.found {
                ready!(waits.look.as_mut().poll(cx));
            }
            match this.way.write_now(piece) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    (waits.since, waits.found) = (Instant::now(), true);
                    return Poll::Ready(written);
                }
            }
            let now = Instant::now();
            if now - waits.since >= STUCK {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            waits.found = false;
            waits.look.as_mut().reset((now + LOOK).min(waits.since + STUCK));
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.way).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.way).poll_shutdown(cx)
    }
}

impl<W: AsyncRead + Unpin> AsyncRead for Patient<W> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.way).poll_read(cx, into)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::time::advance;

    use super::*;

    const MUCH: usize = 32 * 1024 * 1024;

    /// Both ends of a connection on this computer.
    async fn tcp() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, far)
    }

    /// Whatever can be done now is done.
    async fn settle() {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// Reads a piece, and then nothing for nearly as long as anybody waits; again and again.
    async fn reads_slowly(near: UnixStream, mut far: std::os::unix::net::UnixStream) {
        let mut writes = tokio::spawn(async move { Patient::new(near).write_all(&vec![b'x'; MUCH]).await });
        settle().await;
        let mut piece = vec![0; PIECE];
        for n in 0..20 {
            advance(4 * LOOK).await;
            settle().await;
            far.read_exact(&mut piece).unwrap();
            // What it has read is seen when room is looked for the next time.
            advance(LOOK).await;
            settle().await;
            assert!(!writes.is_finished(), "piece {n}: {:?}", (&mut writes).await);
        }
        drop(far);
        let ended = writes.await.unwrap().unwrap_err();
        assert_ne!(ended.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_but_steadily_is_not_cut() {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        reads_slowly(UnixStream::from_std(near).unwrap(), far).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_cut_after_five_seconds() {
        let (near, far) = UnixStream::pair().unwrap();
        let begun = Instant::now();
        let ended = Patient::new(near).write_all(&vec![b'x'; MUCH]).await.unwrap_err();
        assert_eq!((ended.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, STUCK));
        drop(far);
        let (near, far) = tcp().await;
        let begun = Instant::now();
        let ended = Patient::new(near).write_all(&vec![b'x'; MUCH]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        // What the other end's kernel takes at first, it takes some time over.
        assert!(begun.elapsed() >= STUCK, "{:?}", begun.elapsed());
        drop(far);
    }
}
