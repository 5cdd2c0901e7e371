//! What comes from the terminal: keys, pastes, focus, and its answers.

use crossterm::event::{KeyCode, KeyEventKind};

use super::jog::{cancel_jog, leave_jog_mode};
use super::{key_event, panel};
use crate::model::snapshot::Snapshot;
use crate::model::{Realtime, Time};
use crate::ui::console::Tone;
use crate::ui::input::{Input, InputEvent};
use crate::ui::state::{Effect, Mode, Ui};

/// Report event types, disambiguate, alternate keys, all keys, text: all five are needed to get releases of
/// letters and still know which sign a key makes on the user's layout.
const KITTY_ALL: u8 = 31;
/// Disambiguate and event types: releases of arrows only, letters stay text.
const KITTY_ARROWS: u8 = 3;

pub(super) fn input_event(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    if matches!(input.what, Input::Key(_) | Input::Paste(_) | Input::PasteTooLong) && !is_release(input) {
        ui.leaves_at = None;
    }
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

fn is_release(input: &InputEvent) -> bool {
    matches!(&input.what, Input::Key(key) if key.kind == KeyEventKind::Release)
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
pub(super) fn key_up(ui: &mut Ui, now: Time) -> Vec<Effect> {
    // A latched jog goes on without the key that started it.
    let held = ui.pad.moving().is_some() && ui.pad.latch().moving().is_none();
    if ui.mode == Mode::Jog && held && ui.pad.block(now) {
        return vec![Effect::Realtime(Realtime::JogCancel)];
    }
    Vec::new()
}

pub(super) fn reports_release(ui: &Ui, code: KeyCode) -> bool {
    let flags = ui.terminal.kitty_flags;
    flags & 2 != 0 && (flags & 8 != 0 || !matches!(code, KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab))
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
