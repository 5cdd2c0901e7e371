//! Values that stand alone, spindle, coolant, tools, and what stops a program.

use super::codes::Wanted;
use super::core::{Once, Sink, Tracker};
use super::other::scale_of;
use super::turn::Turn;
use crate::model::Firmware;
use crate::model::program::report::WaitFor;
use crate::program::motion::{Motion, Plane};
use crate::program::vocabulary::{Distance, FeedMode, MotionMode, Spindle};

/// F, P, S, T: never negative (`error:4`).
const POSITIVE: u32 = 1 << 5 | 1 << 15 | 1 << 18 | 1 << 19;

impl Tracker {
    /// Letters that the controller does not know, and values that no letter may have.
    #[inline]
    pub(super) fn values(&mut self, turn: &mut Turn<'_, impl Sink>) {
        let letters = turn.block.letters();
        if letters & !self.letters != 0 {
            self.unknown_letters(turn, letters & !self.letters);
        }
        if letters & POSITIVE != 0 {
            for letter in *b"FPST" {
                if turn.block.value(letter).is_some_and(|value| value < 0.0) {
                    let text = format!("{} is negative", letter as char);
                    turn.error("negative", &text, "write a positive number");
                }
            }
        }
    }

    #[cold]
    fn unknown_letters(&mut self, turn: &mut Turn<'_, impl Sink>, unknown: u32) {
        for letter in (0..26_u8).filter(|n| unknown & (1 << n) != 0).map(|n| b'A' + n) {
            let name = letter as char;
            if b"XYZABCUVW".contains(&letter) {
                let text = format!("this machine has no {name} axis");
                turn.error(
                    "axis-missing",
                    &text,
                    "the program is for another machine, or needs another post-processor",
                );
            } else {
                let text = format!("{} does not know the word {name}", self.dialect.firmware);
                turn.error("unsupported", &text, "remove it, or choose another post-processor");
            }
        }
    }

    /// G93, G94, G95 and F.
    #[inline]
    pub(super) fn feed(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        if let Some(mode) = wanted.feed_mode {
            if self.modal.feed_mode.unwrap_or(FeedMode::PerMinute) != mode {
                self.modal.feed_mm = None;
            }
            self.modal.feed_mode = Some(mode);
        }
        if let Some(feed) = turn.block.value(b'F')
            && self.modal.feed_mode != Some(FeedMode::InverseTime)
        {
            // Units of this very block hold, wherever they stand in it.
            let scale = match wanted.units {
                Some(units) => scale_of(units),
                None => self.scale(),
            };
            self.modal.feed_mm = Some(feed * scale);
        }
    }

    /// S, T, M6, M61.
    #[inline]
    pub(super) fn speed_and_tool(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        if let Some(speed) = turn.block.value(b'S') {
            self.modal.speed_rpm = Some(speed);
        }
        if let Some(tool) = turn.block.value(b'T') {
            self.modal.tool = Some(tool as u32);
        }
        if let Some(code) = wanted.tool_change {
            self.change_tool(turn, code == 610);
        }
    }

    fn change_tool(&mut self, turn: &mut Turn<'_, impl Sink>, only_told: bool) {
        if only_told {
            match turn.take(b'Q') {
                Some(tool) => self.modal.tool_in_spindle = Some(tool as u32),
                None => turn.error("value-missing", "M61 needs Q with the number of the tool", "add it"),
            }
            return;
        }
        self.modal.tool_in_spindle = self.modal.tool.or(self.modal.tool_in_spindle);
        turn.motion(&Motion::Wait(WaitFor::Tool(self.modal.tool)));
        if !self.first(Once::Tools) {
            return;
        }
        match self.dialect.firmware {
            Firmware::Grbl | Firmware::FluidNc if self.dialect.asks_for_tools => turn.note(
                "tool-change",
                "M6 does not go to the controller: the program stops there and asks for the tool",
                "have the tools ready",
            ),
            Firmware::Grbl => turn.error(
                "tool-change",
                "Grbl does not know M6",
                "write one program for each tool, or M0 with a comment in place of M6",
            ),
            Firmware::FluidNc => turn.warn(
                "tool-change",
                "FluidNC does not stop at M6 unless a tool changer is configured",
                "write M0 in front of it if a person changes the tool",
            ),
            Firmware::GrblHal => {
                turn.note("tool-change", "the controller waits at M6 for a person", "have the tools ready");
            }
        }
    }

