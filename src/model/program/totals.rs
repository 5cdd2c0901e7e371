//! Sums over past runs, by program.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ask::Statistics;
use super::past::{PastRun, RunEnd};

/// Sums over all runs there ever were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// On the real machine: its hours.
    pub machine: Statistics,
    /// In check mode or on the simulated machine.
    pub dry: Statistics,
    /// For each file name, the last one used first.
    pub programs: Vec<ProgramTotals>,
}

/// Sums over the runs of one file name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProgramTotals {
    /// File name without folder.
    pub name: String,
    /// On the real machine.
    pub machine: Statistics,
    /// In check mode or on the simulated machine.
    pub dry: Statistics,
    /// When it was started last, in ms of Unix time.
    pub last_ms: i64,
}

/// Runs since sunmill was started. Nothing of it ever goes down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunCounts {
    /// Begun.
    pub started: u64,
    /// Came to their end.
    pub done: u64,
    /// Failed.
    pub failed: u64,
    /// Were stopped.
    pub stopped: u64,
    /// Were cut off.
    pub interrupted: u64,
    /// Seconds of those that have ended, pauses not counted.
    pub running_s: f64,
    /// What those drew from the sun, in Wh, as far as it was measured.
    pub sun_wh: f64,
    /// Out of the battery.
    pub battery_wh: f64,
    /// From the grid.
    pub grid_wh: f64,
    /// From where is not known.
    pub unsplit_wh: f64,
}

impl RunCounts {
    /// One has ended that ran for so long.
    pub fn end(&mut self, past: &PastRun, ran: Duration) {
        match &past.end {
            Some(RunEnd::Done) => self.done += 1,
            Some(RunEnd::Failed(_)) => self.failed += 1,
            Some(RunEnd::Stopped(_)) => self.stopped += 1,
            Some(RunEnd::Interrupted(_)) | None => self.interrupted += 1,
        }
        self.running_s += ran.as_secs_f64();
        if let Some(drew) = &past.energy {
            self.sun_wh += drew.sun_wh.max(0.0);
            self.battery_wh += drew.battery_wh.max(0.0);
            self.grid_wh += drew.grid_wh.max(0.0);
            self.unsplit_wh += drew.unsplit_wh.max(0.0);
        }
    }
}
