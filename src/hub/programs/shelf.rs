//! What checks have found, as long as it fits in memory: reports of the last files, tool paths of the last few.

use std::sync::Arc;

use super::task::Task;
use crate::model::program::toolpath::Toolpath;
use crate::model::program::{ContentHash, Report};

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

    /// The report on this file, if it is certain that it still has the content that was checked.
    pub(super) fn report(&mut self, task: &Task) -> Option<Arc<Report>> {
        let certain = self.0.iter().any(|(of, _)| of == task && of.settled);
        certain.then(|| self.get(task)).flatten().map(|found| found.report)
    }

    /// The report on this content for the machine of `task`, wherever the content lay; it is then also known by `task`.
    pub(super) fn content(&mut self, hash: ContentHash, task: &Task) -> Option<Arc<Report>> {
        let same = |(of, found): &&(Task, Found)| found.report.hash == hash && of.setup.key == task.setup.key;
        let found = self.0.iter().find(same)?.1.clone();
        let report = Arc::clone(&found.report);
        self.put(task.clone(), found);
        Some(report)
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
