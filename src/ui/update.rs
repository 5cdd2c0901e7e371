//! Keys in, effects out. Total and free of IO: every event in every mode has an answer.

mod controller;
mod devices;
mod help;
mod input;
mod jog;
mod leave;
mod mdi;
mod offsets;
mod outputs;
pub mod panel;
mod popups;
mod power;
mod programs;
mod recovery;
mod run;
mod switches;
mod text;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use self::input::{input_event, key_up};
use self::jog::{cancel_jog, jog_effects, jog_key, leave_jog_mode, tell_cancel};
use self::leave::{is_busy, quit, quit_in_quiet, suspend};
use self::run::{line_or_page, run};
pub use self::text::palette_rows;
use self::text::text_key;
use super::action::{Action, Context};
use super::console::{Tone, is_failure};
use super::input::InputEvent;
use super::keymap::{Bound, Chord};
use super::programs::facts;
use super::state::{Effect, Event, ExitReason, Mode, Tab, Then, Ui};
use crate::model::command::{Origin, Outcome};
use crate::model::desk::{Answer, Query};
use crate::model::hub::LogEvent;
use crate::model::log::LogItem;
use crate::model::snapshot::Snapshot;
use crate::model::{Command, Endpoint, Realtime, StateKind, Time, legal};

/// A key that starts motion without a question counts only after this long without input, so that neither the
/// tail of a split sequence nor a burst can be it.
const QUIET: Duration = Duration::from_millis(100);
/// So many keys in one read are a backlog or an unmarked paste, not typing.
const BURST: usize = 3;
/// Lines of a page of console or help.
const PAGE: usize = 6;

/// Takes an event; the effects are to be carried out in order.
pub fn update(ui: &mut Ui, event: &Event, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let mut effects = take_event(ui, event, snapshot, now);
    // Keys that go past the queue are not judged by the hub as commands are.
    effects.retain(|effect| {
        let Effect::Realtime(realtime) = effect else { return true };
        let may = snapshot.people.may_press(*realtime, ui.settings.me, now);
        may.map_err(|why| ui.say(why.0, Tone::Warning, now)).is_ok()
    });
    effects
}

fn take_event(ui: &mut Ui, event: &Event, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    match event {
        Event::Input(input) => input_event(ui, input, snapshot),
        Event::Log(event) => {
            ui.console.take(event);
            ui.log.take(event);
            tell_failure(ui, event, now);
            if ui.pad.moving().is_some() && is_failure_of(ui, event) { cancel_jog(ui, now) } else { Vec::new() }
        }
        Event::Answer(Answer::Program(answer)) => programs::answer(ui, answer, snapshot, now),
        Event::Answer(Answer::Power(answer)) => power::answer(ui, answer),
        Event::Answer(answer) => devices::answer(ui, answer, now),
        Event::Snapshot => new_snapshot(ui, snapshot, now),
        Event::Timeout => timeout(ui, snapshot, now),
        Event::Refused(why) => {
            ui.say(why.clone(), Tone::Warning, now);
            if ui.mode == Mode::Jog && ui.pad.block(now) {
                return vec![Effect::Realtime(Realtime::JogCancel)];
            }
            Vec::new()
        }
        Event::SuspendAsked => suspend(ui, snapshot, now),
        Event::QuitAsked => quit(ui, snapshot, now, 0),
        Event::KeyUp => key_up(ui, now),
        Event::Seen(seen) => {
            programs::seen(ui, *seen);
            Vec::new()
        }
    }
}

