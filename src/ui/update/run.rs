//! Carries out the actions of the table.

use crossterm::event::KeyCode;

use super::jog::leave_jog_mode;
use super::leave::{quit_key, suspend};
use super::{BURST, PAGE, QUIET, offsets, popups, power, programs, recovery, stop_key, switches, watching};
use crate::model::desk::Query;
use crate::model::people::ControlOrder;
use crate::model::snapshot::Snapshot;
use crate::model::sun::SunOrder;
use crate::model::{Command, Realtime, Time};
use crate::ui::action::{self, Action, Danger};
use crate::ui::console::Tone;
use crate::ui::devices::Page;
use crate::ui::input::InputEvent;
use crate::ui::keymap::Chord;
use crate::ui::recovery::RecoveryPanel;
use crate::ui::state::{Effect, Mode, Palette, Tab, Ui};

/// Carries out an action of the table.
pub(super) fn run(ui: &mut Ui, action: Action, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    let danger = action::find(action).map_or(Danger::None, |row| row.danger);
    let is_burst = input.keys_in_batch >= BURST;
    if danger >= Danger::Changes && is_burst {
        ui.say("keys that came all at once were dropped: press again", Tone::Warning, now);
        return Vec::new();
    }
    if let Err(why) = action::available(action, snapshot, now) {
        if action == Action::AlarmPanel && !ui.alarms.is_empty() {
            let panel = RecoveryPanel { batch: input.batch, history: true, ..RecoveryPanel::default() };
            ui.recovery = Some(panel);
            return Vec::new();
        }
        ui.say(why.to_string(), Tone::Warning, now);
        return Vec::new();
    }
    match action {
        Action::Escape => return escape(ui, now),
        Action::Resume => {
            if now.since(ui.last_input) < QUIET {
                ui.say("resume needs a quiet moment before it: press ~ again", Tone::Warning, now);
                return Vec::new();
            }
            return programs::resume(ui, snapshot, input.batch, now)
                .unwrap_or_else(|| vec![Effect::Realtime(Realtime::CycleStart)]);
        }
        Action::JogMode if is_burst => {}
        Action::JogMode => {
            if let Some(why) = watching(ui, snapshot, now) {
                ui.say(why, Tone::Warning, now);
                return Vec::new();
            }
            // Jogging is looked at on the first tab.
            ui.tab = Tab::Machine;
            ui.mode = Mode::Jog;
            ui.pad.enter(now);
        }
        Action::Park => ui.popup = Some(popups::park(snapshot, input.batch)),
        Action::PutAway => return vec![Effect::Submit(Command::Sun(SunOrder::Dismiss))],
        Action::Mdi => ui.mode = Mode::Mdi,
        Action::Palette => ui.mode = Mode::Palette(Palette::default()),
        Action::Home => ui.popup = Some(popups::home(snapshot, input.batch)),
        Action::AlarmPanel => recovery::open(ui, snapshot, input.batch, now),
        Action::Zero => ui.popup = Some(popups::zero(snapshot, ui.units, input.batch)),
        Action::TakeControl => ui.popup = Some(popups::take_control(snapshot, input.batch)),
        Action::ReleaseControl => return give_back(ui, snapshot, now),
        Action::ShowLog => show(ui, Page::Log),
        Action::ShowClients => show(ui, Page::Clients),
        Action::Reconnect => return vec![Effect::Realtime(Realtime::ReconnectNow)],
        Action::Help => {
            let effects = leave_jog_mode(ui, now, None);
            ui.help = Some(0);
            return effects;
        }
        Action::WireView => ui.console.show_next(),
        Action::WireReports => ui.console.toggle_reports(),
        Action::ConsoleSave => return vec![Effect::Ask(Query::SaveConsole(ui.console.text()))],
        Action::ScrollBack => ui.console.scroll(-PAGE.cast_signed()),
        Action::ScrollOn => ui.console.scroll(PAGE.cast_signed()),
        Action::ScrollEnd => ui.console.follow(),
        Action::SwitchUnits => ui.units = ui.units.other(),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return suspend(ui, snapshot, now),
        Action::Quit => return quit_key(ui, input, snapshot),
        Action::StepPreset(index) => ui.pad.preset_step(usize::from(index)),
        Action::StepUp => ui.pad.next_step(1),
        Action::StepDown => ui.pad.next_step(-1),
        Action::StepTimesTen => ui.pad.scale_step(1),
        Action::StepOverTen => ui.pad.scale_step(-1),
        Action::NextExtraAxis => {
            if let Err(why) = ui.pad.next_extra(snapshot.machine.axis_count()) {
                ui.say(why, Tone::Warning, now);
            }
        }
        Action::LatchJog => {
            if let Err(why) = ui.pad.arm_latch(now) {
                ui.say(why, Tone::Warning, now);
            }
        }
        Action::FeedUp => ui.pad.next_feed(1),
        Action::FeedDown => ui.pad.next_feed(-1),
        Action::ToggleContinuous => ui.pad.continuous = !ui.pad.continuous,
        Action::Stop | Action::Hold | Action::StopProgram | Action::SoftReset => {
            return stop_key(ui, action, input, snapshot);
        }
        Action::Open(tab) => return open_tab(ui, tab, snapshot, now),
        Action::NextTab => return open_tab(ui, ui.tab.next(), snapshot, now),
        Action::PreviousTab => return open_tab(ui, ui.tab.previous(), snapshot, now),
        Action::Program(key) => return programs::act(ui, key, input, snapshot),
        Action::Power(key) => return power::act(ui, key, input, snapshot),
        Action::GoTo => ui.popup = Some(offsets::go_to(snapshot, now, input.batch)),
        Action::GoToPoint
        | Action::Undo
        | Action::OffsetActivate
        | Action::OffsetSet
        | Action::OffsetHalf
        | Action::OffsetClear
        | Action::OffsetStore => return offsets::act(ui, action, input, snapshot),
        Action::Overrides
        | Action::Door
        | Action::Flood
        | Action::Mist
        | Action::Spindle
        | Action::Outputs
        | Action::CheckMode
        | Action::Sleep => return switches::act(ui, action, input, snapshot),
        // Keys of a tab, of the overrides, of jog mode and of text fields: who has the keys then takes them.
        _ => {}
    }
    Vec::new()
}

