//! What realtime commands do, by state.

use std::time::Duration;

use crate::model::Firmware;

use super::core::{Braking, Machine, State};
use super::lines::Step;
use super::modal::SpindleMode;
use super::rx::Rt;

/// grblHAL waits this long for the spindle after the door closed, spinning or not.
const HAL_DOOR_RESTORE: Duration = Duration::from_secs(4);

impl Machine {
    /// FluidNC with a line that waits for room looks at realtime bytes only now and then.
    pub(super) fn realtime_arrived(&mut self, rt: Rt) {
        let waits = matches!(self.steps.front(), Some(Step::Move(_))) && self.firmware == Firmware::FluidNc;
        if self.busy_latency > Duration::ZERO && (waits || !self.late.is_empty()) {
            self.late.push(rt);
            self.late_at.get_or_insert(self.now + self.busy_latency);
        } else {
            self.realtime(rt);
        }
    }

    pub(super) fn due_late(&mut self) {
        if self.late_at.take_if(|at| *at <= self.now).is_some() {
            for rt in std::mem::take(&mut self.late) {
                self.realtime(rt);
            }
        }
    }

    pub(super) fn realtime(&mut self, rt: Rt) {
        let dead = self.state == State::Critical && self.firmware == Firmware::Grbl;
        if self.resetting.is_some() || (dead && rt != Rt::Reset) {
            return;
        }
        let repeated = self.burst.contains(&rt);
        self.burst.push(rt);
        match rt {
            Rt::Status if self.firmware == Firmware::FluidNc => self.report_status(false),
            Rt::Status => self.status_due = true,
            Rt::StatusFull => self.report_status(true),
            Rt::Hold => self.feed_hold(),
            Rt::Start => self.cycle_start(),
            Rt::Reset => self.soft_reset(),
            Rt::Stop => self.controlled_stop(),
            Rt::Door => self.safety_door(),
            Rt::JogCancel => self.jog_cancel(),
            Rt::Modal => {
                let text = self.modal.report(self.firmware);
                self.say(&text);
            }
            Rt::ExpanderReset => self.alarm(16),
            Rt::SpindleStop => self.spindle_stop(),
            Rt::Flood => {
                self.modal.flood = !self.modal.flood;
                self.overrides_changed();
            }
            Rt::Mist => {
                self.modal.mist = !self.modal.mist;
                self.overrides_changed();
            }
            Rt::ToolAck => self.end_tool_change(),
            // Grbl has one flag for each override step: a burst of the same counts once.
            _ if repeated && self.firmware == Firmware::Grbl => {}
            _ => self.override_step(rt),
        }
    }

    fn override_step(&mut self, rt: Rt) {
        let before = (self.feed_override, self.rapid_override, self.spindle_override);
        let step = |value: u16, by: i16| value.saturating_add_signed(by).clamp(10, 200);
        match rt {
            Rt::FeedReset => self.feed_override = 100,
            Rt::Feed(by) => self.feed_override = step(self.feed_override, by),
            Rt::Rapid(percent) => self.rapid_override = percent,
            Rt::SpindleReset => self.spindle_override = 100,
            Rt::Spindle(by) => self.spindle_override = step(self.spindle_override, by),
            _ => {}
        }
        if before != (self.feed_override, self.rapid_override, self.spindle_override) {
            self.planner.set_overrides(self.feed_override, self.rapid_override);
            self.overrides_changed();
        }
    }

    /// `!`. A jog is cancelled by it, but not on grblHAL, which ignores it while jogging.
    pub(super) fn feed_hold(&mut self) {
        match self.state {
            State::Jog if self.firmware != Firmware::GrblHal => self.jog_cancel(),
            State::Idle | State::Run => self.enter_hold(State::Hold),
            _ => {}
        }
    }

    pub(super) fn enter_hold(&mut self, state: State) {
        // A hold on top of a hold (door) keeps slowing as it was.
        if self.braking != Some(Braking::SoftLimit) {
            self.braking = Some(if self.planner.is_jog() { Braking::Cancel } else { Braking::Keep });
        }
        self.state = state;
        if let Some(Step::DwellUntil(until)) = self.steps.front().cloned() {
            self.steps[0] = Step::Dwell(until.since(self.now));
        }
        self.settle();
    }

    /// `~`.
    pub(super) fn cycle_start(&mut self) {
        match self.state {
            State::Hold if self.braking.is_none() => {
                if self.firmware == Firmware::GrblHal {
                    self.say("[MSG:]");
                }
                self.resume();
            }
            State::Door if self.braking.is_none() => self.leave_door(),
            State::Tool => self.end_tool_change(),
            _ => {}
        }
    }

    /// Back to what was being done before the hold.
    pub(super) fn resume(&mut self) {
        if std::mem::take(&mut self.spindle_stopped) {
            // It turns again, which is told with the next report.
            self.overrides_changed();
        }
        self.state = State::Idle;
        if matches!(self.steps.front(), Some(Step::Pause)) {
            self.steps.pop_front();
        }
        self.settle();
    }

    /// 0x85. Acts in Jog only, except that grblHAL empties its receive buffer in any state.
    fn jog_cancel(&mut self) {
        if self.firmware == Firmware::GrblHal {
            self.rx.flush();
            self.sticky = None;
            if self.state == State::Jog {
                self.steps.clear();
            }
        }
        if self.state == State::Jog && self.braking.is_none() {
            self.braking = Some(Braking::Cancel);
            self.settle();
        }
    }

    /// grblHAL 0x19: stop with a ramp, forget everything, no alarm.
    fn controlled_stop(&mut self) {
        if matches!(self.state, State::Run | State::Jog | State::Hold | State::Idle) {
            self.rx.flush();
            self.steps.clear();
            self.sticky = None;
            self.message("Stop");
            self.braking = Some(Braking::Cancel);
            if self.state == State::Hold {
                self.state = State::Run;
            }
            self.settle();
        }
    }

    /// 0x84 or the door pin.
    pub(super) fn safety_door(&mut self) {
        match self.state {
            State::Home => self.homing_failed(7),
            State::Idle | State::Run | State::Jog | State::Hold | State::Door => {
                let text = if self.firmware == Firmware::FluidNc { "Check door" } else { "Check Door" };
                self.message(text);
                self.restoring_until = None;
                self.enter_hold(State::Door);
            }
            _ => {}
        }
    }

    /// Stopped at the door.
    pub(super) fn door_settled(&mut self) {
        if self.firmware == Firmware::FluidNc && !self.switches.pressed.contains(&'D') {
            self.message("Safety door closed.  Issue cycle start to resume");
        }
    }

    fn leave_door(&mut self) {
        if self.firmware == Firmware::GrblHal {
            self.restoring_until.get_or_insert(self.now + HAL_DOOR_RESTORE);
        } else if !self.switches.pressed.contains(&'D') {
            self.resume();
        }
    }

    /// 0x9E: only in a hold that stands, with the spindle on.
    fn spindle_stop(&mut self) {
        if self.state == State::Hold && self.braking.is_none() && self.modal.spindle != SpindleMode::Off {
            self.spindle_stopped = !self.spindle_stopped;
            if !self.spindle_stopped {
                self.message("Restoring spindle");
            }
            self.overrides_changed();
        }
    }

    fn end_tool_change(&mut self) {
        if self.state == State::Tool {
            self.state = State::Idle;
            self.report_status(false);
        }
    }
}
