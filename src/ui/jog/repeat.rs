//! Learns a keyboard's repeat interval: 92 ms on the Linux console, 30 to 40 ms under X11, and jitter over SSH.

use std::time::Duration;

use crate::model::jog::{DEFAULT_LEASE, MAX_LEASE, MIN_LEASE};

/// Gaps up to this are auto-repeat until it is known better; nobody taps one key eight times a second.
const REPEAT_AT_MOST: Duration = Duration::from_millis(125);
/// Gaps that are remembered.
const WINDOW: usize = 32;
/// Gaps needed before anything counts as learned.
const ENOUGH: usize = 6;
/// A first repeat comes within this of the delay that was learned.
const DELAY_TOLERANCE: Duration = Duration::from_millis(25);

/// What is known of this keyboard and of the way from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepeatLearner {
    gaps: Vec<Duration>,
    initial_delay: Option<Duration>,
}

impl RepeatLearner {
    /// A gap between two events of one key that is being held.
    pub fn learn(&mut self, gap: Duration) {
        if gap.is_zero() || self.median().is_some_and(|median| gap > median * 2) {
            return;
        }
        if self.gaps.len() == WINDOW {
            self.gaps.remove(0);
        }
        self.gaps.push(gap);
    }

    /// The delay before the first repeat, seen in a hold that became continuous.
    pub fn learn_initial_delay(&mut self, delay: Duration) {
        if (Duration::from_millis(180)..=Duration::from_millis(1100)).contains(&delay) {
            self.initial_delay = Some(delay);
        }
    }

    /// Enough was seen to know the interval.
    pub fn has_learned(&self) -> bool {
        self.gaps.len() >= ENOUGH
    }

    /// Whether a gap between two presses of one key is auto-repeat and not a second tap.
    pub fn is_repeat(&self, gap: Duration) -> bool {
        let limit = self
            .median()
            .map_or(REPEAT_AT_MOST, |median| (median * 2).clamp(Duration::from_millis(60), Duration::from_millis(160)));
        gap <= limit
    }

    /// Whether a gap looks like the delay before the first repeat, as learned.
    pub fn is_initial_delay(&self, gap: Duration) -> bool {
        self.initial_delay.is_some_and(|delay| gap.abs_diff(delay) <= DELAY_TOLERANCE)
    }

    /// How long a renewal must last: 2.5 × p95 of the gaps, within 100 to 300 ms; 250 ms until learned.
    pub fn lease(&self) -> Duration {
        if !self.has_learned() {
            return DEFAULT_LEASE;
        }
        let mut sorted = self.gaps.clone();
        sorted.sort_unstable();
        let p95 = sorted[(sorted.len() * 95).div_ceil(100) - 1];
        (p95 * 5 / 2).clamp(MIN_LEASE, MAX_LEASE)
    }

    /// Median of the gaps, once learned.
    pub fn median(&self) -> Option<Duration> {
        if !self.has_learned() {
            return None;
        }
        let mut sorted = self.gaps.clone();
        sorted.sort_unstable();
        Some(sorted[sorted.len() / 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(gaps_ms: &[u64]) -> RepeatLearner {
        let mut learner = RepeatLearner::default();
        for &ms in gaps_ms {
            learner.learn(Duration::from_millis(ms));
        }
        learner
    }

    #[test]
    fn leases_of_known_keyboards() {
        for (gaps, lease_ms) in [
            (&[][..], 250),
            (&[40, 40, 40][..], 250),
            (&[40; 8][..], 100),
            (&[33; 8][..], 100),
            (&[92; 8][..], 230),
            (&[120; 8][..], 300),
            // One stall of 400 ms is not the keyboard's.
            (&[40, 40, 40, 40, 40, 40, 400, 40][..], 100),
        ] {
            assert_eq!(learned(gaps).lease(), Duration::from_millis(lease_ms), "{gaps:?}");
        }
    }

    #[test]
    fn a_learned_delay_is_known_again() {
        let mut learner = learned(&[40; 8]);
        learner.learn_initial_delay(Duration::from_millis(660));
        assert!(learner.is_initial_delay(Duration::from_millis(650)));
        assert!(!learner.is_initial_delay(Duration::from_millis(400)));
        assert!(learner.is_repeat(Duration::from_millis(70)));
        assert!(!learner.is_repeat(Duration::from_millis(130)));
    }
}