    /// Spindle, coolant, overrides, inputs and outputs.
    #[inline]
    pub(super) fn switches(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        if let Some(spindle) = wanted.spindle {
            self.switch_spindle(turn, spindle);
        }
        match wanted.coolant {
            Some(70 | 71) => self.modal.mist = Some(true),
            Some(80 | 81) => self.modal.flood = Some(true),
            Some(_) => (self.modal.mist, self.modal.flood) = (Some(false), Some(false)),
            None => {}
        }
        if let Some(code) = wanted.overrides {
            if matches!(code, 480 | 490) {
                self.modal.overrides = Some(code);
            }
            turn.take(b'P');
        }
        if wanted.io.is_some() {
            for letter in *b"PELQ" {
                turn.take(letter);
            }
        }
        if wanted.path_control.is_some() {
            for letter in *b"PQ" {
                turn.take(letter);
            }
        }
    }

    fn switch_spindle(&mut self, turn: &mut Turn<'_, impl Sink>, spindle: Spindle) {
        self.modal.spindle = Some(spindle);
        if spindle == Spindle::Off {
            return;
        }
        if spindle == Spindle::CounterClockwise
            && !self.dialect.laser
            && self.dialect.firmware != Firmware::FluidNc
            && self.first(Once::Reverse)
        {
            turn.note(
                "spindle-reverse",
                "M4 turns the spindle backwards, for laser mode ($32=1) is off",
                "switch laser mode on if this is a program for a laser",
            );
        }
        if self.dialect.laser {
            if spindle == Spindle::Clockwise && self.first(Once::LaserMode) {
                turn.note(
                    "laser-constant",
                    "M3 keeps the laser at full power while the head slows down and stands",
                    "use M4, unless this is meant",
                );
            }
        } else if self.modal.speed_rpm.is_none_or(|speed| speed <= 0.0) && self.first(Once::SpeedMissing) {
            turn.warn(
                "speed-missing",
                "the spindle is started without a speed, so it may not turn",
                "add S with the speed to M3 or M4",
            );
        }
    }

    /// M0, M1, M2, M30, M60.
    #[inline]
    pub(super) fn stops(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        match wanted.stop {
            None => {}
            Some(0 | 600) => turn.motion(&Motion::Wait(WaitFor::Person)),
            Some(10) => {
                turn.motion(&Motion::Wait(WaitFor::PersonIfWanted));
                if self.dialect.firmware != Firmware::GrblHal && self.first(Once::OptionalStop) {
                    let text = format!("{} does not stop at M1", self.dialect.firmware);
                    turn.note("optional-stop", &text, "write M0 if a person has to do something here");
                }
            }
            Some(_) => self.end(turn),
        }
    }

    /// What a program's end resets (Grbl `gc_execute_line`, "[21. Program flow ]"; the others likewise).
    fn end(&mut self, turn: &Turn<'_, impl Sink>) {
        self.ended = self.ended.or(Some(turn.raw.number));
        self.modal.motion = Some(MotionMode::Linear);
        self.modal.plane = Some(Plane::Xy);
        self.modal.distance = Some(Distance::Absolute);
        if self.modal.feed_mode.is_some_and(|mode| mode != FeedMode::PerMinute) {
            self.modal.feed_mm = None;
        }
        self.modal.feed_mode = Some(FeedMode::PerMinute);
        self.select(1);
        self.modal.spindle = Some(Spindle::Off);
        (self.modal.mist, self.modal.flood) = (Some(false), Some(false));
    }
}
