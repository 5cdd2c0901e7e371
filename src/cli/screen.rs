//! `sunmill` without a command: the screen or its plain words, and the hub in the same process.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use color_eyre::eyre::eyre;
use jiff::tz::TimeZone;
use rustix::termios::{QueueSelector, tcflush};
use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Code, Failure};
use super::house::{House, Running, access};
use super::remote::{interrupted, unreachable_hub};
use super::settings::Settings;
use super::{desk, history, logging, out, socket, tcp};
use crate::attach::client::{Attached, Me};
use crate::attach::{self, ConnectError, Listening, Place, Server};
use crate::model::command::ClientId;
use crate::model::people::{PeopleNews, Person};
use crate::model::{Hub, Role, Snapshot, Time};
use crate::ui::ExitReason;
use crate::{config, ui};

/// Signal numbers, by which a shell tells what ended a program.
const SIGHUP: u8 = 1;
const SIGTERM: u8 = 15;

/// A hub that was lost is looked for after this; then less often, up to this.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(3));

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

/// Opens the screen and stays until it is left. Where a hub runs it attaches to that; else it has one of its own, to which
/// others can attach.
pub(super) fn run(settings: &Settings, terminal: bool, face: Face) -> Result<ExitCode, Failure> {
    if !terminal && face == Face::Screen {
        return Err(eyre!(
            "the screen needs a terminal on stdin and stdout; over ssh, ask for one with ssh -t. \
             sunmill --plain needs none. \
             See sunmill --help for the commands that need none"
        )
        .into());
    }
    if let Some(place) = socket::answering(settings) {
        return attached(settings, &place, face);
    }
    let (log, notice) = match &settings.log_folder {
        Some(folder) => match logging::start(&settings.config.log, folder) {
            Ok(guard) => (Some(guard), None),
            Err(why) => (None, Some(format!("no log: {} cannot be used: {why}", folder.display()))),
        },
        None => (None, Some("no log: there is no home folder; set log.folder in config.toml".to_owned())),
    };
    // The screen's own hook is installed after the house's and so runs before it: the terminal is restored first.
    let house = House::build(settings)?.watched(tcp::pulses(settings));
    let notice = house.notice.clone().or(notice).or(house.wire_notice.clone());
    let reason = house.run(async |running| {
        let clock = running.clock;
        let (server, unserved) = served(settings, running).await;
        let look = screen_settings(settings, notice.or(unserved));
        let reason = show(running.port.attach_screen(), look, face, move || clock.now()).await;
        if reason.as_ref().is_ok_and(|reason| *reason == ExitReason::TerminalLost) && server.is_some() {
            carry_on(running).await;
        }
        drop(server);
        reason
    });
    tracing::info!(?reason, "end");
    drop(log);
    ended(reason?, "what runs the machine has failed inside sunmill; see the log")
}

/// Serves the screen's own hub to others, or says why not.
async fn served(settings: &Settings, running: &Running) -> (Option<Server>, Option<String>) {
    come(settings, running).await;
    let Some(path) = socket::of_screen(settings) else { return (None, None) };
    let clock = running.clock;
    match Listening::bind(&path) {
        Ok(listening) => {
            let mut server = attach::serve(listening, running.port.clone(), access(settings), move || clock.now());
            let unserved = match tcp::open(settings).await {
                Ok(listening) => {
                    tcp::serve(&mut server, listening, &running.pulses);
                    None
                }
                Err(why) => {
                    tracing::warn!(%why, "nothing over TCP");
                    Some(format!("nobody can attach over TCP: {why}"))
                }
            };
            (Some(server), unserved)
        }
        Err(why) => {
            tracing::warn!(%why, "no socket");
            (None, Some(format!("nobody can attach: {why}")))
        }
    }
}

/// The person at this screen is there, whether others can attach or not.
async fn come(settings: &Settings, running: &Running) {
    let (uid, user) = attach::this_user().await;
    running.port.tell(PeopleNews::Came(Person {
        id: ClientId(1),
        local: true,
        screen: true,
        console: !settings.look.ssh,
        user,
        uid: Some(uid),
        from: settings.place.clone(),
        program: concat!("sunmill ", env!("CARGO_PKG_VERSION")).to_owned(),
        role: Role::Admin,
        ..Person::default()
    }));
}

/// The terminal is gone. A program that runs goes on to its end without it, and whoever is attached stays so.
async fn carry_on(running: &Running) {
    let mut hub = running.port.attach_screen();
    let wanted = |snapshot: &Snapshot| {
        let runs = snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open());
        runs || !snapshot.people.clients.is_empty()
    };
    running.port.tell(PeopleNews::Gone(ClientId(1)));
    // The hub has heard that this screen is gone when it is not among its clients any more.
    while wanted(&hub.snapshot()) {
        if hub.changed().await.is_err() {
            break;
        }
    }
}

