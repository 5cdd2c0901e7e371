//! Keys of the way out of an alarm. Enter takes the selected way of the present step, Esc closes; letters select, and
//! type the word where one is asked for. Nothing is sent unasked.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEventKind, KeyModifiers};

use super::popups::is_answer;
use super::run;
use crate::model::command::HomeTarget;
use crate::model::{Command, Realtime, Snapshot, Time};
use crate::ui::action::{Action, Context};
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::keymap::Chord;
use crate::ui::recovery::{Does, Guide, RecoveryPanel, UNLOCK_WORD, guide, present_alarm};
use crate::ui::state::{Effect, Ui};

/// How long a step is on the screen before Enter takes it.
const SETTLED: Duration = Duration::from_millis(700);

/// A key while the panel is open.
pub(super) fn key(
    ui: &mut Ui,
    chord: Chord,
    kind: KeyEventKind,
    input: &InputEvent,
    snapshot: &Snapshot,
) -> Vec<Effect> {
    let guide = guide(snapshot, &ui.alarms, input.at);
    let ways = guide.as_ref().map_or(0, |guide| guide.ways.len());
    let Some(panel) = &mut ui.recovery else { return Vec::new() };
    match chord.code {
        KeyCode::Esc => {
            // From the history back to the steps, if there are any.
            if panel.history && guide.is_some() {
                panel.history = false;
            } else {
                ui.recovery = None;
            }
        }
        KeyCode::Tab if guide.is_some() => panel.history = !panel.history,
        KeyCode::Up if !panel.history => select(ui, |at| at.saturating_sub(1)),
        KeyCode::Down if !panel.history => select(ui, |at| (at + 1).min(ways.saturating_sub(1))),
        KeyCode::Backspace => {
            panel.typed.pop();
        }
        KeyCode::Enter if chord.modifiers.is_empty() && !panel.history => {
            let batch = panel.batch;
            if is_answer(ui, kind, input, batch) {
                return guide.map_or_else(Vec::new, |guide| take(ui, &guide, input.at));
            }
        }
        KeyCode::Char(c) if (chord.modifiers - KeyModifiers::SHIFT).is_empty() => {
            if let Some(guide) = guide.filter(|_| !panel.history) {
                letter(ui, &guide, c.to_ascii_lowercase());
            }
        }
        _ => {
            if let Some(action @ (Action::Redraw | Action::Quit)) = ui.keymap.action(Context::Global, chord) {
                return run(ui, action, input, snapshot);
            }
        }
    }
    Vec::new()
}

fn select(ui: &mut Ui, to: impl FnOnce(usize) -> usize) {
    if let Some(panel) = &mut ui.recovery {
        panel.selected = to(panel.selected);
        panel.typed.clear();
    }
}

fn letter(ui: &mut Ui, guide: &Guide, c: char) {
    let Some(panel) = &mut ui.recovery else { return };
    let wants_word = guide.ways.get(panel.selected).is_some_and(|way| way.needs_word);
    if wants_word {
        // Room for a typing mistake that Backspace can mend.
        if panel.typed.len() < 2 * UNLOCK_WORD.len() && c.is_ascii_lowercase() {
            panel.typed.push(c);
        }
    } else if let Some(found) = guide.ways.iter().position(|way| way.letter == Some(c)) {
        select(ui, |_| found);
    }
}

fn take(ui: &mut Ui, guide: &Guide, now: Time) -> Vec<Effect> {
    let Some((panel, way)) = ui.recovery.as_ref().and_then(|panel| Some((panel, guide.ways.get(panel.selected)?)))
    else {
        return Vec::new();
    };
    if panel.first.is_some_and(|(_, since)| now.since(since) < SETTLED) {
        ui.say("the next step has just come up: look, then press Enter", Tone::Warning, now);
        return Vec::new();
    }
    if way.needs_word && panel.typed != UNLOCK_WORD {
        ui.say("the homing failed: type the word unlock, then Enter", Tone::Warning, now);
        return Vec::new();
    }
    match way.does {
        // The panel stays for the next step.
        Does::Reset => {
            select(ui, |_| 0);
            vec![Effect::Realtime(Realtime::SoftReset)]
        }
        Does::Home => close(ui, Command::Home(HomeTarget::All)),
        Does::Unlock => close(ui, Command::Unlock),
    }
}

fn close(ui: &mut Ui, command: Command) -> Vec<Effect> {
    ui.recovery = None;
    vec![Effect::Submit(command)]
}

/// Opens the panel. Its first step needs no settling: a person has just asked for it.
pub(super) fn open(ui: &mut Ui, snapshot: &Snapshot, batch: u64, now: Time) {
    ui.recovery = Some(RecoveryPanel { batch, ..RecoveryPanel::default() });
    follow(ui, snapshot, now);
    if let Some((_, since)) = ui.recovery.as_mut().and_then(|panel| panel.first.as_mut()) {
        *since = now - SETTLED;
    }
}

/// Remembers alarms, and closes the panel when there is no alarm left to get out of.
pub(super) fn follow(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    ui.alarms.take(snapshot);
    let over = present_alarm(&snapshot.machine, now).is_none() && snapshot.machine.fresh_state(now).is_some();
    let ways = guide(snapshot, &ui.alarms, now).map_or_else(Vec::new, |guide| guide.ways);
    let Some(panel) = &mut ui.recovery else { return };
    panel.selected = panel.selected.min(ways.len().saturating_sub(1));
    let first = ways.first().map(|way| way.does);
    if first != panel.first.map(|(does, _)| does) {
        panel.first = first.map(|does| (does, now));
        panel.selected = 0;
        panel.typed.clear();
    }
    if over && !panel.history {
        ui.recovery = None;
        let lost = ui.alarms.last().is_some_and(|last| last.is_lost) && snapshot.machine.homed.is_empty();
        let text = if lost { "the alarm is over; the position may be wrong: home first" } else { "the alarm is over" };
        ui.say(text, if lost { Tone::Warning } else { Tone::Good }, now);
    }
}
