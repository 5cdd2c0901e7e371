//! Keys in, effects out. Total and free of IO: every event in every mode has an answer.

mod controller;
mod devices;
mod help;
mod leave;
mod mdi;
mod offsets;
pub mod panel;
mod popups;
mod recovery;
mod switches;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use self::leave::{is_busy, quit, suspend};
use super::action::{self, Action, Context, Danger, TABLE};
use super::app::ExitReason;
use super::console::{Tone, is_failure};
use super::input::{Input, InputEvent};
use super::jog::{JogAct, JogKey, KeyFacts};
use super::keymap::{Bound, Chord};
use super::recovery::RecoveryPanel;
use super::state::{Effect, Event, Mode, Palette, Tab, Then, Ui};
use crate::model::desk::Query;
use crate::model::snapshot::{Snapshot, StopPhase};
use crate::model::{Command, Realtime, StateKind, Time, legal};

/// A key that starts motion without a question counts only after this long without input, so that neither the
/// tail of a split sequence nor a burst can be it.
const QUIET: Duration = Duration::from_millis(100);
/// So many keys in one read are a backlog or an unmarked paste, not typing.
const BURST: usize = 3;
/// Report event types, disambiguate, alternate keys, all keys, text: all five are needed to get releases of
/// letters and still know which sign a key makes on the user's layout.
const KITTY_ALL: u8 = 31;
/// Disambiguate and event types: releases of arrows only, letters stay text.
const KITTY_ARROWS: u8 = 3;
/// Lines of a page of console or help.
const PAGE: usize = 6;

/// Takes an event; the effects are to be carried out in order.
pub fn update(ui: &mut Ui, event: &Event, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    match event {
        Event::Input(input) => input_event(ui, input, snapshot),
        Event::Log(event) => {
            ui.console.take(event);
            if ui.pad.moving().is_some() && is_failure(event) { cancel_jog(ui, now) } else { Vec::new() }
        }
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
    }
}

fn input_event(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    match &input.what {
        Input::Key(key) => {
            let effects = key_event(ui, key, input, snapshot);
            ui.last_input = now;
            effects
        }
        Input::EscPending => cancel_jog(ui, now),
        Input::Paste(text) => {
            ui.last_input = now;
            paste(ui, text, now)
        }
        Input::PasteTooLong => {
            ui.say("that paste is too long for a line: put it in a file", Tone::Warning, now);
            cancel_jog(ui, now)
        }
        Input::FocusGained => Vec::new(),
        Input::FocusLost => leave_jog_mode(ui, now, Some("jog mode left: this window lost the focus")),
        Input::TerminalOk => {
            ui.terminal.answers = true;
            ui.pad.can_prove = !ui.settings.multiplexed;
            ui.pad.proved();
            Vec::new()
        }
        Input::KittyFlags(flags) => kitty_flags(ui, *flags),
    }
}

/// First answer: the protocol is known, so ask for releases. Second answer: what the terminal gave.
fn kitty_flags(ui: &mut Ui, flags: u8) -> Vec<Effect> {
    if ui.terminal.kitty_pushed == 0 {
        if !ui.settings.ask_key_releases {
            return Vec::new();
        }
        ui.terminal.kitty_pushed = KITTY_ALL;
        return vec![Effect::SetKittyFlags(KITTY_ALL)];
    }
    // "All keys" without their text cannot be read: which sign is Shift+1 here?
    if flags & 8 != 0 && flags & 16 == 0 && ui.terminal.kitty_pushed == KITTY_ALL {
        ui.terminal.kitty_pushed = KITTY_ARROWS;
        return vec![Effect::SetKittyFlags(KITTY_ARROWS)];
    }
    ui.terminal.kitty_flags = flags;
    vec![Effect::EscapeIsWhole(flags & 1 != 0)]
}

/// Repeats of the key may still be on their way through the terminal, so the pad waits for a quiet moment afterwards.
fn key_up(ui: &mut Ui, now: Time) -> Vec<Effect> {
    if ui.mode == Mode::Jog && ui.pad.moving().is_some() && ui.pad.block(now) {
        return vec![Effect::Realtime(Realtime::JogCancel)];
    }
    Vec::new()
}

