//! A loop's signs of life, for a watchdog.
//!
//! A timer of its own would only prove that the runtime lives. So the loop itself beats each time it comes round, and comes
//! round now and then although nothing happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The beats of one loop. Copies count together.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    beats: Arc<AtomicU64>,
    watched: Option<Watched>,
}

/// How a loop is watched.
#[derive(Clone, Debug)]
struct Watched {
    every: Duration,
    since: Instant,
    /// Milliseconds after `since` at which it beat last.
    last_ms: Arc<AtomicU64>,
}

impl Pulse {
    /// A loop that is watched comes round at least this often. By default none is watched.
    pub fn every(every: Duration) -> Self {
        let watched = Watched { every, since: Instant::now(), last_ms: Arc::default() };
        Self { beats: Arc::default(), watched: Some(watched) }
    }

    /// The loop has come round.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
        if let Some(watched) = &self.watched {
            watched.last_ms.store(watched.since.elapsed().as_millis() as u64, Ordering::Relaxed);
        }
    }

    /// It comes round at least this often. Zero: nobody watches it.
    pub fn period(&self) -> Duration {
        self.watched.as_ref().map_or(Duration::ZERO, |watched| watched.every)
    }

    /// How often it has.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// How long ago it came round last, or was begun to be watched. `None`: nobody watches it.
    pub fn age(&self) -> Option<Duration> {
        let watched = self.watched.as_ref()?;
        let last = Duration::from_millis(watched.last_ms.load(Ordering::Relaxed));
        Some(watched.since.elapsed().saturating_sub(last))
    }

    /// For the loop's own wait: over when it should come round again; never, where nobody watches.
    pub async fn due(&self) {
        match &self.watched {
            Some(watched) => tokio::time::sleep(watched.every).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stands_still_grows_old() {
        let pulse = Pulse::every(Duration::from_secs(1));
        let of_the_loop = pulse.clone();
        of_the_loop.due().await;
        assert_eq!(pulse.age(), Some(Duration::from_secs(1)));
        of_the_loop.beat();
        assert_eq!((pulse.age(), pulse.beats()), (Some(Duration::ZERO), 1));
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(pulse.age(), Some(Duration::from_secs(7)));
        assert_eq!(Pulse::default().age(), None);
    }
}
