//! Boot, soft reset, loss of power.

use std::time::Duration;

use crate::model::{AxisSet, AxisVec, Firmware, Time};

use super::core::{Machine, State};
use super::lines::Step;
use super::modal::Modal;

/// Grbl takes this long to stop the steppers and greet after a reset in motion.
const GRBL_SETTLE: Duration = Duration::from_millis(590);

/// A soft reset under way: the alarm is out, the banner is not.
#[derive(Clone, Debug)]
pub(super) struct Resetting {
    pub(super) until: Time,
    locked: bool,
}

impl Machine {
    /// Ctrl-X.
    pub(super) fn soft_reset(&mut self) {
        let fluid = self.firmware == Firmware::FluidNc;
        let moving = match self.state {
            State::Run | State::Jog => true,
            State::Hold | State::Door => self.planner.speed_mm_s() > 0.0,
            // Grbl and FluidNC take a probe that began in contact for a motion that was cut short.
            State::Alarm => self.last_alarm == 4 && self.firmware != Firmware::GrblHal,
            _ => false,
        };
        let lost_power_stage = fluid && self.state == State::Sleep;
        let code = if self.state == State::Home {
            Some(6)
        } else if moving || lost_power_stage {
            Some(3)
        } else if fluid && self.state == State::Critical && self.settings.on(22) && self.homed.is_empty() {
            Some(14)
        } else {
            None
        };
        let was_locked = match self.state {
            State::Alarm | State::Sleep => true,
            State::Critical => !fluid,
            _ => false,
        };
        if let Some(code) = code {
            self.tell_alarm(code);
            if code == 3 || code == 6 {
                self.homed = AxisSet::EMPTY;
            }
        }
        let wait = match code {
            None => Duration::ZERO,
            Some(_) if self.firmware == Firmware::Grbl => GRBL_SETTLE,
            Some(_) => self.profile.alarm_pause,
        };
        self.drop_lines();
        self.planner.freeze();
        self.pause_until = None;
        self.after_pause = None;
        self.last_alarm = 0;
        self.restoring_until = None;
        self.resetting = Some(Resetting { until: self.now + wait, locked: was_locked || code.is_some() });
        self.due_reset();
    }

    /// Forgets what was not executed. FluidNC keeps the line it has in its hands and runs it afterwards: a `$` line
    /// that waited for the motion to end runs without an answer, any other with one.
    fn drop_lines(&mut self) {
        // Grbl finishes what it has in hand as if nothing had happened: one stale `ok` before the banner.
        if self.firmware == Firmware::Grbl && !self.steps.is_empty() {
            self.say("ok");
        }
        let waiting = self.steps.iter().find(|step| matches!(step, Step::Dollar(_))).cloned();
        self.steps.clear();
        match (self.firmware, waiting) {
            (Firmware::FluidNc, Some(Step::Dollar(line))) => {
                self.rx.flush();
                self.steps.push_back(Step::DollarUnanswered(line));
            }
            (Firmware::FluidNc, _) => self.rx.keep_first_line(),
            _ => self.rx.flush(),
        }
    }

    pub(super) fn due_reset(&mut self) {
        if let Some(reset) = self.resetting.take_if(|r| r.until <= self.now) {
            self.restart(reset.locked);
        }
    }

    /// The end of every reset: defaults, banner, locked or not.
    fn restart(&mut self, locked: bool) {
        self.planner.flush();
        self.braking = None;
        self.restoring_until = None;
        self.sticky = None;
        self.spindle_stopped = false;
        self.status_due = false;
        (self.feed_override, self.rapid_override, self.spindle_override) = (100, 100, 100);
        self.planner.set_overrides(100, 100);
        self.modal = self.modal.after_reset(self.firmware, self.planner.position());
        self.reports.restart(self.firmware);
        self.state = if locked { State::Alarm } else { State::Idle };
        self.say("");
        let banner = self.profile.banner;
        self.say(banner);
        if locked && self.firmware != Firmware::FluidNc {
            if self.settings.on(21) && !self.limits_active().is_empty() {
                self.message("Check Limits");
            }
            self.message("'$H'|'$X' to unlock");
        }
    }

    /// Power on: FluidNC tells its configuration, and `ALARM:14` where it wants to be homed.
    pub(super) fn boot(&mut self, locked: bool) {
        if self.firmware == Firmware::FluidNc {
            self.startup_log();
        }
        self.restart(locked);
        if locked && self.firmware == Firmware::FluidNc {
            self.tell_alarm(14);
        }
        self.run_startup_lines();
    }

    fn run_startup_lines(&mut self) {
        if self.state != State::Idle {
            return;
        }
        for line in self.settings.startup.clone().into_iter().filter(|line| !line.is_empty()) {
            let verdict = self.gcode(&line).map_or_else(|code| format!("error:{code}"), |()| "ok".to_owned());
            self.say(&format!(">{line}:{verdict}"));
        }
    }

    /// What FluidNC prints while it boots (`$SS` repeats it).
    pub(super) fn startup_log(&mut self) {
        let mut log = vec![
            "FluidNC v4.0.5 (simulated)".to_owned(),
            "Configuration file:config.yaml".to_owned(),
            format!("Machine {}", self.name),
            format!("Axis count {}", self.axes),
        ];
        for axis in AxisSet::first(self.axes).iter() {
            let (low, high) = self.range(axis).unwrap_or_default();
            log.push(format!("Axis {axis} ({low:.3},{high:.3})"));
        }
        log.push("Kinematic system: Cartesian".to_owned());
        for line in log {
            self.message(&line);
        }
    }

    /// The controller loses power: it boots with position zero wherever the tool stands.
    pub(super) fn power_cycle(&mut self) {
        let physical = self.planner.position().plus(&self.origin);
        self.origin = physical;
        self.planner.set_position(AxisVec::zeros(self.axes));
        self.modal = Modal::new(self.axes);
        self.homed = AxisSet::EMPTY;
        self.steps.clear();
        self.rx.flush();
        self.resetting = None;
        self.pause_until = None;
        self.after_pause = None;
        self.switches.limits_were = self.limits_active();
        self.reports.power_cycle();
        self.boot(self.settings.on(22));
    }
}
