//! The checks of programs, as they come into the snapshot.

use std::sync::Arc;

use tokio::sync::watch;

use crate::hub::run::Keeper;
use crate::model::program::Job;

/// Waits until the checks stand otherwise than before. For ever where there are none.
pub(in crate::hub) async fn jobs(jobs: &mut Option<watch::Receiver<Arc<Vec<Job>>>>) -> Arc<Vec<Job>> {
    if let Some(jobs) = jobs
        && jobs.changed().await.is_ok()
    {
        return Arc::clone(&jobs.borrow_and_update());
    }
    std::future::pending().await
}

impl Keeper {
    /// The checks stand like this now.
    pub(in crate::hub) fn take_jobs(&mut self, jobs: Arc<Vec<Job>>) {
        self.snapshot.programs.jobs = jobs;
        self.snapshot.rev += 1;
    }
}
