//! Jog mode: its keys, and the ways out of it.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::input::reports_release;
use crate::model::snapshot::{Snapshot, StopPhase};
use crate::model::{Command, Realtime, StateKind, Time};
use crate::ui::action::{self, Action};
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::jog::{JogAct, JogKey, KeyFacts};
use crate::ui::state::{Effect, Mode, Ui};

pub(super) fn jog_key(
    ui: &mut Ui,
    jog: JogKey,
    key: &KeyEvent,
    input: &InputEvent,
    snapshot: &Snapshot,
) -> Vec<Effect> {
    let now = input.at;
    let axis_count = snapshot.machine.axis_count();
    if let Err(why) = action::available(Action::JogMode, snapshot, now) {
        ui.say(why.to_string(), Tone::Warning, now);
        return cancel_jog(ui, now);
    }
    let facts = KeyFacts {
        at: now,
        kind: key.kind,
        keys_in_batch: input.keys_in_batch,
        batch: input.batch,
        reports_release: reports_release(ui, key.code),
    };
    let acts = if ui.pad.latch().is_armed(now) && key.kind != KeyEventKind::Release {
        if snapshot.machine.fresh_state(now).is_some_and(|state| state.kind != StateKind::Idle) {
            ui.say("a latched jog begins where the machine stands: wait until it does", Tone::Warning, now);
            return cancel_jog(ui, now);
        }
        ui.pad.latch_key(jog, facts, &snapshot.machine)
    } else {
        ui.pad.key(jog, facts, axis_count)
    };
    jog_effects(ui, acts, now)
}

pub(super) fn jog_effects(ui: &mut Ui, acts: Vec<JogAct>, now: Time) -> Vec<Effect> {
    let mut effects = Vec::new();
    for act in acts {
        effects.push(match act {
            JogAct::Step(distance, feed_mm_min) => Effect::Submit(Command::JogStep { distance, feed_mm_min }),
            JogAct::Continue(vector, lease) => Effect::Submit(Command::JogContinue { vector, lease }),
            JogAct::Cancel => Effect::Realtime(Realtime::JogCancel),
            JogAct::Prove => Effect::AskTerminal,
            JogAct::Say(text) => {
                ui.say(text, Tone::Warning, now);
                continue;
            }
        });
    }
    effects
}

/// Cancels continuous motion if there is any; the keys must fall quiet before the next.
pub(super) fn cancel_jog(ui: &mut Ui, now: Time) -> Vec<Effect> {
    if ui.mode == Mode::Jog && ui.pad.block(now) {
        return vec![Effect::Realtime(Realtime::JogCancel)];
    }
    Vec::new()
}

pub(super) fn leave_jog_mode(ui: &mut Ui, now: Time, why: Option<&str>) -> Vec<Effect> {
    if ui.mode != Mode::Jog {
        return Vec::new();
    }
    let effects = cancel_jog(ui, now);
    ui.mode = Mode::Main;
    if let Some(why) = why {
        ui.say(why, Tone::Plain, now);
    }
    effects
}

/// The end of a jog that a released key cancelled: a quiet word, unless something more important is being said.
pub(super) fn tell_cancel(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    let Some(stop) = &snapshot.machine.stop else { return };
    let ended = stop.asked == Realtime::JogCancel && stop.phase == StopPhase::Stopped;
    if !ended || ui.cancel_told == Some(stop.at) {
        return;
    }
    ui.cancel_told = Some(stop.at);
    if ui.notice.as_ref().is_none_or(|notice| notice.tone == Tone::Quiet) {
        ui.say("jog ended: the machine stands", Tone::Quiet, now);
    }
}
