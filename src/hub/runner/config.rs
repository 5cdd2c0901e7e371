//! What the runner is told when it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::encode::{Mode, ToolChange};
use crate::hub::programs::{Folders, KnownReports};
use crate::model::program::{ContentHash, OnLinkLoss, Report};
use crate::store::{self, Store};

/// Settings of the runner.
#[derive(Clone, Debug)]
pub struct RunnerConfig {
    /// Where programs may lie.
    pub folders: Folders,
    /// Who changes tools.
    pub tool_change: ToolChange,
    /// What follows a lost link where nothing was chosen for the program.
    pub on_link_loss: OnLinkLoss,
    /// Lines are sent as short as they can be said; else as they are written.
    pub compact: bool,
    /// How long a spindle is given to come to speed before a program begins in its middle.
    pub warm_up: Duration,
}

impl RunnerConfig {
    pub(super) const fn mode(&self, check_mode: bool, guards_spindle: bool) -> Mode {
        Mode { tool_change: self.tool_change, dry: check_mode, compact: self.compact, guards_spindle }
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

/// Who knows what the checks of files found.
pub trait Checks: Send + Sync + fmt::Debug {
    /// The report on this content, if there is one. Must not block.
    fn report(&self, hash: &ContentHash) -> Option<Arc<Report>>;
}

impl Checks for KnownReports {
    fn report(&self, hash: &ContentHash) -> Option<Arc<Report>> {
        Self::report(self, hash)
    }
}

/// All that the runner needs from outside.
#[derive(Debug, Default)]
pub struct ProgramKeeping {
    /// Its settings.
    pub config: RunnerConfig,
    /// Where runs and positions are kept, and what was found there at the start. `None`: nowhere.
    pub store: Option<(Store, store::Opened)>,
    /// What is known of files. `None`: nothing, so that every run is one without a check.
    pub checks: Option<Arc<dyn Checks>>,
}
