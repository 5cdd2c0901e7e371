//! Looks at the port over which the hub is served, where one is configured.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::facts::{PortState, Tcp};
use crate::attach::tokens::{Tokens, now_s};
use crate::cli::settings::Settings;
use crate::cli::tcp;
use crate::model::is_loopback;

/// Who does not answer in this time does not.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is there. `None`: none is configured.
pub(super) fn look(settings: &Settings) -> Option<Tcp> {
    let listen = settings.config.attach.tcp.listen?;
    let setup = tcp::setup(settings);
    let (now_s, without_token) = (now_s(), settings.config.attach.tcp.without_token.is_some());
    let tokens = match &setup {
        Ok(Some(setup)) => Tokens::read(&setup.tokens).map_err(|why| why.to_string()),
        Ok(None) => Ok(Tokens::default()),
        Err(why) => Err(why.to_string()),
    };
    let setup = setup.ok().flatten();
    let files = setup.as_ref().and_then(|setup| setup.tls.as_ref());
    Some(Tcp {
        listen: listen.to_string(),
        loopback: is_loopback(listen.ip()),
        port: port(listen),
        certificate: files.map(|files| files.valid_until_s().map_err(|why| why.to_string())),
        tokens: tokens.map(|tokens| {
            let over = tokens.all().iter().filter(|token| token.is_over(now_s)).count();
            (tokens.all().len() - over, over)
        }),
        tokens_file: setup.map_or_else(String::new, |setup| setup.tokens.display().to_string()),
        without_token,
        now_s,
    })
}

/// Who answers there: a sunmill says how it is, one with TLS that it speaks that.
fn port(listen: SocketAddr) -> PortState {
    let here = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    let Ok(stream) = TcpStream::connect_timeout(&SocketAddr::new(here, listen.port()), PATIENCE) else {
        return PortState::Nobody;
    };
    match asked(stream) {
        Ok(answer) if answer.ends_with("\r\n\r\nok\n") || answer.contains("this port speaks TLS") => {
            PortState::Answers { well: true }
        }
        Ok(answer) if answer.ends_with("\r\n\r\nnot ok\n") => PortState::Answers { well: false },
        _ => PortState::Strange,
    }
}

fn asked(mut stream: TcpStream) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer)
}
