//! `sunmill` without a command: the screen, and the hub in the same process.

use std::time::Duration;

use color_eyre::eyre::{WrapErr, eyre};

use super::exit::Failure;
use super::settings::Settings;
use super::{crash, logging};
use crate::model::Axis;
use crate::ui;

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
    crash::install(settings.log_folder.clone())?;
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
    let _ = (for_screen(settings), notice);
    std::future::ready(()).await;
    Err(eyre!("the screen is not in this build yet").into())
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
