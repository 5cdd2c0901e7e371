//! `sunmill` without a command: the screen or its plain words, and the hub in the same process.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use color_eyre::eyre::{WrapErr, eyre};
use jiff::tz::TimeZone;

use super::exit::Failure;
use super::settings::Settings;
use super::store::Kept;
use super::{crash, desk, history, logging};
use crate::driver::clock::Clock;
use crate::driver::pace::Pace;
use crate::driver::transport::{InProcess, Opener, lock_dir};
use crate::driver::wire_log::{self, WireLog, WireLogConfig, WireLogGuard};
use crate::grbl::session::SessionConfig;
use crate::grbl::tables::Tables;
use crate::hub::programs::{Folders, Library};
use crate::hub::runner::{OnLinkLoss, RunnerConfig, ToolChange};
use crate::model::{AxisVec, Firmware};
use crate::sim::{Options, serve};
use crate::ui::ExitReason;
use crate::{config, hub, ui};

/// Signal numbers, by which a shell tells what ended a program.
const SIGHUP: u8 = 1;
const SIGTERM: u8 = 15;

/// How the machine is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// Drawn.
    Screen,
    /// Told in lines, because that was asked for or because the terminal can do no more.
    Plain {
        /// By the command line.
        asked: bool,
    },
}

/// Opens the screen and stays until it is left.
pub(super) fn run(settings: &Settings, terminal: bool, face: Face) -> Result<ExitCode, Failure> {
    if !terminal && face == Face::Screen {
        return Err(eyre!(
            "the screen needs a terminal on stdin and stdout; over ssh, ask for one with ssh -t. \
             sunmill --plain needs none. \
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
    crash::install(settings.log_folder.clone())?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), source = %settings.source, machine = %settings.endpoint, "start");

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("cannot start the runtime")?;
    let (wire_log, wire_guard, wire_notice) = wire_log(settings);
    let kept = Kept::open(settings);
    let store = kept.store.clone();
    let notice = kept.notice().or(notice).or(wire_notice);
    let keeping = hub::Keeping {
        backups: settings.backup_folder.clone(),
        wire_log,
        store: kept.store,
        opened: kept.opened,
        store_trouble: kept.trouble,
        programs: Some(library(settings)),
        runner: runner(settings),
        outputs: settings.config.outputs.iter().map(config::Output::to_model).collect(),
    };
    let reason = runtime.block_on(open(settings, notice, keeping, face));
    if let Some(store) = store {
        store.close();
    }
    drop(wire_guard);
    tracing::info!(?reason, "end");
    drop(log);
    match reason? {
        ExitReason::Asked => Ok(ExitCode::SUCCESS),
        ExitReason::TerminalLost => Ok(ExitCode::from(128 + SIGHUP)),
        ExitReason::Terminated => Ok(ExitCode::from(128 + SIGTERM)),
        ExitReason::HubGone => Err(eyre!("what runs the machine has failed inside sunmill; see the log").into()),
    }
}

/// Hub and screen in this process. When the screen ends, whatever the reason, the hub cancels a jog and closes.
/// `notice` is something to tell at the start.
async fn open(
    settings: &Settings,
    notice: Option<String>,
    keeping: hub::Keeping,
    face: Face,
) -> Result<ExitReason, ui::Error> {
    let clock = Clock::start();
    let (port, hub) = hub::start_keeping(session_config(settings), Tables::load(), opener(settings), clock, keeping);
    let port = port.with_desk(desk::start(settings, clock));
    let (screen, now) = (port.attach_screen(), move || clock.now());
    let reason = match face {
        Face::Screen => {
            let look = ui::Settings {
                started_unix_ms: started_unix_ms(clock),
                zone: TimeZone::system(),
                ..screen_settings(settings, notice)
            };
            ui::run(screen, look, now).await
        }
        Face::Plain { asked } => {
            const WHY: &str = "this terminal (TERM=dumb) cannot draw the screen, so it is told in lines";
            let why = (!asked).then(|| WHY.to_owned());
            ui::plain::run(screen, screen_settings(settings, notice.or(why)), now).await
        }
    };
    hub.shutdown().await;
    reason
}

/// Unix time of the clock's start, for times of day. `None`: this computer's time makes no sense.
fn started_unix_ms(clock: Clock) -> Option<i64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let up = Duration::from_micros(clock.now().as_micros());
    i64::try_from(now.checked_sub(up)?.as_millis()).ok()
}

