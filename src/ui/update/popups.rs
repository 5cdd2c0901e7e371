//! The questions: one kind of popup for all of them. Enter takes a choice, Esc none; letters only select.

use crossterm::event::{KeyCode, KeyEventKind, KeyModifiers};

use super::{BURST, QUIET, run, take};
use crate::model::command::{HomeTarget, Refused};
use crate::model::desk::{Candidate, Query};
use crate::model::people::ControlOrder;
use crate::model::snapshot::Snapshot;
use crate::model::sun::SunOrder;
use crate::model::{Axis, AxisSet, Command, Endpoint, Realtime, Time, Units, legal};
use crate::ui::action::{Action, Context};
use crate::ui::input::InputEvent;
use crate::ui::keymap::{Bound, Chord};
use crate::ui::programs::facts;
use crate::ui::state::{Choice, Effect, Popup, Then, Ui};

/// A key while a popup is open.
pub(super) fn key(
    ui: &mut Ui,
    chord: Chord,
    kind: KeyEventKind,
    input: &InputEvent,
    snapshot: &Snapshot,
) -> Vec<Effect> {
    let now = input.at;
    let Some(popup) = &mut ui.popup else { return Vec::new() };
    let last = popup.choices.len().saturating_sub(1);
    match chord.code {
        KeyCode::Tab if chord.modifiers.contains(KeyModifiers::SHIFT) => {
            popup.selected = popup.selected.saturating_sub(1);
        }
        KeyCode::Up | KeyCode::Left => popup.selected = popup.selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Right | KeyCode::Tab => popup.selected = (popup.selected + 1).min(last),
        KeyCode::Esc => {
            ui.popup = None;
            ui.quitting = false;
            ui.mode = crate::ui::state::Mode::Main;
        }
        KeyCode::Enter if chord.modifiers.is_empty() => {
            let then = popup.choices.get(popup.selected).map_or(Then::Close, |choice| choice.then.clone());
            let batch = popup.batch;
            if !is_answer(ui, kind, input, batch) {
                return Vec::new();
            }
            ui.popup = None;
            return take(ui, then, snapshot, input.batch, now);
        }
        KeyCode::Char(c) if chord.modifiers.is_empty() => {
            let letter = c.to_ascii_lowercase();
            if let Some(found) = popup.choices.iter().position(|choice| choice.letter == Some(letter)) {
                popup.selected = found;
            }
        }
        _ => {
            if let Some(Bound::Action(action @ (Action::Redraw | Action::Quit))) =
                ui.keymap.lookup(Context::Global, chord)
            {
                return run(ui, action, input, snapshot);
            }
        }
    }
    Vec::new()
}

/// An Enter that was meant: pressed and not repeated, not in a burst, not in the read that opened the question, and
/// after a quiet moment.
pub(super) fn is_answer(ui: &Ui, kind: KeyEventKind, input: &InputEvent, batch: u64) -> bool {
    let typed = kind == KeyEventKind::Press && input.keys_in_batch < BURST && input.batch != batch;
    typed && input.at.since(ui.last_input) >= QUIET
}

pub(super) fn popup(title: impl Into<String>, body: Vec<String>, mut choices: Vec<Choice>, batch: u64) -> Popup {
    choices.push(choice(None, "Leave it as it is", Then::Close));
    Popup { title: title.into(), body, choices, selected: 0, batch }
}

/// A question with one thing to do; the other choice leaves everything as it is.
pub(super) fn confirm(title: impl Into<String>, body: Vec<String>, label: &str, then: Then, batch: u64) -> Popup {
    popup(title, body, vec![choice(None, label, then)], batch)
}

pub(super) fn choice(letter: Option<char>, label: impl Into<String>, then: Then) -> Choice {
    Choice { letter, label: label.into(), then }
}

/// Before the machine is parked.
pub(super) fn park(snapshot: &Snapshot, batch: u64) -> Popup {
    let homed = snapshot.machine.homed.contains(Axis::Z);
    let last = if homed {
        "Z goes up, then to the park position if config.toml names one."
    } else {
        "Z is not homed, so nothing is moved."
    };
    let mut body = vec![
        "Feed hold, spindle off, position and line written down, reset at standstill.".to_owned(),
        last.to_owned(),
        "A program can be taken up again from there. Any stop key ends parking.".to_owned(),
    ];
    body.extend(snapshot.sun.park_place.as_ref().map(|why| format!("BUT [park] in config.toml does not fit: {why}.")));
    confirm("Park", body, "Park the machine", Then::Submit(Command::Sun(SunOrder::Park)), batch)
}