fn key_event(ui: &mut Ui, key: &KeyEvent, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    if key.kind == KeyEventKind::Release {
        let acts = if ui.mode == Mode::Jog { ui.pad.released() } else { Vec::new() };
        return jog_effects(ui, acts, now);
    }
    let chord = Chord::of(key);
    let in_text = ui.mode.is_text() && !ui.is_covered();
    let is_text_key = chord.without_alt().modifiers.is_empty() && matches!(chord.code, KeyCode::Char(_));
    if let Some(action) = ui.keymap.stop(chord).filter(|_| !(in_text && is_text_key)) {
        return stop_key(ui, action, input, snapshot);
    }
    let bound = ui.keymap.lookup(Context::Jog, chord).filter(|_| ui.mode == Mode::Jog && !ui.is_covered());
    if let Some(Bound::Jog(jog)) = bound {
        return jog_key(ui, jog, key, input, snapshot);
    }
    // Any other key ends a continuous jog and does nothing else, but for Esc, which also leaves jog mode.
    if ui.mode == Mode::Jog && ui.pad.other_key(now) {
        let mut effects = vec![Effect::Realtime(Realtime::JogCancel)];
        if chord.code == KeyCode::Esc {
            effects.extend(leave_jog_mode(ui, now, None));
        }
        return effects;
    }
    if let Some(Bound::Action(action)) = bound {
        return run(ui, action, input, snapshot);
    }
    if ui.popup.is_some() {
        return popups::key(ui, chord, key.kind, input, snapshot);
    }
    if ui.help.is_some() {
        return help::key(ui, chord, input, snapshot);
    }
    if ui.recovery.is_some() {
        return recovery::key(ui, chord, key.kind, input, snapshot);
    }
    match ui.mode {
        Mode::Field => field_key(ui, chord, key.kind, input, snapshot),
        Mode::Mdi | Mode::Palette(_) => text_key(ui, chord, key.kind, input, snapshot),
        Mode::Main => main_key(ui, chord, key.kind, input, snapshot),
        Mode::Override(lane) => switches::override_key(ui, lane, chord, input, snapshot),
        Mode::Jog => match ui.keymap.action(Context::Global, chord) {
            Some(action) => run(ui, action, input, snapshot),
            None => Vec::new(),
        },
    }
}

/// Tab switches, then the open tab's own keys, then what holds on every tab.
fn main_key(ui: &mut Ui, chord: Chord, kind: KeyEventKind, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let main = ui.keymap.action(Context::Main, chord);
    if !matches!(main, Some(Action::Open(_) | Action::NextTab | Action::PreviousTab)) {
        let own = ui.keymap.action(Context::Tab(ui.tab), chord);
        let action = own.or_else(|| ui.keymap.action(Context::Panel, chord));
        let key = panel::PanelKey { chord, action, kind, input, snapshot };
        if let Some(effects) = panel::key(ui, &key) {
            return effects;
        }
    }
    match main.or_else(|| ui.keymap.action(Context::Global, chord)) {
        Some(action) => line_or_page(ui, chord, action, input, snapshot),
        None => Vec::new(),
    }
}

/// A key in a text field of the open tab.
fn field_key(ui: &mut Ui, chord: Chord, kind: KeyEventKind, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let action = ui.keymap.action(Context::Text, chord);
    let effects = panel::key(ui, &panel::PanelKey { chord, action, kind, input, snapshot });
    if chord.code == KeyCode::Esc && ui.mode == Mode::Field {
        ui.mode = Mode::Main;
        return effects.unwrap_or_default();
    }
    match (effects, ui.keymap.action(Context::Global, chord)) {
        (Some(effects), _) => effects,
        (None, Some(action)) if !matches!(chord.code, KeyCode::Char(_)) || !chord.modifiers.is_empty() => {
            run(ui, action, input, snapshot)
        }
        _ => Vec::new(),
    }
}

/// The stop keys: nothing asks, nothing is in the way; the hub knows what each means in each state.
fn stop_key(ui: &mut Ui, action: Action, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    let realtime = match action {
        Action::Hold => Realtime::FeedHold,
        Action::StopProgram => Realtime::StopProgram,
        Action::SoftReset => {
            let is_idle = snapshot.machine.fresh_state(now).is_some_and(|state| state.kind == StateKind::Idle);
            if is_idle && ui.pad.moving().is_none() {
                leave_jog_mode(ui, now, None);
                ui.popup = Some(popups::reset_when_idle(input.batch));
                return Vec::new();
            }
            Realtime::SoftReset
        }
        _ => Realtime::Stop,
    };
    ui.pad.block(now);
    vec![Effect::Realtime(realtime)]
}