fn library(settings: &Settings) -> Library {
    let folders = Folders::new(settings.program_folders.clone());
    let warm_up = Duration::from_secs(settings.config.programs.warm_up_s.into());
    Library { folders, concurrent: settings.config.analysis.concurrent as usize, warm_up }
}

/// The wire log, if it is wanted, and what to tell where it cannot be had.
fn wire_log(settings: &Settings) -> (Option<WireLog>, Option<WireLogGuard>, Option<String>) {
    let wanted = &settings.config.wire_log;
    let Some(folder) = settings.log_folder.clone().filter(|_| wanted.enabled) else { return (None, None, None) };
    let file_bytes = u64::from(wanted.file_mib) * 1024 * 1024;
    match wire_log::start(WireLogConfig { folder: folder.clone(), file_bytes, files: wanted.files }) {
        Ok((log, guard)) => (Some(log), Some(guard), None),
        Err(why) => {
            tracing::warn!(%why, folder = %folder.display(), "no wire log");
            (None, None, Some(format!("no wire log in {}: {why}", folder.display())))
        }
    }
}

/// How programs are run.
fn runner(settings: &Settings) -> RunnerConfig {
    let programs = &settings.config.programs;
    RunnerConfig {
        folders: library(settings).folders,
        compact: programs.compact,
        tool_change: match programs.tool_change {
            config::ToolChange::Ask => ToolChange::Ask,
            config::ToolChange::Controller => ToolChange::Controller,
        },
        on_link_loss: match programs.on_link_loss {
            config::OnLinkLoss::Hold => OnLinkLoss::Hold,
            config::OnLinkLoss::Finish => OnLinkLoss::Finish,
        },
        warm_up: Duration::from_secs(programs.warm_up_s.into()),
    }
}

