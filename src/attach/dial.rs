//! Lines to and from a hub, whichever way leads there.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore, crypto};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec, LinesCodecError};

use super::client::ConnectError;
use super::frames;
use super::place::{Place, Remote};
use super::server::certificates;
use super::wire::MAX_LINE;

/// What is heard.
pub(super) type Lines = Pin<Box<dyn Stream<Item = Result<String, LinesCodecError>> + Send>>;
/// What is said.
pub(super) type Said = Pin<Box<dyn Sink<String, Error = io::Error> + Send>>;

/// Opens the way to a hub.
///
/// # Errors
/// See [`ConnectError`].
pub(super) async fn open(place: &Place) -> Result<(Lines, Said), ConnectError> {
    match place {
        Place::Socket(path) => socket(path).await,
        Place::Remote(remote) => port(remote, place.to_string()).await,
    }
}

async fn socket(path: &Path) -> Result<(Lines, Said), ConnectError> {
    let place = || path.display().to_string();
    let stream = UnixStream::connect(path).await.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => ConnectError::NotAllowed {
            place: place(),
            why: "this user may not use the socket: join its group, or ask its owner".to_owned(),
        },
        _ => ConnectError::Nobody { place: place(), error },
    })?;
    let (read, write) = stream.into_split();
    let lines = FramedRead::new(read, LinesCodec::new_with_max_length(MAX_LINE));
    let write = FramedWrite::new(write, LinesCodec::new());
    let said = SinkExt::<String>::sink_map_err(write, |error| match error {
        LinesCodecError::Io(error) => error,
        LinesCodecError::MaxLineLengthExceeded => io::ErrorKind::InvalidInput.into(),
    });
    Ok((Box::pin(lines), Box::pin(said)))
}

async fn port(remote: &Remote, place: String) -> Result<(Lines, Said), ConnectError> {
    let strange = |why: String| ConnectError::Strange { place: place.clone(), why };
    let (host, port) = remote
        .host_and_port()
        .ok_or_else(|| strange("this is no address of a hub: ws://host:port or wss://host:port".to_owned()))?;
    let stream =
        TcpStream::connect((host, port)).await.map_err(|error| ConnectError::Nobody { place: place.clone(), error })?;
    // A stop is a small message and must not wait for more to come.
    stream.set_nodelay(true).map_err(|error| strange(error.to_string()))?;
    if !remote.has_tls() {
        return upgraded(stream, remote, place).await;
    }
    let (ca, shown) = (remote.ca.clone(), place.clone());
    let connector = tokio::task::spawn_blocking(move || connector(ca.as_deref()))
        .await
        .map_err(|_| strange("sunmill is ending".to_owned()))?
        .map_err(|why| ConnectError::Strange { place: shown, why })?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| strange(format!("{host}: {error}")))?;
    let stream = connector.connect(name, stream).await.map_err(|error| strange(words_of(&error)))?;
    upgraded(stream, remote, place).await
}

/// Why there is no TLS, and what to do.
fn words_of(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let remedy = match inner {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "; nobody whom this computer trusts has made it: --ca FILE names who has"
        }
        // Of the maker of certificates itself, as openssl makes them where nothing else is said.
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(_))) => {
            "; one that is signed by itself needs basicConstraints=CA:FALSE"
        }
        Some(rustls::Error::InvalidCertificate(_)) => "",
        _ => "; a port without TLS is ws://",
    };
    format!("no TLS comes to be: {error}{remedy}")
}

/// Whom TLS trusts: the certificates of the file, or whom this computer trusts.
fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path).map_err(|error| error.to_string())? {
                roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this computer knows no makers of certificates: name a file of them with --ca".to_owned());
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// WebSocket over an open stream.
async fn upgraded<S>(stream: S, remote: &Remote, place: String) -> Result<(Lines, Said), ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let strange = |why: String| ConnectError::Strange { place: place.clone(), why };
    let mut request = remote.ws_url().into_client_request().map_err(|error| strange(error.to_string()))?;
    if let Some(token) = &remote.token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.text()))
            .map_err(|_| strange("the token has characters that no token has".to_owned()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let (socket, _) = client_async_with_config(request, stream, Some(frames::config())).await.map_err(|error| {
        let Error::Http(answer) = &error else { return strange(error.to_string()) };
        let body = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let why = if body.trim().is_empty() { answer.status().to_string() } else { body.trim().to_owned() };
        match answer.status() {
            StatusCode::UNAUTHORIZED => ConnectError::NotAllowed { place: place.clone(), why },
            _ => strange(why),
        }
    })?;
    let (write, read) = socket.split();
    let said = write
        .with(|line: String| std::future::ready(Ok::<_, Error>(Message::text(line))))
        .sink_map_err(|error| io::Error::other(error.to_string()));
    Ok((Box::pin(frames::lines(read)), Box::pin(said)))
}
