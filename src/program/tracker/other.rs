//! Units, scaling, lines that are no plain blocks, and oddities of writing.

use super::codes::Wanted;
use super::core::{Once, Sink, Tracker};
use super::turn::Turn;
use crate::grbl::line::{Line, LineError, LineKind};
use crate::grbl::outputs::within_caps;
use crate::model::Firmware;
use crate::model::quantity::MM_PER_INCH;
use crate::program::compact::Compactor;
use crate::program::dialect::Support;
use crate::program::motion::Motion;
use crate::program::vocabulary::Units;

/// Millimetres per unit.
pub(super) const fn scale_of(units: Units) -> f64 {
    match units {
        Units::Mm => 1.0,
        Units::Inch => MM_PER_INCH,
    }
}

impl Tracker {
    pub(super) fn units(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        let Some(units) = wanted.units else { return };
        let before = self.modal.units.replace(units);
        if before.is_some_and(|before| before != units) && self.moved && self.first(Once::UnitsSwitched) {
            turn.warn(
                "units-switched",
                "the program changes its units in the middle",
                "make sure that this is meant: everything behind this line is 25.4 times larger or smaller",
            );
        }
    }

    pub(super) fn scaling(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        let Some(on) = wanted.scaling else { return };
        self.modal.scaling = Some(on);
        if on {
            turn.take_all();
            turn.motion(&Motion::Unknown);
            self.shifted = u16::MAX;
            if self.first(Once::Scaling) {
                turn.warn(
                    "scaling",
                    "the program is scaled from here on (G51): its size is not known",
                    "let the CAM program scale it",
                );
            }
        }
    }

    /// Outputs that have names keep to their caps.
    #[cold]
    pub(super) fn outputs(&mut self, turn: &mut Turn<'_, impl Sink>) {
        self.modal.outputs_switched = true;
        let text = String::from_utf8_lossy(turn.raw.bytes);
        if let Err(why) = within_caps(&text, &self.dialect.outputs) {
            turn.error("output-cap", &why.0, "write a value below the cap, or raise it in [[outputs]] if that is safe");
        }
    }

    /// A parameter, an expression or an o-word: from here on nobody knows where the machine is.
    #[cold]
    pub(super) fn expression(&mut self, turn: &mut Turn<'_, impl Sink>) {
        self.blocks += 1;
        let firmware = self.dialect.firmware;
        if let Some(fault) = turn.block.fault() {
            turn.sink.problem(fault.problem(turn.raw));
        } else if turn.block.flow {
            if self.first(Once::Flow) {
                turn.error(
                    "o-word",
                    "an o-word: a program number, or flow control, which works only in files on the controller's own card",
                    "remove the number of the program; run a program with flow control from the card",
                );
            }
        } else if self.dialect.expressions() == Support::No {
            let text = format!("{firmware} knows no parameters and no expressions");
            turn.error("expression", &text, "let the CAM program write numbers");
        } else if self.first(Once::Expression) {
            let text = "a parameter or an expression: where it goes is not known here, nor anything behind it";
            turn.warn("expression", text, "watch the first run; it is sent as it is written");
        }
        self.outputs(turn);
        self.lose_position();
        self.shifted = u16::MAX;
        turn.motion(&Motion::Unknown);
    }

    /// A `$` line within a program.
    #[cold]
    pub(super) fn dollar(&mut self, turn: &mut Turn<'_, impl Sink>) {
        self.blocks += 1;
        let text = String::from_utf8_lossy(turn.raw.bytes);
        let line = match Line::new(&text, Some(self.dialect.firmware)) {
            Ok(line) => line,
            Err(why) => {
                turn.error("dollar-line", &why.to_string(), "remove this line");
                return;
            }
        };
        match line.kind() {
            LineKind::Home => {
                turn.note("homing", "the program homes the machine", "make sure that the way to the switches is free");
                self.lose_position();
                turn.motion(&Motion::Unknown);
            }
            LineKind::Query => turn.note("dollar-line", "this only asks the controller something", "it can be removed"),
            LineKind::SettingWrite => {
                turn.warn(
                    "dollar-line",
                    "the program changes a setting of the controller",
                    "remove it unless it is meant",
                );
            }
            LineKind::Unlock | LineKind::CheckToggle | LineKind::Sleep | LineKind::Restart | LineKind::Jog => turn
                .error(
                    "dollar-line",
                    "such a command has no place in a program",
                    "remove it; unlock, jog and restart by hand only",
                ),
            _ => {
                self.lose_position();
                turn.motion(&Motion::Unknown);
                turn.warn("dollar-line", "what this command does is not known here", "remove it unless it is meant");
            }
        }
    }

    /// A NUL in a line: says once that this is no text. `true`: enough was said about this line.
    #[cold]
    pub(super) fn binary(&mut self, turn: &mut Turn<'_, impl Sink>) -> bool {
        if self.first(Once::Binary) {
            turn.error(
                "binary-file",
                "this is not a text file",
                "choose the program itself, not a project or an archive",
            );
        }
        true
    }

    /// Whether a long line is still too long when it goes out.
    #[cold]
    pub(super) fn length(&mut self, turn: &mut Turn<'_, impl Sink>) {
        let mut text = String::new();
        Compactor::new(&self.dialect, self.dialect.compact).line(turn.raw.bytes, turn.block, &mut text);
        if let Err(why @ LineError::TooLong { .. }) = Line::new(&text, Some(self.dialect.firmware)) {
            turn.error("line-too-long", &why.to_string(), "split the line, or shorten it");
        }
    }

    /// What is odd about a line but harmless, or not judged by its words.
    #[cold]
    pub(super) fn oddities(&mut self, turn: &mut Turn<'_, impl Sink>) {
        if turn.raw.is_cut() {
            let text = format!("the line has {} characters", turn.raw.length);
            turn.error("line-too-long", &text, "no controller takes such a line: split it; the file may be damaged");
        }
        if turn.block.unclosed_comment {
            turn.note(
                "comment-open",
                "a comment is not closed, so the rest of the line is not carried out",
                "add a `)`",
            );
        }
        if turn.block.split_number && self.first(Once::SplitNumber) {
            turn.warn(
                "number-split",
                "blanks stand inside a number; the controller joins it",
                "make sure that it is meant, or remove the blanks",
            );
        }
        if turn.block.deletable {
            if self.dialect.firmware == Firmware::FluidNc {
                turn.error("block-delete", "FluidNC refuses lines that begin with `/`", "remove the `/`, or the line");
            } else if self.first(Once::Deletable) {
                turn.note(
                    "block-delete",
                    "lines with `/` are carried out unless block delete is on",
                    "remove them if not meant",
                );
            }
        }
    }
}
