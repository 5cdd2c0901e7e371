//! The help overlay's keys.

use crossterm::event::KeyCode;

use super::{PAGE, run};
use crate::model::Snapshot;
use crate::ui::action::{Action, Context, TABLE};
use crate::ui::input::InputEvent;
use crate::ui::keymap::{Bound, Chord};
use crate::ui::state::{Effect, Ui};

/// A key while the help is open: it scrolls or closes; only leaving and redrawing act besides.
pub(super) fn key(ui: &mut Ui, chord: Chord, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let scroll = ui.help.unwrap_or_default();
    // Past the end is the end: the view knows how many lines there are.
    let last = 2 * TABLE.len();
    ui.help = match chord.code {
        KeyCode::Up => Some(scroll.saturating_sub(1)),
        KeyCode::Down => Some((scroll + 1).min(last)),
        KeyCode::PageUp => Some(scroll.saturating_sub(PAGE)),
        KeyCode::PageDown => Some((scroll + PAGE).min(last)),
        KeyCode::Home => Some(0),
        KeyCode::End => Some(last),
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | '?') | KeyCode::F(1) if chord.modifiers.is_empty() => None,
        _ => {
            return match ui.keymap.lookup(Context::Global, chord) {
                Some(Bound::Action(action @ (Action::Redraw | Action::Quit))) => run(ui, action, input, snapshot),
                _ => Vec::new(),
            };
        }
    };
    Vec::new()
}
