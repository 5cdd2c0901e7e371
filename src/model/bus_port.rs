//! Where a bus is, as it is written in the configuration.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::endpoint::host_port;

/// Port of Modbus TCP (Modbus Messaging Implementation Guide 1.0b, 4.2.2).
const MODBUS_PORT: u16 = 502;

/// How inverters are reached. Written as a path, `tcp://host[:502]`, `rtu+tcp://host:port` or `sim`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BusPort {
    /// RTU on a serial line, best by its `/dev/serial/by-id/…` name.
    Serial(PathBuf),
    /// Modbus TCP.
    Tcp {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// RTU frames through TCP: a serial server that does not look at them.
    RtuOverTcp {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// Simulated inverters inside this process.
    Sim,
}

/// A bus's port text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a bus: {why}. Write a path such as /dev/serial/by-id/…, tcp://host[:502], rtu+tcp://host:port, or sim"
)]
pub struct BadBusPort {
    text: String,
    why: &'static str,
}

impl FromStr for BusPort {
    type Err = BadBusPort;

    fn from_str(text: &str) -> Result<Self, BadBusPort> {
        let bad = |why| BadBusPort { text: text.to_owned(), why };
        if text == "sim" {
            return Ok(Self::Sim);
        }
        if let Some(rest) = text.strip_prefix("rtu+tcp://") {
            // Serial servers have no usual port: 0 is none.
            let (host, port) = host_port(rest.trim_end_matches('/'), 0).map_err(bad)?;
            return Ok(Self::RtuOverTcp { host, port });
        }
        if let Some(rest) = text.strip_prefix("tcp://") {
            let (host, port) = host_port(rest.trim_end_matches('/'), MODBUS_PORT).map_err(bad)?;
            return Ok(Self::Tcp { host, port });
        }
        if text.contains("://") {
            return Err(bad("this scheme is not known"));
        }
        if !text.starts_with(['/', '.', '~']) {
            return Err(bad("a serial device is given by its full path"));
        }
        Ok(Self::Serial(PathBuf::from(text)))
    }
}

impl TryFrom<String> for BusPort {
    type Error = BadBusPort;

    fn try_from(text: String) -> Result<Self, BadBusPort> {
        text.parse()
    }
}

impl From<BusPort> for String {
    fn from(port: BusPort) -> Self {
        port.to_string()
    }
}

impl fmt::Display for BusPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        match self {
            Self::Serial(path) => write!(f, "{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{}:{port}", bracketed(host)),
            Self::RtuOverTcp { host, port } => write!(f, "rtu+tcp://{}:{port}", bracketed(host)),
            Self::Sim => f.write_str("sim"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_prints() {
        for (text, printed) in [
            ("/dev/ttyUSB0", "/dev/ttyUSB0"),
            ("tcp://gateway", "tcp://gateway:502"),
            ("tcp://[fe80::1]:1502/", "tcp://[fe80::1]:1502"),
            ("rtu+tcp://10.0.0.7:8899", "rtu+tcp://10.0.0.7:8899"),
            ("sim", "sim"),
        ] {
            let port: BusPort = text.parse().unwrap();
            assert_eq!(port.to_string(), printed);
            assert_eq!(port.to_string().parse::<BusPort>().unwrap(), port);
        }
    }

    #[test]
    fn junk_is_named() {
        for text in ["http://x", "tcp://", "rtu+tcp://x", "tcp://x:99999", "ttyUSB0", ""] {
            let error = text.parse::<BusPort>().unwrap_err().to_string();
            assert!(error.contains("tcp://host[:502]"), "{error}");
        }
    }
}