/// Ctrl+X in Idle.
pub(super) fn reset_when_idle(batch: u64) -> Popup {
    popup(
        "Soft reset",
        vec![
            "The machine is idle. A reset clears G92 and the tool length offset".into(),
            "and keeps the position.".into(),
        ],
        vec![choice(None, "Reset the controller", Then::Realtime(Realtime::SoftReset))],
        batch,
    )
}

fn axes(snapshot: &Snapshot) -> impl Iterator<Item = Axis> {
    AxisSet::first(snapshot.machine.axis_count()).iter().collect::<Vec<_>>().into_iter()
}

/// `H`.
pub(super) fn home(snapshot: &Snapshot, batch: u64) -> Popup {
    let mut choices = vec![choice(None, "Home all axes", Then::Submit(Command::Home(HomeTarget::All)))];
    choices.extend(axes(snapshot).map(|axis| {
        let letter = axis.letter().to_ascii_lowercase();
        choice(Some(letter), format!("Home {axis} only"), Then::Submit(Command::Home(HomeTarget::One(axis))))
    }));
    popup(
        "Home",
        vec![
            "The machine will move to its limit switches. Is the way free?".into(),
            "Space or Ctrl+X ends the homing by a reset; the position is unknown then.".into(),
        ],
        choices,
        batch,
    )
}

/// `T`.
pub(super) fn take_control(snapshot: &Snapshot, batch: u64) -> Popup {
    let who = snapshot.people.control.as_ref().map_or_else(String::new, |control| control.who.clone());
    let take = Command::Control(ControlOrder::Take { reason: String::new() });
    let body = vec![
        format!("{who} is in control of the machine."),
        "Whoever stands beside it may be about to touch it: have you asked?".into(),
    ];
    confirm("Take control", body, "Take control; the others are told", Then::Submit(take), batch)
}

/// `z`.
pub(super) fn zero(snapshot: &Snapshot, units: Units, batch: u64) -> Popup {
    let set = |axes| Then::Submit(Command::SetWork { axes, value: 0.0 });
    let mut choices: Vec<Choice> = axes(snapshot)
        .map(|axis| {
            let letter = axis.letter().to_ascii_lowercase();
            let reads = snapshot.machine.work_position.and_then(|position| position.get(axis));
            let reads =
                reads.map_or(String::new(), |reads| format!(", which reads {} now", units.position(axis, reads)));
            choice(Some(letter), format!("{axis} = 0 here{reads}"), set([axis].into_iter().collect()))
        })
        .collect();
    let all = AxisSet::first(snapshot.machine.axis_count());
    choices.push(choice(None, format!("All of {all} = 0 here"), set(all)));
    let wcs = snapshot.machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("active");
    popup("Zero", vec![format!("Changes the {wcs} work offset. Nothing moves.")], choices, batch)
}

/// Use a serial device as the machine's port, now or from the next start on.
pub(super) fn choose_port(port: &Candidate, snapshot: &Snapshot, now: Time, batch: u64) -> Popup {
    let path = &port.path;
    let held = port.held_by.as_ref().map(|who| Refused::because(format!("it is in use by {who}")));
    let command = Command::UsePort(Endpoint::Serial(path.clone()));
    let now_or_why = held.map_or_else(|| legal::check(&command, snapshot, now), Err);
    let mut body = vec![path.display().to_string()];
    let mut choices = Vec::new();
    match now_or_why {
        Ok(()) => {
            body.push("The present link is closed, and this one opened in its place.".into());
            choices.push(choice(None, "Use it now, and keep it in config.toml", Then::UseAndKeep(path.clone())));
            choices.push(choice(None, "Use it now, until sunmill ends", Then::Submit(command)));
        }
        Err(why) => body.push(format!("Not now: {why}.")),
    }
    let keep = Then::Ask(Query::RememberPort(path.clone()));
    choices.push(choice(None, "Keep it in config.toml, for the next start", keep));
    popup("Use this device", body, choices, batch)
}

/// `q` while the machine is busy.
pub(super) fn quit(snapshot: &Snapshot, now: Time, batch: u64) -> Popup {
    let state = snapshot.machine.fresh_state(now).map_or("not known".to_owned(), |state| state.to_string());
    let run = facts::open_run(snapshot).map(|run| format!("{} is at line {}.", run.name, run.acked_line));
    let mut question = popup(
        "Leave sunmill",
        run.into_iter().chain([format!("The machine's state is {state}. What shall become of it?")]).collect(),
        vec![
            choice(None, "Stop the machine, then leave", Then::StopAndQuit),
            choice(None, "Leave now; the machine ends what it has in its buffer", Then::Quit),
        ],
        batch,
    );
    if let Some(last) = question.choices.last_mut() {
        "Stay".clone_into(&mut last.label);
    }
    question.selected = question.choices.len().saturating_sub(1);
    question
}
