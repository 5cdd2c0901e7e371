//! What the checks made last have found, for whoever runs programs: by content, without waiting.

use std::sync::Arc;

use tokio::sync::watch;

use super::setup::Setup;
use super::task::Task;
use crate::model::Snapshot;
use crate::model::program::{ContentHash, Report};

/// Reports with the machine that they were made for, newest last.
pub(super) type Reports = Arc<Vec<(Arc<Setup>, Arc<Report>)>>;

/// The reports of the checks made last.
#[derive(Clone, Debug)]
pub struct KnownReports {
    reports: watch::Receiver<Reports>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
}

impl KnownReports {
    pub(super) const fn new(reports: watch::Receiver<Reports>, snapshots: watch::Receiver<Arc<Snapshot>>) -> Self {
        Self { reports, snapshots }
    }

    /// The report on this content for the machine as it is set up now. One for another machine, or for this one before
    /// it was set up otherwise, does not count.
    pub fn report(&self, hash: &ContentHash) -> Option<Arc<Report>> {
        let setup = Setup::of(&self.snapshots.borrow());
        let reports = self.reports.borrow();
        let found = reports.iter().rev().find(|(of, report)| of.key == setup.key && report.hash == *hash);
        found.map(|(_, report)| Arc::clone(report))
    }
}

pub(super) fn reports<'a>(found: impl Iterator<Item = (&'a Task, &'a Arc<Report>)>) -> Reports {
    Arc::new(found.map(|(task, report)| (Arc::clone(&task.setup), Arc::clone(report))).collect())
}
