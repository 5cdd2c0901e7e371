//! `sunmill` without a command: the screen, and the hub in the same process.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{WrapErr, eyre};

use super::exit::Failure;
use super::settings::Settings;
use super::{crash, logging, out};
use crate::driver::{Clock, InProcess, Opener, Pace};
use crate::grbl::Session;
use crate::grbl::session::SessionConfig;
use crate::grbl::tables::Tables;
use crate::model::{Axis, Endpoint, Firmware};
use crate::sim::Options;
use crate::sim::serve::in_process;
use crate::ui::ExitReason;
use crate::{config, hub, ui};

/// Signal numbers, by which the exit codes of a shell name them.
const SIGHUP: u8 = 1;
const SIGTERM: u8 = 15;

/// Opens the screen and stays until it is left.
pub(super) fn run(settings: &Settings, terminal: bool) -> Result<ExitCode, Failure> {
    if !terminal {
        return Err(eyre!(
            "the screen needs a terminal on stdin and stdout; over ssh, ask for one with ssh -t. \
             See sunmill --help for the commands that need none"
        )
        .into());
    }
    let log = match &settings.log_folder {
        Some(folder) => logging::start(&settings.config.log, folder)
            .map_err(|why| format!("log files cannot be written to {}: {why}", folder.display())),
        None => Err("log files have no place: there is no home folder; set log.folder in config.toml".to_owned()),
    };
    // No reason to refuse a machine. The words stand in the terminal behind the screen.
    if let Err(why) = &log {
        out::words(&format!("warning: {why}"));
    }
    crash::install(settings.log_folder.clone())?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), source = %settings.source, machine = %settings.endpoint, "start");

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("cannot start the runtime")?;
    let reason = runtime.block_on(open(settings));
    tracing::info!(?reason, "end");
    drop(log);
    match reason? {
        ExitReason::Asked => Ok(ExitCode::SUCCESS),
        ExitReason::TerminalLost => Ok(ExitCode::from(128 + SIGHUP)),
        ExitReason::Terminated => Ok(ExitCode::from(128 + SIGTERM)),
        ExitReason::HubGone => Err(eyre!("the connection to the machine failed inside sunmill; see the log").into()),
    }
}

/// Hub and screen in this process. When the screen ends, whatever the reason, the hub cancels a jog and closes.
async fn open(settings: &Settings) -> Result<ExitReason, ui::Error> {
    let clock = Clock::start();
    let session = Session::new(for_session(settings), Tables::load());
    let (port, hub) = hub::start(session, for_driver(settings), clock);
    let reason = ui::run(port.attach_screen(), for_screen(settings), move || clock.now()).await;
    hub.shutdown().await;
    reason
}

/// What the protocol needs to know.
fn for_session(settings: &Settings) -> SessionConfig {
    let machine = &settings.config.machine;
    SessionConfig {
        rx_bytes: machine.rx_buffer,
        network: matches!(settings.endpoint, Endpoint::Tcp { .. } | Endpoint::WebSocket { .. }),
        idle_interval: Duration::from_millis(machine.poll_idle_ms.into()),
        moving_interval: Duration::from_millis(machine.poll_moving_ms.into()),
    }
}

/// What the driver needs to know.
fn for_driver(settings: &Settings) -> Opener {
    let machine = &settings.config.machine;
    let simulated = || in_process(Options::new(Firmware::FluidNc));
    Opener {
        endpoint: settings.endpoint.clone(),
        baud: machine.baud,
        pace: match machine.pace {
            config::Pace::Auto => Pace::Auto,
            config::Pace::Off => Pace::Off,
            config::Pace::Baud(baud) => Pace::Baud(baud),
        },
        lock_dir: settings.lock_folder.clone(),
        in_process: (settings.endpoint == Endpoint::Sim).then(|| InProcess(Arc::new(simulated))),
    }
}

/// What the screen needs to know.
fn for_screen(settings: &Settings) -> ui::Settings {
    let (jog, look) = (&settings.config.jog, settings.look);
    ui::Settings {
        jog: ui::JogSettings {
            steps_mm: jog.steps_mm.clone(),
            step_index: jog.step_index(),
            rotary_steps_deg: jog.rotary_steps_deg.clone(),
            feeds_mm_min: jog.feeds_mm_min.clone(),
            feed_index: jog.feed_index(),
            rotary_feed_factor: jog.rotary_feed_factor,
            z_feed_factor: jog.z_feed_factor,
            invert: std::array::from_fn(|index| Axis::from_index(index).is_some_and(|axis| jog.invert.get(axis))),
            idle_timeout: Duration::from_secs(jog.idle_timeout_s.into()),
        },
        ssh: look.ssh,
        multiplexed: look.multiplexed,
        ask_key_releases: !look.linux_console,
        symbols: if look.unicode { ui::SymbolSet::Unicode } else { ui::SymbolSet::Ascii },
        colour: if look.colour { ui::ColourMode::Ansi16 } else { ui::ColourMode::None },
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;

    fn settings(environment: &Environment) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, crate::config::SAMPLE).unwrap();
        Settings::new(Some(file), None, None, environment).unwrap()
    }

    #[test]
    fn the_sample_is_what_the_screen_does_by_default() {
        let xterm = Environment { term: "xterm".into(), utf8: true, ..Environment::default() };
        assert_eq!(for_screen(&settings(&xterm)), ui::Settings::default());
    }

    #[test]
    fn the_terminal_decides_the_rest() {
        let console = Environment { term: "linux".into(), no_colour: true, ssh: true, ..Environment::default() };
        let screen = for_screen(&settings(&console));
        assert!(screen.ssh && !screen.ask_key_releases);
        assert_eq!((screen.symbols, screen.colour), (ui::SymbolSet::Ascii, ui::ColourMode::None));
    }
}
