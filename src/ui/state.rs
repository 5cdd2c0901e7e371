//! The state of the screen: plain data, changed by [`update`](super::update::update) only.

use std::path::PathBuf;
use std::time::Duration;

use super::console::{Console, Tone};
use super::controller::Controller;
use super::devices::{Devices, Page as DevicesPage};
use super::editor::Editor;
use super::input::InputEvent;
use super::jog::JogPad;
use super::keymap::Keymap;
use super::log::LogBook;
use super::offsets::Offsets;
use super::overrides::Lane;
use super::power::PowerPanel;
use super::programs::Programs;
use super::recovery::{AlarmHistory, RecoveryPanel};
use super::settings::Settings;
pub use super::tab::Tab;
use crate::model::desk::{Answer, Query};
use crate::model::hub::LogEvent;
use crate::model::snapshot::{Age, LinkState, Machine, Snapshot, Stop, StopPhase};
use crate::model::{Command, Realtime, StateKind, Time, Units};

/// How long a stop that was obeyed stays on the screen.
const STOP_SHOWN: Duration = Duration::from_secs(4);
/// How long a notice stays on the screen.
const NOTICE_SHOWN: Duration = Duration::from_secs(6);

/// All that the screen knows beside the snapshot.
#[derive(Clone, Debug)]
pub struct Ui {
    /// Settings.
    pub settings: Settings,
    /// Keys in force.
    pub keymap: Keymap,
    /// What keys mean at present.
    pub mode: Mode,
    /// What the body of the screen shows.
    pub tab: Tab,
    /// The tab Programs.
    pub programs: Programs,
    /// The tab Offsets.
    pub offsets: Offsets,
    /// The tab Settings.
    pub controller: Controller,
    /// The tab Power.
    pub power: PowerPanel,
    /// The tab Devices.
    pub devices: Devices,
    /// The hub's log, shown there.
    pub log: LogBook,
    /// In which unit lengths are shown and typed.
    pub units: Units,
    /// A question above everything else.
    pub popup: Option<Popup>,
    /// The way out of an alarm is open.
    pub recovery: Option<RecoveryPanel>,
    /// The alarms so far.
    pub alarms: AlarmHistory,
    /// When the jog cancel was asked for whose end was told last.
    pub cancel_told: Option<Time>,
    /// Help is open, scrolled down by so many lines.
    pub help: Option<usize>,
    /// The log.
    pub console: Console,
    /// The line for G-code.
    pub mdi: Editor,
    /// The jog keys.
    pub pad: JogPad,
    /// A short message above the footer.
    pub notice: Option<Notice>,
    /// What is known of the terminal.
    pub terminal: TerminalFacts,
    /// Stopping the machine in order to quit.
    pub quitting: bool,
    /// Leaves at this time, unless another key comes before: a paste that no mark frames must not leave.
    pub leaves_at: Option<Time>,
    /// When the last key or paste came.
    pub last_input: Time,
}

/// What keys mean at present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The main screen.
    #[default]
    Main,
    /// Keys move the machine.
    Jog,
    /// A line is being typed.
    Mdi,
    /// An action is being looked for by name.
    Palette(Palette),
    /// A text field of the open tab is being typed in; the tab's panel has its keys.
    Field,
    /// The overrides are shown; the arrows change this one.
    Override(Lane),
}

impl Mode {
    /// Keys are text.
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Mdi | Self::Palette(_) | Self::Field)
    }
}

/// The list of actions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// What the names must contain.
    pub filter: Editor,
    /// The selected one of those that match.
    pub selected: usize,
}

/// A question with choices; Enter takes the selected one, Esc none.
#[derive(Clone, Debug, PartialEq)]
pub struct Popup {
    /// What it is about.
    pub title: String,
    /// What to know before choosing.
    pub body: Vec<String>,
    /// The choices; the last one is always to leave things as they are.
    pub choices: Vec<Choice>,
    /// The selected choice.
    pub selected: usize,
    /// The read in which it was opened: a key of the same read cannot answer it.
    pub batch: u64,
}

