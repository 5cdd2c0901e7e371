//! Which lines start the spindle. Pure.
//!
//! A start is what draws the surge: from standstill, or the other way round. `M3` with a spindle that turns that way already
//! is none, nor is one at `S0`; and a speed alone is one where the spindle was switched on at `S0` before. Of a laser (`$32=1`)
//! only the first light after `M5` counts: its power follows the speed.

use super::block::{Block, Code, Kind};

const CLOCKWISE: Code = 30;
const COUNTER_CLOCKWISE: Code = 40;
/// `M5`, and the ends of a program, which switch it off too.
const OFF: [Code; 3] = [50, 20, 300];

/// Which way a spindle turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// `M3`.
    Clockwise,
    /// `M4`.
    CounterClockwise,
}

/// A spindle while lines go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spindle {
    laser: bool,
    /// What is switched on, whatever the speed.
    mode: Option<Turn>,
    /// The speed is above 0. `None`: not known, which counts as if it were.
    speed: Option<bool>,
    turns: Option<Turn>,
    /// A line has switched it: that it stands or turns does not rest on what somebody else has done before.
    switched: bool,
}

impl Spindle {
    /// One that stands.
    pub const fn new(laser: bool) -> Self {
        Self { laser, mode: None, speed: None, turns: None, switched: false }
    }

    /// One that is switched on (`mode`), and turns or not.
    pub const fn known(laser: bool, mode: Option<Turn>, turns: Option<Turn>) -> Self {
        Self { laser, mode, speed: None, turns, switched: false }
    }

    /// A line before has switched it on or off, so that it is known how it stands, whatever a report says.
    pub const fn is_switched(&self) -> bool {
        self.switched
    }

    /// Takes a line. Which way it begins to turn by it, if it does.
    pub fn starts(&mut self, block: &Block, bytes: &[u8]) -> Option<Turn> {
        let expression = block.kind() == Kind::Expression;
        let mut touched = false;
        for code in block.m() {
            match *code {
                CLOCKWISE => (self.mode, touched) = (Some(Turn::Clockwise), true),
                COUNTER_CLOCKWISE => (self.mode, touched) = (Some(Turn::CounterClockwise), true),
                code if OFF.contains(&code) => (self.mode, touched) = (None, true),
                _ => {}
            }
        }
        self.switched |= touched;
        if let Some(speed) = block.value(b'S') {
            (self.speed, touched) = (Some(speed > 0.0), true);
        } else if expression && mentions(bytes, b'S') {
            // What it comes to is not known here.
            (self.speed, touched) = (None, true);
        }
        if expression && !block.m().iter().any(|code| [CLOCKWISE, COUNTER_CLOCKWISE].contains(code)) {
            // Words behind an expression are not read: a start that stands there must not be missed.
            for (digit, turn) in [(b'3', Turn::Clockwise), (b'4', Turn::CounterClockwise)] {
                if switches(bytes, digit) {
                    (self.mode, touched, self.switched) = (Some(turn), true, true);
                }
            }
        }
        if !touched {
            return None;
        }
        let wanted = match (self.mode, self.speed) {
            (Some(_), Some(false)) if self.laser => self.turns,
            (Some(_), Some(false)) | (None, _) => None,
            (turn, _) => turn,
        };
        let starts = match (self.turns, wanted) {
            (None, Some(turn)) => Some(turn),
            (Some(before), Some(turn)) if before != turn && !self.laser => Some(turn),
            _ => None,
        };
        self.turns = wanted;
        starts
    }
}

fn mentions(bytes: &[u8], letter: u8) -> bool {
    bytes.iter().any(|byte| byte.to_ascii_uppercase() == letter)
}

/// `M3`, `m 03` and the like stand somewhere in it.
fn switches(bytes: &[u8], digit: u8) -> bool {
    let dense: Vec<u8> = bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_uppercase).collect();
    dense.iter().enumerate().filter(|(_, byte)| **byte == b'M').any(|(at, _)| {
        let digits = dense[at + 1..].iter().skip_while(|byte| **byte == b'0');
        let mut word = digits.take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
        word.next() == Some(&digit) && word.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(laser: bool, lines: &[&str]) -> Vec<Option<char>> {
        let mut spindle = Spindle::new(laser);
        let mut block = Block::new();
        let mut starts = |line: &str| {
            block.parse(line.as_bytes());
            spindle.starts(&block, line.as_bytes()).map(|turn| if turn == Turn::Clockwise { '3' } else { '4' })
        };
        lines.iter().map(|line| starts(line)).collect()
    }

    #[test]
    fn a_start_is_one_from_standstill_or_the_other_way_round() {
        let lines = ["G0 X1", "M3 S1000", "M3 S2000", "G1 X2 S500", "M4", "M5", "M3"];
        assert_eq!(starts(false, &lines), [None, Some('3'), None, None, Some('4'), None, Some('3')]);
    }

    #[test]
    fn at_no_speed_nothing_starts_and_a_speed_alone_does_then() {
        assert_eq!(starts(false, &["M3 S0", "G1 X1", "S800", "S0", "S900"]), [None, None, Some('3'), None, Some('3')]);
        assert_eq!(starts(false, &["S0", "M4", "M2", "S100"]), [None, None, None, None]);
        // The speed that a controller remembers is not known.
        assert_eq!(starts(false, &["m03"]), [Some('3')]);
    }

    #[test]
    fn of_a_laser_only_the_first_light_counts() {
        let lines = ["M4 S0", "G1 X1 S300", "G1 X2 S0", "G1 X3 S500", "M3", "M5", "M4 S10"];
        assert_eq!(starts(true, &lines), [None, Some('4'), None, None, None, None, Some('4')]);
    }

    #[test]
    fn what_an_expression_comes_to_is_not_known_and_counts() {
        assert_eq!(starts(false, &["M3 S0", "S#1"]), [None, Some('3')]);
        assert_eq!(starts(false, &["S[#1*2] M 03"]), [Some('3')]);
        assert_eq!(starts(false, &["G1 X#2 M30", "G1 X#2 M4.1", "#3=4"]), [None, None, None]);
        assert_eq!(starts(false, &["M3 S100", "G1 X#2"]), [Some('3'), None]);
    }

    #[test]
    fn a_line_that_switches_it_makes_its_state_known() {
        let mut block = Block::new();
        let mut after = |lines: &[&str]| {
            let mut spindle = Spindle::new(false);
            for line in lines {
                block.parse(line.as_bytes());
                spindle.starts(&block, line.as_bytes());
            }
            spindle.is_switched()
        };
        assert!(!after(&[]) && !after(&["G1 X1", "S900"]));
        for line in ["M3 S100", "m5", "M30", "G1 X#1 M4"] {
            assert!(after(&[line, "G1 X2"]), "{line}");
        }
    }

    #[test]
    fn one_that_turns_already_is_not_started() {
        let mut block = Block::new();
        let mut takes = |mut spindle: Spindle, line: &str| {
            block.parse(line.as_bytes());
            spindle.starts(&block, line.as_bytes())
        };
        let on = Some(Turn::Clockwise);
        assert_eq!(takes(Spindle::known(false, on, on), "M3 S9000"), None);
        assert_eq!(takes(Spindle::known(false, on, on), "M4 S9000"), Some(Turn::CounterClockwise));
        // Switched on, at S0.
        assert_eq!(takes(Spindle::known(false, on, None), "S9000"), on);
        assert_eq!(takes(Spindle::known(false, on, None), "G1 X1"), None);
    }
}
