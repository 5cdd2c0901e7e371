//! `sunmill` without a command: the screen, and the hub in the same process.

use color_eyre::eyre::{WrapErr, eyre};

use std::sync::Arc;
use std::time::Duration;

use super::exit::Failure;
use super::settings::Settings;
use super::{crash, logging};
use crate::driver::clock::Clock;
use crate::driver::pace::Pace;
use crate::driver::transport::{InProcess, Opener, lock_dir};
use crate::grbl::session::SessionConfig;
use crate::grbl::tables::Tables;
use crate::model::{Axis, AxisVec, Firmware};
use crate::sim::{Options, serve};
use crate::{config, hub, ui};

/// Opens the screen and stays until it is left.
pub(super) fn run(settings: &Settings, terminal: bool) -> Result<(), Failure> {
    if !terminal {
        return Err(eyre!(
            "the screen needs a terminal on stdin and stdout; over ssh, ask for one with ssh -t. \
             See sunmill --help for the commands that need none"
        )
        .into());
    }
    let (log, notice) = match &settings.log_folder {
        Some(folder) => match logging::start(&settings.config.log, folder) {
            Ok(guard) => (Some(guard), None),
            Err(why) => (None, Some(format!("no log: {} cannot be used: {why}", folder.display()))),
        },
        None => (None, Some("no log: there is no home folder; set log.folder in config.toml".to_owned())),
    };
    // The screen's own hook is installed after this one and so runs before it: the terminal is restored first.
    crash::install(|| {}, settings.log_folder.clone())?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), source = %settings.source, machine = %settings.endpoint, "start");

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("cannot start the runtime")?;
    let result = runtime.block_on(open(settings, notice));
    tracing::info!("end");
    drop(log);
    result
}

/// Hub and screen, joined. `notice` is something to tell at the start.
async fn open(settings: &Settings, notice: Option<String>) -> Result<(), Failure> {
    let clock = Clock::start();
    let (port, hub) = hub::start(session_config(settings), Tables::load(), opener(settings), clock);
    let result = ui::run(port.attach_screen(), screen_settings(settings, notice), move || clock.now()).await;
    hub.shutdown().await;
    match result {
        Ok(reason) => {
            tracing::info!(?reason, "the screen has ended");
            Ok(())
        }
        Err(error) => Err(eyre!(error).into()),
    }
}

fn opener(settings: &Settings) -> Opener {
    Opener {
        endpoint: settings.endpoint.clone(),
        baud: settings.config.machine.baud,
        pace: match settings.config.machine.pace {
            config::Pace::Auto => Pace::Auto,
            config::Pace::Off => Pace::Off,
            config::Pace::Baud(baud) => Pace::Baud(baud),
        },
        lock_dir: lock_dir(settings.runtime_dir.clone()),
        in_process: Some(InProcess(Arc::new(|| serve::in_process(simulated())))),
    }
}

/// The machine that runs where nothing is configured: homed, with room to move in every direction.
fn simulated() -> Options {
    let start = AxisVec::from_slice(&[50.0, 50.0, -10.0, 0.0]);
    Options { homed: true, start: Some(start), ..Options::new(Firmware::FluidNc) }
}

fn session_config(settings: &Settings) -> SessionConfig {
    let machine = &settings.config.machine;
    SessionConfig {
        rx_bytes: machine.rx_buffer,
        idle_interval: Duration::from_millis(machine.poll_idle_ms.into()),
        moving_interval: Duration::from_millis(machine.poll_moving_ms.into()),
        ..SessionConfig::default()
    }
}

fn screen_settings(settings: &Settings, notice: Option<String>) -> ui::Settings {
    let jog = &settings.config.jog;
    let invert = [Axis::X, Axis::Y, Axis::Z, Axis::A].map(|axis| jog.invert.get(axis));
    ui::Settings {
        jog: ui::JogSettings {
            steps_mm: jog.steps_mm.clone(),
            step_index: jog.step_index(),
            rotary_steps_deg: jog.rotary_steps_deg.clone(),
            feeds_mm_min: jog.feeds_mm_min.clone(),
            feed_index: jog.feed_index(),
            z_feed_factor: jog.z_feed_factor,
            invert,
            ..ui::JogSettings::default()
        },
        ssh: settings.look.ssh,
        multiplexed: settings.look.multiplexed,
        ask_key_releases: !settings.look.linux_console,
        symbols: if settings.look.unicode { ui::SymbolSet::Unicode } else { ui::SymbolSet::Ascii },
        colour: if settings.look.colour { ui::ColourMode::Ansi16 } else { ui::ColourMode::None },
        frame: Some(settings.look.frame),
        notice,
    }
}
