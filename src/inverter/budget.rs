//! How often settings may be written, and how long dangerous ones stay armed.
//!
//! Settings live in memory that wears out: devices in the field died of a few hundred writes a day. The times are
//! wall-clock seconds, because the count has to survive restarts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Time;

/// A day.
const DAY_S: u64 = 86_400;
/// Dangerous settings disarm by themselves after this.
const ARMED_FOR: Duration = Duration::from_secs(60);

/// How many writes of one register are fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// From this many in 24 hours on it is said.
    pub warn_per_day: usize,
    /// So many in 24 hours and no more.
    pub most_per_day: usize,
    /// Shortest time between two.
    pub apart: Duration,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { warn_per_day: 10, most_per_day: 50, apart: Duration::from_secs(60) }
    }
}

/// Whether a register may be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Fine,
    /// It may, but this will be the nth write within 24 hours.
    Many {
        /// Writes in the last 24 hours, with this one.
        count: usize,
    },
    /// Too soon after the last one.
    TooSoon {
        /// How long to wait.
        wait: Duration,
    },
    /// Used up.
    Spent {
        /// How long until the oldest is a day ago.
        wait: Duration,
    },
}

impl Verdict {
    /// It may be written.
    pub const fn allows(self) -> bool {
        matches!(self, Self::Fine | Self::Many { .. })
    }
}

/// The writes of the last 24 hours of one device, by register id. Keep it from one run to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WriteBudget {
    written: BTreeMap<String, Vec<u64>>,
}

impl WriteBudget {
    /// Whether this register may be written at `now`, in seconds since 1970.
    pub fn check(&self, id: &str, allowance: Allowance, now_s: u64) -> Verdict {
        let Some(written) = self.written.get(id) else { return Verdict::Fine };
        // A clock that was set back must not make writes vanish: what lies ahead counts as just now.
        let recent: Vec<u64> = written.iter().map(|at| (*at).min(now_s)).filter(|at| now_s - at < DAY_S).collect();
        let apart = allowance.apart.as_secs();
        if let Some(last) = recent.iter().max().filter(|last| now_s - **last < apart) {
            return Verdict::TooSoon { wait: Duration::from_secs(apart - (now_s - last)) };
        }
        let count = recent.len() + 1;
        if count > allowance.most_per_day {
            let oldest = recent.iter().min().copied().unwrap_or(now_s);
            return Verdict::Spent { wait: Duration::from_secs(DAY_S - (now_s - oldest)) };
        }
        if count >= allowance.warn_per_day { Verdict::Many { count } } else { Verdict::Fine }
    }

    /// A write was sent, or may have been.
    pub fn record(&mut self, id: &str, now_s: u64) {
        let written = self.written.entry(id.to_owned()).or_default();
        written.retain(|at| now_s.saturating_sub(*at) < DAY_S);
        written.push(now_s);
    }

    /// Writes of a register in the last 24 hours.
    pub fn count(&self, id: &str, now_s: u64) -> usize {
        self.written.get(id).map_or(0, |written| written.iter().filter(|at| now_s.saturating_sub(**at) < DAY_S).count())
    }
}

/// Whether dangerous settings may be written: for a minute after somebody said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arming {
    until: Option<Time>,
}

impl Arming {
    /// Arms for 60 s.
    pub fn arm(&mut self, now: Time) {
        self.until = Some(now + ARMED_FOR);
    }

    /// Disarms at once.
    pub const fn disarm(&mut self) {
        self.until = None;
    }

    /// Whether it is armed.
    pub fn is_armed(&self, now: Time) -> bool {
        self.left(now).is_some()
    }

    /// How long it stays armed.
    pub fn left(&self, now: Time) -> Option<Duration> {
        self.until.filter(|until| *until > now).map(|until| until.since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn writes_are_counted_for_a_day_and_kept_apart() {
        let allowance = Allowance::default();
        let mut budget = WriteBudget::default();
        assert_eq!(budget.check("soc_min", allowance, NOW), Verdict::Fine);
        budget.record("soc_min", NOW);
        assert_eq!(budget.check("soc_min", allowance, NOW + 20), Verdict::TooSoon { wait: Duration::from_secs(40) });
        assert_eq!(budget.check("soc_max", allowance, NOW + 20), Verdict::Fine);
        for n in 1..9 {
            budget.record("soc_min", NOW + 60 * n);
        }
        assert_eq!(budget.check("soc_min", allowance, NOW + 600), Verdict::Many { count: 10 });
        for n in 9..50 {
            budget.record("soc_min", NOW + 60 * n);
        }
        let spent = budget.check("soc_min", allowance, NOW + 3600);
        assert_eq!(spent, Verdict::Spent { wait: Duration::from_secs(86_400 - 3600) });
        assert!(!spent.allows());
        assert_eq!(budget.check("soc_min", allowance, NOW + 86_400), Verdict::Many { count: 50 });
        assert_eq!(budget.check("soc_min", allowance, NOW + 2 * 86_400), Verdict::Fine);
    }

    #[test]
    fn it_survives_a_restart_and_a_clock_that_is_set_back() {
        let mut budget = WriteBudget::default();
        budget.record("soc_min", NOW);
        let json = serde_json::to_string(&budget).unwrap();
        let back: WriteBudget = serde_json::from_str(&json).unwrap();
        assert_eq!(back, budget);
        assert!(!back.check("soc_min", Allowance::default(), NOW - 5000).allows());
        assert_eq!(back.count("soc_min", NOW - 5000), 1);
    }

    #[test]
    fn arming_ends_by_itself() {
        let mut arming = Arming::default();
        assert!(!arming.is_armed(Time::ZERO));
        arming.arm(Time::from_millis(1000));
        assert!(arming.is_armed(Time::from_millis(60_999)) && !arming.is_armed(Time::from_millis(61_000)));
        arming.arm(Time::from_millis(1000));
        arming.disarm();
        assert!(!arming.is_armed(Time::from_millis(1001)));
    }
}
