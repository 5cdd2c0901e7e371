//! Leaving for good or for a while: only when the machine does not need somebody.

use super::{leave_jog_mode, popups};
use crate::model::{Snapshot, StateKind, Time};
use crate::ui::app::ExitReason;
use crate::ui::console::Tone;
use crate::ui::state::{Effect, Ui};

pub(super) fn is_busy(ui: &Ui, snapshot: &Snapshot, now: Time) -> bool {
    let machine = &snapshot.machine;
    let asleep = machine.fresh_state(now).is_some_and(|state| {
        matches!(state.kind, StateKind::Idle | StateKind::Alarm | StateKind::Sleep | StateKind::Check)
    });
    let nobody_there = machine.reported_at.is_none();
    ui.pad.moving().is_some() || machine.homing || machine.jog.is_some() || !(asleep || nobody_there)
}

pub(super) fn suspend(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    if is_busy(ui, snapshot, now) && snapshot.machine.link.is_open() {
        ui.say("not now: a stopped program cannot stop the machine. Stop it first (Space)", Tone::Warning, now);
        return Vec::new();
    }
    let mut effects = leave_jog_mode(ui, now, None);
    effects.push(Effect::Suspend);
    effects
}

pub(super) fn quit(ui: &mut Ui, snapshot: &Snapshot, now: Time, batch: u64) -> Vec<Effect> {
    let mut effects = leave_jog_mode(ui, now, None);
    if is_busy(ui, snapshot, now) {
        ui.help = None;
        ui.popup = Some(popups::quit(snapshot, now, batch));
    } else {
        effects.push(Effect::Quit(ExitReason::Asked));
    }
    effects
}