fn reports_release(ui: &Ui, code: KeyCode) -> bool {
    let flags = ui.terminal.kitty_flags;
    flags & 2 != 0 && (flags & 8 != 0 || !matches!(code, KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab))
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

fn open_tab(ui: &mut Ui, tab: Tab) {
    ui.tab = tab;
    ui.mode = Mode::Main;
}

fn line_or_page(ui: &mut Ui, chord: Chord, action: Action, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let lines = if matches!(chord.code, KeyCode::Up | KeyCode::Down) { 1 } else { PAGE.cast_signed() };
    match action {
        Action::ScrollBack => ui.console.scroll(-lines),
        Action::ScrollOn => ui.console.scroll(lines),
        _ => return run(ui, action, input, snapshot),
    }
    Vec::new()
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

fn jog_key(ui: &mut Ui, jog: JogKey, key: &KeyEvent, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    let axis_count = snapshot.machine.axis_count();
    if let Err(why) = action::available(Action::JogMode, snapshot, now) {
        ui.say(why.to_string(), Tone::Warning, now);
        return cancel_jog(ui, now);
    }
    let facts = KeyFacts {
        at: now,
        kind: key.kind,
        keys_in_batch: input.keys_in_batch,
        batch: input.batch,
        reports_release: reports_release(ui, key.code),
    };
    let acts = ui.pad.key(jog, facts, axis_count);
    jog_effects(ui, acts, now)
}

fn jog_effects(ui: &mut Ui, acts: Vec<JogAct>, now: Time) -> Vec<Effect> {
    let mut effects = Vec::new();
    for act in acts {
        effects.push(match act {
            JogAct::Step(distance, feed_mm_min) => Effect::Submit(Command::JogStep { distance, feed_mm_min }),
            JogAct::Continue(vector, lease) => Effect::Submit(Command::JogContinue { vector, lease }),
            JogAct::Cancel => Effect::Realtime(Realtime::JogCancel),
            JogAct::Prove => Effect::AskTerminal,
            JogAct::Say(text) => {
                ui.say(text, Tone::Warning, now);
                continue;
            }
        });
    }
    effects
}

/// Cancels continuous motion if there is any; the keys must fall quiet before the next.
fn cancel_jog(ui: &mut Ui, now: Time) -> Vec<Effect> {
    if ui.mode == Mode::Jog && ui.pad.block(now) {
        return vec![Effect::Realtime(Realtime::JogCancel)];
    }
    Vec::new()
}

fn leave_jog_mode(ui: &mut Ui, now: Time, why: Option<&str>) -> Vec<Effect> {
    if ui.mode != Mode::Jog {
        return Vec::new();
    }
    let effects = cancel_jog(ui, now);
    ui.mode = Mode::Main;
    if let Some(why) = why {
        ui.say(why, Tone::Plain, now);
    }
    effects
}

/// Pasted text is text: it goes where text is typed and nowhere else.
fn paste(ui: &mut Ui, text: &str, now: Time) -> Vec<Effect> {
    if ui.is_covered() {
        return Vec::new();
    }
    match &mut ui.mode {
        Mode::Mdi => ui.mdi.insert(text),
        Mode::Palette(palette) => palette.filter.insert(text),
        Mode::Field => panel::paste(ui, text),
        Mode::Main | Mode::Jog | Mode::Override(_) => {
            ui.say("pasted text does nothing here; Enter opens the line for G-code", Tone::Plain, now);
        }
    }
    cancel_jog(ui, now)
}

fn text_key(ui: &mut Ui, chord: Chord, kind: KeyEventKind, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    match (ui.keymap.lookup(Context::Text, chord), chord.code) {
        (_, KeyCode::Esc) => {
            ui.mode = Mode::Main;
            return Vec::new();
        }
        (_, KeyCode::F(1)) => return run(ui, Action::Help, input, snapshot),
        (Some(Bound::Action(Action::Accept)), _) => {
            // A line that came with a burst was not typed, so its Enter was not either.
            if kind == KeyEventKind::Press && input.keys_in_batch < BURST {
                return accept(ui, input, snapshot);
            }
            return Vec::new();
        }
        _ => {}
    }
    if ui.mode == Mode::Mdi
        && let Some(Bound::Action(action @ (Action::HistorySearch | Action::Complete))) =
            ui.keymap.lookup(Context::Text, chord)
    {
        mdi::key(ui, action, snapshot, input.at);
        return Vec::new();
    }
    let step = match ui.keymap.lookup(Context::Text, chord) {
        Some(Bound::Action(Action::HistoryBack)) => -1,
        Some(Bound::Action(Action::HistoryOn)) => 1,
        _ => 0,
    };
    let known = match (&mut ui.mode, step) {
        (Mode::Mdi, 0) => ui.mdi.key(chord),
        (Mode::Mdi, -1) => {
            ui.mdi.earlier();
            true
        }
        (Mode::Mdi, _) => {
            ui.mdi.later();
            true
        }
        (Mode::Palette(palette), 0) => {
            palette.selected = 0;
            palette.filter.key(chord)
        }
        (Mode::Palette(palette), step) => {
            let last = palette_rows(&palette.filter.text()).len().saturating_sub(1);
            palette.selected = palette.selected.saturating_add_signed(step).min(last);
            true
        }
        _ => true,
    };
    if known {
        return Vec::new();
    }
    match ui.keymap.lookup(Context::Global, chord) {
        Some(Bound::Action(action)) => run(ui, action, input, snapshot),
        _ => Vec::new(),
    }
}

/// Rows of the palette that match what was typed.
pub fn palette_rows(filter: &str) -> Vec<&'static action::Row> {
    let filter = filter.trim().to_lowercase();
    TABLE
        .iter()
        .filter(|row| matches!(row.context, Context::Main | Context::Global | Context::Stop))
        .filter(|row| row.action != Action::Palette && row.action != Action::Escape)
        .filter(|row| row.name.contains(&filter) || row.help.to_lowercase().contains(&filter))
        .collect()
}

fn accept(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    if let Mode::Palette(palette) = &ui.mode {
        let row = palette_rows(&palette.filter.text()).get(palette.selected).copied();
        ui.mode = Mode::Main;
        let Some(row) = row else { return Vec::new() };
        if row.context == Context::Stop {
            return stop_key(ui, row.action, input, snapshot);
        }
        let effects = run(ui, row.action, input, snapshot);
        // Enter opened this question, so a held Enter must not answer it.
        if let Some(popup) = &mut ui.popup {
            popup.selected = popup.choices.len().saturating_sub(1);
        }
        return effects;
    }
    let line = ui.mdi.text().trim().to_owned();
    if line.is_empty() {
        return Vec::new();
    }
    let command = Command::Mdi(line);
    // Kept in the field when it cannot be sent, so that it can be sent later.
    if let Err(why) = legal::check(&command, snapshot, now) {
        ui.say(format!("not sent: {why}"), Tone::Warning, now);
        return Vec::new();
    }
    let line = ui.mdi.take();
    ui.console.follow();
    vec![Effect::Submit(command), Effect::Ask(Query::SaveHistory(vec![line]))]
}

/// Carries out an action of the table.
fn run(ui: &mut Ui, action: Action, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
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
            return vec![Effect::Realtime(Realtime::CycleStart)];
        }
        Action::JogMode if is_burst => {}
        Action::JogMode => {
            // Jogging is looked at on the first tab.
            ui.tab = Tab::Machine;
            ui.mode = Mode::Jog;
            ui.pad.enter(now);
        }
        Action::Mdi => ui.mode = Mode::Mdi,
        Action::Palette => ui.mode = Mode::Palette(Palette::default()),
        Action::Home => ui.popup = Some(popups::home(snapshot, input.batch)),
        Action::AlarmPanel => recovery::open(ui, snapshot, input.batch, now),
        Action::Zero => ui.popup = Some(popups::zero(snapshot, input.batch)),
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
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return suspend(ui, snapshot, now),
        Action::Quit => return quit(ui, snapshot, now, input.batch),
        Action::StepPreset(index) => ui.pad.preset_step(usize::from(index)),
        Action::StepUp => ui.pad.next_step(1),
        Action::StepDown => ui.pad.next_step(-1),
        Action::StepTimesTen => ui.pad.scale_step(1),
        Action::StepOverTen => ui.pad.scale_step(-1),
        Action::FeedUp => ui.pad.next_feed(1),
        Action::FeedDown => ui.pad.next_feed(-1),
        Action::ToggleContinuous => ui.pad.continuous = !ui.pad.continuous,
        Action::Stop | Action::Hold | Action::StopProgram | Action::SoftReset => {
            return stop_key(ui, action, input, snapshot);
        }
        Action::Open(tab) => open_tab(ui, tab),
        Action::NextTab => open_tab(ui, ui.tab.next()),
        Action::PreviousTab => open_tab(ui, ui.tab.previous()),
        Action::Jog(_)
        | Action::Accept
        | Action::HistoryBack
        | Action::HistoryOn
        | Action::SettingsFilter
        | Action::SettingsEdit
        | Action::SettingsRead
        | Action::SettingsBackup
        | Action::SettingsBackups
        | Action::SettingsMark
        | Action::HistorySearch
        | Action::Complete
        | Action::PanelUp
        | Action::PanelDown
        | Action::ListPorts
        | Action::AskPort
        | Action::RememberPort
        | Action::Override(_) => {}
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
        | Action::CheckMode
        | Action::Sleep => return switches::act(ui, action, input, snapshot),
    }
    Vec::new()
}

