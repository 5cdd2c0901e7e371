//! The port, and who comes in through it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::guard::Guard;
use super::keeper::Keeper;
use super::knocks::Knocks;
use super::porch::Porch;
use super::socket;
use super::tls::{Tls, TlsError, TlsFiles};
use super::visit::{Doors, Visit};
use crate::attach::server::door::{self, Door};
use crate::attach::server::house::House;
use crate::attach::server::patient::Patient;
use crate::attach::server::places::Places;
use crate::attach::tokens::{TokenError, Tokens, now_s};
use crate::model::is_loopback;
use crate::model::role::Role;

/// A request is said, and its answer taken, within this.
const VISIT: Duration = Duration::from_secs(10);
/// What the system may hold of what a client has not taken. More would only be older news when it comes.
const SEND_BUFFER: u32 = 64 * 1024;
/// Longest head of a request.
const HEAD: usize = 16 * 1024;
/// The first byte of everything that speaks TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// Whether what runs the machine goes on.
pub(in crate::attach::server) type Healthy = Arc<dyn Fn() -> bool + Send + Sync>;

/// How the hub is served over TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSetup {
    /// Address and port.
    pub listen: SocketAddr,
    /// Certificate and key. `None`: without TLS, on this computer only.
    pub tls: Option<TlsFiles>,
    /// The file of tokens.
    pub tokens: PathBuf,
    /// The role of who comes without one, on this computer only. `None`: nobody does.
    pub without_token: Option<Role>,
    /// Pages whose scripts may come.
    pub origins: Vec<String>,
    /// Names of this computer beside its own.
    pub hosts: Vec<String>,
    /// Its own name.
    pub own_name: Option<String>,
}

/// Why it is not served.
#[derive(Debug, thiserror::Error)]
pub enum TcpError {
    /// Somebody else has the port.
    #[error("another program listens on {0}: end it, or choose another port at attach.tcp.listen")]
    Taken(SocketAddr),
    /// It cannot be opened.
    #[error("{listen} cannot be listened on (attach.tcp.listen): {error}")]
    Io {
        /// Where.
        listen: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Other computers reach it, and there is no TLS.
    #[error("other computers reach {0}, so it needs TLS: set attach.tcp.certificate and key, or listen on 127.0.0.1")]
    Bare(SocketAddr),
    /// Other computers reach it, and nobody has a token.
    #[error(
        "other computers reach {listen}, so it needs a token, and none is good in {tokens}: sunmill token add NAME"
    )]
    NoToken {
        /// Where.
        listen: SocketAddr,
        /// The file of tokens.
        tokens: PathBuf,
    },
    /// Certificate and key.
    #[error("attach.tcp: {0}")]
    Tls(#[from] TlsError),
    /// The tokens.
    #[error("attach.tcp.tokens: {0}")]
    Tokens(#[from] TokenError),
    /// The runtime ends.
    #[error("sunmill is ending")]
    Ending,
}

/// A port that is open.
pub struct TcpListening {
    listener: TcpListener,
    setup: TcpSetup,
    tls: Option<Tls>,
}

impl TcpListening {
    /// Opens it. To be called within a runtime.
    ///
    /// # Errors
    /// See [`TcpError`].
    pub async fn open(setup: TcpSetup) -> Result<Self, TcpError> {
        let asked = setup.clone();
        let tls = tokio::task::spawn_blocking(move || asked.checked()).await.map_err(|_| TcpError::Ending)??;
        let listener = bind(setup.listen)?;
        Ok(Self { listener, setup, tls })
    }

    /// Where it is; with the port that the system gave, where it was left to choose.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.setup.listen)
    }

    /// Where it is, as a client is told: `ws://` or `wss://`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}", self.address())
    }
}

impl TcpSetup {
    /// Only programs of this computer reach it.
    fn is_loopback(&self) -> bool {
        is_loopback(self.listen.ip())
    }

