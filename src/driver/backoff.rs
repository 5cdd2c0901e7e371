//! How long to wait before a lost link is tried again.

use std::time::Duration;

/// Wait before the first retry.
pub const FIRST: Duration = Duration::from_millis(250);
/// Longest wait.
pub const LONGEST: Duration = Duration::from_secs(5);

/// Doubles from [`FIRST`] to [`LONGEST`] until the link has been up.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts one more failure: how many there were since the link was up, and how long to wait now.
    pub fn fail(&mut self) -> (u32, Duration) {
        let doubled = FIRST.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        (self.failures, doubled.min(LONGEST))
    }

    /// The link is up: the next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_to_five_seconds_and_stays_there() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..7).map(|_| backoff.fail().1.as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!((0..100).map(|_| backoff.fail()).last(), Some((107, LONGEST)));
        backoff.reset();
        assert_eq!(backoff.fail(), (1, FIRST));
    }
}
