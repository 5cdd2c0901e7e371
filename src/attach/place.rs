//! Where a hub is: a socket on this computer, or a port somewhere.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::is_loopback;

/// What must not be shown or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// This text, without what surrounds it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text, for who must have it.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a hub is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its Unix socket.
    Socket(PathBuf),
    /// Its port.
    Remote(Remote),
}

/// A hub's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// `ws://host:port` or `wss://host:port`.
    pub url: String,
    /// What lets in there.
    pub token: Option<Secret>,
    /// A file of certificates (PEM) to be trusted in the place of the system's.
    pub ca: Option<PathBuf>,
}

impl Place {
    /// Whether this text names a port, not a file.
    pub fn is_url(text: &str) -> bool {
        text.starts_with("ws://") || text.starts_with("wss://")
    }
}

impl Remote {
    /// What is said there is encrypted.
    pub(super) fn has_tls(&self) -> bool {
        self.url.starts_with("wss://")
    }

    /// Whether it is one, and one to which a token may be sent.
    ///
    /// # Errors
    /// It is none, or whoever is on the way would see the token.
    pub fn check(&self) -> Result<(), String> {
        let Some((host, _)) = self.host_and_port() else {
            return Err("this is no address of a hub: ws://host:port or wss://host:port".to_owned());
        };
        let is_here = host == "localhost" || host.parse().is_ok_and(is_loopback);
        if self.token.is_some() && !self.has_tls() && !is_here {
            return Err("the token would go over the network for everybody to read: use wss://".to_owned());
        }
        Ok(())
    }

    /// Host and port: 80 and 443 are the usual ones.
    pub(super) fn host_and_port(&self) -> Option<(&str, u16)> {
        let rest = self.url.strip_prefix("wss://").or_else(|| self.url.strip_prefix("ws://"))?;
        let authority = rest.split('/').next().unwrap_or_default();
        let usual = if self.has_tls() { 443 } else { 80 };
        let (host, port) = match authority.strip_prefix('[') {
            Some(literal) => {
                let (host, port) = literal.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = port.map_or(Some(usual), |port| port.parse().ok())?;
        (!host.is_empty()).then_some((host, port))
    }

    /// Where its messages are: at `/ws`, unless a path was said.
    pub(super) fn ws_url(&self) -> String {
        let after_scheme = self.url.split_once("://").map_or("", |(_, rest)| rest);
        match after_scheme.split_once('/') {
            Some((_, path)) if !path.is_empty() => self.url.clone(),
            _ => format!("{}/ws", self.url.trim_end_matches('/')),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Remote(remote) => f.write_str(&remote.url),
        }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::Socket(path.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::Socket(path.clone())
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_host_port_and_where() {
        for (url, host, port, ws) in [
            ("ws://mill", "mill", 80, "ws://mill/ws"),
            ("wss://mill:7410", "mill", 7410, "wss://mill:7410/ws"),
            ("wss://mill/", "mill", 443, "wss://mill/ws"),
            ("wss://[::1]:7410/", "::1", 7410, "wss://[::1]:7410/ws"),
            ("wss://proxy/shop/ws", "proxy", 443, "wss://proxy/shop/ws"),
        ] {
            let remote = Remote { url: url.to_owned(), token: None, ca: None };
            assert_eq!((remote.host_and_port(), remote.ws_url().as_str()), (Some((host, port)), ws), "{url}");
        }
        for url in ["ws://", "wss://:1", "ws://mill:x", "wss://[::1", "http://mill"] {
            assert_eq!(Remote { url: url.to_owned(), token: None, ca: None }.host_and_port(), None, "{url}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let remote = Remote { url: "ws://mill".into(), token: Some(Secret::new(" abc\n")), ca: None };
        assert!(!format!("{remote:?} {}", Place::Remote(remote.clone())).contains("abc"));
        assert_eq!(remote.token.as_ref().map(Secret::text), Some("abc"));
    }
}
