//! The protocol loop: one line at a time is turned into steps, and a step may have to wait.

use std::time::Duration;

use crate::model::{AxisVec, Firmware, Time};

use super::core::{Braking, Machine, State};
use super::dollar::Answer;
use super::gcode::Code;
use super::homing::Homing;
use super::modal::{Coolant, Modal, SpindleMode, TableOp};
use super::planner::Move;
use super::probing::Probe;
use super::rx::Line;

/// Part of a line. No other line is read until all of them are done.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Wait until everything queued has been executed.
    Sync,
    Move(Move),
    Spindle(SpindleMode),
    Coolant(Coolant),
    Dwell(Duration),
    DwellUntil(Time),
    SetWcs(usize, AxisVec),
    SetHome(TableOp),
    Probe(Probe),
    /// `[PRB:…]`, after the pause that an alarm makes.
    ProbeReport,
    Home(Homing),
    Pause,
    ToolChange,
    End,
    /// A `$` line that had to wait for the motion to end.
    Dollar(String),
    /// The same, after a reset in between: it still runs, nobody is told.
    DollarUnanswered(String),
    /// Brake, then `ALARM:2`.
    SoftLimit,
    Alarm(u16),
    Say(String),
    Reply(Result<(), Code>),
}

impl Machine {
    /// Lines and steps make no progress in these states.
    pub(super) fn is_blocked(&self) -> bool {
        self.resetting.is_some()
            || self.pause_until.is_some()
            || self.braking.is_some()
            || matches!(self.state, State::Hold | State::Door | State::Sleep | State::Tool)
            || (self.state == State::Critical && self.firmware == Firmware::Grbl)
    }

    /// Executes steps and reads lines until something has to wait.
    pub(super) fn pump(&mut self) {
        while !self.is_blocked() {
            if let Some(step) = self.steps.pop_front() {
                match self.run_step(step) {
                    None => self.settle(),
                    Some(step) => {
                        self.steps.push_front(step);
                        break;
                    }
                }
            } else if let Some(line) = self.rx.take_line() {
                self.lines += 1;
                self.line(line);
            } else {
                break;
            }
        }
    }

    /// Does a step, or gives it back when it has to wait.
    fn run_step(&mut self, step: Step) -> Option<Step> {
        match step {
            Step::Sync if self.planner.is_empty() => self.drained_on_purpose(),
            Step::Sync => return Some(step),
            Step::Move(_) if self.planner.is_full() => return Some(step),
            Step::Move(mv) => {
                self.note_move();
                let limits = self.limits();
                self.planner.push(&mv, &limits);
            }
            Step::Spindle(mode) => {
                self.modal.spindle = mode;
                self.accessories_changed();
            }
            Step::Coolant(coolant) => self.set_coolant(coolant),
            Step::Dwell(time) => return Some(Step::DwellUntil(self.now + time)),
            Step::DwellUntil(until) if until > self.now => return Some(step),
            Step::SetWcs(index, offset) => {
                self.settings.wcs[index] = offset;
                self.offsets_changed();
            }
            Step::SetHome(TableOp::G28) => self.settings.g28 = self.planner.position(),
            Step::SetHome(TableOp::G30) => self.settings.g30 = self.planner.position(),
            Step::Probe(probe) => {
                if let Some(probe) = self.run_probe(probe) {
                    return Some(Step::Probe(probe));
                }
            }
            Step::ProbeReport => {
                let text = self.probe_line();
                self.say(&text);
            }
            Step::Home(homing) => {
                if let Some(homing) = self.run_homing(homing) {
                    return Some(Step::Home(homing));
                }
            }
            Step::Pause if self.state == State::Check => {}
            Step::Pause => {
                self.state = State::Hold;
                return Some(step);
            }
            Step::ToolChange => self.state = State::Tool,
            Step::End => self.program_end(),
            Step::Dollar(line) => self.finish_dollar(&line, true),
            Step::DollarUnanswered(line) => self.finish_dollar(&line, false),
            Step::SoftLimit => {
                self.braking = Some(Braking::SoftLimit);
            }
            Step::Alarm(code) => self.alarm(code),
            Step::DwellUntil(_) => {}
            Step::Say(text) => self.say(&text),
            Step::Reply(result) => self.reply(result),
        }
        None
    }

    fn finish_dollar(&mut self, line: &str, answered: bool) {
        match self.run_dollar(line) {
            Answer::Now(result) if answered => self.reply(result),
            Answer::AfterSteps if answered => self.steps.push_back(Step::Reply(Ok(()))),
            _ => {}
        }
    }

    fn line(&mut self, line: Line) {
        let text = match line {
            Line::Text(text) => text,
            Line::TooLong(text) => {
                if self.firmware == Firmware::FluidNc {
                    self.message_as("ERR", &format!("Bad GCode: {text}"));
                }
                return self.refuse(self.profile.line_error);
            }
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            self.sticky = None;
            self.reply(Ok(()));
        } else if trimmed.starts_with('$') {
            self.dollar(trimmed);
        } else if trimmed.starts_with('[') && self.firmware == Firmware::FluidNc {
            self.reply(Ok(()));
        } else {
            self.gcode_line(trimmed);
        }
    }

    fn gcode_line(&mut self, text: &str) {
        let locked = match self.state {
            State::Alarm | State::Jog => true,
            State::Critical => self.firmware == Firmware::GrblHal,
            _ => false,
        };
        if locked {
            return self.refuse(9);
        }
        if let Some(code) = self.sticky {
            return self.reply(Err(code));
        }
        // A line that FluidNC interprets but a simulator need not: parameters.
        if self.firmware == Firmware::FluidNc && text.starts_with('#') {
            return self.reply(Ok(()));
        }
        let result = if self.firmware == Firmware::FluidNc && text.starts_with(['o', 'O']) {
            Err(176)
        } else {
            self.gcode(text)
        };
        match result {
            Ok(()) => {}
            Err(code) => {
                if self.firmware == Firmware::FluidNc {
                    self.message_as("ERR", &format!("Bad GCode: {text}"));
                }
                self.refuse(code);
            }
        }
    }

    /// `error:n`, which sticks on grblHAL.
    pub(super) fn refuse(&mut self, code: Code) {
        if self.firmware == Firmware::GrblHal {
            self.sticky = Some(code);
        }
        self.reply(Err(code));
    }

    fn set_coolant(&mut self, coolant: Coolant) {
        match coolant {
            Coolant::Mist => self.modal.mist = true,
            Coolant::Flood => self.modal.flood = true,
            Coolant::Off => (self.modal.mist, self.modal.flood) = (false, false),
        }
        self.accessories_changed();
    }

    /// M2, M30: modes back to what they were at power-on, overrides to 100 %.
    fn program_end(&mut self) {
        let fresh = Modal::new(self.axes);
        self.modal = Modal {
            motion: super::modal::Motion::Linear,
            wcs: 0,
            plane: fresh.plane,
            absolute: true,
            inverse_time: false,
            spindle: SpindleMode::Off,
            mist: false,
            flood: false,
            ..self.modal.clone()
        };
        (self.feed_override, self.rapid_override, self.spindle_override) = (100, 100, 100);
        self.planner.set_overrides(100, 100);
        self.overrides_changed();
        self.offsets_changed();
        self.message(if self.firmware == Firmware::FluidNc { "Program End" } else { "Pgm End" });
    }
}
