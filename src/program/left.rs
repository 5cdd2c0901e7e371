//! What an interrupted run left behind, as its journal knows it: what was in force when it began, and the G92 shift that
//! died with it.
//!
//! No firmware tells the G92 shift while a program runs. All tell the sum of the offsets in force with their reports; less the
//! coordinate system and the tool length, which the program names, the shift is left. It belongs to the last G92 before
//! that report, so it is of use only for lines behind that G92 and before the next.

use std::fmt::Write as _;

use super::block::Block;
use super::dialect::Dialect;
use super::modal::Modal;
use super::motion::Motion;
use super::reader::RawLine;
use super::tracker::{Sink, Tracker};
use super::vocabulary::ToolLength;
use crate::model::axes::{Axis, AxisVec};
use crate::model::program::report::Problem;
use crate::model::quantity::number;
use crate::model::work::Wcs;

/// Offsets are told in thousandths, and three of them are added up.
const SAME_MM: f64 = 0.004;
/// Coordinate systems, G54 to G59.3.
pub const SYSTEMS: usize = 9;

/// What the journal knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// Modal words in force when the run began.
    pub modal: Vec<String>,
    /// All offsets together, as the controller reported them last.
    pub work_offset: Option<AxisVec>,
    /// The line that was accepted by then; 0: none.
    pub line: u64,
    /// Coordinate systems when the run began, from G54 on.
    pub systems: [Option<AxisVec>; SYSTEMS],
    /// Tool length in mm when the run began.
    pub tool_length_mm: Option<f64>,
    /// The tool in the spindle when the run began.
    pub tool: Option<u32>,
    /// Lines that the controller refused: nothing of them was ever in force.
    pub skipped: Vec<u64>,
    /// The file is not the one that ran.
    pub changed: bool,
}

/// Zeros and place of the machine as it stands now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zeros {
    /// Coordinate systems, from G54 on.
    pub systems: [Option<AxisVec>; SYSTEMS],
    /// The active one, counted from 1.
    pub active: Option<u8>,
    /// The G92 shift in force.
    pub g92: Option<AxisVec>,
    /// Tool length of each axis.
    pub tool_length: Option<AxisVec>,
    /// Where it stands, in machine coordinates.
    pub machine_position: Option<AxisVec>,
}

impl Zeros {
    /// Some shift is in force.
    pub fn has_shift(&self) -> bool {
        self.g92.is_some_and(|shift| shift.norm() > 0.0)
    }
}

/// Nothing of what passes by is wanted.
pub(super) struct Deaf;

impl Sink for Deaf {
    fn motion(&mut self, _line: u64, _motion: &Motion) {}
    fn problem(&mut self, _problem: Problem) {}
}

impl Left {
    /// The groups whose words a reset takes back and that a program may take for granted: plane, units, distances, feed mode,
    /// coordinate system.
    pub(super) fn modal(&self, dialect: &Dialect) -> Modal {
        let kept = |word: &&String| {
            const KEPT: [&str; 11] = ["G17", "G18", "G19", "G20", "G21", "G90", "G91", "G90.1", "G91.1", "G93", "G94"];
            KEPT.contains(&word.as_str()) || Wcs::from_name(word).is_some()
        };
        let words: Vec<&str> = self.modal.iter().filter(kept).map(String::as_str).collect();
        let (mut tracker, mut block) = (Tracker::new(dialect.clone()), Block::new());
        let text = words.join(" ");
        block.parse(text.as_bytes());
        tracker.apply(RawLine::new(1, text.as_bytes()), &block, &mut Deaf);
        tracker.modal().clone()
    }

    /// The spindle was on before the program began.
    pub(super) fn spindle_was_on(&self) -> bool {
        self.modal.iter().any(|word| matches!(word.as_str(), "M3" | "M4"))
    }

    /// The shift that was in force when the offsets were reported, with the program's state by then.
    pub(super) fn shift(&self, by_then: &Modal) -> Option<AxisVec> {
        let sum = self.work_offset?;
        let system = self.systems.get(usize::from(by_then.system?).checked_sub(1)?)?.as_ref()?;
        let length = match by_then.tool_length {
            Some(ToolLength::Dynamic) => AxisVec::from_slice(&by_then.tool_offset_mm[..sum.len()]),
            Some(ToolLength::Cancelled) => AxisVec::zeros(sum.len()),
            Some(ToolLength::Table(_)) => return None,
            None => along_z(self.tool_length_mm.unwrap_or_default(), sum.len()),
        };
        let shift = sum.minus(system).minus(&length);
        Some(AxisVec::from_slice(
            &shift.as_slice().iter().map(|mm| if mm.abs() < SAME_MM { 0.0 } else { *mm }).collect::<Vec<_>>(),
        ))
    }

