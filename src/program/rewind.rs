//! Where an interrupted program can begin again: at a rapid traverse, where the tool is out of the work.

use super::block::{Block, Kind};
use super::reader::RawLine;

/// Motion codes in tenths: G0 to G3, G38.x, G73, G80 to G89.
const fn is_motion(code: u16) -> bool {
    matches!(code, 0 | 10 | 20 | 30 | 382..=385 | 730 | 800..=899)
}

/// Reads a program from its beginning and remembers the last traverses.
///
/// A line that was accepted is in the controller's planner, not necessarily carried out. So as many motions as the planner holds
/// are taken back first, and from there it goes back to the last rapid that moves across.
#[derive(Debug)]
pub struct Rewind {
    block: Box<Block>,
    rapid: bool,
    /// Traverses: line, and motions before it; newest last.
    traverses: Vec<(u64, u64)>,
    motions: u64,
    acked_line: u64,
    planner: u64,
}

/// Traverses that are remembered: more than any planner holds motions.
const KEPT: usize = 2048;

impl Rewind {
    /// For a run that was accepted up to `acked_line` by a controller whose planner holds so many motions.
    pub fn new(acked_line: u64, planner: u64) -> Self {
        Self { block: Box::default(), rapid: false, traverses: Vec::new(), motions: 0, acked_line, planner }
    }

    /// The next line. `false`: no more are needed.
    pub fn line(&mut self, line: RawLine<'_>) -> bool {
        if line.number > self.acked_line {
            return false;
        }
        self.block.parse(line.bytes);
        if self.block.kind() != Kind::Words {
            return true;
        }
        if let Some(code) = self.block.g().iter().rev().find(|code| is_motion(**code)) {
            self.rapid = *code == 0;
        }
        let across = self.block.has(b'X') || self.block.has(b'Y');
        if !across && !self.block.has(b'Z') {
            return true;
        }
        if self.rapid && across && !self.block.g().contains(&530) {
            if self.traverses.len() == KEPT {
                self.traverses.drain(..KEPT / 2);
            }
            self.traverses.push((line.number, self.motions));
        }
        self.motions += 1;
        true
    }

    /// The line to begin at, and why there.
    pub fn suggest(&self) -> (u64, String) {
        let carried_out = self.motions.saturating_sub(self.planner);
        match self.traverses.iter().rev().find(|(_, motions)| *motions <= carried_out) {
            Some((line, _)) => (
                *line,
                format!(
                    "line {line} is the last rapid across before what was surely carried out: up to {} motions before line {} \
                     were still in the controller",
                    self.planner, self.acked_line
                ),
            ),
            None => (1, "there is no rapid across before it: begin at the first line".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(lines: &[&str], acked: u64, planner: u64) -> u64 {
        let mut rewind = Rewind::new(acked, planner);
        for (number, text) in (1..).zip(lines) {
            if !rewind.line(RawLine::new(number, text.as_bytes())) {
                break;
            }
        }
        rewind.suggest().0
    }

    const PART: [&str; 12] = [
        "G21 G90",
        "M3 S1000",
        "G0 Z5",
        "X10 Y10",
        "G1 Z-1 F100",
        "X20",
        "G0 Z5",
        "X30",
        "G1 Z-1",
        "X40",
        "(nothing moves here)",
        "Y20",
    ];

    #[test]
    fn it_goes_back_by_the_planner_and_then_to_a_traverse() {
        for (acked, planner, line) in
            [(12, 0, 8), (12, 3, 8), (12, 4, 8), (12, 5, 4), (12, 100, 1), (7, 0, 4), (8, 0, 8), (3, 0, 1), (0, 15, 1)]
        {
            assert_eq!(suggested(&PART, acked, planner), line, "acked {acked}, planner {planner}");
        }
    }

    #[test]
    fn a_move_in_machine_coordinates_or_of_z_alone_is_no_traverse() {
        assert_eq!(suggested(&["G0 X1", "G53 G0 X0", "G0 Z9", "G1 X5"], 4, 0), 1);
    }

    #[test]
    fn it_stays_small_on_long_programs() {
        let mut rewind = Rewind::new(u64::MAX, 15);
        for number in 1..100_000 {
            rewind.line(RawLine::new(number, b"G0X1"));
        }
        assert!(rewind.traverses.len() <= KEPT);
        assert_eq!(rewind.suggest().0, 99_985);
    }
}
