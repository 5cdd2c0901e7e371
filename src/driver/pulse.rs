//! A loop's signs of life, for a watchdog.
//!
//! A timer of its own would only prove that the runtime lives. So the loop itself beats each time it comes round, and comes
//! round now and then although nothing happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The beats of one loop. Copies count together.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    beats: Arc<AtomicU64>,
    every: Option<Duration>,
}

impl Pulse {
    /// A loop that is watched comes round at least this often. By default none is watched.
    pub fn every(every: Duration) -> Self {
        Self { beats: Arc::default(), every: Some(every) }
    }

    /// The loop has come round.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// For the loop's own wait: over when it should come round again; never, where nobody watches.
    pub async fn due(&self) {
        match self.every {
            Some(every) => tokio::time::sleep(every).await,
            None => std::future::pending().await,
        }
    }
}
