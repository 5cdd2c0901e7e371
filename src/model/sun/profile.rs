//! What the last days were like, hour by hour: the median of each quarter of an hour. One cloudy day does not move it.

use serde::{Deserialize, Serialize};

use crate::model::power::Sample;

const QUARTER_MS: i64 = 15 * 60 * 1000;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// What loads draw now counts half after so long.
const LOADS_HALVE_S: f64 = 1800.0;
/// So many known quarters are a day, but for two hours.
const MOST_OF_A_DAY: usize = QUARTERS - 8;
/// Quarters of an hour in a day.
const QUARTERS: usize = 96;

/// Watts by the time of the day (UTC, in quarters of an hour: the same hour of the wall clock, but for the days on which
/// clocks are changed).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DayProfile {
    /// Whole watts; empty: nothing is known.
    quarters: Vec<Option<i32>>,
    /// Days of which the best known quarter has a value.
    pub days: u32,
}

impl DayProfile {
    /// Days that are looked back.
    pub const DAYS: i64 = 7;

    /// From samples of quarters, of one of their values.
    pub fn of(samples: &[Sample], value: impl Fn(&Sample) -> Option<f32>) -> Self {
        let mut found: Vec<Vec<f64>> = vec![Vec::new(); QUARTERS];
        for sample in samples {
            if let Some(watts) = value(sample).map(f64::from).filter(|watts| watts.is_finite()) {
                found[place(sample.at_ms)].push(watts);
            }
        }
        let days = found.iter().map(Vec::len).max().unwrap_or(0) as u32;
        if days == 0 {
            return Self::default();
        }
        let quarters = found.into_iter().map(|values| median(values).map(|watts| watts.round() as i32));
        Self { quarters: quarters.collect(), days }
    }

    /// Watts at this ms of Unix time. `None`: not known.
    pub fn at(&self, unix_ms: i64) -> Option<f64> {
        self.quarters.get(place(unix_ms)).copied().flatten().map(f64::from)
    }

    /// Nearly all of a day is known: what comes in the next one can be told from it.
    pub fn covers_a_day(&self) -> bool {
        self.quarters.iter().flatten().count() >= MOST_OF_A_DAY
    }

    /// Something is known.
    pub const fn is_known(&self) -> bool {
        self.days > 0
    }
}

/// Loads after so many seconds, where they are these now and usually those then, in watts: the present fades (a kettle, a pump),
/// what is left is what is usual.
pub fn loads_after(now_w: f64, usual_w: f64, seconds: f64) -> f64 {
    let fresh = 0.5_f64.powf(seconds.max(0.0) / LOADS_HALVE_S);
    fresh * now_w + (1.0 - fresh) * usual_w
}

fn place(unix_ms: i64) -> usize {
    unix_ms.rem_euclid(DAY_MS).div_euclid(QUARTER_MS).unsigned_abs() as usize
}

/// How far they lie around their middle, as a standard deviation that a few strays do not move.
pub fn scatter(values: &[f64]) -> Option<f64> {
    /// Of what is scattered at random, this many times the median distance is a standard deviation.
    const DEVIATIONS: f64 = 1.4826;
    let middle = median(values.to_vec())?;
    Some(median(values.iter().map(|value| (value - middle).abs()).collect())? * DEVIATIONS)
}

/// The middle one, or the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    match values.len() % 2 {
        0 => Some(f64::midpoint(values[middle - 1], upper)),
        _ => Some(upper),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloudy_day_among_bright_ones_does_not_count_and_what_is_not_known_stays_so() {
        let noon =
            |day: i64, pv: Option<f32>| Sample { at_ms: day * DAY_MS + DAY_MS / 2, pv_w: pv, ..Sample::default() };
        let samples = [noon(1, Some(3000.0)), noon(2, Some(200.0)), noon(3, Some(3100.0)), noon(4, None)];
        let profile = DayProfile::of(&samples, |sample| sample.pv_w);
        assert_eq!((profile.days, profile.at(9 * DAY_MS + DAY_MS / 2 + 60_000)), (3, Some(3000.0)));
        assert_eq!(profile.at(9 * DAY_MS), None);
        assert_eq!(profile.at(-DAY_MS / 2), Some(3000.0), "before 1970 too");
        let nothing = DayProfile::of(&samples, |sample| sample.load_w);
        assert_eq!((nothing.is_known(), nothing.at(DAY_MS / 2)), (false, None));
        assert!(!profile.covers_a_day());
    }

    #[test]
    fn a_load_fades_into_what_is_usual() {
        let after = |minutes: f64| loads_after(2000.0, 400.0, minutes * 60.0).round();
        assert_eq!([-5.0, 0.0, 30.0, 60.0, 600.0].map(after), [2000.0, 2000.0, 1200.0, 800.0, 400.0]);
    }

    #[test]
    fn the_middle_of_some_numbers() {
        assert_eq!(median(vec![3.0, f64::NAN, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
        assert_eq!((scatter(&[]), scatter(&[5.0]), scatter(&[1.0, 2.0, 3.0, 900.0])), (None, Some(0.0), Some(1.4826)));
    }
}
