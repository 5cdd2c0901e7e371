//! The terminal device: a descriptor of our own, so that non-blocking mode touches nobody else's.
//!
//! Non-blocking is a property of the open file, and a shell shares ours on stdin; so the terminal is opened anew.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use tokio::io::unix::AsyncFd;

/// Longest wait for a terminal that does not take the bytes of a farewell.
const FAREWELL: Duration = Duration::from_millis(200);

/// Opens the controlling terminal, or else the one on stdin, for reading and writing, non-blocking.
///
/// # Errors
/// There is no terminal.
pub fn open() -> io::Result<Arc<File>> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let by_path = |path: PathBuf| rustix::fs::open(path, flags, Mode::empty());
    let fd = by_path("/dev/tty".into()).or_else(|error| {
        let name = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).map_err(|_| error)?;
        by_path(PathBuf::from(name.to_string_lossy().into_owned()))
    })?;
    Ok(Arc::new(File::from(fd)))
}

/// Lets the runtime watch it for readiness.
///
/// # Errors
/// The runtime cannot watch it.
#[expect(unsafe_code, reason = "the one way to watch a descriptor; see the safety comment")]
pub fn watch(tty: Arc<File>) -> io::Result<AsyncFd<Arc<File>>> {
    // SAFETY: the file is owned by the `Arc` inside the `AsyncFd`, so the descriptor stays open for as long as it is watched,
    // and `Arc<File>` always gives the same descriptor.
    unsafe { AsyncFd::register(tty) }.map_err(io::Error::from)
}

/// Writes all of it or gives up: for moments when nothing else may run any more.
pub fn write_blocking(mut tty: &File, mut bytes: &[u8]) {
    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(FAREWELL.subsec_nanos()) };
    while !bytes.is_empty() {
        match tty.write(bytes) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut fds = [PollFd::new(tty, PollFlags::OUT)];
                match poll(&mut fds, Some(&timeout)) {
                    Ok(n) if n > 0 => {}
                    _ => return,
                }
            }
            Err(_) => return,
        }
    }
}
