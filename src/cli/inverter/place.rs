//! Where a bus is, as typed.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use color_eyre::eyre::eyre;

use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::driver::bus::{BusEndpoint, BusOpener};
use crate::driver::transport::{SerialLine, lock_dir};
use crate::model::{BusPort, Endpoint};

/// The port of Modbus TCP (IANA).
const TCP_PORT: u16 = 502;

/// A serial device, or an address in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The device.
    Serial(PathBuf),
    /// Modbus TCP.
    Tcp(String, u16),
    /// RTU frames through a socket.
    RtuOverTcp(String, u16),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let explained = || {
            format!(
                "{text:?} is no place of a bus: give the path of a serial device, tcp://host[:502] or rtu+tcp://host:port"
            )
        };
        if let Some(address) = text.strip_prefix("rtu+tcp://") {
            let (host, port) = host_and_port(address).ok_or_else(explained)?;
            return Ok(Self::RtuOverTcp(host, port.ok_or_else(explained)?));
        }
        if let Some(address) = text.strip_prefix("tcp://") {
            let (host, port) = host_and_port(address).ok_or_else(explained)?;
            return Ok(Self::Tcp(host, port.unwrap_or(TCP_PORT)));
        }
        if text.starts_with(['/', '.', '~']) { Ok(Self::Serial(text.into())) } else { Err(explained()) }
    }
}

/// `[::1]:502`, `host:502`, `host`.
fn host_and_port(address: &str) -> Option<(String, Option<u16>)> {
    let address = address.trim_end_matches('/');
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0)).map_or(Some(None), |port| port.map(Some))?;
    (!host.is_empty() && !host.contains(char::is_whitespace)).then(|| (host.to_owned(), port))
}

impl Place {
    /// The place of a bus; `None`: its inverters are simulated ones.
    pub(super) fn of_bus(port: BusPort) -> Option<Self> {
        match port {
            BusPort::Serial(path) => Some(Self::Serial(path)),
            BusPort::Tcp { host, port } => Some(Self::Tcp(host, port)),
            BusPort::RtuOverTcp { host, port } => Some(Self::RtuOverTcp(host, port)),
            BusPort::Sim => None,
        }
    }

    /// The place of what is opened; `None`: it is in this process.
    pub(super) fn of_endpoint(endpoint: &BusEndpoint) -> Option<Self> {
        match endpoint.clone() {
            BusEndpoint::Rtu { path, .. } => Some(Self::Serial(path)),
            BusEndpoint::Tcp { host, port } => Some(Self::Tcp(host, port)),
            BusEndpoint::RtuOverTcp { host, port } => Some(Self::RtuOverTcp(host, port)),
            BusEndpoint::InProcess => None,
        }
    }

    /// How it is opened; the line is of a serial one.
    pub(super) fn opener(&self, line: SerialLine, settings: &Settings) -> BusOpener {
        let endpoint = match self {
            Self::Serial(path) => BusEndpoint::Rtu { path: path.clone(), line },
            Self::Tcp(host, port) => BusEndpoint::Tcp { host: host.clone(), port: *port },
            Self::RtuOverTcp(host, port) => BusEndpoint::RtuOverTcp { host: host.clone(), port: *port },
        };
        BusOpener { endpoint, lock_dir: lock_dir(settings.runtime_dir.clone()), in_process: None }
    }

    /// A line at a baud rate, whose bytes take time.
    pub(super) const fn is_serial(&self) -> bool {
        matches!(self, Self::Serial(_))
    }

    /// Refuses the port of the machine: what is asked of an inverter would be noise, or worse, to a controller.
    pub(super) fn not_the_machines(&self, settings: &Settings) -> Result<(), Failure> {
        if !self.is_of(&settings.endpoint) {
            return Ok(());
        }
        let why = eyre!("{self} is the machine's port (machine.port): no inverter is asked there");
        Err(Failure::refused(why))
    }

    /// It is where this machine is.
    pub(super) fn is_of(&self, machine: &Endpoint) -> bool {
        match (machine, self) {
            (Endpoint::Serial(machine), Self::Serial(path)) => real(machine) == real(path),
            (Endpoint::Tcp { host, port }, Self::Tcp(own, at) | Self::RtuOverTcp(own, at)) => host == own && port == at,
            _ => false,
        }
    }

    /// It is where this bus is, as a hub tells it: a serial one with its baud rate behind it.
    pub(super) fn is_bus(&self, told: &str) -> bool {
        match self {
            Self::Serial(path) => {
                let other = told.rsplit_once(" at ").map_or(told, |(other, _)| other);
                real(Path::new(other)) == real(path)
            }
            // One address takes one of the two framings.
            Self::Tcp(host, port) | Self::RtuOverTcp(host, port) => {
                told.rsplit_once("tcp://").is_some_and(|(_, address)| address == format!("{host}:{port}"))
            }
        }
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Serial(path) => write!(f, "{}", path.display()),
            Self::Tcp(host, port) => write!(f, "tcp://{host}:{port}"),
            Self::RtuOverTcp(host, port) => write!(f, "rtu+tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_of_a_hub_is_known_by_what_it_tells() {
        let at = |place: &str, told| place.parse::<Place>().unwrap().is_bus(told);
        assert!(at("/dev/null", "/dev/null at 9600 baud") && at("/dev/./null", "/dev/null at 9600 baud"));
        assert!(!at("/dev/null", "/dev/zero at 9600 baud") && !at("/dev/null", "tcp://a:502"));
        assert!(at("tcp://a", "tcp://a:502") && at("tcp://a", "rtu+tcp://a:502") && !at("tcp://a", "tcp://b:502"));
        assert!(!at("tcp://a", "sim"));
    }

    #[test]
    fn places_are_read_as_people_write_them() {
        for (text, place) in [
            ("/dev/ttyUSB0", Place::Serial("/dev/ttyUSB0".into())),
            ("tcp://sun.local", Place::Tcp("sun.local".into(), 502)),
            ("tcp://10.0.0.5:1502/", Place::Tcp("10.0.0.5".into(), 1502)),
            ("tcp://[fe80::1]:502", Place::Tcp("fe80::1".into(), 502)),
            ("rtu+tcp://box:8899", Place::RtuOverTcp("box".into(), 8899)),
        ] {
            assert_eq!(text.parse::<Place>().unwrap(), place, "{text}");
        }
        for text in ["", "COM3", "tcp://", "tcp://a:0", "tcp://a:70000", "rtu+tcp://box", "http://a"] {
            assert!(text.parse::<Place>().unwrap_err().contains("tcp://host[:502]"), "{text}");
        }
    }
}
