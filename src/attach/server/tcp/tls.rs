//! TLS: certificate and key, read from files, and again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, CertificateError, RootCertStore, ServerConfig, crypto};

/// The files are looked at again at most so often.
const LOOK: Duration = Duration::from_secs(60);

/// What is wrong with the files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}", path = .path.display())]
pub struct TlsError {
    /// Which file.
    pub path: PathBuf,
    /// What, and what to do.
    pub why: String,
}

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate with what leads to it (PEM).
    pub certificate: PathBuf,
    /// Its key (PEM).
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads them.
    ///
    /// # Errors
    /// One of them cannot be read, or they do not fit together.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let chain = certificates(&self.certificate)?;
        let key = key(&self.key)?;
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        match config {
            Ok(mut config) => {
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
                Ok(TlsAcceptor::from(Arc::new(config)))
            }
            Err(error) => {
                let why = format!("certificate and key ({}) do not work together: {error}", self.key.display());
                Err(TlsError { path: self.certificate.clone(), why })
            }
        }
    }

    /// Until when the certificate is valid, in seconds of Unix time. `None`: that cannot be told.
    ///
    /// # Errors
    /// The files cannot be used.
    pub fn valid_until_s(&self) -> Result<Option<u64>, TlsError> {
        self.acceptor()?;
        let chain = certificates(&self.certificate)?;
        Ok(chain.first().and_then(end_of))
    }

    fn written(&self) -> Option<(SystemTime, SystemTime)> {
        let of = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        Some((of(&self.certificate)?, of(&self.key)?))
    }
}

/// All certificates of a file.
///
/// # Errors
/// It cannot be read, or has none.
pub(in crate::attach) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: String| TlsError { path: path.to_owned(), why };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match read {
        Ok(chain) if chain.is_empty() => Err(wrong("there is no certificate in it: PEM is wanted".to_owned())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(wrong(format!("it is no PEM: {error}"))),
    }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let wrong = |why: String| TlsError { path: path.to_owned(), why };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| wrong(format!("there is no key in it that can be read: {error}")))
}

/// What a client that lives in the far future would find: when the certificate has ended.
fn end_of(certificate: &CertificateDer<'static>) -> Option<u64> {
    const FAR: Duration = Duration::from_secs(250_000_000_000);
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).ok()?;
    let provider = Arc::new(crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    let found = verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::since_unix_epoch(FAR));
    match found {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(not_after.as_secs())
        }
        _ => None,
    }
}

/// The acceptor of now.
pub(super) struct Tls {
    files: TlsFiles,
    acceptor: TlsAcceptor,
    written: Option<(SystemTime, SystemTime)>,
    looked: tokio::time::Instant,
}

impl Tls {
    /// # Errors
    /// The files cannot be used.
    pub(super) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let written = files.written();
        let acceptor = files.acceptor()?;
        Ok(Self { files, acceptor, written, looked: tokio::time::Instant::now() })
    }

    /// With the files read again, where they changed. Files that cannot be used do not take the place of those that could.
    pub(super) async fn now(&mut self) -> TlsAcceptor {
        if self.looked.elapsed() >= LOOK {
            self.looked = tokio::time::Instant::now();
            let (files, before) = (self.files.clone(), self.written);
            let read = tokio::task::spawn_blocking(move || {
                let written = files.written();
                (written != before).then(|| (written, files.acceptor()))
            });
            if let Ok(Some((written, acceptor))) = read.await {
                self.written = written;
                match acceptor {
                    Ok(acceptor) => self.acceptor = acceptor,
                    Err(why) => {
                        tracing::error!(%why, "the certificate has changed and cannot be used: the old one stays");
                    }
                }
            }
        }
        self.acceptor.clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::ClientConfig;

    use super::*;

    fn write(files: &TlsFiles) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }

    /// Whether a client that trusts this certificate alone comes to terms with the acceptor.
    async fn is_trusted(acceptor: TlsAcceptor, certificate: &CertificateDer<'static>) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (near, far) = tokio::io::duplex(16 * 1024);
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let (client, _) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        client.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_certificate_is_taken_and_a_damaged_one_does_not_take_the_place_of_a_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: folder.path().join("c.pem"), key: folder.path().join("k.pem") };
        let first = write(&files);
        let mut tls = Tls::open(files.clone()).unwrap();
        assert!(is_trusted(tls.now().await, &first).await);
        let second = write(&files);
        assert!(is_trusted(tls.now().await, &first).await, "it is looked at once a minute");
        tokio::time::advance(LOOK).await;
        assert!(is_trusted(tls.now().await, &second).await);
        assert!(!is_trusted(tls.now().await, &first).await);
        std::fs::write(&files.key, "half of it").unwrap();
        tokio::time::advance(LOOK).await;
        assert!(is_trusted(tls.now().await, &second).await);
        let third = write(&files);
        tokio::time::advance(LOOK).await;
        assert!(is_trusted(tls.now().await, &third).await);
    }
}