/// A screen of a hub that runs elsewhere. When that ends or the connection is lost, it is attached again as soon as that can be:
/// whoever stands at the machine is not to find a shell where the stop keys were.
fn attached(settings: &Settings, place: &Place, face: Face) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let reason = runtime.block_on(async {
        let (mut attached, mut how) =
            (attach::connect(place, me(settings)).await.map_err(unreachable_hub)?, "attached");
        loop {
            let Attached { hub, clock, id, .. } = attached;
            let notice = format!("{how} to the sunmill at {place}");
            let look = ui::Settings { me: id, attached: true, ..screen_settings(settings, Some(notice)) };
            let reason = show(hub, look, face, move || clock.now()).await?;
            if reason != ExitReason::HubGone || face != Face::Screen {
                return Ok::<_, Failure>(reason);
            }
            let found = tokio::select! {
                found = again(settings, place) => found?,
                // The screen has taken these signals for itself, for as long as this process lives.
                ended = told_to_end() => return ended,
            };
            (attached, how) = (found, "attached again");
        }
    })?;
    if reason == ExitReason::HubGone {
        let why = "the sunmill to which this was attached has ended, or the connection was lost";
        return Err(Failure::new(Code::Unreachable, eyre!(why)));
    }
    ended(reason, "")
}

fn me(settings: &Settings) -> Me {
    Me {
        program: concat!("sunmill ", env!("CARGO_PKG_VERSION")).to_owned(),
        from: settings.place.clone(),
        screen: true,
        max_hz: None,
    }
}

/// Tries until somebody answers there again. Meanwhile the terminal is an ordinary one.
async fn again(settings: &Settings, place: &Place) -> Result<Attached, Failure> {
    out::words(&format!("The connection to the sunmill at {place} is lost."));
    out::words("UNTIL IT IS BACK NO KEY HERE STOPS ANYTHING: use the machine's own stop.");
    out::words("It is tried again and again; Ctrl+C ends that.");
    let mut wait = AGAIN.0;
    let mut told = String::new();
    loop {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN.1);
        match attach::connect(place, me(settings)).await {
            Ok(attached) => {
                // What was typed meanwhile was meant for no screen.
                let _ = tcflush(std::io::stdin(), QueueSelector::IFlush);
                return Ok(attached);
            }
            Err(ConnectError::Nobody { .. }) => {}
            // It may be on its way up, or down, or full.
            Err(ConnectError::Strange { why, .. }) => {
                if why != told {
                    out::words(&format!("Not yet: {why}"));
                    told = why;
                }
            }
            Err(why @ ConnectError::NotAllowed { .. }) => return Err(unreachable_hub(why)),
        }
    }
}

/// Somebody ends this, or the terminal is gone.
async fn told_to_end() -> Result<ExitReason, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut quit = signal(SignalKind::quit())?;
    tokio::select! {
        _ = interrupt.recv() => Err(interrupted()),
        _ = hang_up.recv() => Ok(ExitReason::TerminalLost),
        _ = terminate.recv() => Ok(ExitReason::Terminated),
        _ = quit.recv() => Ok(ExitReason::Terminated),
    }
}

fn ended(reason: ExitReason, gone: &'static str) -> Result<ExitCode, Failure> {
    match reason {
        ExitReason::Asked => Ok(ExitCode::SUCCESS),
        ExitReason::TerminalLost => Ok(ExitCode::from(128 + SIGHUP)),
        ExitReason::Terminated => Ok(ExitCode::from(128 + SIGTERM)),
        ExitReason::HubGone => Err(eyre!(gone).into()),
    }
}

/// A screen over a hub, wherever that runs.
async fn show(hub: Hub, look: ui::Settings, face: Face, now: impl Fn() -> Time) -> Result<ExitReason, ui::Error> {
    match face {
        Face::Screen => {
            let look = ui::Settings { started_unix_ms: started_unix_ms(now()), zone: TimeZone::system(), ..look };
            ui::run(hub, look, now).await
        }
        Face::Plain { asked } => {
            const WHY: &str = "this terminal (TERM=dumb) cannot draw the screen, so it is told in lines";
            let why = (!asked).then(|| WHY.to_owned());
            let notice = look.notice.clone().or(why);
            ui::plain::run(hub, ui::Settings { notice, ..look }, now).await
        }
    }
}

/// Unix time of the start of the hub's time, for times of day. `None`: this computer's time makes no sense.
fn started_unix_ms(hub_now: Time) -> Option<i64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let up = Duration::from_micros(hub_now.as_micros());
    i64::try_from(now.checked_sub(up)?.as_millis()).ok()
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
        me: ui::Settings::default().me,
        attached: false,
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
        bell: settings.config.ui.bell,
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
    use super::super::house::session_config;
    use super::*;
    use crate::grbl::session::SessionConfig;

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
