//! Keys of the tab Settings; see [`panel`](super::panel).

use crossterm::event::{KeyCode, KeyEventKind};

use super::BURST;
use super::panel::PanelKey;
use super::popups::confirm;
use crate::model::settings::{Access, Compared, Setting, check};
use crate::model::{Command, Snapshot, Time, legal};
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::controller::{Field, Page};
use crate::ui::state::{Effect, Mode, Then, Ui};

/// Rows of a page.
const PAGE: isize = 10;

/// A key while the tab is open. `None`: the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    if ui.mode == Mode::Field {
        return field_key(ui, key);
    }
    let len = rows(ui, key.snapshot);
    let typed = key.kind == KeyEventKind::Press && key.input.keys_in_batch < BURST;
    match (key.action, key.chord.code) {
        (Some(Action::PanelUp), _) => ui.controller.select(-1, len),
        (Some(Action::PanelDown), _) => ui.controller.select(1, len),
        (_, KeyCode::PageUp) => ui.controller.select(-PAGE, len),
        (_, KeyCode::PageDown) => ui.controller.select(PAGE, len),
        (_, KeyCode::Home) => ui.controller.selected = 0,
        (_, KeyCode::End) => ui.controller.selected = len.saturating_sub(1),
        (_, KeyCode::Esc) => match ui.controller.page {
            Page::List if ui.controller.filter.text().is_empty() => return None,
            Page::List => ui.controller.filter.clear(),
            Page::Backups => ui.controller.turn(Page::List),
            Page::Compared => ui.controller.turn(Page::Backups),
        },
        (Some(Action::SettingsFilter), _) => {
            ui.controller.turn(Page::List);
            open(ui, Field::Filter);
        }
        (Some(Action::SettingsRead), _) if typed => return Some(submit(ui, Command::ReadSettings, key)),
        (Some(Action::SettingsBackup), _) if typed => return Some(submit(ui, Command::BackupSettings, key)),
        (Some(Action::SettingsBackups), _) => {
            let next = if ui.controller.page == Page::List { Page::Backups } else { Page::List };
            ui.controller.turn(next);
        }
        (Some(Action::SettingsMark), _) if ui.controller.page == Page::Backups => {
            let name = key.snapshot.kept.names.get(ui.controller.selected).cloned();
            ui.controller.marked = if ui.controller.marked == name { None } else { name };
        }
        (Some(Action::SettingsEdit), _) if typed => return Some(take(ui, key)),
        (Some(Action::SettingsEdit | Action::SettingsRead | Action::SettingsBackup | Action::SettingsMark), _) => {}
        _ => return None,
    }
    Some(Vec::new())
}

/// Pasted text for the open field.
pub(super) fn paste(ui: &mut Ui, text: &str) {
    match ui.controller.field {
        Field::None => {}
        Field::Filter => ui.controller.filter.insert(text),
        Field::Value(_) | Field::Word(_) => ui.controller.value.insert(text),
    }
}

fn rows(ui: &Ui, snapshot: &Snapshot) -> usize {
    match ui.controller.page {
        Page::List => ui.controller.rows(&snapshot.machine.settings).len(),
        Page::Backups => snapshot.kept.names.len(),
        Page::Compared => match &snapshot.kept.compared {
            Some(Compared::Machine { plan, .. }) => plan.set.len() + plan.left.len(),
            Some(Compared::Files { changes, .. }) => changes.len(),
            None => 0,
        },
    }
}

fn open(ui: &mut Ui, field: Field) {
    ui.controller.field = field;
    ui.mode = Mode::Field;
}

fn close(ui: &mut Ui) {
    ui.controller.field = Field::None;
    ui.controller.value.clear();
    ui.mode = Mode::Main;
}

fn submit(ui: &mut Ui, command: Command, key: &PanelKey<'_>) -> Vec<Effect> {
    if let Err(why) = legal::check(&command, key.snapshot, key.input.at) {
        ui.say(why.to_string(), Tone::Warning, key.input.at);
        return Vec::new();
    }
    vec![Effect::Submit(command)]
}

/// Enter on a row.
fn take(ui: &mut Ui, key: &PanelKey<'_>) -> Vec<Effect> {
    let now = key.input.at;
    match ui.controller.page {
        Page::List => {
            let chosen =
                ui.controller.rows(&key.snapshot.machine.settings).get(ui.controller.selected).copied().cloned();
            let Some(row) = chosen else { return Vec::new() };
            if let Access::ReadOnly(why) = &row.access {
                ui.say(format!("{}: {why}", row.label()), Tone::Warning, now);
                return Vec::new();
            }
            ui.controller.value.clear();
            if !row.is_hidden() {
                ui.controller.value.insert(&row.value);
            }
            open(ui, Field::Value(row.key));
            Vec::new()
        }
        Page::Backups => {
            let Some(name) = key.snapshot.kept.names.get(ui.controller.selected).cloned() else { return Vec::new() };
            let with = ui.controller.marked.take().filter(|marked| *marked != name);
            let command = match with {
                Some(marked) => Command::CompareBackup { name: marked, with: Some(name) },
                None => Command::CompareBackup { name, with: None },
            };
            let effects = submit(ui, command, key);
            if !effects.is_empty() {
                ui.controller.turn(Page::Compared);
            }
            effects
        }
        Page::Compared => restore(ui, key),
    }
}

