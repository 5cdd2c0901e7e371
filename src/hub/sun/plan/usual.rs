//! What sun and loads usually do at an hour, from the history. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Weekday;

use super::{Given, Place};
use crate::model::power::Sample;
use crate::model::sun::median;

const HOUR_MS: i64 = 3_600_000;
/// Days of history that a plan needs.
const LEAST_DAYS: usize = 3;
/// Days that count, where those of the same weekday are too few.
const LAST_DAYS: i64 = 7;
/// From so many of the same weekday on, they alone count.
const SAME_WEEKDAYS: usize = 3;
/// Part of a clear sky that is assumed where nothing was measured.
const CLOUDS: f64 = 0.5;
/// Below that part of their watts panels say nothing of the clouds.
const DUSK: f64 = 0.05;

/// Watts at an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Watts {
    pub(super) pv_w: f64,
    pub(super) load_w: f64,
}

/// What will be, at any hour to come.
#[derive(Debug)]
pub(super) struct Usual<'a> {
    hours: Hours,
    place: Option<&'a Place>,
    /// Watts of the panels that come through a clear sky.
    through_w: Option<f64>,
}

/// Means of hours that were: by day (counted from 1970) and hour of the day, by the clock on the wall.
#[derive(Debug, Default)]
struct Hours {
    load: BTreeMap<u16, Vec<(i64, Weekday, f64)>>,
    pv: BTreeMap<u16, Vec<(i64, Weekday, f64)>>,
    today: i64,
}

/// From the history; with what it rests on, in words.
///
/// # Errors
/// There is too little of it.
pub(super) fn usual<'a>(given: &Given<'a>) -> Result<(Usual<'a>, Vec<String>), String> {
    let hours = Hours::of(given);
    let days = hours.days();
    if days < LEAST_DAYS {
        return Err(format!(
            "too little history for a plan: loads are known of {days} days, and {LEAST_DAYS} are needed"
        ));
    }
    let missing: Vec<String> = (0..24_u16)
        .filter(|hour| hours.load.get(hour).is_none_or(Vec::is_empty))
        .map(|hour| hour.to_string())
        .collect();
    if missing.len() > 4 {
        return Err(format!("too little history for a plan: loads were never known at {} o'clock", missing.join(", ")));
    }
    let usual = "as usual at each hour of the last days, the machine's own among them";
    let mut assumed = vec![match given.battery.load_w {
        Some(now_w) => format!("loads {now_w:.0} W now, then {usual} ({days} days are known)"),
        None => format!("loads {usual} ({days} days are known)"),
    }];
    let through_w = given.place.and_then(|place| through(given, place));
    assumed.push(match (given.place, through_w) {
        (Some(_), Some(watts)) => {
            format!("sun as under a clear sky, of which {watts:.0} W come through as in the last days")
        }
        (_, None) | (None, _) if !hours.pv.is_empty() => "sun as usual at each hour of the last days".to_owned(),
        (Some(Place { peak_w: Some(peak), .. }), None) => {
            format!("no sun was measured: half of a clear sky on {peak:.0} W of panels")
        }
        (_, None) | (None, _) => "no sun was measured: none is counted".to_owned(),
    });
    let place = given.place;
    let through_w = through_w.or_else(|| place?.peak_w.map(|peak| peak * CLOUDS).filter(|_| hours.pv.is_empty()));
    Ok((Usual { hours, place: place.filter(|_| through_w.is_some()), through_w }, assumed))
}

impl Usual<'_> {
    /// What is to be expected in the hour from here on.
    pub(super) fn at(&self, given: &Given<'_>, from_ms: i64) -> Watts {
        let Some((_, hour, weekday)) = wall(from_ms, given) else { return Watts::default() };
        let pv_w = match self.place.zip(self.through_w) {
            Some((place, through)) => place.clear_hour(from_ms) * through,
            None => middle(self.hours.pv.get(&hour), weekday, self.hours.today).unwrap_or(0.0),
        };
        // An hour that was never known is as the one before.
        let load =
            (0..24).find_map(|back| middle(self.hours.load.get(&((hour + 24 - back) % 24)), weekday, self.hours.today));
        Watts { pv_w: pv_w.max(0.0), load_w: load.unwrap_or(0.0).max(0.0) }
    }
}

