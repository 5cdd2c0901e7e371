//! Overrides, spindle, coolant, outputs, sleep and check mode: a realtime byte where the machine is busy, a line where it is idle.

use super::popups::{choice, popup};
use super::{outputs, run};
use crate::model::snapshot::Snapshot;
use crate::model::work::Switch;
use crate::model::{Command, Realtime, StateKind, Time};
use crate::ui::action::{self, Action, Context};
use crate::ui::input::InputEvent;
use crate::ui::keymap::Chord;
use crate::ui::overrides::Lane;
use crate::ui::state::{Effect, Mode, Popup, Then, Ui};

/// Carries out an action of this file.
pub(super) fn act(ui: &mut Ui, action: Action, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    match action {
        Action::Overrides => ui.mode = Mode::Override(Lane::default()),
        Action::Door => return vec![Effect::Realtime(Realtime::SafetyDoor)],
        Action::Flood => return coolant(true, snapshot, now),
        Action::Mist => return coolant(false, snapshot, now),
        Action::Spindle => match spindle(snapshot, now, input.batch) {
            Ok(realtime) => return vec![Effect::Realtime(realtime)],
            Err(question) => ui.popup = Some(question),
        },
        Action::Outputs => ui.popup = Some(outputs::question(snapshot, input.batch)),
        Action::CheckMode => ui.popup = Some(check_mode(snapshot, now, input.batch)),
        Action::Sleep => ui.popup = Some(sleep(input.batch)),
        _ => {}
    }
    Vec::new()
}

/// A key while the overrides are shown: theirs, then those that hold everywhere. No other closes or passes them.
pub(super) fn override_key(
    ui: &mut Ui,
    lane: Lane,
    chord: Chord,
    input: &InputEvent,
    snapshot: &Snapshot,
) -> Vec<Effect> {
    let action = ui.keymap.action(Context::Override, chord).or_else(|| ui.keymap.action(Context::Global, chord));
    match action {
        Some(Action::Override(key)) => {
            ui.mode = Mode::Override(lane.stepped(key));
            let allowed = action::available(Action::Overrides, snapshot, input.at).is_ok();
            let wanted = lane.realtime(key, snapshot.machine.overrides).filter(|_| allowed);
            wanted.map(Effect::Realtime).into_iter().collect()
        }
        Some(Action::Escape) => {
            ui.mode = Mode::Main;
            Vec::new()
        }
        Some(action) => run(ui, action, input, snapshot),
        None => Vec::new(),
    }
}

fn kind(snapshot: &Snapshot, now: Time) -> Option<StateKind> {
    snapshot.machine.fresh_state(now).map(|state| state.kind)
}

/// `F8` and `F7`: toggles flood or mist.
fn coolant(flood: bool, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let on = snapshot.machine.accessories.unwrap_or_default();
    let toggle = if flood { Realtime::FloodToggle } else { Realtime::MistToggle };
    let (this, other) = if flood { (on.flood, on.mist) } else { (on.mist, on.flood) };
    let switch = match (this, other) {
        (false, _) => {
            if flood {
                Switch::Flood
            } else {
                Switch::Mist
            }
        }
        (true, false) => Switch::CoolantOff,
        // M9 would switch off the other too.
        (true, true) => return vec![Effect::Realtime(toggle)],
    };
    match kind(snapshot, now) {
        Some(StateKind::Idle) => vec![Effect::Submit(Command::Switch(switch))],
        _ => vec![Effect::Realtime(toggle)],
    }
}

/// `F9`: in Hold the spindle stop, else a question.
fn spindle(snapshot: &Snapshot, now: Time, batch: u64) -> Result<Realtime, Popup> {
    if kind(snapshot, now) == Some(StateKind::Hold) {
        return Ok(Realtime::SpindleStop);
    }
    let on = snapshot.machine.accessories.unwrap_or_default();
    let mut choices = Vec::new();
    if on.spindle_cw || on.spindle_ccw {
        choices.push(choice(None, "Off (M5)", Then::Submit(Command::Switch(Switch::SpindleOff))));
    }
    choices.push(choice(None, "Clockwise: type the speed (M3 S...)", Then::Type("M3 S".into())));
    choices.push(choice(None, "Counter-clockwise: type the speed (M4 S...)", Then::Type("M4 S".into())));
    if !(on.spindle_cw || on.spindle_ccw) {
        choices.push(choice(None, "Off (M5)", Then::Submit(Command::Switch(Switch::SpindleOff))));
    }
    let max = snapshot.machine.limits.spindle_max_rpm;
    let body =
        max.map_or("Its highest speed is not known.".to_owned(), |rpm| format!("Highest speed: {rpm} rpm ($30)."));
    Err(popup("Spindle", vec![body], choices, batch))
}

/// `p`.
fn sleep(batch: u64) -> Popup {
    popup(
        "Sleep",
        vec![
            "The motors lose their current and the position counts as lost.".into(),
            "Only a soft reset (Ctrl+X) wakes the controller; home afterwards.".into(),
        ],
        vec![choice(None, "Send it to sleep ($SLP)", Then::Submit(Command::Switch(Switch::Sleep)))],
        batch,
    )
}

/// `c`.
fn check_mode(snapshot: &Snapshot, now: Time, batch: u64) -> Popup {
    let on = kind(snapshot, now) == Some(StateKind::Check);
    let (body, label) = if on {
        ("Leaving check mode resets the controller.", "Leave check mode ($C)")
    } else {
        ("G-code is read and checked, and nothing moves.", "Enter check mode ($C)")
    };
    let mut body = vec![body.to_owned()];
    body.extend(crate::model::legal::programs::check_mode_takes(&snapshot.machine));
    let then = Then::Submit(Command::Switch(Switch::CheckMode));
    popup("Check mode", body, vec![choice(None, label, then)], batch)
}
