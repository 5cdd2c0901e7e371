//! The socket and who comes in through it.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::codec::{FramedRead, LinesCodec};

use super::access::{self, Access};
use super::door::{self, Door};
use super::house::House;
use super::peer::{self, Entered};
use super::places::{FULL, Place, Places};
use super::tcp::{self, TcpListening};
use super::writer::write_out;
use crate::attach::wire::{self, Code, MAX_LINE, Problem};
use crate::model::Time;
use crate::model::command::Origin;
use crate::model::hub::HubPort;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A hub answers there.
    #[error("{0}: another sunmill answers on this socket")]
    Taken(PathBuf),
    /// It cannot be made.
    #[error("{path}: the socket cannot be made: {error}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A socket that is open. It is removed when this is dropped.
#[derive(Debug)]
pub struct Listening {
    listener: UnixListener,
    path: PathBuf,
}

impl Listening {
    /// Opens it for the owner and the group (mode 0660). One that a hub left behind is cleared away; one on which somebody
    /// answers is not touched. To be called within a runtime.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |error| BindError::Io { path: path.to_owned(), error };
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(BindError::Taken(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                // A file that is no socket refuses connections too.
                if !std::fs::symlink_metadata(path).map_err(failed)?.file_type().is_socket() {
                    return Err(failed(io::Error::new(
                        io::ErrorKind::AlreadyExists,
                        "a file that is no socket is there",
                    )));
                }
                std::fs::remove_file(path).map_err(failed)?;
            }
            Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let listening = Self { listener, path: path.to_owned() };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(failed)?;
        Ok(listening)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "the socket is not removed");
        }
    }
}

/// The running server. Dropping it ends it, and every connection with it.
#[derive(Debug)]
pub struct Server {
    tasks: Vec<JoinHandle<()>>,
    house: House,
}

impl Server {
    /// Serves those too who come over TCP. `healthy` tells whether what runs the machine goes on.
    pub fn open_tcp(&mut self, listening: TcpListening, healthy: impl Fn() -> bool + Send + Sync + 'static) {
        self.tasks.push(tokio::spawn(tcp::keep(listening, self.house.clone(), Arc::new(healthy))));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Serves everybody who comes, until it is dropped. `now` is the hub's time.
pub fn serve(
    listening: Listening,
    port: HubPort,
    access: Access,
    now: impl Fn() -> Time + Send + Sync + 'static,
) -> Server {
    let hub = port.join(Origin::Hub);
    let house = House::new(port, now, access);
    let socket = Socket { listening, house: house.clone(), places: Places::default() };
    let filled = house.ring.clone().fill(hub, Arc::clone(&house.counted));
    let tasks = vec![tokio::spawn(filled), tokio::spawn(door::keep(socket))];
    Server { tasks, house }
}

/// The socket as a way in.
struct Socket {
    listening: Listening,
    house: House,
    places: Places,
}

impl Door for Socket {
    type Came = UnixStream;

    async fn next(&self) -> io::Result<UnixStream> {
        Ok(self.listening.listener.accept().await?.0)
    }

    async fn serve(&mut self, stream: UnixStream) -> Option<BoxFuture<'static, ()>> {
        // Whoever may open the socket is a user of this computer.
        let Some(place) = self.places.take(true) else {
            turn_away(&stream, FULL);
            return None;
        };
        Some(serve_one(stream, self.house.clone(), place).boxed())
    }
}

async fn serve_one(stream: UnixStream, house: House, place: Place) {
    let who = access::at_the_other_end(&stream, &house.access).await;
    let entered = Entered { id: house.next_id(), who, from: None, place };
    let (read, write) = stream.into_split();
    let lines = FramedRead::new(read, LinesCodec::new_with_max_length(MAX_LINE));
    peer::serve(lines, |queue| write_out(write, queue), entered, house).await;
}

/// Tells somebody who cannot come in why.
fn turn_away(stream: &UnixStream, why: &str) {
    let line = wire::answer(&Value::Null, Err(Problem::new(Code::Refused, why)));
    // A new socket has room for a line; who does not get it sees the end.
    let _ = stream.try_write(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.nc");
        std::fs::write(&path, "G21").unwrap();
        let why = Listening::bind(&path).unwrap_err().to_string();
        assert!(why.contains("no socket"), "{why}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "G21");
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_cleared_away_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sunmill.sock");
        let first = Listening::bind(&path).unwrap();
        assert!(matches!(Listening::bind(&path), Err(BindError::Taken(_))));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o660);
        drop(first);
        assert!(!path.exists());
        // What a process that was killed leaves: a socket on which nobody answers.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        Listening::bind(&path).unwrap();
    }
}
