//! Keys in the line for G-code and in the palette.

use crossterm::event::{KeyCode, KeyEventKind};

use super::run::run;
use super::{BURST, mdi, panel, programs, stop_key};
use crate::model::desk::Query;
use crate::model::snapshot::Snapshot;
use crate::model::{Command, legal};
use crate::ui::action::{Action, Context, Row, TABLE};
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::keymap::{Bound, Chord};
use crate::ui::state::{Effect, Mode, Tab, Ui};

pub(super) fn text_key(
    ui: &mut Ui,
    chord: Chord,
    kind: KeyEventKind,
    input: &InputEvent,
    snapshot: &Snapshot,
) -> Vec<Effect> {
    match (ui.keymap.lookup(Context::Text, chord), chord.code) {
        (_, KeyCode::Esc) => {
            ui.mode = Mode::Main;
            return Vec::new();
        }
        (_, KeyCode::F(1)) => return run(ui, Action::Help, input, snapshot),
        (Some(Bound::Action(Action::Accept)), _) => {
            // A line that came with a burst was not typed, so its Enter was not either.
            if kind == KeyEventKind::Press && input.keys_in_batch < BURST {
                return accept(ui, kind, input, snapshot);
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
            let last = palette_rows(&palette.filter.text(), ui.tab).len().saturating_sub(1);
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

/// Rows of the palette that match what was typed: those of the open tab, then those that hold on every tab.
pub fn palette_rows(filter: &str, tab: Tab) -> Vec<&'static Row> {
    let filter = filter.trim().to_lowercase();
    let matches = |row: &&Row| row.name.contains(&filter) || row.help.to_lowercase().contains(&filter);
    let own = TABLE.iter().filter(|row| row.context == Context::Tab(tab));
    let everywhere = TABLE
        .iter()
        .filter(|row| matches!(row.context, Context::Main | Context::Global | Context::Stop))
        .filter(|row| row.action != Action::Palette && row.action != Action::Escape);
    own.chain(everywhere).filter(matches).collect()
}

/// An action of the open tab goes the way of its key.
fn run_row(ui: &mut Ui, row: &Row, kind: KeyEventKind, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    if let Context::Tab(_) = row.context {
        let (chord, action) = (Chord::plain(KeyCode::Null), Some(row.action));
        let key = panel::PanelKey { chord, action, kind, input, snapshot };
        if let Some(effects) = panel::key(ui, &key) {
            return effects;
        }
    }
    run(ui, row.action, input, snapshot)
}

fn accept(ui: &mut Ui, kind: KeyEventKind, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    if let Mode::Palette(palette) = &ui.mode {
        let row = palette_rows(&palette.filter.text(), ui.tab).get(palette.selected).copied();
        ui.mode = Mode::Main;
        let Some(row) = row else { return Vec::new() };
        if row.context == Context::Stop {
            return stop_key(ui, row.action, input, snapshot);
        }
        let effects = run_row(ui, row, kind, input, snapshot);
        // Enter opened this question, so a held Enter must not answer it.
        if let Some(popup) = &mut ui.popup {
            popup.selected = popup.choices.len().saturating_sub(1);
        }
        programs::select_last(ui);
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
