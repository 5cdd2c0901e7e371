//! TCP (FluidNC and grblHAL, port 23).

use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::OpenError;

/// How long to wait for a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An idle link is probed after this time, so that a controller that lost power is noticed.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_PROBES: u32 = 3;
/// Bytes that nobody acknowledges for this long end the link, in ms.
const UNACKNOWLEDGED_MS: u32 = 10_000;

/// Connects, for bytes that must not wait for each other.
///
/// # Errors
/// See [`OpenError`].
pub(in crate::driver) async fn connect(host: &str, port: u16) -> Result<TcpStream, OpenError> {
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let attempt = async {
        let found = tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| OpenError::NoSuchHost { host: host.to_owned(), why: error.to_string() })?
            .collect::<Vec<_>>();
        TcpStream::connect(found.as_slice()).await.map_err(|error| explain(&address, &error))
    };
    let stream = timeout(CONNECT_TIMEOUT, attempt).await.unwrap_or_else(|_| Err(timed_out(&address)))?;
    prepare(&stream).map_err(|error| OpenError::Network { address, why: error.to_string() })?;
    Ok(stream)
}

pub(super) fn timed_out(address: &str) -> OpenError {
    OpenError::TimedOut { address: address.to_owned(), seconds: CONNECT_TIMEOUT.as_secs() }
}

fn explain(address: &str, error: &io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => OpenError::Refused { address: address.to_owned() },
        io::ErrorKind::TimedOut => timed_out(address),
        _ => OpenError::Network { address: address.to_owned(), why: error.to_string() },
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES)?;
    sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED_MS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn bytes_do_not_wait_and_a_dead_peer_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = connect("127.0.0.1", listener.local_addr().unwrap().port()).await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), UNACKNOWLEDGED_MS);
    }

    #[tokio::test]
    async fn refusal_and_unknown_hosts_have_their_own_words() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let refused = connect("127.0.0.1", port).await.unwrap_err();
        assert_eq!(refused, OpenError::Refused { address: format!("127.0.0.1:{port}") });
        assert!(matches!(connect("no such host", 23).await, Err(OpenError::NoSuchHost { .. })));
        let late = explain("cnc:23", &io::ErrorKind::TimedOut.into());
        assert_eq!(late, OpenError::TimedOut { address: "cnc:23".into(), seconds: 5 });
    }
}
