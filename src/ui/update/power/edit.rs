//! Changing settings: the form, the times of windows, the filter. All of it goes into the change set.

use crossterm::event::{KeyCode, KeyEventKind};

use super::{asks, unit};
use crate::model::Time;
use crate::model::power::{SettingRow, Takes, Unit};
use crate::model::snapshot::Snapshot;
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::power::{Edge, Field, Form, PowerPage, SettingsView, Window, hhmm, read_time};
use crate::ui::state::{Effect, Mode, Ui};
use crate::ui::update::BURST;
use crate::ui::update::panel::PanelKey;

/// Minutes by which an arrow moves the end of a window.
const STEP: i32 = 15;

/// The selected setting.
pub(super) fn selected<'a>(ui: &'a Ui, unit: &Unit) -> Option<&'a SettingRow> {
    if ui.power.page != PowerPage::Settings || ui.power.view != SettingsView::List {
        return None;
    }
    let rows = ui.power.settings_left(&unit.known.name);
    rows.get(ui.power.selected.min(rows.len().saturating_sub(1))).copied()
}

/// Opens the form for the selected setting.
pub(super) fn open(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    let Some(unit) = unit(ui, snapshot) else { return };
    let Some(row) = selected(ui, unit).cloned() else { return };
    if let Takes::Nothing(why) = &row.takes {
        return ui.say(format!("{}: {why}", row.title), Tone::Warning, now);
    }
    if let Some(why) = &unit.read_only {
        return ui.say(format!("{}: {why}", unit.known.name), Tone::Warning, now);
    }
    let proposed = ui.power.changes.proposed(&unit.known.name, &row.id).map(str::to_owned);
    let form = Form::open(&row, proposed.as_deref(), &mut ui.power.typed);
    (ui.power.field, ui.mode) = (Field::Value(Box::new(form)), Mode::Field);
}

/// The selected end of a window: the window, and whether it is its beginning.
fn edge(ui: &Ui, unit: &Unit) -> Option<(Window, bool)> {
    let windows = ui.power.windows_of(&unit.known.name);
    let at = ui.power.selected.min((2 * windows.len()).saturating_sub(1));
    windows.into_iter().nth(at / 2).map(|window| (window, at.is_multiple_of(2)))
}

/// Opens the field for the time of the selected end of a window.
pub(super) fn open_time(ui: &mut Ui, snapshot: &Snapshot) {
    let Some((window, is_start)) = unit(ui, snapshot).and_then(|unit| edge(ui, unit)) else { return };
    let at = if is_start { window.start } else { window.end };
    ui.power.typed.clear();
    ui.power.typed.insert(&at.map_or(String::new(), hhmm));
    (ui.power.field, ui.mode) = (Field::Time, Mode::Field);
}

/// Moves the selected end of a window by a step.
pub(super) fn move_edge(ui: &mut Ui, by: i32, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let Some((window, is_start)) = unit(ui, snapshot).and_then(|unit| edge(ui, unit)) else { return Vec::new() };
    let Some(at) = (if is_start { window.start } else { window.end }) else {
        ui.say("that time is not known: Enter types one", Tone::Warning, now);
        return Vec::new();
    };
    let moved = (i32::from(at) + by * STEP).rem_euclid(1440) as u16;
    set_edge(ui, &window, is_start, moved, snapshot, now)
}

fn set_edge(ui: &mut Ui, window: &Window, is_start: bool, at: u16, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let edge = if is_start { Some(&window.start_edge) } else { window.end_edge.as_ref() };
    let wanted = edge.map(|edge: &Edge| edge.wanted(at));
    match wanted {
        Some(wanted) => collect(ui, wanted, snapshot, now),
        None => {
            ui.say("it lasts until the next window begins: move that one's beginning", Tone::Warning, now);
            Vec::new()
        }
    }
}

