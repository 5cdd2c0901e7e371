//! `sunmill daemon`: the hub alone.

use std::process::ExitCode;

use color_eyre::eyre::{Report, eyre};
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Failure;
use super::house::{House, access};
use super::service::{self, Watchdog};
use super::settings::Settings;
use super::{logging, out, socket, tcp};
use crate::attach::{Listening, serve};

/// Runs until it is told to end (SIGTERM, SIGINT). A jog is cancelled and the link closed then; what the controller has of a
/// program is on hold, and its line in the journal. systemd is told when it is ready, lives and ends.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    if let Some(remote) = &settings.remote {
        let url = &remote.url;
        return Err(
            eyre!("{url}: a daemon serves a socket of this computer; [attach.tcp] opens a port beside it").into()
        );
    }
    let Some(path) = socket::of_daemon(settings) else {
        return Err(eyre!(
            "there is no place for the socket: give --socket, or set $SUNMILL_SOCKET or $XDG_RUNTIME_DIR"
        )
        .into());
    };
    let log = settings.log_folder.as_ref().map(|folder| logging::start(&settings.config.log, folder)).transpose()?;
    let watchdog = Watchdog::asked_for();
    let pulses = watchdog.as_ref().map_or_else(|| tcp::pulses(settings), Watchdog::pulses);
    let house = House::build(settings)?.watched(pulses);
    house.run(async |running| -> Result<(), Report> {
        let listening = Listening::bind(&path)?;
        let tcp = tcp::open(settings).await?;
        let also = tcp.as_ref().map_or_else(String::new, |tcp| format!(" and {}", tcp.url()));
        let serves = format!("serves {} on {}{also}", settings.endpoint, listening.path().display());
        out::words(&format!("sunmill {serves}"));
        let clock = running.clock;
        let mut server = serve(listening, running.port.clone(), access(settings), move || clock.now());
        tcp::serve(&mut server, tcp, &running.pulses);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut watch = running.port.attach_screen();
        service::ready(&serves);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = async { while watch.changed().await.is_ok() {} } => {
                return Err(eyre!("what runs the machine has failed inside sunmill; see the log"));
            }
            () = fed(watchdog.as_ref()) => {}
        }
        service::stopping();
        drop(server);
        Ok(())
    })?;
    drop(log);
    Ok(ExitCode::SUCCESS)
}

/// Feeds the watchdog, if there is one; never ends.
async fn fed(watchdog: Option<&Watchdog>) {
    match watchdog {
        Some(watchdog) => watchdog.feed(service::alive).await,
        None => std::future::pending().await,
    }
}
