//! Moments and times as people write and read them.

use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// What a person gave for a moment in the past: a date, a date and time, or how long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long ago: `2h`, `3d`.
    Ago(Ago),
    /// A moment of the calendar, where sunmill runs.
    Local(DateTime),
    /// A moment, whatever the calendar.
    At(Timestamp),
}

/// A span that can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Ago(Span);

impl PartialEq for Ago {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Eq for Ago {}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        if let Ok(at) = text.parse() {
            return Ok(Self::Local(at));
        }
        match text.parse::<Span>() {
            Ok(span) if !span.is_zero() => Ok(Self::Ago(Ago(span.abs()))),
            _ => Err(
                "is no moment: give a date (2026-03-01), a date and time (2026-03-01T09:30), or how long ago (2h, 3d)"
                    .to_owned(),
            ),
        }
    }
}

impl When {
    /// In ms of Unix time. `now` is where and when it was asked.
    ///
    /// # Errors
    /// There is no such moment.
    pub fn unix_ms(self, now: &Zoned) -> Result<i64, jiff::Error> {
        Ok(match self {
            Self::At(at) => at,
            Self::Local(at) => at.to_zoned(now.time_zone().clone())?.timestamp(),
            Self::Ago(Ago(span)) => now.checked_sub(span)?.timestamp(),
        }
        .as_millisecond())
    }
}

impl When {
    /// The same of a moment to come, in seconds: a span counts from now on.
    ///
    /// # Errors
    /// There is no such moment.
    pub fn ahead_s(self, now: &Zoned) -> Result<i64, jiff::Error> {
        match self {
            Self::Ago(Ago(span)) => Ok(now.checked_add(span)?.timestamp().as_second()),
            other => Ok(other.unix_ms(now)? / 1000),
        }
    }
}

/// A moment of Unix time for programs: RFC 3339 in UTC, to the second.
pub(super) fn rfc3339(unix_ms: i64) -> String {
    crate::model::time::utc(u64::try_from(unix_ms / 1000).unwrap_or(0))
}

/// The same for people, where they are.
pub(super) fn local(unix_ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(unix_ms)
        .map_or_else(|_| "?".to_owned(), |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// `1:02:03`, hours and all.
pub(super) fn hours(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now: Zoned = "2026-03-01T09:30:00[Europe/Berlin]".parse().unwrap();
        for (text, moment) in [
            ("2h", "2026-03-01T06:30:00Z"),
            ("1d 30m", "2026-02-28T08:00:00Z"),
            ("2026-02-28", "2026-02-27T23:00:00Z"),
            ("2026-02-28T10:15", "2026-02-28T09:15:00Z"),
            ("2026-02-28 10:15:30", "2026-02-28T09:15:30Z"),
            ("2026-02-28T10:15:00Z", "2026-02-28T10:15:00Z"),
            ("2026-02-28T10:15:00+05:00", "2026-02-28T05:15:00Z"),
        ] {
            let ms = text.parse::<When>().unwrap().unix_ms(&now).unwrap();
            assert_eq!(rfc3339(ms), moment, "{text}");
        }
        for text in ["", "yesterday", "2026-02-30", "5", "0s"] {
            let error = text.parse::<When>().unwrap_err();
            assert!(error.contains("2026-03-01"), "{text}: {error}");
        }
    }

    #[test]
    fn times_are_printed_for_people() {
        assert_eq!(hours(3723.4), "1:02:03");
        assert_eq!(hours(-1.0), "0:00:00");
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(local(1_772_353_800_000, &zone), "2026-03-01 09:30:00");
    }
}