/// A choice of a popup.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// A letter that selects (and does not take) it.
    pub letter: Option<char>,
    /// What it says.
    pub label: String,
    /// What it does.
    pub then: Then,
}

/// What a choice does.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// Nothing.
    Close,
    /// Sends a command.
    Submit(Command),
    /// Asks the house around the hub.
    Ask(Query),
    /// Opens this serial device in place of the present link, and keeps it in the configuration.
    UseAndKeep(PathBuf),
    /// Asks for a realtime action.
    Realtime(Realtime),
    /// Opens the question about the interrupted program.
    TakeUp,
    /// Opens the line for G-code with this in it.
    Type(String),
    /// Stops the machine, and leaves when it stands.
    StopAndQuit,
    /// Leaves at once.
    Quit,
}

/// A short message.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// When it goes away.
    pub until: Time,
}

/// What is known of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminalFacts {
    /// Kitty keyboard flags in force.
    pub kitty_flags: u8,
    /// The flags that were asked for.
    pub kitty_pushed: u8,
    /// It answers `CSI 5 n`.
    pub answers: bool,
}

/// What happens to the screen.
#[derive(Clone, Debug)]
pub enum Event {
    /// From the terminal.
    Input(InputEvent),
    /// From the hub's log.
    Log(LogEvent),
    /// To a question of this screen.
    Answer(Answer),
    /// There is a new snapshot.
    Snapshot,
    /// A time that [`Ui::poll_timeout`] named has come.
    Timeout,
    /// A command was refused at the door.
    Refused(String),
    /// Somebody asked to stop the process (SIGTSTP).
    SuspendAsked,
    /// A key was let go, as the keyboard itself tells on the Linux console.
    KeyUp,
    /// Somebody asked to interrupt it (SIGINT).
    QuitAsked,
    /// A frame was drawn.
    Seen(Seen),
}

/// What of a frame a person could read, where that decides what may be done next. Only who draws it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// In the question before a run, the last line of what is sent first.
    pub preamble: bool,
    /// Rows of text of that question; 0: it is not on the screen.
    pub rows: usize,
}

/// What the screen asks of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A realtime action.
    Realtime(Realtime),
    /// A command.
    Submit(Command),
    /// A question to the house around the hub.
    Ask(Query),
    /// `CSI 5 n`: a sign of life from the terminal.
    AskTerminal,
    /// Sets the kitty keyboard flags and asks which ones it took.
    SetKittyFlags(u8),
    /// The Esc key comes as a sequence of its own.
    EscapeIsWhole(bool),
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back and stop.
    Suspend,
    /// Leave.
    Quit(ExitReason),
}

/// Why the screen ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The user asked for it.
    Asked,
    /// The terminal is gone (SIGHUP, or an error on it).
    TerminalLost,
    /// SIGTERM or SIGQUIT.
    Terminated,
    /// The hub has ended.
    HubGone,
}

impl Ui {
    /// As it is at the start.
    pub fn new(mut settings: Settings) -> Self {
        let mdi = Editor::with_history(std::mem::take(&mut settings.history));
        Self {
            pad: JogPad::new(settings.jog.clone()),
            keymap: Keymap::new(&settings.keys).unwrap_or_default(),
            mode: Mode::Main,
            tab: Tab::Machine,
            units: settings.units,
            programs: Programs::default(),
            offsets: Offsets::default(),
            controller: Controller::default(),
            power: PowerPanel::default(),
            devices: Devices::default(),
            log: LogBook::default(),
            popup: None,
            recovery: None,
            alarms: AlarmHistory::default(),
            cancel_told: None,
            help: None,
            console: Console::default(),
            mdi,
            notice: None,
            terminal: TerminalFacts::default(),
            quitting: false,
            leaves_at: None,
            last_input: Time::ZERO,
            settings,
        }
    }

