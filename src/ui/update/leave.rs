//! Leaving the screen, for good or for a while.

use super::{BURST, QUIET, leave_jog_mode, popups};
use crate::model::Time;
use crate::model::snapshot::Snapshot;
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::state::{Effect, ExitReason, Ui, machine_is_busy};

/// The machine does something that leaving it alone would cut off.
pub(super) fn is_busy(ui: &Ui, snapshot: &Snapshot, now: Time) -> bool {
    let runs = snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open());
    runs || ui.pad.moving().is_some() || machine_is_busy(&snapshot.machine, now)
}

/// Back to the shell, unless the machine moves.
pub(super) fn suspend(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    if is_busy(ui, snapshot, now) && snapshot.machine.link.is_open() {
        ui.say("not now: a stopped program cannot stop the machine. Stop it first (Space)", Tone::Warning, now);
        return Vec::new();
    }
    let mut effects = leave_jog_mode(ui, now, None);
    effects.push(Effect::Suspend);
    effects
}

/// A key that leaves. It counts with a quiet moment before it and one after it: a `q` in text that was pasted without the
/// terminal's marks has a neighbour, whichever way the reads cut it.
pub(super) fn quit_key(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    let on_the_heels = ui.last_input != Time::ZERO && now.since(ui.last_input) < QUIET;
    if input.keys_in_batch >= BURST || on_the_heels {
        ui.say("leaving needs a quiet moment before the key: press it again", Tone::Warning, now);
        return Vec::new();
    }
    if is_busy(ui, snapshot, now) {
        return quit(ui, snapshot, now, input.batch);
    }
    ui.leaves_at = Some(now + QUIET);
    Vec::new()
}

/// The quiet moment after a key that leaves is over, if it is.
pub(super) fn quit_in_quiet(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    if ui.leaves_at.is_none_or(|due| now < due) {
        return Vec::new();
    }
    ui.leaves_at = None;
    quit(ui, snapshot, now, 0)
}

/// Leaves, or asks first.
pub(super) fn quit(ui: &mut Ui, snapshot: &Snapshot, now: Time, batch: u64) -> Vec<Effect> {
    let mut effects = leave_jog_mode(ui, now, None);
    // A hub elsewhere goes on with what it does.
    if !ui.settings.attached && is_busy(ui, snapshot, now) {
        ui.help = None;
        ui.popup = Some(popups::quit(snapshot, now, batch));
    } else {
        effects.push(Effect::Quit(ExitReason::Asked));
    }
    effects
}