impl Hours {
    fn of(given: &Given<'_>) -> Self {
        let mut hours = Self { today: wall(given.now_ms, given).map_or(0, |(day, ..)| day), ..Self::default() };
        let (mut load, mut pv) = (BTreeMap::new(), BTreeMap::new());
        for sample in given.samples {
            let Some((day, hour, weekday)) = wall(sample.at_ms, given) else { continue };
            let add = |to: &mut BTreeMap<(u16, i64), (Weekday, f64, f64)>, value: Option<f32>| {
                let Some(value) = value.map(f64::from).filter(|value| value.is_finite()) else { return };
                let entry = to.entry((hour, day)).or_insert((weekday, 0.0, 0.0));
                (entry.1, entry.2) = (entry.1 + value, entry.2 + 1.0);
            };
            add(&mut load, sample.load_w);
            add(&mut pv, sample.pv_w);
        }
        for (from, to) in [(load, &mut hours.load), (pv, &mut hours.pv)] {
            for ((hour, day), (weekday, sum, count)) in from {
                to.entry(hour).or_default().push((day, weekday, sum / count));
            }
        }
        hours
    }

    /// Days of which loads are known at most hours.
    fn days(&self) -> usize {
        let mut known: BTreeMap<i64, usize> = BTreeMap::new();
        for (day, ..) in self.load.values().flatten() {
            *known.entry(*day).or_default() += 1;
        }
        known.values().filter(|hours| **hours >= 12).count()
    }
}

/// Watts of the panels that come through a clear sky: what was measured over what the sky could give, the middle day of the
/// last ones.
fn through(given: &Given<'_>, place: &Place) -> Option<f64> {
    let mut days: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    let recent = |sample: &&Sample| given.now_ms - sample.at_ms < LAST_DAYS * 24 * HOUR_MS;
    for sample in given.samples.iter().filter(recent) {
        let Some((day, ..)) = wall(sample.at_ms, given) else { continue };
        let clear = place.clear(sample.at_ms + HOUR_MS / 8);
        let Some(pv) = sample.pv_w.map(f64::from).filter(|pv| pv.is_finite() && clear > DUSK) else { continue };
        let sums = days.entry(day).or_default();
        (sums.0, sums.1) = (sums.0 + pv, sums.1 + clear);
    }
    let parts = days.into_values().filter(|(_, clear)| *clear > 2.0).map(|(pv, clear)| pv / clear);
    let parts: Vec<f64> = parts.collect();
    (parts.len() >= LEAST_DAYS).then(|| median(parts)).flatten().filter(|watts| *watts > 0.0)
}

/// The day counted from 1970, the hour and the weekday by the clock on the wall.
fn wall(at_ms: i64, given: &Given<'_>) -> Option<(i64, u16, Weekday)> {
    let at = Timestamp::from_millisecond(at_ms).ok()?.to_zoned(given.zone.clone());
    let midnight = jiff::civil::date(1970, 1, 1);
    let day = at.date().since(midnight).ok()?.get_days();
    Some((i64::from(day), u16::from(at.hour().unsigned_abs()), at.weekday()))
}

/// The middle of what was at an hour: of the same weekday where that is often enough, else of the last days.
fn middle(values: Option<&Vec<(i64, Weekday, f64)>>, weekday: Weekday, today: i64) -> Option<f64> {
    let values = values?;
    let same: Vec<f64> = values.iter().filter(|(_, of, _)| *of == weekday).map(|(.., watts)| *watts).collect();
    if same.len() >= SAME_WEEKDAYS {
        return median(same);
    }
    let recent = values.iter().filter(|(day, ..)| today - day <= LAST_DAYS).map(|(.., watts)| *watts);
    median(recent.collect()).or_else(|| median(values.iter().map(|(.., watts)| *watts).collect()))
}
