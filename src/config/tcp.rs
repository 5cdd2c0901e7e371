//! `[attach.tcp]`: the hub over the network.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::de::{Deserializer, Error, Unexpected};
use serde::{Deserialize, Serialize};

use crate::model::{Role, is_loopback};

/// `[attach.tcp]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [attach.tcp]")]
pub struct Tcp {
    /// Address and port. `None`: there is nothing over TCP.
    #[serde(deserialize_with = "address")]
    pub listen: Option<SocketAddr>,
    /// File of the certificate and what leads to it (PEM).
    pub certificate: Option<PathBuf>,
    /// File of its key (PEM).
    pub key: Option<PathBuf>,
    /// File of the tokens. `None`: in the state folder.
    pub tokens: Option<PathBuf>,
    /// The role of who comes without a token. `None`: nobody comes in without one.
    pub without_token: Option<Role>,
    /// Where pages come from whose scripts may connect.
    pub origins: Vec<String>,
    /// Names under which this computer is reached, besides its own.
    pub hosts: Vec<String>,
}

/// Text such as `127.0.0.1:7410`.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    const WANTED: &str = "an address and a port, such as \"127.0.0.1:7410\" or \"[::1]:7410\"";
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &WANTED))
}

/// Values that are right by themselves and wrong together: the key to blame, and why.
pub(super) fn misfit(tcp: &Tcp) -> Option<(&'static [&'static str], String)> {
    if tcp.certificate.is_some() != tcp.key.is_some() {
        let (path, there, missing): (&[&str], _, _) = match tcp.certificate {
            Some(_) => (&["attach", "tcp", "certificate"], "a certificate", "key"),
            None => (&["attach", "tcp", "key"], "a key", "certificate"),
        };
        return Some((path, format!("{there} alone is of no use; set {missing} too")));
    }
    if let Some(listen) = tcp.listen.filter(|listen| !is_loopback(listen.ip())) {
        if tcp.certificate.is_none() {
            let why = format!(
                "other computers reach {listen}, so it needs TLS: set certificate and key; or listen on 127.0.0.1, and \
                 come from elsewhere through ssh -L"
            );
            return Some((&["attach", "tcp", "listen"], why));
        }
        if tcp.without_token.is_some() {
            let why = format!("other computers reach {listen}, so everybody needs a token: leave this out");
            return Some((&["attach", "tcp", "without_token"], why));
        }
    }
    if let Some(role) = tcp.without_token.filter(|role| *role > Role::Stop) {
        let why = format!("{role} takes a token (sunmill token add); without one it is observe or stop at most");
        return Some((&["attach", "tcp", "without_token"], why));
    }
    if let Some(origin) = tcp.origins.iter().find(|origin| !is_origin(origin)) {
        let why =
            format!("{origin:?} is no origin: https:// or http://, a host, and :port where it is not the usual one");
        return Some((&["attach", "tcp", "origins"], why));
    }
    if let Some(host) = tcp.hosts.iter().find(|host| !is_name(host)) {
        let why = format!("{host:?} is no host name: letters, digits, - and . only, no port");
        return Some((&["attach", "tcp", "hosts"], why));
    }
    None
}

/// As browsers write it: no path, no `*`, no `null`.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    if let Some(literal) = rest.strip_prefix('[') {
        let Some((address, port)) = literal.split_once(']') else { return false };
        let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        return address.parse::<std::net::Ipv6Addr>().is_ok() && port_fits;
    }
    match rest.split_once(':') {
        Some((host, port)) => is_name(host) && port.parse::<u16>().is_ok(),
        None => is_name(rest),
    }
}

fn is_name(host: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    !host.is_empty() && host.len() <= 253 && host.chars().all(fits) && !host.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn refused(text: &str) -> String {
        parse("f.toml", &format!("[attach.tcp]\n{text}")).expect_err(text).to_string()
    }

    fn read(text: &str) -> Tcp {
        parse("f.toml", &format!("[attach.tcp]\n{text}")).unwrap().attach.tcp
    }

    #[test]
    fn loopback_needs_nothing_more_and_other_addresses_need_tls_and_tokens() {
        const TLS: &str = "certificate = \"c.pem\"\nkey = \"k.pem\"\n";
        for address in ["127.0.0.1:7410", "[::1]:7410", "127.9.9.9:1", "[::ffff:127.0.0.1]:7410"] {
            assert!(
                read(&format!("listen = \"{address}\"")).listen.is_some_and(|listen| is_loopback(listen.ip())),
                "{address}"
            );
        }
        for address in ["0.0.0.0:7410", "[::]:7410", "192.168.1.5:7410", "[fe80::1]:7410"] {
            let why = refused(&format!("listen = \"{address}\""));
            assert!(why.starts_with("f.toml:2:10: attach.tcp.listen: other computers reach"), "{why}");
            assert!(why.contains("certificate and key") && why.contains("ssh -L"), "{why}");
            assert!(read(&format!("{TLS}listen = \"{address}\"")).listen.is_some());
            let why = refused(&format!("{TLS}listen = \"{address}\"\nwithout_token = \"observe\""));
            assert!(why.contains("attach.tcp.without_token") && why.contains("needs a token"), "{why}");
        }
    }

    #[test]
    fn nobody_operates_without_a_token() {
        for role in ["observe", "stop"] {
            assert!(read(&format!("listen = \"127.0.0.1:1\"\nwithout_token = \"{role}\"")).without_token.is_some());
        }
        for role in ["operate", "admin"] {
            let why = refused(&format!("listen = \"127.0.0.1:1\"\nwithout_token = \"{role}\""));
            assert!(why.contains("sunmill token add"), "{why}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("listen = \"localhost\"", "attach.tcp.listen is string \"localhost\", but must be an address and a port"),
            ("listen = 7410", "attach.tcp.listen is integer 7410, but must be a string"),
            ("certificate = \"c.pem\"", "attach.tcp.certificate: a certificate alone is of no use; set key too"),
            ("key = \"k.pem\"", "attach.tcp.key: a key alone is of no use; set certificate too"),
            ("origins = [\"*\"]", "attach.tcp.origins: \"*\" is no origin"),
            ("origins = [\"https://a.example/\"]", "is no origin"),
            ("origins = [\"null\"]", "is no origin"),
            ("hosts = [\"mill:7410\"]", "attach.tcp.hosts: \"mill:7410\" is no host name"),
            ("lisen = 1", "unknown key \"lisen\" in [attach.tcp]; did you mean \"listen\"?"),
        ] {
            let why = refused(text);
            assert!(why.contains(expected), "{text}: {why}");
        }
        for origin in ["https://panel.example", "http://localhost:3000", "http://[::1]:3000", "https://10.0.0.2"] {
            assert_eq!(read(&format!("origins = [\"{origin}\"]")).origins, [origin]);
        }
        assert_eq!(read("hosts = [\"mill.local\"]").hosts, ["mill.local"]);
    }
}
