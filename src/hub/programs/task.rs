//! What is to be checked: one content of one file, for one machine as it is set up.

use std::path::PathBuf;
use std::sync::Arc;

use super::folders::{Folders, Stamp};
use super::setup::Setup;
use crate::model::program::{ContentHash, Report};
use crate::store::Store;

/// A file to be checked for a machine.
#[derive(Clone, Debug)]
pub struct Task {
    /// Where it really lies.
    pub path: PathBuf,
    /// As it was when it was asked for. A file with another stamp is another task.
    pub stamp: Stamp,
    /// The machine.
    pub setup: Arc<Setup>,
    /// Where it may lie.
    pub folders: Folders,
    /// Where reports are kept, if they are.
    pub store: Option<Store>,
}

impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        self.stamp == other.stamp && self.path == other.path && self.setup.key == other.setup.key
    }
}

impl Task {
    /// The report on this content that was kept from an earlier time. Blocks.
    pub fn kept_report(&self, hash: ContentHash) -> Option<Report> {
        let kept = self.store.as_ref()?.report(&self.store_key(hash));
        // What cannot be read is found anew.
        kept.inspect_err(|error| tracing::warn!(%error, "kept reports cannot be read")).ok().flatten()
    }

    /// Keeps a report for later.
    pub fn keep_report(&self, report: &Report) {
        if let Some(store) = &self.store {
            store.keep_report(&self.store_key(report.hash), report);
        }
    }

    fn store_key(&self, hash: ContentHash) -> String {
        format!("{hash}:{}", self.setup.key)
    }
}