/// Enter on a comparison with the machine: asks, and needs the word for a backup of another machine.
fn restore(ui: &mut Ui, key: &PanelKey<'_>) -> Vec<Effect> {
    let Some(Compared::Machine { name, strange, plan }) = &key.snapshot.kept.compared else { return Vec::new() };
    if plan.set.is_empty() {
        ui.say("there is nothing to set: the machine has these values", Tone::Plain, key.input.at);
    } else if strange.is_empty() {
        ask_restore(ui, name, String::new(), key);
    } else {
        ui.controller.value.clear();
        open(ui, Field::Word(name.clone()));
    }
    Vec::new()
}

fn ask_restore(ui: &mut Ui, name: &str, word: String, key: &PanelKey<'_>) {
    let Some(Compared::Machine { plan, .. }) = &key.snapshot.kept.compared else { return };
    let command = Command::RestoreSettings { name: name.to_owned(), word };
    let mut body = vec![format!(
        "{} settings are set, one at a time, each read back. It stops at the first that fails.",
        plan.set.len()
    )];
    body.extend(plan.set.iter().take(6).map(ToString::to_string));
    if plan.set.len() > 6 {
        body.push(format!("and {} more, in the list behind", plan.set.len() - 6));
    }
    ui.popup = Some(confirm("Restore settings", body, "Set them", Then::Submit(command), key.input.batch));
}

fn field_key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    let now = key.input.at;
    match (key.action, key.chord.code) {
        (_, KeyCode::Esc) => {
            if ui.controller.field == Field::Filter {
                ui.controller.filter.clear();
            }
            close(ui);
        }
        (Some(Action::Accept), _) => {
            // A line that came with a burst was not typed, so its Enter was not either.
            if key.kind == KeyEventKind::Press && key.input.keys_in_batch < BURST {
                accept(ui, key, now);
            }
        }
        _ => {
            let known = match ui.controller.field {
                Field::Filter => {
                    ui.controller.selected = 0;
                    ui.controller.filter.key(key.chord)
                }
                _ => ui.controller.value.key(key.chord),
            };
            return known.then(Vec::new);
        }
    }
    Some(Vec::new())
}

fn accept(ui: &mut Ui, key: &PanelKey<'_>, now: Time) {
    let text = ui.controller.value.text();
    match ui.controller.field.clone() {
        Field::None => close(ui),
        Field::Filter => {
            ui.controller.field = Field::None;
            ui.mode = Mode::Main;
        }
        Field::Word(name) => {
            close(ui);
            ask_restore(ui, &name, text, key);
        }
        Field::Value(of) => {
            let Some(row) = key.snapshot.machine.settings.find(&of) else { return close(ui) };
            match check(row, &text) {
                // Kept in the field, to be mended.
                Err(why) => ui.say(why.to_string(), Tone::Warning, now),
                Ok(value) if value == row.value => {
                    close(ui);
                    ui.say(format!("{} has that value already", row.label()), Tone::Plain, now);
                }
                Ok(value) => {
                    close(ui);
                    ask_set(ui, row, value, key.input.batch);
                }
            }
        }
    }
}

fn ask_set(ui: &mut Ui, row: &Setting, value: String, batch: u64) {
    let shown = |value: &str| match row.words(value) {
        Some(words) => format!("{value} ({words})"),
        None => format!("{value} {}", row.unit).trim_end().to_owned(),
    };
    let mut body = vec![row.name.clone(), format!("{} -> {}", shown(&row.value), shown(&value))];
    if row.access == Access::UntilRestart {
        body.push("It holds until the controller restarts; config.yaml says what holds then.".to_owned());
    }
    if row.needs_restart {
        body.push("It takes effect when the controller restarts.".to_owned());
    }
    if !row.caution.is_empty() {
        body.push(format!("Caution: {}", row.caution));
    }
    let command = Command::SetSetting { key: row.key.clone(), value };
    ui.popup =
        Some(confirm(format!("Change {}", row.label()), body, "Set it and read it back", Then::Submit(command), batch));
}

#[cfg(test)]
mod tests;
