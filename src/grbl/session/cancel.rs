//! The jog-cancel recipe: 0x85, again and again, until a status report asked for after the last `ok` says that the
//! machine is not jogging. Grbl and FluidNC ignore 0x85 outside Jog and do not flush lines behind it, so a cancel that overtakes
//! a queued `$J` is lost and the jog then starts (facts: grbl-protocol §0.2; gnea/grbl #837).

use super::core::{Phase, Session};
use super::jogger::{CANCEL_ESCALATES, CANCEL_REPEAT, Cancel};
use super::situation::{SentMotion, Situation};
use super::stop::Goal;
use super::window::{Owner, Slot};
use crate::model::Time;
use crate::model::command::{Outcome, Realtime, VoidReason};
use crate::model::machine::{Firmware, StateKind};

impl Session {
    /// Cancels a jog if there can be one; says nothing otherwise. 0x85 leaves only while jogging: grblHAL empties its
    /// receive buffer on it in any state.
    pub(super) fn cancel_if_jogging(&mut self, now: Time) {
        // A limit has cut the motion, and a controller that waits for its reset neither obeys nor answers a cancel: the
        // recipe would end in a reset that nobody asked for.
        if self.alarm.as_ref().is_some_and(|alarm| alarm.needs_reset) {
            self.drop_jog_orders();
            return;
        }
        let jogging = match self.situation(now) {
            Situation::Jog | Situation::Unknown { last_was_jog: true } => true,
            _ => self.jogger.lease.is_some() || self.window.open().any(Slot::is_jog),
        };
        if jogging {
            self.begin_cancel(now);
            self.begin_stop_run(now, Realtime::JogCancel, Goal::NotJogging);
        } else {
            self.drop_jog_orders();
        }
    }

    /// Stops feeding and starts the recipe.
    pub(super) fn begin_cancel(&mut self, now: Time) {
        self.drop_jog_orders();
        if self.jogger.cancel.is_some() || self.phase == Phase::Closed {
            return;
        }
        // Nothing of this jog was ever sent: there is nothing to cancel.
        let sent = self.window.open().any(Slot::is_jog)
            || matches!(self.situation(now), Situation::Jog | Situation::Unknown { last_was_jog: true });
        if !sent {
            return;
        }
        self.outgoing.jog_cancel();
        self.jogger.cancel =
            Some(Cancel { since: now, next_send: now + CANCEL_REPEAT, mark: None, held: false, reset: false });
    }

    /// Ends the lease and drops increments that have not begun to leave.
    fn drop_jog_orders(&mut self) {
        for lease in [self.jogger.lease.take(), self.jogger.next_lease.take()].into_iter().flatten() {
            self.outcome(lease.ticket, Outcome::Done);
        }
        self.window.drop_pending(|slot| slot.owner == Owner::JogIncrement);
        self.jogger.motion.clear();
    }

    /// One turn of the recipe.
    pub(super) fn step_cancel(&mut self, now: Time) {
        let Some(mut cancel) = self.jogger.cancel.take() else { return };
        let unanswered = self.window.open().any(Slot::is_jog);
        let flushes = self.firmware == Some(Firmware::GrblHal);
        let proved = cancel.mark.is_some_and(|mark| self.reports.is_proved(mark));
        let state = self.state().map(|state| state.kind);
        let moving = matches!(state, Some(StateKind::Jog | StateKind::Run) | None);
        if proved && !moving && (!unanswered || flushes) {
            self.finish_cancel(flushes);
            return;
        }
        // The mark counts only from the last `ok` on; on grblHAL the `ok` may never come.
        if unanswered && !flushes {
            cancel.mark = None;
        } else if cancel.mark.is_none() || proved {
            if cancel.mark.is_none() && !unanswered {
                self.outgoing.jog_cancel();
                cancel.next_send = now + CANCEL_REPEAT;
            }
            cancel.mark = Some(self.reports.mark());
        }
        if now >= cancel.next_send {
            cancel.next_send = now + CANCEL_REPEAT;
            self.repeat_cancel(now, &mut cancel, state);
        }
        self.jogger.cancel = Some(cancel);
    }

    /// The next byte of a cancel that has not been obeyed yet.
    fn repeat_cancel(&mut self, now: Time, cancel: &mut Cancel, state: Option<StateKind>) {
        let late = now.since(cancel.since);
        let grblhal = self.firmware == Some(Firmware::GrblHal);
        // grblHAL ignores `!` while jogging, but a listing can turn a jog into Run, where only `!` helps (facts §0.16).
        let hold_helps = match state {
            Some(StateKind::Jog) => !grblhal,
            Some(StateKind::Run) => true,
            _ => false,
        };
        if late >= CANCEL_ESCALATES * 2 && !cancel.reset && matches!(state, Some(StateKind::Jog | StateKind::Run)) {
            cancel.reset = true;
            self.begin_reset(now, Realtime::JogCancel);
        } else if late >= CANCEL_ESCALATES && !cancel.held && hold_helps {
            cancel.held = true;
            self.outgoing.hold();
        } else if !matches!(state, Some(StateKind::Run)) || !grblhal {
            self.outgoing.jog_cancel();
        }
    }

    /// Seen not to jog after the last answer.
    fn finish_cancel(&mut self, flushes: bool) {
        if flushes {
            // grblHAL threw the unread lines away and will never answer them.
            for slot in self.window.drop_open(Slot::is_jog) {
                if let Owner::Ticket(ticket) = slot.owner {
                    self.outcome(ticket, Outcome::Voided { why: VoidReason::Flushed, sent: true });
                }
            }
        }
        self.unsettled.take_if(|(motion, _)| *motion == SentMotion::Jog);
        self.settle_mark = None;
    }
}
