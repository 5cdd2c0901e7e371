//! What is counted since the start beside what the snapshot has.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters of the whole server.
#[derive(Debug, Default)]
pub(super) struct Counted {
    dropped: AtomicU64,
    alarms: Mutex<BTreeMap<u16, u64>>,
}

impl Counted {
    /// A slow client lost so many log entries.
    pub(super) fn drop_entries(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// An alarm of this code; 0: the controller told none.
    pub(super) fn alarm(&self, code: u16) {
        *self.alarms.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// Log entries that clients lost, those that have left too.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Alarms by their codes.
    pub(super) fn alarms(&self) -> BTreeMap<u16, u64> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