/// Puts changes into the change set.
fn collect(ui: &mut Ui, wanted: Vec<(String, String)>, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let Some(name) = unit(ui, snapshot).map(|unit| unit.known.name.clone()) else { return Vec::new() };
    let mut last = None;
    for (id, text) in wanted {
        match ui.power.changes.put(&name, &id, text) {
            Ok(query) => last = Some(query),
            Err(why) => {
                ui.say(why, Tone::Warning, now);
                return Vec::new();
            }
        }
    }
    asks(last)
}

/// Puts what was saved of the selected setting into the change set: it is looked at and asked about as any change.
pub(super) fn reapply(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let row = unit(ui, snapshot).and_then(|unit| selected(ui, unit)).cloned();
    let saved = row.and_then(|row| row.saved.map(|saved| (row.id, saved.text)));
    match saved {
        Some(saved) => {
            let effects = collect(ui, vec![saved], snapshot, now);
            if !effects.is_empty() {
                ui.say("what was saved is in the change set: w shows it, Enter there writes it", Tone::Plain, now);
            }
            effects
        }
        None => {
            ui.say("nothing was saved of this setting", Tone::Warning, now);
            Vec::new()
        }
    }
}

/// A key while a field is open.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    match (key.action, key.chord.code) {
        (_, KeyCode::Esc) => {
            if ui.power.field == Field::Filter {
                ui.power.filter.clear();
            }
            close(ui);
            return Some(Vec::new());
        }
        (Some(Action::Accept), _) => {
            // A line that came with a burst was not typed, so its Enter was not either.
            let typed = key.kind == KeyEventKind::Press && key.input.keys_in_batch < BURST;
            return Some(if typed { accept(ui, key) } else { Vec::new() });
        }
        _ => {}
    }
    let power = &mut ui.power;
    let known = match &mut power.field {
        Field::None => false,
        Field::Filter => {
            power.selected = 0;
            power.filter.key(key.chord)
        }
        Field::Time => power.typed.key(key.chord),
        Field::Value(form) => match (key.action, key.chord.code) {
            (Some(Action::HistoryBack), _) => {
                form.step(1, &mut power.typed);
                true
            }
            (Some(Action::HistoryOn), _) => {
                form.step(-1, &mut power.typed);
                true
            }
            (_, KeyCode::Char(' ')) if matches!(form.row.takes, Takes::AnyOf(_)) => {
                form.toggle();
                true
            }
            _ => {
                let known = power.typed.key(key.chord);
                if known && !form.words().is_empty() {
                    form.jump(&power.typed.text());
                }
                known
            }
        },
    };
    known.then(Vec::new)
}

fn close(ui: &mut Ui) {
    ui.power.field = Field::None;
    ui.power.typed.clear();
    ui.mode = Mode::Main;
}

fn accept(ui: &mut Ui, key: &PanelKey<'_>) -> Vec<Effect> {
    let now = key.input.at;
    let typed = ui.power.typed.text();
    match ui.power.field.clone() {
        Field::None | Field::Filter => {
            close(ui);
            Vec::new()
        }
        Field::Value(form) => match form.text(&typed) {
            // Kept in the field, to be mended.
            Err(why) => {
                ui.say(why, Tone::Warning, now);
                Vec::new()
            }
            Ok(text) => {
                close(ui);
                let effects = collect(ui, vec![(form.row.id, text)], key.snapshot, now);
                if !effects.is_empty() {
                    let n = ui.power.changes.wanted.len();
                    ui.say(
                        format!("{n} collected, nothing is written yet: w shows them, Enter there writes them"),
                        Tone::Plain,
                        now,
                    );
                }
                effects
            }
        },
        Field::Time => match read_time(&typed) {
            None => {
                ui.say(format!("{typed:?} is not a time such as 07:30"), Tone::Warning, now);
                Vec::new()
            }
            Some(at) => {
                close(ui);
                let Some((window, is_start)) = unit(ui, key.snapshot).and_then(|unit| edge(ui, unit)) else {
                    return Vec::new();
                };
                set_edge(ui, &window, is_start, at, key.snapshot, now)
            }
        },
    }
}
