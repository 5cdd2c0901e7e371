//! Opening whatever the configuration names.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::DuplexStream;

use super::error::OpenError;
use super::lock::DeviceLock;
use super::port::Port;
use super::{serial, tcp, ws};
use crate::driver::pace::Pace;
use crate::model::Endpoint;

/// Makes a fresh connection to a machine inside this process; called at each open.
#[derive(Clone)]
pub struct InProcess(pub Arc<dyn Fn() -> DuplexStream + Send + Sync>);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess(…)")
    }
}

/// All that is needed to open a port, again and again, by its configured name.
#[derive(Clone, Debug)]
pub struct Opener {
    /// Where the machine is.
    pub endpoint: Endpoint,
    /// Rate of a serial port.
    pub baud: u32,
    /// Whether writes are paced to the wire.
    pub pace: Pace,
    /// Where hubs keep their locks; see [`lock_dir`](super::lock_dir).
    pub lock_dir: PathBuf,
    /// The simulated machine behind [`Endpoint::Sim`].
    pub in_process: Option<InProcess>,
}

impl Opener {
    /// Whether the controller buffers as a network does.
    pub const fn is_network(&self) -> bool {
        matches!(self.endpoint, Endpoint::Tcp { .. } | Endpoint::WebSocket { .. })
    }

    /// Opens the port. Never resets or moves anything.
    ///
    /// # Errors
    /// See [`OpenError`]; each text says what to do.
    pub async fn open(&self) -> Result<Port, OpenError> {
        match &self.endpoint {
            Endpoint::Serial(path) => {
                let (path, baud, pace, dir) = (path.clone(), self.baud, self.pace, self.lock_dir.clone());
                let lost = OpenError::Serial { path: path.clone(), why: "the program is ending".to_owned() };
                tokio::task::spawn_blocking(move || serial::open(&path, serial::SerialLine::plain(baud), pace, &dir))
                    .await
                    .unwrap_or(Err(lost))
            }
            Endpoint::Tcp { host, port } => {
                let lock = self.lock()?;
                Ok(self.network(tcp::connect(host, *port).await?, lock))
            }
            Endpoint::WebSocket { host, port, path } => {
                let lock = self.lock()?;
                Ok(self.network(ws::connect(host, *port, path).await?, lock))
            }
            Endpoint::Sim => {
                let InProcess(connect) = self.in_process.as_ref().ok_or(OpenError::NoSimulator)?;
                Ok(Port {
                    stream: Box::new(connect()),
                    pace_baud: self.forced_baud(),
                    when_gone: "the simulated machine has ended",
                    lock: None,
                })
            }
        }
    }

    /// Another hub has the lock of this device now. Opens nothing. `None`: none has, or it cannot be told.
    pub fn held_by_another(&self) -> Option<OpenError> {
        let tried = match &self.endpoint {
            Endpoint::Serial(path) => DeviceLock::acquire(&self.lock_dir, &path.canonicalize().ok()?.to_string_lossy()),
            Endpoint::Tcp { .. } | Endpoint::WebSocket { .. } => self.lock(),
            Endpoint::Sim => return None,
        };
        tried.err()
    }

    fn lock(&self) -> Result<Option<DeviceLock>, OpenError> {
        DeviceLock::acquire(&self.lock_dir, &self.endpoint.to_string())
    }

    fn network(&self, stream: impl super::Stream + 'static, lock: Option<DeviceLock>) -> Port {
        Port {
            stream: Box::new(stream),
            pace_baud: self.forced_baud(),
            when_gone: "the controller closed the connection",
            lock,
        }
    }

    fn forced_baud(&self) -> Option<u32> {
        match self.pace {
            Pace::Baud(baud) => Some(baud),
            Pace::Auto | Pace::Off => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn opener(endpoint: &str, dir: &tempfile::TempDir) -> Opener {
        Opener {
            endpoint: endpoint.parse().unwrap(),
            baud: 115_200,
            pace: Pace::Auto,
            lock_dir: dir.path().to_owned(),
            in_process: None,
        }
    }

    #[tokio::test]
    async fn a_network_machine_has_one_hub_too() {
        let dir = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let opener = opener(&format!("tcp://{}", listener.local_addr().unwrap()), &dir);
        let first = opener.open().await.unwrap();
        assert_eq!(first.pace_baud, None);
        assert!(matches!(opener.open().await, Err(OpenError::Busy { holder: Some(_), .. })));
        assert!(matches!(opener.held_by_another(), Some(OpenError::Busy { .. })));
        drop(first);
        assert_eq!(opener.held_by_another(), None);
        assert!(opener.open().await.is_ok());
    }

    #[tokio::test]
    async fn the_simulator_is_whatever_was_handed_in() {
        let dir = tempfile::tempdir().unwrap();
        let mut opener = opener("sim", &dir);
        assert_eq!(opener.open().await.unwrap_err(), OpenError::NoSimulator);
        opener.in_process = Some(InProcess(Arc::new(|| {
            let (ours, mut theirs) = tokio::io::duplex(64);
            tokio::spawn(async move { theirs.write_all(b"Grbl 1.1h\n").await });
            ours
        })));
        let mut banner = [0; 4];
        opener.open().await.unwrap().stream.read_exact(&mut banner).await.unwrap();
        assert_eq!(&banner, b"Grbl");
        opener.pace = Pace::Baud(9600);
        assert_eq!(opener.open().await.unwrap().pace_baud, Some(9600));
    }
}
