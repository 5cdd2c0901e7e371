//! What runs now, what waits, what was interrupted: the programs' part of the snapshot.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::energy::PhaseTimes;
use super::journal::Checkpoint;
use super::order::OnLinkLoss;
use super::past::{PastRun, RunId};
use super::report::ContentHash;
use super::totals::RunCounts;
use crate::model::time::Time;

/// Programs, as the snapshot tells them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Programs {
    /// The run under way, or the last one that ended, until the next starts.
    pub run: Option<Run>,
    /// Files that wait for a person to start them.
    pub queue: Arc<Vec<PathBuf>>,
    /// A run that did not come to its end and can be taken up again.
    pub interrupted: Option<Arc<Interrupted>>,
    /// Analyses under way, waiting or just ended.
    pub jobs: Arc<Vec<Job>>,
    /// What is wrong with the store, if anything: nothing is journaled then.
    pub store_trouble: Option<String>,
    /// How many ran, and how they ended.
    #[serde(default)]
    pub counts: RunCounts,
    /// What follows a link that is lost in a program for which nothing else was chosen.
    #[serde(default)]
    pub on_link_loss: OnLinkLoss,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// File name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its content, once it was read to the end.
    pub hash: Option<ContentHash>,
    /// How it stands.
    pub state: RunState,
    /// Where it began, counted from 1.
    pub first_line: u64,
    /// Lines in the file, if known.
    pub lines: Option<u64>,
    /// The last line that went out.
    pub sent_line: u64,
    /// The last line that the controller accepted. It is in the planner, not necessarily carried out.
    pub acked_line: u64,
    /// That line as sent.
    pub text: String,
    /// When it started.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Paused for this long in all, the present pause not counted.
    pub paused_for: Duration,
    /// Since when it is paused.
    pub paused_since: Option<Time>,
    /// What is left, by the estimate and with the present overrides of feed and rapids, in seconds.
    pub remaining_s: Option<f64>,
    /// The same without overrides: the part of the program that is to come.
    #[serde(default)]
    pub programmed_s: Option<f64>,
    /// What it asks a person.
    pub prompt: Option<Prompt>,
    /// Who answered its last question.
    pub answered: Option<Answered>,
    /// It runs in check mode.
    pub check_mode: bool,
    /// It is the outline of the file, not the program in it.
    pub outline: bool,
    /// The time of the whole program by what the machine does, if it was checked.
    #[serde(default)]
    pub phases: Option<PhaseTimes>,
    /// What follows a link that is lost in it.
    #[serde(default)]
    pub on_link_loss: OnLinkLoss,
}

impl Run {
    /// A run that has been accepted at `at` and has sent nothing.
    pub fn new(id: RunId, path: PathBuf, first_line: u64, at: Time) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
        Self {
            id,
            name,
            path,
            hash: None,
            state: RunState::Ready,
            first_line,
            lines: None,
            sent_line: 0,
            acked_line: 0,
            text: String::new(),
            started_at: at,
            ended_at: None,
            paused_for: Duration::ZERO,
            paused_since: None,
            remaining_s: None,
            programmed_s: None,
            prompt: None,
            answered: None,
            check_mode: false,
            outline: false,
            phases: None,
            on_link_loss: OnLinkLoss::default(),
        }
    }
}

impl Run {
    /// For how long it has run by now, pauses not counted.
    pub fn ran_for(&self, now: Time) -> Duration {
        let now = self.ended_at.unwrap_or(now);
        let paused = self.paused_for + self.paused_since.map(|since| now.since(since)).unwrap_or_default();
        now.since(self.started_at).saturating_sub(paused)
    }
}

/// How a run stands. Legal: ready → running ⇄ paused → done, failed or stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum RunState {
    /// Accepted; its first line has not gone out.
    Ready,
    /// Lines go out.
    Running,
    /// No more lines go out; the controller still carries out what it has.
    Pausing,
    /// Paused. Never times out.
    Paused(String),
    /// Hold, wait for standstill, reset.
    Stopping,
    /// To its end.
    Done,
    /// Not to its end.
    Failed(String),
    /// A person or a rule stopped it.
    Stopped(String),
}

impl RunState {
    /// Not over yet.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Done | Self::Failed(_) | Self::Stopped(_))
    }
}

/// A program asks a person something, on every screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Prompt {
    /// M0 or M1.
    Pause {
        /// Counted from 1.
        line: u64,
        /// The comment beside it or on the line before, if any.
        text: Option<String>,
    },
    /// M6.
    ToolChange {
        /// Counted from 1.
        line: u64,
        /// The tool, if named.
        tool: Option<u32>,
        /// The comment beside it or on the line before, if any.
        text: Option<String>,
        /// The line to begin at after a stop here: this one where it does more than to change the tool.
        next: u64,
    },
    /// The spindle is about to start, and there is not enough power for it, or that is not known.
    SpindleStart {
        /// Counted from 1; 0: before the first line, where a program begins in its middle.
        line: u64,
        /// `M4`.
        counter_clockwise: bool,
        /// What it waited for when it began to wait.
        text: String,
        /// Lines before it have switched the spindle: that it stands, or turns the other way, does not rest on a report.
        #[serde(default)]
        sure: bool,
    },
    /// The controller refused a line.
    LineRefused {
        /// Counted from 1.
        line: u64,
        /// `error:n`.
        code: u16,
        /// What that means on this firmware.
        meaning: String,
        /// The line and its neighbours: number and text as in the file.
        around: Vec<(u64, String)>,
    },
}

impl Prompt {
    /// The line at which it is asked.
    pub const fn line(&self) -> u64 {
        match self {
            Self::Pause { line, .. }
            | Self::ToolChange { line, .. }
            | Self::SpindleStart { line, .. }
            | Self::LineRefused { line, .. } => *line,
        }
    }
}

/// An answer to a question of a run. Each is answered once, by whoever is first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The line at which it was asked.
    pub line: u64,
    /// Who answered, in words.
    pub who: String,
    /// When.
    pub at: Time,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its question at line {} has been answered already, by {}", self.line, self.who)
    }
}

/// A run that did not come to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interrupted {
    /// As the history has it.
    pub run: PastRun,
    /// Where to begin again: rewound to the last safe start.
    pub suggested_line: u64,
    /// Why there.
    pub why: String,
    /// What may still be on, or lost: the spindle, offsets that died in a reset.
    pub warnings: Vec<String>,
    /// What was journaled of it.
    pub left: Checkpoint,
}

/// A background analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// Of what.
    pub path: PathBuf,
    /// How it stands.
    pub state: JobState,
    /// Bytes read.
    pub done_bytes: u64,
    /// Bytes in the file.
    pub total_bytes: u64,
    /// Errors found so far. While it is not [`JobState::Done`], none means none up to here.
    pub errors: u64,
}

/// How an analysis stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum JobState {
    /// Waits for a free place.
    Waiting,
    /// Reads.
    Running,
    /// Paused by a person.
    Paused,
    /// Stopped by a person; it stays so.
    Stopped,
    /// The report is there.
    Done,
    /// It could not be read.
    Failed(String),
}
