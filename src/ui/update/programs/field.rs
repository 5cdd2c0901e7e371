//! Text fields of the tab Programs.

use crossterm::event::{KeyCode, KeyEventKind};

use super::{answers, ask, launch};
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::editor::Editor;
use crate::ui::programs::Field;
use crate::ui::state::{Effect, Mode, Ui};
use crate::ui::update::BURST;
use crate::ui::update::panel::PanelKey;

pub(super) fn open(ui: &mut Ui, field: Field) {
    ui.programs.field = field;
    ui.mode = Mode::Field;
}

fn close(ui: &mut Ui) {
    ui.programs.field = Field::None;
    ui.mode = Mode::Main;
}

/// The line that is typed in.
pub(super) fn editor(ui: &mut Ui) -> Option<&mut Editor> {
    let programs = &mut ui.programs;
    match programs.field {
        Field::None => None,
        Field::Filter => Some(&mut programs.browser.filter),
        Field::Goto => Some(&mut programs.number),
        Field::Word => programs.launch.as_mut().map(|launch| &mut launch.word),
        Field::Line => programs.launch.as_mut().map(|launch| &mut launch.line),
    }
}

/// A key while a field is open.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    let now = key.input.at;
    let is_filter = ui.programs.field == Field::Filter;
    match (key.action, key.chord.code) {
        (_, KeyCode::Esc) => {
            if is_filter {
                ui.programs.browser.filter.clear();
                answers::rest(ui, now);
            }
            close(ui);
        }
        (_, KeyCode::F(_)) => return None,
        (Some(Action::Accept), _) => {
            // A line that came with a burst was not typed, so its Enter was not either.
            if key.kind == KeyEventKind::Press && key.input.keys_in_batch < BURST {
                return Some(accept(ui, key));
            }
        }
        (Some(step @ (Action::HistoryBack | Action::HistoryOn)), _) if is_filter => {
            ui.programs.browser.select(if step == Action::HistoryBack { -1 } else { 1 });
            answers::rest(ui, now);
        }
        _ => {
            if ui.programs.field == Field::Line
                && let Some(launch) = &mut ui.programs.launch
                && std::mem::take(&mut launch.line_is_put)
                && matches!(key.chord.code, KeyCode::Char('0'..='9'))
            {
                launch.line.clear();
            }
            let known = editor(ui).is_some_and(|editor| editor.key(key.chord));
            if known && is_filter {
                ui.programs.browser.select(0);
                answers::rest(ui, now);
            }
            return known.then(Vec::new);
        }
    }
    Some(Vec::new())
}

fn accept(ui: &mut Ui, key: &PanelKey<'_>) -> Vec<Effect> {
    let now = key.input.at;
    match ui.programs.field {
        Field::None | Field::Filter => close(ui),
        Field::Goto => match line_number(&ui.programs.number.text()) {
            Ok(line) => {
                ui.programs.number.clear();
                close(ui);
                if let Some(path) = ui.programs.file.clone() {
                    ui.programs.text.look(&path, line);
                    return ui.programs.text.query().map(ask).into_iter().collect();
                }
            }
            Err(why) => ui.say(why, Tone::Warning, now),
        },
        Field::Word => {
            close(ui);
            launch::select_next(ui, key.snapshot, now);
        }
        Field::Line => {
            let Some(launch) = &mut ui.programs.launch else { return Vec::new() };
            match line_number(&launch.line.text()) {
                Ok(line) => {
                    launch.begin_at(line, now);
                    let queries = launch.queries();
                    close(ui);
                    return queries.into_iter().map(ask).collect();
                }
                // Kept in the field, to be mended.
                Err(why) => ui.say(why, Tone::Warning, now),
            }
        }
    }
    Vec::new()
}

/// A line's number as typed; blanks between thousands are fine.
fn line_number(text: &str) -> Result<u64, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match digits.parse() {
        Ok(0) | Err(_) => Err(format!("\"{}\" is not a line number: lines count from 1", text.trim())),
        Ok(line) => Ok(line),
    }
}