pub(super) fn opener(settings: &Settings) -> Opener {
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

pub(super) fn session_config(settings: &Settings) -> SessionConfig {
    let machine = &settings.config.machine;
    SessionConfig {
        rx_bytes: machine.rx_buffer,
        idle_interval: Duration::from_millis(machine.poll_idle_ms.into()),
        moving_interval: Duration::from_millis(machine.poll_moving_ms.into()),
        ..SessionConfig::default()
    }
}

const fn theme(theme: config::Theme) -> ui::ColourMode {
    match theme {
        config::Theme::Ansi => ui::ColourMode::Ansi16,
        config::Theme::Light => ui::ColourMode::Light,
        config::Theme::Dark => ui::ColourMode::Dark,
        config::Theme::HighContrast => ui::ColourMode::HighContrast,
        config::Theme::None => ui::ColourMode::None,
    }
}

/// The colours that are set, by role.
fn paints(colours: &config::Colours) -> Vec<(ui::Role, ui::Paint)> {
    use ui::Role;
    [
        (Role::Text, colours.text),
        (Role::Quiet, colours.quiet),
        (Role::Title, colours.title),
        (Role::Value, colours.value),
        (Role::Key, colours.key),
        (Role::Accent, colours.accent),
        (Role::Good, colours.good),
        (Role::Warning, colours.warning),
        (Role::Bad, colours.bad),
        (Role::Alarm, colours.alarm),
        (Role::Sim, colours.sim),
        (Role::Selected, colours.selected),
    ]
    .into_iter()
    .filter_map(|(role, paint)| Some((role, paint?)))
    .map(|(role, paint)| match paint {
        config::Paint::Default => (role, ui::Paint::Default),
        config::Paint::Index(index) => (role, ui::Paint::Index(index)),
        config::Paint::Rgb(red, green, blue) => (role, ui::Paint::Rgb(red, green, blue)),
    })
    .collect()
}

fn screen_settings(settings: &Settings, notice: Option<String>) -> ui::Settings {
    let jog = &settings.config.jog;
    ui::Settings {
        jog: ui::JogSettings {
            steps_mm: jog.steps_mm.clone(),
            step_index: jog.step_index(),
            rotary_steps_deg: jog.rotary_steps_deg.clone(),
            feeds_mm_min: jog.feeds_mm_min.clone(),
            feed_index: jog.feed_index(),
            rotary_feed_factor: jog.rotary_feed_factor,
            latch_mm: jog.latch_mm,
            z_feed_factor: jog.z_feed_factor,
            invert: jog.invert.by_index(),
            idle_timeout: Duration::from_secs(jog.idle_timeout_s.into()),
        },
        ssh: settings.look.ssh,
        multiplexed: settings.look.multiplexed,
        history: settings
            .state_folder
            .as_deref()
            .map_or_else(Vec::new, |state| history::load(&desk::history_file(state))),
        ask_key_releases: !settings.look.linux_console,
        // Of this computer, so only for its own console: a remote one can have the same $TERM.
        keyboards: (settings.look.linux_console && !settings.look.ssh).then(|| "/dev/input/by-path".into()),
        units: settings.config.ui.units,
        symbols: if settings.look.unicode { ui::SymbolSet::Unicode } else { ui::SymbolSet::Ascii },
        blocks: settings.look.blocks,
        colour: if settings.look.colour { theme(settings.config.ui.theme) } else { ui::ColourMode::None },
        paints: paints(&settings.config.ui.colours),
        frame: Some(settings.look.frame),
        confirm_offset_mm: settings.config.ui.confirm_offset_mm,
        keys: settings.keys.clone(),
        started_unix_ms: None,
        zone: TimeZone::UTC,
        notice,
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;

    fn settings(environment: &Environment) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, config::SAMPLE).unwrap();
        Settings::new(Some(file), None, None, environment).unwrap()
    }

    #[test]
    fn the_sample_is_what_screen_and_session_do_by_default() {
        let settings = settings(&Environment { term: "xterm".into(), utf8: true, ..Environment::default() });
        let screen = screen_settings(&settings, None);
        assert_eq!(screen.frame_interval(), ui::Settings::default().frame_interval());
        assert_eq!(ui::Settings { frame: None, ..screen }, ui::Settings::default());
        let (session, default) = (session_config(&settings), SessionConfig::default());
        assert_eq!(
            (session.rx_bytes, session.idle_interval, session.moving_interval),
            (default.rx_bytes, default.idle_interval, default.moving_interval)
        );
    }

    #[test]
    fn the_terminal_decides_the_rest() {
        let console = Environment { term: "linux".into(), no_colour: true, ssh: true, ..Environment::default() };
        let screen = screen_settings(&settings(&console), Some("a notice".into()));
        assert!(screen.ssh && !screen.ask_key_releases);
        assert_eq!((screen.symbols, screen.colour), (ui::SymbolSet::Ascii, ui::ColourMode::None));
        assert!(!screen.blocks, "without UTF-8 no letter goes beyond ASCII");
        let utf8 = screen_settings(&settings(&Environment { utf8: true, ..console }), None);
        assert_eq!(ui::preview::Dots::of(&utf8), ui::preview::Dots::HalfBlocks);
        assert_eq!(utf8.symbols, ui::SymbolSet::Ascii, "the rest stays what its font has for certain");
        assert_eq!(screen.frame_interval(), Duration::from_millis(100));
        assert_eq!(screen.notice.as_deref(), Some("a notice"));
    }
}