/// Esc closes all that is open and always leaves jog mode: so what is left of a split Alt+key does nothing.
fn escape(ui: &mut Ui, now: Time) -> Vec<Effect> {
    ui.quitting = false;
    ui.notice = None;
    leave_jog_mode(ui, now, None)
}

fn new_snapshot(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    recovery::follow(ui, snapshot, now);
    tell_cancel(ui, snapshot, now);
    if ui.quitting && !is_busy(ui, snapshot, now) {
        return vec![Effect::Quit(ExitReason::Asked)];
    }
    if ui.mode != Mode::Jog {
        return Vec::new();
    }
    match legal::may_jog(snapshot, now) {
        Ok(()) => Vec::new(),
        Err(why) => leave_jog_mode(ui, now, Some(&format!("jog mode left: {why}"))),
    }
}

/// The end of a jog that a released key cancelled: a quiet word, unless something more important is being said.
fn tell_cancel(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    let Some(stop) = &snapshot.machine.stop else { return };
    let ended = stop.asked == Realtime::JogCancel && stop.phase == StopPhase::Stopped;
    if !ended || ui.cancel_told == Some(stop.at) {
        return;
    }
    ui.cancel_told = Some(stop.at);
    if ui.notice.as_ref().is_none_or(|notice| notice.tone == Tone::Quiet) {
        ui.say("jog ended: the machine stands", Tone::Quiet, now);
    }
}

