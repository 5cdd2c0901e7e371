//! Sums over past runs, by program.

use serde::{Deserialize, Serialize};

use super::ask::Statistics;

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
