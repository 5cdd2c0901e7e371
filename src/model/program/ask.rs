//! Questions about programs, and their answers. They go through [`Hub::ask`](crate::model::Hub::ask), in pages that fit a line.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::order::OnLinkLoss;
use super::past::PastRun;
use super::report::{ContentHash, Problem, Report};
use super::run::Job;
use super::totals::Totals;

/// A question about programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProgramQuery {
    /// What is in this folder; `None`: the configured folders themselves.
    List(Option<PathBuf>),
    /// What the check knows of this file. It is begun if it was not made yet; the answer comes when there is something, and again
    /// when it is finished.
    Details(PathBuf),
    /// Lines of the file as they stand there.
    Lines {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        from: u64,
        /// At most so many.
        count: usize,
    },
    /// What would be sent to begin at this line.
    Preamble {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
    },
    /// The lines that drive round what the program will do.
    Outline {
        /// The file.
        path: PathBuf,
        /// How.
        ask: OutlineAsk,
    },
    /// Pauses an analysis.
    PauseJob(u64),
    /// Goes on with a paused analysis, or begins a stopped one anew.
    ResumeJob(u64),
    /// Stops an analysis: looking at the file again does not begin it anew, [`ResumeJob`](Self::ResumeJob) does.
    StopJob(u64),
    /// Throws away all kept analyses.
    CleanAnalyses,
    /// Which analyses there are, and what is kept of them.
    Analyses,
    /// Past runs, newest first.
    History {
        /// Of this file name only.
        name: Option<String>,
        /// Skip so many.
        skip: usize,
        /// At most so many.
        count: usize,
    },
    /// Sums over past runs, of each program.
    Totals,
}

/// An answer about programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProgramAnswer {
    /// What is in a folder.
    List {
        /// Which; `None`: the configured ones.
        folder: Option<PathBuf>,
        /// Folders first, then files, newest first; or why it cannot be listed.
        entries: Result<Vec<Entry>, String>,
        /// What is not among them and why: folders that are missing, files that cannot be read, more files than are listed.
        notes: Vec<String>,
    },
    /// What the check knows so far.
    Details {
        /// The file.
        path: PathBuf,
        /// The report, with what depends on the machine as it stands now; or why there is none.
        result: Result<Arc<Details>, String>,
    },
    /// Lines of a file.
    Lines {
        /// The file.
        path: PathBuf,
        /// Number of the first.
        from: u64,
        /// The lines, or why they cannot be read.
        lines: Result<Vec<String>, String>,
    },
    /// What would be sent to begin there.
    Preamble {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// The preamble and what follows it; or why it cannot begin there.
        result: Result<Preamble, String>,
    },
    /// The lines of an outline.
    Outline {
        /// The file.
        path: PathBuf,
        /// How it was asked for.
        ask: OutlineAsk,
        /// What would be sent; or why there is no outline.
        result: Result<OutlinePlan, String>,
    },
    /// Past runs.
    History {
        /// Newest first.
        runs: Vec<PastRun>,
        /// Sums over all runs on the real machine.
        statistics: Statistics,
    },
    /// Sums over past runs.
    Totals(Totals),
    /// The analyses in the background.
    Analyses(Analyses),
}

/// The analyses in the background.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Analyses {
    /// Those that run, wait, are paused or stopped, and the last ones that ended.
    pub jobs: Vec<Job>,
    /// How many run at the same time at most.
    pub concurrent: usize,
    /// What is kept for the next time. `None`: nothing is, for want of a store.
    pub kept: Option<Kept>,
}

/// What is kept of analyses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Reports.
    pub reports: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// One line of the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The whole path.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// A folder.
    pub is_folder: bool,
    /// Bytes.
    pub bytes: u64,
    /// Last change, in ms of Unix time.
    pub modified_ms: i64,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// What the reading found.
    pub report: Arc<Report>,
    /// What it found, and what the machine as it stands adds (travel, homing, alarm): errors first.
    pub problems: Vec<Problem>,
    /// The tool path, simplified to what fits its bound.
    pub path: Option<Arc<super::toolpath::Toolpath>>,
    /// What follows a lost link in it, where that was chosen when it ran last.
    #[serde(default)]
    pub on_link_loss: Option<OnLinkLoss>,
}

/// A start from a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preamble {
    /// Where it begins: the line that was asked for.
    pub line: u64,
    /// What makes the modal state, in order.
    pub lines: Vec<String>,
    /// The first lines of the program that follow.
    pub then: Vec<String>,
    /// What the person must know (spindle starts, position not proved …).
    pub warnings: Vec<String>,
}

/// How an outline is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineAsk {
    /// The tightest shape without dents; else the rectangle along X and Y.
    pub hull: bool,
    /// Z stays where it is; else it goes to a safe height first, which needs a homed Z.
    pub stays: bool,
}

/// An outline, ready to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutlinePlan {
    /// The content of the file that it goes round.
    pub hash: ContentHash,
    /// What is sent.
    pub lines: Vec<String>,
    /// What stands against it now, errors first.
    pub problems: Vec<Problem>,
    /// How long it takes.
    pub seconds: f64,
}

/// Sums over past runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Runs.
    pub runs: u64,
    /// To their end.
    pub done: u64,
    /// Seconds of runs, pauses not counted.
    pub running_s: f64,
    /// Seconds in motion.
    pub moving_s: f64,
    /// What they drew, as far as it was measured.
    #[serde(default)]
    pub energy_kwh: f64,
}