fn timeout(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    if ui.notice.as_ref().is_some_and(|notice| now >= notice.until) {
        ui.notice = None;
    }
    if ui.mode != Mode::Jog {
        return Vec::new();
    }
    let (acts, idle) = ui.pad.handle_timeout(now, snapshot.machine.axis_count());
    let mut effects = jog_effects(ui, acts, now);
    if idle {
        effects.extend(leave_jog_mode(ui, now, Some("jog mode left: no key for a minute")));
    }
    effects.extend(new_snapshot(ui, snapshot, now));
    effects
}

/// Carries out what a popup's choice says.
fn take(ui: &mut Ui, then: Then, now: Time) -> Vec<Effect> {
    match then {
        Then::Close => Vec::new(),
        Then::Submit(command) => vec![Effect::Submit(command)],
        Then::Ask(query) => vec![Effect::Ask(query)],
        Then::Realtime(realtime) => vec![Effect::Realtime(realtime)],
        Then::Type(text) => {
            ui.mode = Mode::Mdi;
            ui.mdi.clear();
            ui.mdi.insert(text);
            Vec::new()
        }
        Then::StopAndQuit => {
            ui.quitting = true;
            ui.say("stopping the machine, then leaving (Esc stays)", Tone::Plain, now);
            vec![Effect::Realtime(Realtime::Stop)]
        }
        Then::Quit => vec![Effect::Quit(ExitReason::Asked)],
    }
}

#[cfg(test)]
mod junk;
#[cfg(test)]
mod tests;
