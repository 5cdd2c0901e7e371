//! What the line for G-code does beside editing: searching the lines typed before, completing commands.

use std::fmt::Write as _;

use crate::model::{Snapshot, Time};
use crate::ui::action::Action;
use crate::ui::complete::{Completion, complete};
use crate::ui::console::Tone;
use crate::ui::state::Ui;

/// Most commands that are told of those that fit.
const TOLD: usize = 12;

/// Ctrl+R and Tab. Nothing is sent.
pub(super) fn key(ui: &mut Ui, action: Action, snapshot: &Snapshot, now: Time) {
    if action == Action::HistorySearch {
        if !ui.mdi.search() {
            ui.say("no earlier line holds that", Tone::Quiet, now);
        }
        return;
    }
    let firmware = snapshot.machine.identity.as_ref().map(|identity| identity.firmware);
    match complete(&ui.mdi.text(), firmware) {
        Completion::Whole(more) => ui.mdi.append(&more),
        Completion::Several { more, commands } => {
            ui.mdi.append(&more);
            let rest = commands.len().saturating_sub(TOLD);
            let mut words = commands.into_iter().take(TOLD).collect::<Vec<_>>().join("  ");
            if rest > 0 {
                let _ = write!(words, "  and {rest} more");
            }
            ui.say(words, Tone::Plain, now);
        }
        Completion::Nothing => ui.say("no $ command of this firmware begins so", Tone::Quiet, now),
    }
}
