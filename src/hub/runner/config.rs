//! What the runner is told when it starts.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::encode::{Mode, ToolChange};
use crate::hub::programs::{Folders, ProgramFiles};

/// What is done when the link comes back after it was lost in a program. Nothing ever goes on by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLinkLoss {
    /// If the machine still moves, it is put on hold.
    #[default]
    Hold,
    /// It carries out what it had been sent.
    Finish,
}

/// Settings of the runner.
#[derive(Clone, Debug)]
pub struct RunnerConfig {
    /// Where programs may lie.
    pub folders: Folders,
    /// Who changes tools.
    pub tool_change: ToolChange,
    /// What follows a lost link.
    pub on_link_loss: OnLinkLoss,
    /// Lines are sent as short as they can be said; else as they are written.
    pub compact: bool,
    /// How long a spindle is given to come to speed before a program begins in its middle.
    pub warm_up: Duration,
}

impl RunnerConfig {
    pub(super) const fn mode(&self, check_mode: bool) -> Mode {
        Mode { tool_change: self.tool_change, dry: check_mode, compact: self.compact }
    }
}

impl Default for RunnerConfig {
    fn default() -> Self {
        Self {
            folders: Folders::default(),
            tool_change: ToolChange::default(),
            on_link_loss: OnLinkLoss::default(),
            compact: true,
            warm_up: Duration::from_secs(4),
        }
    }
}

/// All that the runner needs from outside.
#[derive(Clone, Debug, Default)]
pub struct ProgramKeeping {
    /// Its settings.
    pub config: RunnerConfig,
    /// The door to the programs and to what their checks found, set when the desk of programs has started. Not set: every run is one
    /// without a check.
    pub files: Arc<OnceLock<ProgramFiles>>,
}