/// Control goes back, if this screen has it.
fn give_back(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let control = snapshot.people.control.as_ref();
    if control.is_some_and(|control| control.client == ui.settings.me) {
        return vec![Effect::Submit(Command::Control(ControlOrder::Release))];
    }
    ui.say("you are not in control", Tone::Warning, now);
    Vec::new()
}

/// A page of the tab Devices.
fn show(ui: &mut Ui, page: Page) {
    ui.tab = Tab::Devices;
    ui.mode = Mode::Main;
    ui.devices.page = page;
}

/// Esc closes all that is open and always leaves jog mode: so what is left of a split Alt+key does nothing.
fn escape(ui: &mut Ui, now: Time) -> Vec<Effect> {
    ui.quitting = false;
    ui.notice = None;
    leave_jog_mode(ui, now, None)
}

pub(super) fn line_or_page(
    ui: &mut Ui,
    chord: Chord,
    action: Action,
    input: &InputEvent,
    snapshot: &Snapshot,
) -> Vec<Effect> {
    let lines = if matches!(chord.code, KeyCode::Up | KeyCode::Down) { 1 } else { PAGE.cast_signed() };
    match action {
        Action::ScrollBack => ui.console.scroll(-lines),
        Action::ScrollOn => ui.console.scroll(lines),
        _ => return run(ui, action, input, snapshot),
    }
    Vec::new()
}

pub(super) fn open_tab(ui: &mut Ui, tab: Tab, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    ui.tab = tab;
    ui.mode = Mode::Main;
    match tab {
        Tab::Devices => {
            ui.devices.page = Page::Ports;
            Vec::new()
        }
        Tab::Programs => programs::opened(ui, now),
        Tab::Power => power::opened(ui, snapshot, now),
        _ => Vec::new(),
    }
}
