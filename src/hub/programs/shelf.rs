//! What checks have found, as long as it fits in memory: reports of the last files, tool paths of the last few.

use std::sync::Arc;

use super::task::Task;
use crate::model::program::Report;
use crate::model::program::toolpath::Toolpath;

/// Most reports.
const MAX_REPORTS: usize = 16;
/// Most tool paths, the large things here.
const MAX_PATHS: usize = 2;

/// What a check has found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The report.
    pub report: Arc<Report>,
    /// The tool path. `None`: the report was kept from an earlier time, or the path was given up for a newer one.
    pub path: Option<Arc<Toolpath>>,
}

/// Newest last.
#[derive(Debug, Default)]
pub(super) struct Shelf(Vec<(Task, Found)>);

impl Shelf {
    /// Puts what a check found on top.
    pub(super) fn put(&mut self, task: Task, found: Found) {
        self.0.retain(|(of, _)| *of != task);
        self.0.push((task, found));
        self.tidy();
    }

    /// What is known of this, which is then the newest.
    pub(super) fn get(&mut self, task: &Task) -> Option<Found> {
        let at = self.0.iter().position(|(of, _)| of == task)?;
        let newest = self.0.remove(at);
        let found = newest.1.clone();
        self.0.push(newest);
        self.tidy();
        Some(found)
    }

    /// All reports.
    pub(super) fn reports(&self) -> impl Iterator<Item = (&Task, &Arc<Report>)> {
        self.0.iter().map(|(task, found)| (task, &found.report))
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn tidy(&mut self) {
        let surplus = self.0.len().saturating_sub(MAX_REPORTS);
        self.0.drain(..surplus);
        let with_path = self.0.iter_mut().rev().filter(|(_, found)| found.path.is_some());
        with_path.skip(MAX_PATHS).for_each(|(_, found)| found.path = None);
    }
}
