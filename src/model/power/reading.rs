//! A value with its age.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Time;

/// A value is stale when it is older than this many of its periods.
pub(super) const STALE_PERIODS: u32 = 3;
/// And lost when it is older than this many.
const LOST_PERIODS: u32 = 10;

/// How far a value can be believed at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Never read so far.
    #[default]
    Unknown,
    /// As young as it should be.
    Fresh,
    /// Older than three of its periods: shown with its age, not acted on.
    Stale,
    /// Older than ten of its periods, or nobody answers: not a value any more.
    Lost,
    /// The device refuses to tell it; it is asked again now and then.
    Quarantined,
    /// The device answers that it has no such value (a sentinel, "not implemented"). Not the same as 0.
    Absent,
}

impl Quality {
    /// The word for a screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Lost => "lost",
            Self::Quarantined => "quarantined",
            Self::Absent => "absent",
        }
    }
}

/// What is known of one value: the value, when it was read, and how often it is read.
///
/// Quality is a function of the present ([`Reading::quality`]), so that a value goes stale although nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading<T> {
    /// The last value. `None`: never read, or the device has none.
    pub value: Option<T>,
    /// When the reply with it arrived. `None`: no reply so far.
    pub at: Option<Time>,
    /// How often it is read. `None`: once per connection, it does not age while the link lives.
    pub period: Option<Duration>,
    /// The device refuses to tell it.
    pub quarantined: bool,
    /// Nobody answers at all.
    pub lost: bool,
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self { value: None, at: None, period: None, quarantined: false, lost: false }
    }
}

impl<T: Copy> Reading<T> {
    /// A value that was read at `at` and is read every `period`.
    pub const fn new(value: T, at: Time, period: Duration) -> Self {
        Self { value: Some(value), at: Some(at), period: Some(period), quarantined: false, lost: false }
    }

    /// How far it can be believed now.
    pub fn quality(&self, now: Time) -> Quality {
        let Some(at) = self.at else {
            return if self.quarantined { Quality::Quarantined } else { Quality::Unknown };
        };
        if self.quarantined {
            return Quality::Quarantined;
        }
        let age = now.since(at);
        let older = |periods: u32| self.period.is_some_and(|period| age > period.saturating_mul(periods));
        if self.lost || older(LOST_PERIODS) {
            Quality::Lost
        } else if self.value.is_none() {
            Quality::Absent
        } else if older(STALE_PERIODS) {
            Quality::Stale
        } else {
            Quality::Fresh
        }
    }

    /// The value, if it is young enough to act on.
    pub fn fresh(&self, now: Time) -> Option<T> {
        (self.quality(now) == Quality::Fresh).then_some(self.value).flatten()
    }

    /// The value, if it may be shown with its age.
    pub fn shown(&self, now: Time) -> Option<T> {
        matches!(self.quality(now), Quality::Fresh | Quality::Stale).then_some(self.value).flatten()
    }

    /// How long ago it was read.
    pub fn age(&self, now: Time) -> Option<Duration> {
        self.at.map(|at| now.since(at))
    }
}

impl Reading<f64> {
    /// All of them together. It is as old as the oldest, and there is none where one is missing, refused or lost.
    pub fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        parts
            .into_iter()
            .reduce(|sum, part| Self {
                value: sum.value.zip(part.value).map(|(a, b)| a + b),
                at: sum.at.zip(part.at).map(|(a, b)| a.min(b)),
                period: sum.period.max(part.period),
                quarantined: sum.quarantined || part.quarantined,
                lost: sum.lost || part.lost,
            })
            .unwrap_or_default()
    }
}

impl<T> Reading<T> {
    /// The same moment with another value.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Reading<U> {
        Reading {
            value: self.value.map(with),
            at: self.at,
            period: self.period,
            quarantined: self.quarantined,
            lost: self.lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_value_ages_by_itself() {
        let reading = Reading::new(5.0, Time::from_millis(1000), SECOND);
        let quality = |millis| reading.quality(Time::from_millis(millis));
        assert_eq!((quality(1000), quality(4000)), (Quality::Fresh, Quality::Fresh));
        assert_eq!((quality(4001), quality(11_000)), (Quality::Stale, Quality::Stale));
        assert_eq!(quality(11_001), Quality::Lost);
        assert_eq!(reading.fresh(Time::from_millis(4001)), None);
        assert_eq!(reading.shown(Time::from_millis(4001)), Some(5.0));
        assert_eq!(reading.shown(Time::from_millis(11_001)), None);
    }

    #[test]
    fn nothing_read_is_unknown_and_nothing_there_is_absent_and_neither_is_zero() {
        let unknown = Reading::<f64>::default();
        assert_eq!(unknown.quality(Time::ZERO), Quality::Unknown);
        let absent = Reading::<f64> { value: None, ..Reading::new(0.0, Time::ZERO, SECOND) };
        assert_eq!((absent.quality(Time::ZERO), absent.fresh(Time::ZERO)), (Quality::Absent, None));
        assert_eq!(absent.quality(Time::from_millis(60_000)), Quality::Lost);
    }

    #[test]
    fn a_link_that_died_and_a_refusal_beat_age() {
        let reading = Reading::new(5.0, Time::ZERO, SECOND);
        assert_eq!(Reading { lost: true, ..reading }.quality(Time::ZERO), Quality::Lost);
        assert_eq!(Reading { quarantined: true, ..reading }.quality(Time::ZERO), Quality::Quarantined);
        let once = Reading { period: None, ..reading };
        assert_eq!(once.quality(Time::from_millis(100_000_000)), Quality::Fresh);
    }
}
