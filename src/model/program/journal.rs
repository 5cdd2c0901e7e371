//! What is written down while a program runs, so that it can be taken up again after a crash or a power cut.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::energy::RunEnergy;
use super::past::RunId;
use super::report::ContentHash;
use crate::model::axes::AxisVec;

/// How far a run was at one moment, and what the controller would have to be told to go on from there.
///
/// Fields that a file of an older sunmill does not have are read as their defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkpoint {
    /// Of which run.
    pub run: RunId,
    /// When, in ms of Unix time.
    pub at_ms: i64,
    /// The last line that the controller accepted, counted from 1; 0: none.
    pub acked_line: u64,
    /// The last line that went out. Lines between the two may or may not have been accepted.
    pub sent_line: u64,
    /// Modal words in force when the run began, such as `G21` or `M3`: no controller tells them while it runs.
    pub modal: Vec<String>,
    /// The tool in the spindle, if known.
    pub tool: Option<u32>,
    /// Work coordinate offset as reported, in mm or degrees: `WPos = MPos - WCO`, all shifts together.
    pub work_offset: Option<AxisVec>,
    /// The last line that was accepted when it was reported.
    pub work_offset_line: u64,
    /// Coordinate systems when the run began, by name (`G54` …), in mm or degrees.
    pub systems: BTreeMap<String, AxisVec>,
    /// G92 shift, which dies in a reset on Grbl and FluidNC.
    pub g92: Option<AxisVec>,
    /// Tool length offset in mm, which dies in a reset on Grbl and FluidNC.
    pub tool_length: Option<f64>,
    /// Machine position of the last report, in mm or degrees.
    pub machine_position: Option<AxisVec>,
    /// All axes that the machine homes were homed.
    pub homed: bool,
    /// What the file held, if it was read to the end by then.
    pub hash: Option<ContentHash>,
    /// Lines in the file, if known by then.
    pub lines: Option<u64>,
    /// How often the run was paused so far.
    pub pauses: u32,
    /// Time paused so far.
    pub paused_for: Duration,
    /// Time in motion so far.
    #[serde(alias = "cutting_for")]
    pub moving_for: Duration,
    /// What it drew so far, where an inverter measures it.
    pub energy: Option<RunEnergy>,
    /// Where it goes on, if it was stopped for that.
    pub next: Option<Next>,
    /// Lines that the controller refused and that were skipped: nothing of them is in force. With those of the run that it took up.
    pub skipped: Vec<u64>,
}

/// Where a run that was stopped for it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// Counted from 1.
    pub line: u64,
    /// Why there.
    pub why: String,
}
