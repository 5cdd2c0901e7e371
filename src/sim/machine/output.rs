//! What the machine says: lines, replies, alarms.

use crate::model::{AxisSet, Firmware};

use super::core::{Machine, State};
use super::gcode::Code;
use super::profile::{fluid_alarm_name, fluid_error_text};

impl Machine {
    /// Locks the machine. Hard and soft limits stay until a reset; nothing is said for a while after.
    pub(super) fn alarm(&mut self, code: u16) {
        self.tell_alarm(code);
        let critical = matches!(code, 1 | 2 | 16);
        self.state = if critical { State::Critical } else { State::Alarm };
        self.braking = None;
        self.restoring_until = None;
        self.planner.freeze();
        self.last_alarm = code;
        if code == 1 {
            self.homed = AxisSet::EMPTY;
        }
        if critical && self.firmware == Firmware::GrblHal {
            self.rx.flush();
        }
        self.pause_until = Some(self.now + self.profile.alarm_pause);
        self.after_pause = critical.then_some("Reset to continue");
    }

    pub(super) fn tell_alarm(&mut self, code: u16) {
        if self.firmware == Firmware::FluidNc {
            self.message(&format!("ALARM: {}", fluid_alarm_name(code)));
        }
        self.say(&format!("ALARM:{code}"));
    }

    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(self.profile.eol.as_bytes());
    }

    /// `[MSG:…]`, with FluidNC's level.
    pub(super) fn message(&mut self, text: &str) {
        self.message_as("INFO", text);
    }

    pub(super) fn message_as(&mut self, level: &str, text: &str) {
        if self.firmware == Firmware::FluidNc {
            self.say(&format!("[MSG:{level}: {text}]"));
        } else {
            self.say(&format!("[MSG:{text}]"));
        }
    }

    pub(super) fn reply(&mut self, result: Result<(), Code>) {
        match result {
            Ok(()) => self.say("ok"),
            Err(code) => {
                self.say(&format!("error:{code}"));
                if self.firmware == Firmware::FluidNc {
                    self.message_as("ERR", fluid_error_text(code));
                }
            }
        }
    }
}
