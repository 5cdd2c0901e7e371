//! Where a bus is, and how it is opened.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::driver::pace::Pace;
use crate::driver::transport::{DeviceLock, OpenError, Port, SerialLine, Stream, connect_tcp, open_serial};

/// Where a bus is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEndpoint {
    /// RTU on a serial line.
    Rtu {
        /// The device.
        path: PathBuf,
        /// Its characters.
        line: SerialLine,
    },
    /// Modbus TCP.
    Tcp {
        /// Host name or address.
        host: String,
        /// 502 usually.
        port: u16,
    },
    /// RTU frames through a TCP socket: a serial server that does not look at them.
    RtuOverTcp {
        /// Host name or address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// RTU frames to inverters in this process.
    InProcess,
}

impl BusEndpoint {
    /// Modbus TCP framing, with transaction numbers; else RTU.
    pub const fn is_tcp_framing(&self) -> bool {
        matches!(self, Self::Tcp { .. })
    }

    /// A socket is made anew after trouble; a serial line is not.
    pub const fn is_socket(&self) -> bool {
        !matches!(self, Self::Rtu { .. })
    }
}

impl fmt::Display for BusEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtu { path, line } => write!(f, "{} at {} baud", path.display(), line.baud),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::RtuOverTcp { host, port } => write!(f, "rtu+tcp://{host}:{port}"),
            Self::InProcess => f.write_str("sim"),
        }
    }
}

/// Makes the stream of a bus in this process instead of opening a device: a simulated inverter.
#[derive(Clone)]
pub struct InProcessBus(pub Arc<dyn Fn() -> io::Result<Box<dyn Stream>> + Send + Sync>);

impl fmt::Debug for InProcessBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcessBus")
    }
}

/// Opens a bus.
#[derive(Clone, Debug)]
pub struct BusOpener {
    /// Where it is.
    pub endpoint: BusEndpoint,
    /// Where locks of devices lie.
    pub lock_dir: PathBuf,
    /// Instead of the endpoint's device.
    pub in_process: Option<InProcessBus>,
}

/// An open bus. Dropping it closes it and gives its lock back.
pub(super) struct OpenBus {
    pub(super) stream: Box<dyn Stream>,
    pub(super) lock: Option<DeviceLock>,
}

impl BusOpener {
    /// Opens it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(super) async fn open(&self) -> Result<OpenBus, OpenError> {
        if let Some(InProcessBus(make)) = &self.in_process {
            let stream = make()
                .map_err(|error| OpenError::Network { address: self.endpoint.to_string(), why: error.to_string() })?;
            return Ok(OpenBus { stream, lock: None });
        }
        match &self.endpoint {
            BusEndpoint::Rtu { path, line } => {
                let (owned, line, lock_dir) = (path.clone(), *line, self.lock_dir.clone());
                let opened = tokio::task::spawn_blocking(move || open_serial(&owned, line, Pace::Off, &lock_dir)).await;
                let ended = || OpenError::Serial { path: path.clone(), why: "sunmill is ending".to_owned() };
                let Port { stream, lock, .. } = opened.map_err(|_| ended())??;
                Ok(OpenBus { stream, lock })
            }
            BusEndpoint::InProcess => Err(OpenError::NoSimulator),
            BusEndpoint::Tcp { host, port } | BusEndpoint::RtuOverTcp { host, port } => {
                let lock = DeviceLock::acquire(&self.lock_dir, &format!("tcp://{host}:{port}"))?;
                Ok(OpenBus { stream: Box::new(connect_tcp(host, *port).await?), lock })
            }
        }
    }
}