    fn checked(&self) -> Result<Option<Tls>, TcpError> {
        let tokens = Tokens::read(&self.tokens)?;
        if !self.is_loopback() {
            if self.tls.is_none() {
                return Err(TcpError::Bare(self.listen));
            }
            if !tokens.any_good(now_s()) {
                return Err(TcpError::NoToken { listen: self.listen, tokens: self.tokens.clone() });
            }
        }
        Ok(self.tls.clone().map(Tls::open).transpose()?)
    }

    fn doors(&self, house: House, healthy: Healthy) -> Doors {
        Doors {
            house,
            guard: Guard::new(&self.origins, &self.hosts, self.own_name.as_deref()),
            keeper: Keeper::new(self.tokens.clone()),
            without_token: self.without_token.filter(|role| self.is_loopback() && *role <= Role::Stop),
            healthy,
            places: Places::default(),
            porch: Porch::default(),
            knocks: Knocks::default(),
        }
    }
}

fn bind(listen: SocketAddr) -> Result<TcpListener, TcpError> {
    let open = || {
        let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A hub that starts again finds its port although connections of the one before are still being taken leave of.
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(listen)?;
        socket.listen(64)
    };
    open().map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => TcpError::Taken(listen),
        _ => TcpError::Io { listen, error },
    })
}

/// Serves everybody who comes; never ends.
pub(in crate::attach::server) async fn keep(listening: TcpListening, house: House, healthy: Healthy) {
    let TcpListening { listener, setup, tls } = listening;
    let doors = Arc::new(setup.doors(house, healthy));
    let watching = doors.keeper.clone().watch();
    tokio::join!(door::keep(Port { listener, tls, doors }), watching);
}

/// The port as a way in.
struct Port {
    listener: TcpListener,
    tls: Option<Tls>,
    doors: Arc<Doors>,
}

impl Door for Port {
    type Came = (TcpStream, SocketAddr);

    async fn next(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.listener.accept().await
    }

    async fn serve(&mut self, (stream, from): (TcpStream, SocketAddr)) -> Option<BoxFuture<'static, ()>> {
        let tls = match &mut self.tls {
            Some(tls) => Some(tls.now().await),
            None => None,
        };
        Some(visit(stream, from, tls, Arc::clone(&self.doors)).boxed())
    }
}

async fn visit(stream: TcpStream, from: SocketAddr, tls: Option<TlsAcceptor>, doors: Arc<Doors>) {
    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
    // A stop is a small message and must not wait for more to come.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small messages may be late");
    }
    let guest = doors.porch.come(from.ip());
    let visit = Arc::new(Visit { doors, from, guest, entering: Mutex::new(None) });
    let heard = timeout(VISIT, heard(stream, tls, Arc::clone(&visit)));
    tokio::select! {
        heard = heard => if heard.is_err() {
            tracing::debug!(%from, "a request took longer than 10 s");
            return;
        },
        () = visit.guest.gives_way() => return,
    }
    let entering = visit.entering.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(entering) = entering {
        let doors = &visit.doors;
        socket::serve(entering, from, doors.keeper.clone(), doors.house.clone()).await;
    }
}

/// The request of a connection, answered.
async fn heard(mut stream: TcpStream, tls: Option<TlsAcceptor>, visit: Arc<Visit>) {
    let Some(tls) = tls else { return http(Patient::new(stream), visit).await };
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] == TLS_HANDSHAKE => match tls.accept(Patient::new(stream)).await {
            Ok(stream) => http(stream, visit).await,
            Err(error) => tracing::debug!(%error, from = %visit.from, "no TLS came to be"),
        },
        Ok(1) => say_tls(&mut stream).await,
        _ => {}
    }
}

/// To somebody who does not speak TLS where it is spoken.
async fn say_tls(stream: &mut TcpStream) {
    const ANSWER: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
                          this port speaks TLS: use https:// or wss://\n";
    // What lies unread would cut the answer off.
    let mut said = [0; 4096];
    let _ = stream.read(&mut said).await;
    let _ = stream.write_all(ANSWER.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, visit: Arc<Visit>) {
    let from = visit.from;
    let service = service_fn(move |request| {
        let visit = Arc::clone(&visit);
        async move { visit.answer(request).await }
    });
    // The whole visit has a limit, so its head needs none.
    let served = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, %from, "a request that is none");
    }
}
