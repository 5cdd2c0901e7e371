//! The one clock: hub, drivers and screens count from the same start.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Time;

/// Monotonic time since the hub started. A copy is the same clock.
///
/// It follows tokio's clock, so that tests with paused time drive everything that hangs on it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that begins now, at [`Time::ZERO`].
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The present moment.
    pub fn now(self) -> Time {
        Time::ZERO + self.origin.elapsed()
    }

    /// The same moment as tokio's timers count it. Moments too far off to be told are a year away.
    pub fn deadline(self, at: Time) -> Instant {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let after = Duration::from_micros(at.as_micros()).min(self.origin.elapsed() + YEAR);
        self.origin + after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_the_same_moment_and_a_copy_the_same_clock() {
        let clock = Clock::start();
        let copy = clock;
        let at = Time::from_micros(1_234_567);
        assert!(clock.deadline(at) > Instant::now());
        tokio::time::advance(Duration::from_micros(1_234_567)).await;
        assert_eq!(clock.deadline(at), Instant::now());
        assert_eq!((clock.now(), copy.now()), (at, at));
    }

    #[tokio::test]
    async fn a_deadline_beyond_all_time_does_not_overflow() {
        let clock = Clock::start();
        assert!(clock.deadline(Time::from_micros(u64::MAX)) > Instant::now() + Duration::from_secs(3600));
    }
}
