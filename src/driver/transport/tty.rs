//! A tty as a byte stream that wakes nobody needlessly.
//!
//! A tty tells that it can be written to each time that its buffer has drained. Who waits for both directions at once is
//! woken for every line that leaves, and again for its answer. What is sent to a machine is a few bytes at a time and nearly
//! always fits: so only reading is waited for, and room is asked about when there was none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;
use tokio_serial::SerialPort;

/// An open tty, in both directions.
pub(super) struct Tty {
    fd: OwnedFd,
    input: pipe::Receiver,
    /// While there is no room.
    room: Option<pipe::Sender>,
    /// Keeps the device to this process for as long as it is open.
    _claim: Box<dyn SerialPort>,
}

impl Tty {
    /// `fd` does not block, and `claim` is the same device with its settings made. Needs the runtime's context.
    pub(super) fn new(fd: OwnedFd, claim: Box<dyn SerialPort>) -> io::Result<Self> {
        // Named for pipes, but all that it does is read a descriptor that does not block.
        let input = pipe::Receiver::from_owned_fd_unchecked(fd.try_clone()?)?;
        Ok(Self { fd, input, room: None, _claim: claim })
    }
}

impl AsyncRead for Tty {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tty {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(room) = &mut self.room {
                let written = Pin::new(room).poll_write(cx, bytes);
                if written.is_ready() {
                    self.room = None;
                }
                return written;
            }
            match rustix::io::write(&self.fd, bytes) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.room = Some(pipe::Sender::from_owned_fd_unchecked(self.fd.try_clone()?)?);
                }
                written => return Poll::Ready(written.map_err(io::Error::from)),
            }
        }
    }

    /// Blocks until the wire has sent all.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(rustix::io::retry_on_intr(|| rustix::termios::tcdrain(&self.fd)).map_err(io::Error::from))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
