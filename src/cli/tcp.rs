//! The hub over TCP: what the configuration says of it, opened.

use std::path::{Path, PathBuf};

use color_eyre::eyre::{Report, eyre};

use super::service;
use super::settings::Settings;
use crate::attach::{Server, TcpListening, TcpSetup, TlsFiles};
use crate::hub::Pulses;

/// The name of this computer.
const HOSTNAME: &str = "/proc/sys/kernel/hostname";

/// Where tokens are kept.
///
/// # Errors
/// There is no place for them.
pub(super) fn tokens_file(settings: &Settings) -> Result<PathBuf, Report> {
    let said = settings.config.attach.tcp.tokens.as_ref().map(|path| settings.expanded(path));
    let own = || settings.state_folder.as_ref().map(|folder| folder.join("tokens.json"));
    said.or_else(own).ok_or_else(|| eyre!("there is no home folder to keep tokens in: set attach.tcp.tokens"))
}

/// How the hub is served over TCP. `None`: it is not.
///
/// # Errors
/// There is no place for tokens.
pub(super) fn setup(settings: &Settings) -> Result<Option<TcpSetup>, Report> {
    let tcp = &settings.config.attach.tcp;
    let Some(listen) = tcp.listen else { return Ok(None) };
    let file = |path: &Option<PathBuf>| path.as_ref().map(|path| settings.expanded(path));
    let tls = file(&tcp.certificate).zip(file(&tcp.key)).map(|(certificate, key)| TlsFiles { certificate, key });
    Ok(Some(TcpSetup {
        listen,
        tls,
        tokens: tokens_file(settings)?,
        without_token: tcp.without_token,
        origins: tcp.origins.clone(),
        hosts: tcp.hosts.clone(),
        own_name: std::fs::read_to_string(Path::new(HOSTNAME)).ok(),
    }))
}

/// Opens the port, where one is configured. To be called within the runtime.
///
/// # Errors
/// It cannot be opened, or must not be as things stand.
pub(super) async fn open(settings: &Settings) -> Result<Option<TcpListening>, Report> {
    match setup(settings)? {
        Some(setup) => Ok(Some(TcpListening::open(setup).await?)),
        None => Ok(None),
    }
}

/// Serves through it.
pub(super) fn serve(server: &mut Server, listening: Option<TcpListening>, pulses: &Pulses) {
    if let Some(listening) = listening {
        let pulses = pulses.clone();
        server.open_tcp(listening, move || service::is_well(&pulses));
    }
}

/// Loops that tell of their health, where somebody can ask for it.
pub(super) fn pulses(settings: &Settings) -> Pulses {
    if settings.config.attach.tcp.listen.is_some() { service::pulses() } else { Pulses::default() }
}
