//! What a program is and what is wrong with it, found by one reading from end to end.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::energy::Stretch;
use crate::model::axes::{AxisSet, MAX_AXES};

/// BLAKE3 of a file's bytes: the same content has the same report, wherever the file lies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Asked about before the program runs.
    Warning,
    /// The program must not run.
    Error,
}

/// Something about one line that a person should know before the program runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// Which line of the file, counted from 1. 0: the program as a whole.
    pub line: u64,
    /// A short name that stays the same over releases, such as `feed-missing` or `out-of-travel`.
    pub kind: String,
    /// What is wrong and why, as a sentence.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
}

/// In which coordinates something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frame {
    /// Work coordinates of the system that is active when the program starts; it names none before.
    Active,
    /// Work coordinates of system `n`: 1 is G54 … 6 is G59, 7 to 9 are G59.1 to G59.3.
    Work(u8),
    /// Machine coordinates (G53).
    Machine,
}

/// How far the program goes in one frame. Linear axes in mm, rotary axes in degrees, whatever units the file uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// In which coordinates.
    pub frame: Frame,
    /// The axes that are commanded in this frame. Only their numbers below mean anything.
    pub axes: AxisSet,
    /// Lowest values.
    pub min: [f64; MAX_AXES],
    /// Highest values.
    pub max: [f64; MAX_AXES],
    /// The line that first goes to the lowest value, per axis.
    pub min_line: [u64; MAX_AXES],
    /// The line that first goes to the highest value, per axis.
    pub max_line: [u64; MAX_AXES],
    /// The program shifts this frame by itself (G10, G92, G43.1 …) or goes where nobody can know (probing, expressions):
    /// the numbers do not bound it.
    pub unsure: bool,
}

/// Units that a file uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileUnits {
    /// It names none: those of the controller at the start are taken.
    #[default]
    Unnamed,
    /// G21.
    Mm,
    /// G20.
    Inch,
    /// Both.
    Mixed,
}

/// Seconds by what they are spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// At feed.
    pub cutting_s: f64,
    /// At rapid.
    pub rapid_s: f64,
    /// Dwells. Waits for a person or a tool are not in any of these.
    pub dwell_s: f64,
}

impl Times {
    /// All together, in seconds.
    pub fn total_s(&self) -> f64 {
        self.cutting_s + self.rapid_s + self.dwell_s
    }
}

/// A line at which the program waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Counted from 1.
    pub line: u64,
    /// For what.
    pub what: WaitFor,
}

/// For what a program waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    /// M0.
    Person,
    /// M1.
    PersonIfWanted,
    /// M6 with this tool, if one is named.
    Tool(Option<u32>),
}

/// What one reading of a file found. Holds for the content, the firmware and the machine that it was made for,
/// and for every position of the work zero: [`Reach`] is held against the travel anew before each run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of what.
    pub hash: ContentHash,
    /// Bytes in the file.
    pub bytes: u64,
    /// Lines in the file, empty ones too.
    pub lines: u64,
    /// Lines that are sent.
    pub blocks: u64,
    /// The first problems by severity and line; bounded.
    pub problems: Vec<Problem>,
    /// How many errors there are in all.
    pub errors: u64,
    /// How many warnings there are in all.
    pub warnings: u64,
    /// How far it goes, by frame.
    pub reach: Vec<Reach>,
    /// Units.
    pub units: FileUnits,
    /// Length of all cuts in mm.
    pub cut_mm: f64,
    /// Length of all rapids in mm.
    pub rapid_mm: f64,
    /// Estimated time.
    pub times: Times,
    /// The part of it in which the spindle is on.
    pub spindle_on: Times,
    /// Lowest and highest feed in mm/min, if any.
    pub feed_mm_min: Option<(f64, f64)>,
    /// Lowest and highest spindle speed in rpm, if any.
    pub spindle_rpm: Option<(f64, f64)>,
    /// Coordinate systems that it selects, 1 is G54.
    pub systems: Vec<u8>,
    /// Tools that it asks for, in order, each once.
    pub tools: Vec<u32>,
    /// Where it waits; bounded.
    pub waits: Vec<Wait>,
    /// Rising points of (line, seconds from the start) for the remaining time; bounded.
    pub timeline: Arc<Vec<(u64, f32)>>,
    /// Stretches of its time one after the other, each with its seconds by what the machine does; bounded.
    #[serde(default)]
    pub course: Arc<Vec<Stretch>>,
}

impl Report {
    /// Seconds from the start to the end of `line`, between the points of the timeline.
    pub fn seconds_at(&self, line: u64) -> f64 {
        let after = self.timeline.partition_point(|(at, _)| *at < line);
        let (l1, s1) =
            self.timeline.get(after).map_or((self.lines, self.times.total_s()), |(l, s)| (*l, f64::from(*s)));
        let before = after.checked_sub(1).and_then(|at| self.timeline.get(at));
        let (l0, s0) = before.map_or((0, 0.0), |(l, s)| (*l, f64::from(*s)));
        if l1 <= l0 {
            return s1;
        }
        s0 + (s1 - s0) * (line.clamp(l0, l1) - l0) as f64 / (l1 - l0) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_between_points_is_shared_out_by_lines() {
        let report = Report {
            hash: ContentHash([0; 32]),
            bytes: 0,
            lines: 30,
            blocks: 30,
            problems: Vec::new(),
            errors: 0,
            warnings: 0,
            reach: Vec::new(),
            units: FileUnits::Mm,
            cut_mm: 0.0,
            rapid_mm: 0.0,
            times: Times { cutting_s: 20.0, ..Times::default() },
            spindle_on: Times::default(),
            feed_mm_min: None,
            spindle_rpm: None,
            systems: Vec::new(),
            tools: Vec::new(),
            waits: Vec::new(),
            timeline: Arc::new(vec![(10, 4.0), (20, 10.0)]),
            course: Arc::default(),
        };
        for (line, seconds) in
            [(0, 0.0), (5, 2.0), (10, 4.0), (15, 7.0), (20, 10.0), (25, 15.0), (30, 20.0), (99, 20.0)]
        {
            assert_eq!(report.seconds_at(line), seconds, "{line}");
        }
    }
}