    /// Axes of a coordinate system that were zeroed anew since: what they read now is what a person wants them to read, without
    /// a shift.
    pub(super) fn set_anew(&self, system: u8, now: &Zeros) -> Vec<Axis> {
        let at = usize::from(system.saturating_sub(1));
        let (Some(Some(then)), Some(Some(now))) = (self.systems.get(at), now.systems.get(at)) else {
            return Vec::new();
        };
        let moved = |(axis, value): (Axis, f64)| {
            then.get(axis).is_none_or(|then| (then - value).abs() >= SAME_MM).then_some(axis)
        };
        now.iter().filter_map(moved).collect()
    }
}

/// A tool length as a vector.
pub fn along_z(mm: f64, axes: usize) -> AxisVec {
    let mut length = AxisVec::zeros(axes);
    length.set(Axis::Z, mm);
    length
}

/// `G92` with what each axis has to read where the machine stands now, so that the shift becomes `wanted`. `None`: it is so already.
/// `system` and `length` are in force when the line is carried out.
pub(super) fn restoring(
    wanted: &AxisVec,
    system: &AxisVec,
    length: &AxisVec,
    now: &Zeros,
) -> Result<Option<String>, String> {
    let here = now.machine_position.ok_or("where the machine stands is not known")?;
    let mut line = "G92".to_owned();
    for (axis, shift) in wanted.iter() {
        let present = now.g92.and_then(|g92| g92.get(axis)).unwrap_or_default();
        if (present - shift).abs() < SAME_MM {
            continue;
        }
        let of = |vector: &AxisVec| vector.get(axis).unwrap_or_default();
        let reads = of(&here) - of(system) - of(length) - shift;
        let reads = (reads * 1000.0).round() / 1000.0;
        let _ = write!(line, " {}{}", axis.letter(), number(reads));
    }
    Ok((line != "G92").then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::machine::Firmware;

    fn vec(values: &[f64]) -> AxisVec {
        AxisVec::from_slice(values)
    }

    #[test]
    fn the_shift_is_what_the_other_offsets_leave() {
        let mut left = Left {
            modal: ["G0", "G55", "G17", "G20", "G91", "G94", "M3", "F0", "S0"].map(str::to_owned).to_vec(),
            work_offset: Some(vec(&[12.0, 20.001, -3.0])),
            line: 9,
            ..Left::default()
        };
        left.systems[1] = Some(vec(&[10.0, 20.0, -5.5]));
        let modal = left.modal(&Dialect::new(Firmware::Grbl, 3));
        assert_eq!(modal.words(), ["G94", "G17", "G20", "G55", "G91"]);
        assert!(left.spindle_was_on() && modal.spindle.is_none(), "it is not switched on for nobody");
        assert_eq!(left.shift(&modal), Some(vec(&[2.0, 0.0, 2.5])));
        let tool = Modal { tool_length: Some(ToolLength::Dynamic), ..modal.clone() };
        let tool = Modal { tool_offset_mm: [0.0, 0.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], ..tool };
        assert_eq!(left.shift(&tool), Some(vec(&[2.0, 0.0, 0.0])));
        assert_eq!(left.shift(&Modal { system: Some(3), ..modal }), None, "nobody knows G56");
    }

    #[test]
    fn g92_names_what_each_axis_must_read_here() {
        let now = Zeros { machine_position: Some(vec(&[-100.0, -50.0, -10.0])), ..Zeros::default() };
        let (system, none) = (vec(&[-90.0, -40.0, -30.0]), vec(&[0.0; 3]));
        let line = |wanted: &[f64], now: &Zeros| restoring(&vec(wanted), &system, &none, now).unwrap();
        assert_eq!(line(&[5.0, 0.0, -2.0], &now).as_deref(), Some("G92 X-15 Z22"));
        assert_eq!(line(&[0.0; 3], &now), None);
        let there = Zeros { g92: Some(vec(&[5.0, 0.0, -2.0])), ..now };
        assert_eq!(line(&[5.0, 0.0, -2.0], &there), None, "grblHAL keeps it");
        assert_eq!(line(&[5.0, 0.0, 0.0], &there).as_deref(), Some("G92 Z20"));
        assert!(restoring(&vec(&[5.0]), &system, &none, &Zeros::default()).is_err());
    }

    #[test]
    fn an_axis_that_was_zeroed_anew_is_named() {
        let mut left = Left::default();
        left.systems[0] = Some(vec(&[1.0, 2.0, 3.0]));
        let mut now = Zeros::default();
        now.systems[0] = Some(vec(&[1.0, 2.001, 4.0]));
        assert_eq!(left.set_anew(1, &now), [Axis::Z]);
        assert_eq!(left.set_anew(2, &now), []);
    }
}
