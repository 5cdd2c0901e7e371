//! Programs as everyone sees them: what a check found, what runs, what can be asked, what was.
//!
//! The reading and checking itself lives in [`crate::program`]; these are its results and the orders to the runner.

pub mod ask;
pub mod energy;
pub mod journal;
pub mod order;
pub mod past;
pub mod report;
pub mod run;
pub mod toolpath;
pub mod totals;

pub use ask::{Entry, ProgramAnswer, ProgramQuery};
pub use energy::{Drawn, Phase, PhaseTimes, RunEnergy, Stretch};
pub use journal::{Checkpoint, Next};
pub use order::{Agreed, OnLinkLoss, ProgramOrder, RunRequest, Start};
pub use past::{PastRun, RunEnd, RunId};
pub use report::{ContentHash, Frame, Problem, Reach, Report, Severity};
pub use run::{Answered, Interrupted, Job, JobState, Programs, Prompt, Run, RunState};
pub use totals::{ProgramTotals, RunCounts, Totals};
