//! Keys of the tab Devices, and answers of the desk.

use super::panel::PanelKey;
use super::popups;
use crate::model::Time;
use crate::model::desk::{Answer, Query};
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::state::{Effect, Ui};

/// A key while the tab is open. `None`: the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
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
