//! A simulated device on a pseudo terminal: any program can open it like a serial port.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::wired::Wired;
use super::world::ServeError;

/// With nobody at the other end the kernel gives errors at once; ask again after this.
const NOBODY_POLL: Duration = Duration::from_millis(25);
/// Output that an open but unread port keeps.
const MOST_PENDING: usize = 64 * 1024;
/// A dropped link comes back after this, as a plug that is put in again.
const UNPLUGGED: Duration = Duration::from_secs(1);

/// Serves a device on a pseudo terminal with a link to it at `path`, until it is told to quit.
///
/// Programs may open and close it as they like; what the device says while nobody listens is lost, as on a real
/// port. The link is removed at the end, also when the future is dropped. `notice` is told what a person wants to
/// see (answers to controls).
///
/// # Errors
/// No pseudo terminal, no link, or the state file cannot be written.
pub async fn serve_pty<W: Wired>(
    mut world: W,
    path: &Path,
    controls: &mut mpsc::Receiver<W::Control>,
    mut notice: impl FnMut(&str),
) -> Result<(), ServeError> {
    let failed = |source: io::Error| ServeError::Pty { path: path.to_path_buf(), source };
    loop {
        let port = Port::open(path)?;
        match port.run(&mut world, controls, &mut notice).await {
            Ok(End::Quit) => return Ok(()),
            Ok(End::Dropped) => {}
            Err(RunError::Io(source)) => return Err(failed(source)),
            Err(RunError::Serve(error)) => return Err(error),
        }
        drop(port);
        tokio::time::sleep(UNPLUGGED).await;
    }
}

enum End {
    Quit,
    Dropped,
}

enum RunError {
    Io(io::Error),
    Serve(ServeError),
}

struct Port {
    master: OwnedFd,
    _link: Link,
}

impl Port {
    fn open(path: &Path) -> Result<Self, ServeError> {
        let (master, name) = open_pair().map_err(|source| ServeError::Pty { path: path.to_path_buf(), source })?;
        Ok(Self { master, _link: Link::make(path, &name)? })
    }

    async fn run<W: Wired>(
        &self,
        world: &mut W,
        controls: &mut mpsc::Receiver<W::Control>,
        notice: &mut impl FnMut(&str),
    ) -> Result<End, RunError> {
        let mut buffer = [0_u8; 256];
        let mut pending = Vec::new();
        // There while a program has the other end open. Made anew each time: a hang-up stays set in the
        // runtime's books for good and would make every later wait end at once.
        let mut ends: Option<Ends> = None;
        // Not anew each time: what the device does by itself may come more often than that, for as long as it moves.
        let mut poll = tokio::time::interval(NOBODY_POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pending.append(&mut world.output());
            if world.take_drop() {
                return Ok(End::Dropped);
            }
            world.save().map_err(RunError::Serve)?;
            if let Some(e) = &ends
                && e.write(&mut pending).map_err(RunError::Io)? == There::Nobody
            {
                ends = None;
            }
            if ends.is_none() {
                pending.clear();
            }
            let room = world.input_room().min(buffer.len());
            tokio::select! {
                ready = readable(ends.as_ref()), if room > 0 => {
                    let read = ready.and_then(|reader| reader.try_read(&mut buffer[..room]));
                    if take(world, &buffer, read).map_err(RunError::Io)? == There::Nobody {
                        ends = None;
                    }
                }
                ready = writable(ends.as_ref()), if !pending.is_empty() => ready.map_err(RunError::Io)?,
                _ = poll.tick(), if ends.is_none() && room > 0 => {
                    let read = rustix::io::read(&self.master, &mut buffer[..room]).map_err(io::Error::from);
                    if take(world, &buffer, read).map_err(RunError::Io)? == There::Somebody {
                        ends = Some(Ends::of(&self.master).map_err(RunError::Io)?);
                    }
                }
                // When the person beside the device is gone, it goes on alone.
                Some(control) = controls.recv() => {
                    if world.obey(control, notice) {
                        return Ok(End::Quit);
                    }
                }
                () = world.next_event() => {}
            }
        }
    }
}

/// The master, registered with the runtime.
struct Ends {
    reader: pipe::Receiver,
    writer: pipe::Sender,
}

impl Ends {
    fn of(master: &OwnedFd) -> io::Result<Self> {
        Ok(Self {
            reader: pipe::Receiver::from_owned_fd_unchecked(master.try_clone()?)?,
            writer: pipe::Sender::from_owned_fd_unchecked(master.try_clone()?)?,
        })
    }

    /// Writes what the other end takes now.
    fn write(&self, pending: &mut Vec<u8>) -> io::Result<There> {
        while !pending.is_empty() {
            match self.writer.try_write(pending) {
                Ok(count) => drop(pending.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if is_hang_up(&error) => return Ok(There::Nobody),
                Err(error) => return Err(error),
            }
        }
        pending.truncate(MOST_PENDING);
        Ok(There::Somebody)
    }
}

async fn readable(ends: Option<&Ends>) -> io::Result<&pipe::Receiver> {
    match ends {
        Some(ends) => ends.reader.readable().await.map(|()| &ends.reader),
        None => std::future::pending().await,
    }
}

async fn writable(ends: Option<&Ends>) -> io::Result<()> {
    match ends {
        Some(ends) => ends.writer.writable().await,
        None => std::future::pending().await,
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

#[derive(PartialEq, Eq)]
enum There {
    Somebody,
    Nobody,
}

/// A read of the master: bytes, nothing yet, or nobody there (EIO).
fn take(world: &mut impl Wired, buffer: &[u8], read: io::Result<usize>) -> io::Result<There> {
    match read {
        Ok(0) => Ok(There::Nobody),
        Ok(count) => {
            world.input(&buffer[..count]);
            Ok(There::Somebody)
        }
        Err(error) if is_hang_up(&error) => Ok(There::Nobody),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(There::Somebody)
        }
        Err(error) => Err(error),
    }
}

/// A raw pseudo terminal: the master, and the name of the other end.
fn open_pair() -> io::Result<(OwnedFd, PathBuf)> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let name = PathBuf::from(name.into_string().map_err(|e| io::Error::other(e.to_string()))?);
    // Opened and closed once: from then on the kernel tells "nobody there" from "nothing said".
    let other = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let mut modes = rustix::termios::tcgetattr(&other)?;
    modes.make_raw();
    rustix::termios::tcsetattr(&other, OptionalActions::Now, &modes)?;
    let flags = rustix::fs::fcntl_getfl(&master)?;
    rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
    Ok((master, name))
}

/// The link to the pseudo terminal; removed when dropped.
struct Link(PathBuf);

impl Link {
    fn make(path: &Path, target: &Path) -> Result<Self, ServeError> {
        match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.file_type().is_symlink() => {
                std::fs::remove_file(path).map_err(|source| ServeError::Pty { path: path.to_path_buf(), source })?;
            }
            Ok(_) => return Err(ServeError::InTheWay(path.to_path_buf())),
            Err(_) => {}
        }
        std::os::unix::fs::symlink(target, path)
            .map_err(|source| ServeError::Pty { path: path.to_path_buf(), source })?;
        Ok(Self(path.to_path_buf()))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Nothing can be done about a link that is gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}
