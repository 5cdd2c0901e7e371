//! Who may come in by a request, judged by its head. Pure, but for the tokens, which are looked up by who asks.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use hyper::{StatusCode, Uri};

/// The subprotocol of the messages, for clients that have to name one.
pub(super) const SUBPROTOCOL: &str = "sunmill";
/// A subprotocol that begins with this carries a token: browsers can send one in no other way.
const TOKEN_IN_PROTOCOL: &str = "sunmill.token.";

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// What, where, what to do.
    pub(super) why: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }
}

/// Names under which this hub is reached, and pages that may use it.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    origins: Vec<String>,
    hosts: Vec<String>,
}

impl Guard {
    /// `own` is the name of this computer.
    pub(super) fn new(origins: &[String], hosts: &[String], own: Option<&str>) -> Self {
        let own = own.map(str::trim).filter(|own| !own.is_empty());
        let own = own.into_iter().flat_map(|own| [own.to_owned(), format!("{own}.local")]);
        let hosts = hosts.iter().cloned().chain(own).chain(["localhost".to_owned()]);
        Self {
            origins: origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
            hosts: hosts.map(|host| host.to_ascii_lowercase()).collect(),
        }
    }

    /// Whether the request is meant for this hub, and comes from a program or from a page that may.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn passes(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        self.is_for_us(uri, headers)?;
        self.comes_from_a_friend(headers)?;
        if uri.query().is_some_and(|query| query.contains("token")) {
            let why = "a token does not belong into an address, which is written into logs: send it as \
                       \"Authorization: Bearer …\"";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, why));
        }
        Ok(())
    }

    /// A page of a foreign name that was made to lead here (DNS rebinding) still calls it by that name.
    fn is_for_us(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let bad = |why: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, why));
        let mut said = headers.get_all(HOST).iter();
        let host = match (said.next().map(HeaderValue::to_str), said.next()) {
            (Some(Ok(host)), None) => host,
            (None, None) => match uri.authority() {
                Some(authority) => authority.as_str(),
                None => return bad("a request says for which Host it is"),
            },
            _ => return bad("a request says for which one Host it is"),
        };
        if self.knows(host) {
            return Ok(());
        }
        let why =
            format!("{host} is no name of this hub: add it to attach.tcp.hosts in config.toml, or use its address");
        Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, why))
    }

    /// An address is no name that somebody could have made lead here.
    fn knows(&self, host: &str) -> bool {
        if let Some(literal) = host.strip_prefix('[') {
            return literal.split_once(']').is_some_and(|(v6, port)| {
                v6.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || port.starts_with(':'))
            });
        }
        let name = host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        name.parse::<Ipv4Addr>().is_ok() || self.hosts.contains(&name)
    }

    /// Browsers say of which page a script is; programs do not.
    fn comes_from_a_friend(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        for origin in headers.get_all(ORIGIN) {
            let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            if !self.origins.contains(&origin) {
                let why = format!(
                    "pages of {origin:?} may not use this hub; attach.tcp.origins in config.toml lists who may"
                );
                return Err(Refusal::new(StatusCode::FORBIDDEN, why));
            }
        }
        Ok(())
    }
}

/// The token that a request carries.
pub(super) fn secret(headers: &HeaderMap) -> Option<&str> {
    // What is there and cannot be read is a wrong one, not none.
    if let Some(said) = headers.get(AUTHORIZATION) {
        let (scheme, secret) = said.to_str().ok().and_then(|said| said.split_once(' ')).unwrap_or_default();
        return Some(if scheme.eq_ignore_ascii_case("bearer") { secret.trim() } else { "" });
    }
    protocols(headers).find_map(|name| name.strip_prefix(TOKEN_IN_PROTOCOL))
}

/// Whether our subprotocol is among those that a client offers.
pub(super) fn offers_ours(headers: &HeaderMap) -> bool {
    protocols(headers).any(|name| name == SUBPROTOCOL)
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let said = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|said| said.to_str().ok());
    said.flat_map(|said| said.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn headers(all: &[(HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn guard() -> Guard {
        Guard::new(
            &["https://Panel.example".into(), "http://localhost:3000".into()],
            &["mill.lan".into()],
            Some("pi\n"),
        )
    }

    fn status(all: &[(HeaderName, &str)]) -> u16 {
        guard().passes(&Uri::from_static("/ws"), &headers(all)).map_or_else(|why| why.status.as_u16(), |()| 200)
    }

    #[test]
    fn names_that_lead_here_by_somebody_elses_doing_are_refused() {
        for host in
            ["127.0.0.1:7410", "10.0.0.5", "[::1]:7410", "[fe80::1]", "localhost:1", "mill.lan:9", "PI", "pi.local."]
        {
            assert_eq!(status(&[(HOST, host)]), 200, "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "[::1",
            "[::1]evil",
            "",
            "mill",
            "[evil]",
        ] {
            assert_eq!(status(&[(HOST, host)]), 421, "{host}");
        }
        assert_eq!(status(&[]), 400);
        assert_eq!(status(&[(HOST, "pi"), (HOST, "evil.example")]), 400);
        let absolute = Uri::from_static("http://evil.example/ws");
        assert!(guard().passes(&absolute, &HeaderMap::new()).is_err());
    }

    #[test]
    fn pages_may_only_where_they_are_listed_and_programs_need_not_be() {
        let of = |origin| status(&[(HOST, "pi"), (ORIGIN, origin)]);
        assert_eq!(
            (of("https://panel.example"), of("http://localhost:3000"), of("HTTPS://PANEL.EXAMPLE")),
            (200, 200, 200)
        );
        for origin in
            ["null", "", "https://panel.example.evil", "http://panel.example", "http://localhost", "http://pi"]
        {
            assert_eq!(of(origin), 403, "{origin}");
        }
        assert_eq!(status(&[(HOST, "pi"), (ORIGIN, "https://panel.example"), (ORIGIN, "https://evil.example")]), 403);
    }

    #[test]
    fn tokens_come_in_a_header_and_never_in_the_address() {
        let of = |all: &[(HeaderName, &str)]| secret(&headers(all)).map(str::to_owned);
        assert_eq!(of(&[(AUTHORIZATION, "Bearer abc")]), Some("abc".into()));
        assert_eq!(of(&[(AUTHORIZATION, "bearer  abc ")]), Some("abc".into()));
        assert_eq!(of(&[(AUTHORIZATION, "Basic abc")]), Some(String::new()), "wrong, not absent");
        assert_eq!(of(&[(AUTHORIZATION, "abc")]), Some(String::new()));
        assert_eq!(of(&[]), None);
        let browser = [(SEC_WEBSOCKET_PROTOCOL, "sunmill, sunmill.token.abc")];
        assert_eq!(of(&browser), Some("abc".into()));
        assert!(offers_ours(&headers(&browser)) && !offers_ours(&headers(&[(SEC_WEBSOCKET_PROTOCOL, "mqtt")])));
        let uri = Uri::from_static("/ws?token=abc");
        let refused = guard().passes(&uri, &headers(&[(HOST, "pi")])).unwrap_err();
        assert!(refused.status == 400 && refused.why.contains("Authorization: Bearer"), "{refused:?}");
    }
}