fn new_snapshot(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    ui.pad.link = snapshot.people.link_delay(ui.settings.me);
    recovery::follow(ui, snapshot, now);
    tell_cancel(ui, snapshot, now);
    let mut effects = programs::follow(ui, snapshot, now);
    effects.extend(power::follow(ui, snapshot, now));
    if ui.quitting && !is_busy(ui, snapshot, now) {
        return vec![Effect::Quit(ExitReason::Asked)];
    }
    if ui.mode == Mode::Jog
        && let Err(why) = legal::may_jog(snapshot, now)
    {
        effects.extend(leave_jog_mode(ui, now, Some(&format!("jog mode left: {why}"))));
    }
    if let Some(why) = watching(ui, snapshot, now).filter(|_| ui.mode == Mode::Jog) {
        effects.extend(leave_jog_mode(ui, now, Some(&format!("jog mode left: {why}"))));
    }
    effects
}

/// Why the keys of this screen move nothing: another one is in control.
fn watching(ui: &Ui, snapshot: &Snapshot, now: Time) -> Option<String> {
    snapshot.people.refusal(&Origin::Screen(ui.settings.me), now)?;
    let control = snapshot.people.control.as_ref()?;
    Some(format!("{} is in control: take control first", control.who))
}

/// What this screen asked for and did not get has to be seen on tabs without a console too; that somebody else is in
/// control, or that this client may not, everywhere.
fn tell_failure(ui: &mut Ui, event: &LogEvent, now: Time) {
    if !is_failure_of(ui, event) {
        return;
    }
    if let LogEvent::Entry(entry) = event
        && let LogItem::Outcome { outcome: Outcome::Refused(why), .. } = &entry.what
        && (why.is_about_control() || why.is_about_role())
    {
        return ui.say(why.0.clone(), Tone::Warning, now);
    }
    if matches!(ui.tab, Tab::Programs | Tab::Power) {
        let said = ui.console.lines().next_back().map(|line| format!("{}: {}", line.text, line.answer));
        if let Some(text) = said {
            ui.say(text, Tone::Warning, now);
        }
    }
}

/// Whether something that this screen asked for could not be done: what others ask in vain is no reason to end its jog.
fn is_failure_of(ui: &Ui, event: &LogEvent) -> bool {
    let LogEvent::Entry(entry) = event else { return false };
    let LogItem::Outcome { origin, .. } = &entry.what else { return false };
    origin.client().is_none_or(|client| client == ui.settings.me) && is_failure(event)
}

fn timeout(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    if ui.notice.as_ref().is_some_and(|notice| now >= notice.until) {
        ui.notice = None;
    }
    let mut effects = quit_in_quiet(ui, snapshot, now);
    effects.extend(programs::timeout(ui, now));
    effects.extend(power::timeout(ui, snapshot, now));
    if ui.mode != Mode::Jog {
        return effects;
    }
    let (acts, idle) = ui.pad.handle_timeout(now, snapshot.machine.axis_count());
    effects.extend(jog_effects(ui, acts, now));
    if idle {
        effects.extend(leave_jog_mode(ui, now, Some("jog mode left: no key for a minute")));
    }
    effects.extend(new_snapshot(ui, snapshot, now));
    effects
}

/// Carries out what a popup's choice says.
fn take(ui: &mut Ui, then: Then, snapshot: &Snapshot, batch: u64, now: Time) -> Vec<Effect> {
    match then {
        Then::Close => Vec::new(),
        Then::Submit(command) => vec![Effect::Submit(command)],
        Then::Ask(query) => vec![Effect::Ask(query)],
        Then::UseAndKeep(path) => vec![
            Effect::Submit(Command::UsePort(Endpoint::Serial(path.clone()))),
            Effect::Ask(Query::RememberPort(path)),
        ],
        Then::TakeUp => programs::take_up(ui, snapshot, batch, now),
        Then::Realtime(realtime) => vec![Effect::Realtime(realtime)],
        Then::Type(text) => {
            ui.mode = Mode::Mdi;
            ui.mdi.clear();
            ui.mdi.insert(&text);
            Vec::new()
        }
        Then::StopAndQuit => {
            ui.quitting = true;
            ui.say("stopping the machine, then leaving (Esc stays)", Tone::Plain, now);
            // A program that is paused stands still already, and has to end all the same.
            let runs = facts::open_run(snapshot).is_some();
            vec![Effect::Realtime(if runs { Realtime::StopProgram } else { Realtime::Stop })]
        }
        Then::Quit => vec![Effect::Quit(ExitReason::Asked)],
    }
}

#[cfg(test)]
mod junk;
#[cfg(test)]
mod tests;
