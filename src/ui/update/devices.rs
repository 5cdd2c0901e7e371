//! Keys of the tab Devices, and answers of the desk.

use crossterm::event::KeyCode;

use super::panel::PanelKey;
use super::popups;
use crate::model::Time;
use crate::model::desk::{Answer, Query};
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::devices::Page;
use crate::ui::state::{Effect, Mode, Ui};
use crate::ui::words::time_of_day;

/// Entries of a page.
const LOG_PAGE: isize = 10;

/// A key while the tab is open. `None`: the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    match ui.devices.page {
        Page::Ports => ports_key(ui, key),
        Page::Log => log_key(ui, key),
        Page::Clients => clients_key(ui, key),
    }
}

/// Pasted text for the search.
pub(super) fn paste(ui: &mut Ui, text: &str) {
    ui.log.filter.insert(text);
}

fn ports_key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    match key.action? {
        Action::PanelUp => ui.devices.select(-1),
        Action::PanelDown => ui.devices.select(1),
        Action::ListPorts => return Some(vec![Effect::Ask(Query::Ports)]),
        Action::AskPort => match ui.devices.ask() {
            Ok(query) => return Some(vec![Effect::Ask(query)]),
            Err(why) => ui.say(why, Tone::Warning, key.input.at),
        },
        Action::RememberPort => match ui.devices.current() {
            Some(port) => ui.popup = Some(popups::choose_port(port, key.snapshot, key.input.at, key.input.batch)),
            None => ui.say("no device is selected: list them first", Tone::Warning, key.input.at),
        },
        _ => return None,
    }
    Some(Vec::new())
}

fn clients_key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    let last = key.snapshot.people.clients.len().saturating_sub(1);
    match key.action? {
        Action::PanelUp => ui.devices.top = ui.devices.top.min(last).saturating_sub(1),
        Action::PanelDown => ui.devices.top = (ui.devices.top + 1).min(last),
        _ => return None,
    }
    Some(Vec::new())
}

fn log_key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    if ui.mode == Mode::Field {
        return search_key(ui, key);
    }
    match (key.action, key.chord.code) {
        (Some(Action::PanelUp), _) => ui.log.scroll(-1),
        (Some(Action::PanelDown), _) => ui.log.scroll(1),
        (_, KeyCode::PageUp) => ui.log.scroll(-LOG_PAGE),
        (_, KeyCode::PageDown) => ui.log.scroll(LOG_PAGE),
        (_, KeyCode::Home) => ui.log.scroll(isize::MIN),
        (_, KeyCode::End) => ui.log.follow(),
        (_, KeyCode::Esc) if !ui.log.filter.text().is_empty() => ui.log.filter.clear(),
        (Some(Action::LogFilter), _) => ui.mode = Mode::Field,
        (Some(Action::LogLevel), _) => ui.log.next_level(),
        (Some(Action::LogSave), _) => {
            let text = ui.log.text(|at| time_of_day(&ui.settings, at));
            return Some(vec![Effect::Ask(Query::SaveTable { name: "log".to_owned(), text })]);
        }
        _ => return None,
    }
    Some(Vec::new())
}

/// A key while the words to find are typed; Esc shows all again.
fn search_key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    match (key.action, key.chord.code) {
        (_, KeyCode::Esc) => ui.log.filter.clear(),
        (Some(Action::Accept), _) => ui.mode = Mode::Main,
        _ => {
            ui.log.follow();
            return ui.log.filter.key(key.chord).then(Vec::new);
        }
    }
    Some(Vec::new())
}

/// Takes an answer: to the Devices tab what is about devices, to the person what was done or could not be.
pub(super) fn answer(ui: &mut Ui, answer: &Answer, now: Time) -> Vec<Effect> {
    match ui.devices.take(answer) {
        Some(Ok(done)) => {
            ui.console.say(done.clone(), Tone::Plain);
            ui.say(done, Tone::Plain, now);
        }
        Some(Err(why)) => {
            ui.console.say(why.clone(), Tone::Warning);
            ui.say(why, Tone::Warning, now);
        }
        None => {}
    }
    Vec::new()
}
