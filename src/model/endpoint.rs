//! Where a machine is to be found.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a machine is reached. Written as a path, `tcp://host[:23]`, `ws://host[:80]/` or `sim`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Endpoint {
    /// A serial device, best by its `/dev/serial/by-id/…` name.
    Serial(PathBuf),
    /// Telnet-like TCP (FluidNC and grblHAL, port 23 unless told otherwise).
    Tcp {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// WebSocket (FluidNC 4: the HTTP port, path `/`).
    WebSocket {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// Path, with its leading slash.
        path: String,
    },
    /// The simulated machine inside this process.
    Sim,
}

/// A port text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a port: {why}. Write a path such as /dev/serial/by-id/…, tcp://host[:23], ws://host[:80]/, or sim"
)]
pub struct BadEndpoint {
    text: String,
    why: &'static str,
}

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |why| BadEndpoint { text: text.to_owned(), why };
        if text == "sim" {
            return Ok(Self::Sim);
        }
        if let Some(rest) = text.strip_prefix("tcp://") {
            let (host, port) = host_port(rest.trim_end_matches('/'), 23).map_err(bad)?;
            return Ok(Self::Tcp { host, port });
        }
        if let Some(rest) = text.strip_prefix("ws://") {
            let (authority, path) = match rest.find('/') {
                Some(at) => (&rest[..at], &rest[at..]),
                None => (rest, "/"),
            };
            let (host, port) = host_port(authority, 80).map_err(bad)?;
            return Ok(Self::WebSocket { host, port, path: path.to_owned() });
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

/// Splits `host[:port]`, `[v6]:port` included.
pub(super) fn host_port(text: &str, default: u16) -> Result<(String, u16), &'static str> {
    let (host, port) = match text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err("the host is missing");
    }
    let port = match port {
        Some(port) => port.parse().map_err(|_| "the port number must be 1 to 65535")?,
        None => default,
    };
    if port == 0 {
        return Err("the port number must be 1 to 65535");
    }
    Ok((host.to_owned(), port))
}

impl TryFrom<String> for Endpoint {
    type Error = BadEndpoint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        match self {
            Self::Serial(path) => write!(f, "{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{}:{port}", bracketed(host)),
            Self::WebSocket { host, port, path } => write!(f, "ws://{}:{port}{path}", bracketed(host)),
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
            ("tcp://mill", "tcp://mill:23"),
            ("tcp://mill:2323/", "tcp://mill:2323"),
            ("tcp://[fe80::1]:23", "tcp://[fe80::1]:23"),
            ("ws://mill", "ws://mill:80/"),
            ("ws://mill:81/x", "ws://mill:81/x"),
            ("sim", "sim"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), printed);
            assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint);
        }
    }

    #[test]
    fn junk_is_named() {
        for text in ["http://x", "tcp://", "tcp://x:0", "tcp://x:99999", "ttyUSB0", ""] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains("tcp://host[:23]"), "{error}");
        }
    }
}
