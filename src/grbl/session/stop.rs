//! A stop that was asked for: sent by the table, then watched until the machine is seen to obey.

use std::time::Duration;

use super::core::{Phase, Session};
use super::reports::Mark;
use super::situation::Situation;
use super::stop_table::{Decision, decide};
use super::stream::Stream;
use crate::grbl::event::Event;
use crate::model::Time;
use crate::model::axes::AxisSet;
use crate::model::command::{Realtime, VoidReason};
use crate::model::machine::{Firmware, StateKind};
use crate::model::snapshot::{Stop, StopPhase};

/// FluidNC with a full planner takes up to 200 ms to look at a realtime byte (facts §7), the others answer in 20.
const VERIFY_FLUIDNC: Duration = Duration::from_millis(500);
const VERIFY: Duration = Duration::from_millis(250);
/// A banner comes up to 0.6 s after a reset.
const VERIFY_RESET: Duration = Duration::from_millis(1500);
/// How long a banner is waited for before the session goes on without one.
const BANNER_WAIT: Duration = Duration::from_secs(3);
/// A hold that a proved report does not show is sent again this often.
const RESEND: Duration = Duration::from_millis(500);

/// What must be seen for a stop to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Hold, door or any other standstill.
    Held,
    /// The same, and then a reset that keeps position.
    HeldThenReset,
    /// Not jogging: the cancel recipe works on it.
    NotJogging,
    /// A banner, and a report after it.
    Restarted,
}

/// A stop under way.
#[derive(Clone, Debug)]
pub(super) struct StopRun {
    pub(super) stop: Stop,
    goal: Goal,
    mark: Option<Mark>,
    deadline: Time,
    resend_at: Time,
    done: bool,
}

impl StopRun {
    /// The machine was seen to obey, or it never will be.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// The key that asked for it.
    pub(super) fn asked(&self) -> Realtime {
        self.stop.asked
    }

    /// When it is due next.
    pub(super) fn due(&self) -> Option<Time> {
        if self.done {
            return None;
        }
        match self.stop.phase {
            StopPhase::Sent => Some(self.deadline),
            _ => None,
        }
    }
}

impl Session {
    /// A stop key: looks up the table and does what it says.
    pub(super) fn begin_stop(&mut self, now: Time, key: Realtime) {
        let situation = self.situation(now);
        self.outgoing.take_back_resume();
        self.hold_stream();
        match decide(key, situation, self.firmware) {
            // Nothing moves, but lines of the program may be on their way, and its spindle may turn.
            Decision::Nothing(_) if key == Realtime::StopProgram && self.stream.is_some() => self.begin_reset(now, key),
            Decision::Nothing(why) => {
                let stop = Stop { asked: key, at: now, phase: StopPhase::NotNeeded(why.into()) };
                self.cancel_quietly(now);
                self.stop = None;
                self.events.push_back(Event::Stop(stop));
            }
            Decision::FeedHold => {
                self.cancel_quietly(now);
                self.outgoing.hold();
                self.begin_stop_run(now, key, Goal::Held);
            }
            Decision::HoldThenReset => {
                self.cancel_quietly(now);
                if !matches!(situation, Situation::Hold { .. } | Situation::Door { .. }) {
                    self.outgoing.hold();
                }
                self.begin_stop_run(now, key, Goal::HeldThenReset);
            }
            Decision::Door | Decision::DoorThenReset => {
                self.cancel_quietly(now);
                self.outgoing.door();
                let ends = key == Realtime::StopProgram;
                self.begin_stop_run(now, key, if ends { Goal::HeldThenReset } else { Goal::Held });
            }
            Decision::CancelJog => {
                self.begin_cancel(now);
                self.begin_stop_run(now, key, Goal::NotJogging);
            }
            Decision::Reset => self.begin_reset(now, key),
        }
    }

    /// Whatever is stopped, a lease never goes on.
    fn cancel_quietly(&mut self, now: Time) {
        if self.jogger.lease.is_some() || self.jogger.next_lease.is_some() {
            self.begin_cancel(now);
        }
    }

    /// Starts to watch. The first question goes out beside the stop byte itself.
    pub(super) fn begin_stop_run(&mut self, now: Time, asked: Realtime, goal: Goal) {
        let verify = match (goal, self.firmware) {
            (Goal::Restarted, _) => VERIFY_RESET,
            // A jog is not "held": it is over when it has decelerated.
            (Goal::NotJogging, _) => VERIFY_FLUIDNC + self.jogger.motion.stopping_time(),
            (_, Some(Firmware::FluidNc) | None) => VERIFY_FLUIDNC,
            _ => VERIFY,
        };
        let stop = Stop { asked, at: now, phase: StopPhase::Sent };
        self.events.push_back(Event::Stop(stop.clone()));
        self.stop = Some(StopRun {
            stop,
            goal,
            mark: Some(self.reports.mark()),
            deadline: now + verify,
            resend_at: now + RESEND,
            done: false,
        });
    }