    /// Shows a short message.
    pub fn say(&mut self, text: impl Into<String>, tone: Tone, now: Time) {
        self.notice = Some(Notice { text: text.into(), tone, until: now + NOTICE_SHOWN });
    }

    /// Something lies over the body of the screen and has the keys.
    pub const fn is_covered(&self) -> bool {
        self.popup.is_some() || self.help.is_some() || self.recovery.is_some()
    }

    /// When something on the screen changes by time alone, or a gesture is due. None: never.
    pub fn poll_timeout(&self, snapshot: &Snapshot, now: Time) -> Option<Time> {
        let machine = &snapshot.machine;
        [
            (self.mode == Mode::Jog).then(|| self.pad.poll_timeout()),
            self.notice.as_ref().map(|notice| notice.until),
            self.leaves_at.map(|due| due.max(now)),
            machine.stop.as_ref().and_then(|stop| stop_hides_at(stop, now)),
            next_age_change(machine, now),
            next_countdown(machine, now),
            self.programs.poll_timeout(self.tab, snapshot, now),
            self.power.poll_timeout(self.tab, &snapshot.power, now),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// Whether a newer snapshot changes nothing on the screen.
pub fn sees_nothing_new(ui: &Ui, old: &Snapshot, new: &Snapshot, now: Time) -> bool {
    let shows_people = ui.tab == Tab::Devices && ui.devices.page == DevicesPage::Clients;
    says_nothing_new(old, new, now)
        && ui.power.sees_nothing_new(ui.tab, &old.power, &new.power, now)
        && (!shows_people || old.people == new.people)
}

/// The machine does something that leaving it alone would cut off.
pub fn machine_is_busy(machine: &Machine, now: Time) -> bool {
    let asleep = machine.fresh_state(now).is_some_and(|state| {
        matches!(state.kind, StateKind::Idle | StateKind::Alarm | StateKind::Sleep | StateKind::Check)
    });
    let nobody_there = machine.reported_at.is_none();
    machine.homing || machine.jog.is_some() || !(asleep || nobody_there)
}

/// Whether two snapshots of the same machine differ only in when they were made: one more report that says the same.
pub fn says_nothing_new(old: &Snapshot, new: &Snapshot, now: Time) -> bool {
    if age_text(old.machine.age(now)).is_some() || old.programs != new.programs || !old.sun.tells_the_same(&new.sun) {
        return false;
    }
    let mut old = old.machine.clone();
    old.reported_at = new.machine.reported_at;
    old.link.stats = new.machine.link.stats;
    old == new.machine
}

/// The stop that is to be shown now.
pub fn shown_stop(machine: &Machine, now: Time) -> Option<&Stop> {
    let stop = machine.stop.as_ref()?;
    (stop.phase == StopPhase::NotConfirmed || (!is_quiet(stop) && now < stop.at + STOP_SHOWN)).then_some(stop)
}

/// A jog cancel is what letting go of a key asks for. One that is obeyed deserves a word, not a banner that moves the
/// screen; a stop key asks for more than that and has its banner.
fn is_quiet(stop: &Stop) -> bool {
    stop.asked == Realtime::JogCancel && stop.phase != StopPhase::NotConfirmed
}

fn stop_hides_at(stop: &Stop, now: Time) -> Option<Time> {
    let at = stop.at + STOP_SHOWN;
    (stop.phase != StopPhase::NotConfirmed && !is_quiet(stop) && now < at).then_some(at)
}

/// Age as it is shown: nothing while it is as young as it should be, then in steps that do not flicker.
pub fn age_text(age: Age) -> Option<String> {
    match age {
        Age::Unknown | Age::Fresh => None,
        Age::Late(age) | Age::Stale(age) => Some(format!("{:.1} s old", (age.as_millis() / 500) as f64 / 2.0)),
        Age::Lost(age) if age < Duration::from_secs(60) => Some(format!("{} s old", age.as_secs())),
        Age::Lost(age) => Some(format!("{} min old", age.as_secs() / 60)),
    }
}

fn next_age_change(machine: &Machine, now: Time) -> Option<Time> {
    use crate::model::snapshot::STALE_AFTER;
    let at = machine.reported_at?;
    let after = |age: Duration, step: Duration| {
        let steps = age.as_micros() / step.as_micros() + 1;
        at + Duration::from_micros((step.as_micros() * steps) as u64)
    };
    match machine.age(now) {
        Age::Unknown => None,
        // "Late" begins just after twice the interval.
        Age::Fresh => Some((at + machine.report_interval * 2 + Duration::from_micros(1)).min(at + STALE_AFTER)),
        Age::Late(age) | Age::Stale(age) => Some(after(age, Duration::from_millis(500))),
        Age::Lost(age) if age < Duration::from_secs(60) => Some(after(age, Duration::from_secs(1))),
        Age::Lost(age) => Some(after(age, Duration::from_secs(60))),
    }
}

/// Whole seconds until the link is tried again.
pub fn countdown_s(machine: &Machine, now: Time) -> Option<u64> {
    match machine.link.state {
        LinkState::Down { retry_at, .. } => Some(retry_at.since(now).as_millis().div_ceil(1000) as u64),
        _ => None,
    }
}

fn next_countdown(machine: &Machine, now: Time) -> Option<Time> {
    let LinkState::Down { retry_at, .. } = machine.link.state else { return None };
    let left = countdown_s(machine, now).filter(|left| *left > 0)?;
    Some(retry_at - Duration::from_secs(left - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing;

    #[test]
    fn time_alone_changes_the_screen_only_when_a_report_is_late() {
        let snapshot = testing::idle();
        let ui = Ui::new(Settings::default());
        let at = snapshot.machine.reported_at.unwrap();
        let due = ui.poll_timeout(&snapshot, at).unwrap();
        assert!(due > at + snapshot.machine.report_interval * 2);
        assert_eq!(age_text(snapshot.machine.age(due - Duration::from_micros(1))), None);
        assert!(age_text(snapshot.machine.age(due)).is_some());
    }

    #[test]
    fn one_more_report_that_says_the_same_is_nothing_new() {
        let old = testing::idle();
        let mut new = old.clone();
        let now = testing::NOW + Duration::from_millis(200);
        (new.rev, new.at, new.machine.reported_at) = (old.rev + 1, now, Some(now));
        assert!(says_nothing_new(&old, &new, now));
        let much_later = testing::NOW + Duration::from_secs(3);
        assert!(!says_nothing_new(&old, &new, much_later), "an age is on the screen");
        new.machine.feed_mm_min = Some(1.0);
        assert!(!says_nothing_new(&old, &new, now));
    }

    #[test]
    fn every_timeout_lies_ahead_and_the_text_changes_there() {
        let snapshot = testing::idle();
        let ui = Ui::new(Settings::default());
        let mut now = snapshot.machine.reported_at.unwrap();
        for _ in 0..40 {
            let next = ui.poll_timeout(&snapshot, now).unwrap();
            assert!(next > now, "{next:?} after {now:?}");
            now = next;
        }
        assert!(now.since(Time::ZERO) > Duration::from_secs(20));
    }

    #[test]
    fn the_countdown_is_in_whole_seconds() {
        let snapshot = testing::lost();
        let ui = Ui::new(Settings::default());
        let LinkState::Down { retry_at, .. } = snapshot.machine.link.state else { panic!() };
        let now = retry_at - Duration::from_millis(2500);
        assert_eq!(countdown_s(&snapshot.machine, now), Some(3));
        assert!(ui.poll_timeout(&snapshot, now).unwrap() <= retry_at - Duration::from_millis(2000));
    }
}
