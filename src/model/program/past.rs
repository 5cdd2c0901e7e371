//! Runs that are over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::energy::RunEnergy;
use super::order::OnLinkLoss;
use super::report::ContentHash;

/// Number of a run, rising over the life of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how", content = "why")]
pub enum RunEnd {
    /// Its last line was acknowledged and the machine came to rest.
    Done,
    /// Stopped by a person or a rule.
    Stopped(String),
    /// By an error, an alarm or a lost link.
    Failed(String),
    /// sunmill or the computer ended in the middle of it.
    Interrupted(String),
}

/// One run, as the history keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PastRun {
    /// Its number.
    pub id: RunId,
    /// File name without folder.
    pub name: String,
    /// Where it lay.
    pub path: String,
    /// What it held.
    pub hash: Option<ContentHash>,
    /// Who started it, in words.
    pub who: String,
    /// Start, in ms of Unix time.
    pub started_ms: i64,
    /// End; `None`: it runs still.
    pub ended_ms: Option<i64>,
    /// How it ended; `None`: it runs still.
    pub end: Option<RunEnd>,
    /// Where it began, counted from 1.
    pub first_line: u64,
    /// The last line that was acknowledged.
    pub last_line: u64,
    /// Lines in the file, if known.
    pub lines: Option<u64>,
    /// How often it was paused.
    pub pauses: u32,
    /// Time paused.
    pub paused_for: Duration,
    /// Time in motion, rapids and what is sent first too, as seen in reports (state Run, neither held nor waiting).
    pub moving_for: Duration,
    /// It was run in check mode or on the simulated machine: not counted in the machine's hours.
    pub dry: bool,
    /// What it drew. `None`: no inverter was there to measure it.
    #[serde(default)]
    pub energy: Option<RunEnergy>,
    /// What follows a lost link, where that was chosen for this program.
    #[serde(default)]
    pub on_link_loss: Option<OnLinkLoss>,
}