    /// 0x84.
    pub(super) fn begin_door(&mut self, now: Time) {
        self.cancel_quietly(now);
        self.hold_stream();
        self.outgoing.door();
        self.begin_stop_run(now, Realtime::SafetyDoor, Goal::Held);
    }

    /// 0x18. Everything that waits is void; position and the homed flag survive only a reset at standstill (ruling: a reset
    /// after `Hold:0` or in Idle keeps both).
    pub(super) fn begin_reset(&mut self, now: Time, asked: Realtime) {
        if self.phase == Phase::Closed {
            let why = "the link is down: sunmill cannot reach the machine, use its own stop".into();
            self.events.push_back(Event::Stop(Stop { asked, at: now, phase: StopPhase::NotNeeded(why) }));
            return;
        }
        let standstill = self.situation(now).is_standstill();
        self.send_reset(now);
        if !standstill {
            self.set_homed(AxisSet::EMPTY);
        }
        self.begin_stop_run(now, asked, Goal::Restarted);
    }

    /// The byte, and what it makes untrue.
    pub(super) fn send_reset(&mut self, now: Time) {
        self.outgoing.reset();
        self.note_in_hand();
        self.void_tickets(VoidReason::Reset);
        self.unsettled = None;
        self.settle_mark = None;
        self.last_was_jog = false;
        self.resuming_until = None;
        self.sticky_error = false;
        self.restarting_until = Some(now + BANNER_WAIT);
    }

    /// `~`, where there is something to resume.
    pub(super) fn begin_resume(&mut self, now: Time) {
        if !self.stream_resume() {
            return;
        }
        // It was seen to wait at a line, however that fits with what was sent before.
        let asks = self.stream.as_ref().is_some_and(Stream::asks);
        match self.situation(now) {
            situation if asks || situation.may_resume() => {
                self.outgoing.resume();
                self.stop = None;
                self.reports.watch(false);
            }
            _ => {}
        }
    }

    /// One turn of watching.
    pub(super) fn step_stop(&mut self, now: Time) {
        let Some(mut run) = self.stop.take() else { return };
        if !run.done {
            self.watch_stop(now, &mut run);
            if self.stop.is_some() {
                // The reset at the end of "hold, then reset" took its place.
                return;
            }
        }
        self.stop = Some(run);
    }

    fn watch_stop(&mut self, now: Time, run: &mut StopRun) {
        let proved = run.mark.is_some_and(|mark| self.reports.is_proved(mark));
        if proved {
            self.judge_stop(now, run);
        }
        if !run.done && run.stop.phase == StopPhase::Sent && now >= run.deadline {
            self.tell(run, StopPhase::NotConfirmed);
        }
        self.reports.watch(!run.done);
    }

    fn judge_stop(&mut self, now: Time, run: &mut StopRun) {
        let Some(state) = self.state() else { return };
        match run.goal {
            Goal::Restarted => {
                if !self.is_restarting() {
                    self.finish(run);
                }
            }
            Goal::NotJogging => {
                if self.jogger.cancel.is_none() && state.kind != StateKind::Jog {
                    self.finish(run);
                }
            }
            Goal::Held | Goal::HeldThenReset => {
                let held = matches!(state.kind, StateKind::Hold | StateKind::Held | StateKind::Door);
                if state.is_moving() && held {
                    self.tell(run, StopPhase::Confirmed);
                } else if !state.is_moving() {
                    // A program that came to rest by itself is ended all the same.
                    if run.goal == Goal::HeldThenReset && (held || self.stream.is_some()) {
                        self.begin_reset(now, run.stop.asked);
                        return;
                    }
                    self.finish(run);
                } else if now >= run.resend_at {
                    // Seen to go on although a hold was sent before the question: the byte was lost.
                    run.resend_at = now + RESEND;
                    self.outgoing.hold();
                }
            }
        }
        if !run.done {
            run.mark = Some(self.reports.mark());
        }
    }

    fn finish(&mut self, run: &mut StopRun) {
        run.done = true;
        self.tell(run, StopPhase::Stopped);
    }

    fn tell(&mut self, run: &mut StopRun, phase: StopPhase) {
        if run.stop.phase != phase {
            run.stop.phase = phase;
            self.events.push_back(Event::Stop(run.stop.clone()));
        }
    }
}
