//! Where hours and days begin, in the local time zone.

use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, ToSpan, Unit, Zoned, ZonedRound};

/// More bars than that are not asked for at a time.
const MOST: usize = 1000;

/// The beginnings of the hours or days that lie in a time, the first one before it or at its beginning, and the end of the
/// last. Days have 23 or 25 hours where clocks are changed.
///
/// # Errors
/// The time makes no sense, or is too long.
pub(super) fn edges(from_ms: i64, until_ms: i64, by_day: bool, zone: &TimeZone) -> Result<Vec<i64>, String> {
    let at =
        |ms: i64| Timestamp::from_millisecond(ms).map(|at| at.to_zoned(zone.clone())).map_err(|why| why.to_string());
    let (from, until) = (at(from_ms)?, at(until_ms)?);
    if from >= until {
        return Err("the time has to begin before it ends".to_owned());
    }
    let mut edge = begin(&from, by_day).map_err(|why| why.to_string())?;
    let mut edges = vec![edge.timestamp().as_millisecond()];
    while edge < until {
        if edges.len() > MOST {
            return Err(format!("that is more than {MOST} bars; ask for a shorter time"));
        }
        edge = next(&edge, by_day).map_err(|why| why.to_string())?;
        edges.push(edge.timestamp().as_millisecond());
    }
    Ok(edges)
}

fn begin(at: &Zoned, by_day: bool) -> Result<Zoned, jiff::Error> {
    let hour = ZonedRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc);
    if by_day { at.start_of_day() } else { at.round(hour) }
}

fn next(edge: &Zoned, by_day: bool) -> Result<Zoned, jiff::Error> {
    if by_day { edge.tomorrow()?.start_of_day() } else { edge.checked_add(1.hour()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn hours_and_days_begin_where_the_clock_on_the_wall_says() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let hours = edges(ms("2026-03-01T00:40:00Z"), ms("2026-03-01T02:00:00Z"), false, &zone).unwrap();
        let first = ms("2026-03-01T00:30:00Z");
        assert_eq!(hours, [first, first + HOUR, first + 2 * HOUR]);
        let days = edges(ms("2026-03-01T00:40:00Z"), ms("2026-03-01T02:00:00Z"), true, &zone).unwrap();
        assert_eq!(days, [ms("2026-02-28T18:30:00Z"), ms("2026-03-01T18:30:00Z")]);
    }

    #[test]
    fn a_day_on_which_clocks_are_changed_is_shorter() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let days = edges(ms("2026-03-28T23:00:00Z"), ms("2026-03-30T22:00:00Z"), true, &zone).unwrap();
        assert_eq!(days.windows(2).map(|day| (day[1] - day[0]) / HOUR).collect::<Vec<_>>(), [23, 24]);
        let hours = edges(days[0], days[1], false, &zone).unwrap();
        assert!(hours.len() == 24 && hours.windows(2).all(|hour| hour[1] - hour[0] == HOUR), "{hours:?}");
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(edges(5, 5, true, &TimeZone::UTC).unwrap_err().contains("before"));
        assert!(edges(0, i64::MAX, true, &TimeZone::UTC).is_err());
        assert!(edges(0, 2000 * HOUR, false, &TimeZone::UTC).unwrap_err().contains("1000"));
    }
}
