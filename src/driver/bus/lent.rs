//! A stream that is lent to a decoder for one exchange and comes back when the decoder is dropped.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::driver::transport::Stream;
use crate::inverter::frame::LONGEST;

/// Where a lent stream returns to, and what passed through it.
#[derive(Clone, Default)]
pub(super) struct Home(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    stream: Option<Box<dyn Stream>>,
    read_bytes: u64,
    /// The first of them.
    heard: Vec<u8>,
    /// The other end hung up.
    ended: bool,
}

impl Home {
    pub(super) fn of(stream: Box<dyn Stream>) -> Self {
        let home = Self::default();
        home.with(|inside| inside.stream = Some(stream));
        home
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inside) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lends the stream. `None`: it is lent already.
    pub(super) fn lend(&self) -> Option<Lent> {
        let stream = self.with(|inside| inside.stream.take())?;
        Some(Lent { stream: Some(stream), home: self.clone() })
    }

    /// The other end hung up: the decoder tells that as whatever error the system had last.
    pub(super) fn has_ended(&self) -> bool {
        self.with(|inside| inside.ended)
    }

    /// Bytes read since the last call: how many, and the first of them, as many as a frame has at most.
    pub(super) fn take_read(&self) -> (u64, Vec<u8>) {
        self.with(|inside| (std::mem::take(&mut inside.read_bytes), std::mem::take(&mut inside.heard)))
    }
}

/// The stream while it is lent.
pub(super) struct Lent {
    stream: Option<Box<dyn Stream>>,
    home: Home,
}

impl Lent {
    fn stream(&mut self) -> io::Result<Pin<&mut Box<dyn Stream>>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let stream = self.stream.take();
        self.home.with(|inside| inside.stream = stream);
    }
}

impl AsyncRead for Lent {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining());
        let polled = self.stream()?.poll_read(cx, buf);
        let read = &buf.filled()[before..];
        let ended = read.is_empty() && room > 0 && matches!(polled, Poll::Ready(Ok(())));
        self.home.with(|inside| {
            inside.read_bytes += read.len() as u64;
            let kept = read.len().min(LONGEST.saturating_sub(inside.heard.len()));
            inside.heard.extend_from_slice(&read[..kept]);
            inside.ended |= ended;
        });
        polled
    }
}

impl AsyncWrite for Lent {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, bytes)
    }

    /// Does nothing: on a serial port it would block the thread until the wire has sent all.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The stream lives on.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
