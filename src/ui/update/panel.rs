//! Hands keys to the panel of the tab that is open.

use crossterm::event::KeyEventKind;

use super::{controller, devices, offsets, power, programs};
use crate::model::Snapshot;
use crate::ui::action::Action;
use crate::ui::input::InputEvent;
use crate::ui::keymap::Chord;
use crate::ui::state::{Effect, Tab, Ui};

/// A key that no stop, question, help or tab switch has taken.
#[derive(Clone, Copy, Debug)]
pub struct PanelKey<'a> {
    /// The key.
    pub chord: Chord,
    /// Its action in the tab's own context ([`Context::Tab`](crate::ui::action::Context::Tab)), or in text fields
    /// (`Context::Text`) while one is open.
    pub action: Option<Action>,
    /// Pressed or repeated; a release never comes here.
    pub kind: KeyEventKind,
    /// Time and read it came with.
    pub input: &'a InputEvent,
    /// What is known of the machine.
    pub snapshot: &'a Snapshot,
}

/// The panel's answer: `None` where the key means nothing to it, and then the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    match ui.tab {
        Tab::Machine => None,
        Tab::Programs => programs::key(ui, key),
        Tab::Offsets => offsets::key(ui, key),
        Tab::Settings => controller::key(ui, key),
        Tab::Power => power::key(ui, key),
        Tab::Devices => devices::key(ui, key),
    }
}

/// Pasted text for the open text field of the open tab.
pub(super) fn paste(ui: &mut Ui, text: &str) {
    match ui.tab {
        Tab::Programs => programs::paste(ui, text),
        Tab::Offsets => offsets::paste(ui, text),
        Tab::Settings => controller::paste(ui, text),
        Tab::Power => power::paste(ui, text),
        Tab::Devices => devices::paste(ui, text),
        // No text field there.
        Tab::Machine => {}
    }
}

/// Moves the first shown row as the scroll keys say. `None`: no such key.
pub(super) fn scrolled(top: usize, action: Option<Action>) -> Option<usize> {
    match action? {
        Action::PanelUp => Some(top.saturating_sub(1)),
        Action::PanelDown => Some(top.saturating_add(1)),
        _ => None,
    }
}
