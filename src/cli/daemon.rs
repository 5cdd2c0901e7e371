//! `sunmill daemon`: the hub alone.

use std::process::ExitCode;

use color_eyre::eyre::{Report, eyre};
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Failure;
use super::house::{House, access};
use super::service::{self, Watchdog};
use super::settings::Settings;
use super::{logging, out, socket};
use crate::attach::{Listening, serve};

/// Runs until it is told to end (SIGTERM, SIGINT). A jog is cancelled and the link closed then; what the controller has of a
/// program is on hold, and its line in the journal. systemd is told when it is ready, lives and ends.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let Some(path) = socket::of_daemon(settings) else {
        return Err(eyre!(
            "there is no place for the socket: give --socket, or set $SUNMILL_SOCKET or $XDG_RUNTIME_DIR"
        )
        .into());
    };
    let log = settings.log_folder.as_ref().map(|folder| logging::start(&settings.config.log, folder)).transpose()?;
    let watchdog = Watchdog::asked_for();
    let house = House::build(settings)?.watched(watchdog.as_ref().map(Watchdog::pulses).unwrap_or_default());
    house.run(async |running| -> Result<(), Report> {
        let listening = Listening::bind(&path)?;
        let serves = format!("serves {} on {}", settings.endpoint, listening.path().display());
        out::words(&format!("sunmill {serves}"));
        let clock = running.clock;
        let server = serve(listening, running.port.clone(), access(settings), move || clock.now());
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
