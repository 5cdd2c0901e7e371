//! What waits to be written, and which longer times are to be made of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rusqlite::{Connection, params};

use super::columns;
use super::fold::{self, GAP_MS, Period};
use super::table;
use crate::model::power::{Grain, Sample};
use crate::store::error::is_of_the_place;

const MINUTE_MS: i64 = 60_000;
const QUARTER_MS: i64 = 15 * MINUTE_MS;
/// A quarter has no minute of its own beginning, and a day of 25 hours is longer than one of 24.
const LONGEST_DAY_MS: i64 = 26 * 60 * MINUTE_MS;
/// Ticks that may wait while nothing can be written: two hours of one inverter, at every other second.
const MOST: usize = 3600;

/// Times that are not made of what is below them yet: (inverter, beginning).
type Open = BTreeSet<(i64, i64)>;

/// Which longer times are to be made, after a transaction that is not sure to be kept.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Rolled {
    minutes: Open,
    quarters: Open,
    /// The time of the last tick of each inverter, in the order in which they came.
    latest: BTreeMap<i64, i64>,
}

/// Ticks and lazy memories between two transactions.
#[derive(Debug)]
pub(in crate::store) struct Batch {
    ticks: VecDeque<(String, Sample)>,
    memories: BTreeMap<(String, String), String>,
    /// `None`: the file was not asked yet what was left open.
    rolled: Option<Rolled>,
    zone: TimeZone,
}

impl Batch {
    pub(in crate::store) fn new(zone: TimeZone) -> Self {
        Self { ticks: VecDeque::new(), memories: BTreeMap::new(), rolled: None, zone }
    }

    pub(in crate::store) fn tick(&mut self, inverter: String, sample: Sample) {
        if self.ticks.len() >= MOST {
            // The chart has a gap there, and the trouble is told already.
            self.ticks.pop_front();
        }
        self.ticks.push_back((inverter, sample));
    }

    /// The newest text counts.
    pub(in crate::store) fn memory(&mut self, inverter: String, key: String, text: String) {
        self.memories.insert((inverter, key), text);
    }

    /// One that was written at once is not set back by an older one that waits.
    pub(in crate::store) fn overtaken(&mut self, inverter: &str, key: &str) {
        self.memories.remove(&(inverter.to_owned(), key.to_owned()));
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.ticks.is_empty() && self.memories.is_empty()
    }

    /// Writes all of it, and the longer times that are over; at the `end` also those that are not.
    pub(in crate::store) fn apply(&self, connection: &Connection, end: bool) -> rusqlite::Result<Rolled> {
        let mut rolled = match &self.rolled {
            Some(rolled) => rolled.clone(),
            None => left_open(connection)?,
        };
        for ((inverter, key), text) in &self.memories {
            super::kept::remember(connection, inverter, key, text)?;
        }
        let mut told: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (name, sample) in &self.ticks {
            let (inverter, bits) = match told.get(name.as_str()) {
                Some(known) => *known,
                None => match table::number_or_new(connection, name) {
                    Ok(number) => (number, 0),
                    Err(error) if is_of_the_place(&error) => return Err(error),
                    Err(error) => {
                        tracing::error!(%error, name, "of one inverter nothing is kept");
                        continue;
                    }
                },
            };
            told.insert(name, (inverter, bits | columns::bits(&columns::values(sample))));
            table::put_tick(connection, inverter, sample)?;
            rolled.minutes.insert((inverter, floor(sample.at_ms, MINUTE_MS)));
            rolled.latest.insert(inverter, sample.at_ms);
        }
        for (inverter, bits) in told.into_values() {
            connection
                .prepare("UPDATE inverters SET has = has | ?2 WHERE id = ?1 AND has | ?2 <> has")?
                .execute(params![inverter, bits])?;
        }
        self.roll(connection, &mut rolled, end)?;
        Ok(rolled)
    }

    /// It is in the file, or never will be (`None`).
    pub(in crate::store) fn written(&mut self, rolled: Option<Rolled>) {
        self.ticks.clear();
        self.memories.clear();
        self.rolled = rolled;
    }

    fn roll(&self, connection: &Connection, rolled: &mut Rolled, end: bool) -> rusqlite::Result<()> {
        for (inverter, at) in over(&mut rolled.minutes, &rolled.latest, MINUTE_MS, end) {
            let around = (at - GAP_MS, at + MINUTE_MS + GAP_MS);
            let ticks = table::read(connection, Grain::Raw, inverter, around)?;
            let samples: Vec<Sample> = ticks.iter().map(table::Kept::sample).collect();
            if let Some(minute) = fold::of_samples(&samples, at, at + MINUTE_MS) {
                table::put_period(connection, Grain::Minute, inverter, &minute)?;
                rolled.quarters.insert((inverter, floor(at, QUARTER_MS)));
            }
        }
        let mut days = Open::new();
        for (inverter, at) in over(&mut rolled.quarters, &rolled.latest, QUARTER_MS, end) {
            if roll(connection, inverter, (Grain::Minute, Grain::Quarter), (at, at + QUARTER_MS))? {
                days.insert((inverter, at));
            }
        }
        // A day is brought up to date with each of its quarters.
        let mut spans: BTreeSet<(i64, (i64, i64))> = BTreeSet::new();
        spans.extend(days.into_iter().map(|(inverter, at)| (inverter, day_of(at, &self.zone))));
        for (inverter, day) in spans {
            roll(connection, inverter, (Grain::Quarter, Grain::Day), day)?;
        }
        Ok(())
    }
}

/// Makes a time of the shorter ones in it. Says whether there are any.
fn roll(connection: &Connection, inverter: i64, grains: (Grain, Grain), span: (i64, i64)) -> rusqlite::Result<bool> {
    let parts: Vec<Period> =
        table::read(connection, grains.0, inverter, span)?.into_iter().map(|kept| kept.period).collect();
    let Some(whole) = fold::of_periods(&parts, span.0) else { return Ok(false) };
    table::put_period(connection, grains.1, inverter, &whole)?;
    Ok(true)
}

/// Takes out those that no further tick is to be awaited for: the inverter has gone on to another time.
fn over(open: &mut Open, latest: &BTreeMap<i64, i64>, length: i64, end: bool) -> Open {
    let goes_on =
        |(inverter, at): &(i64, i64)| !end && latest.get(inverter).is_some_and(|latest| floor(*latest, length) == *at);
    let (stay, over) = std::mem::take(open).into_iter().partition(goes_on);
    *open = stay;
    over
}

/// What a run of sunmill before this one did not come to.
fn left_open(connection: &Connection) -> rusqlite::Result<Rolled> {
    let mut rolled = Rolled::default();
    let inverters: Vec<i64> = connection
        .prepare("SELECT id FROM inverters")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for inverter in inverters {
        rolled.minutes.extend(unmade(connection, inverter, (Grain::Raw, Grain::Minute), MINUTE_MS)?);
        rolled.quarters.extend(unmade(connection, inverter, (Grain::Minute, Grain::Quarter), QUARTER_MS)?);
        // Of the last quarter the day may lack what came of it.
        let last = table::end(connection, Grain::Quarter, inverter, true)?;
        rolled.quarters.extend(last.map(|at| (inverter, at)));
    }
    Ok(rolled)
}

/// Times since the last one that was made, in which there is something shorter.
fn unmade(connection: &Connection, inverter: i64, grains: (Grain, Grain), length: i64) -> rusqlite::Result<Open> {
    let from = table::end(connection, grains.1, inverter, true)?.unwrap_or(0);
    let mut open = Open::new();
    table::each(connection, grains.0, Some(inverter), (from, i64::MAX / 1024), &mut |kept| {
        open.insert((inverter, floor(kept.period.at_ms, length)));
        true
    })?;
    Ok(open)
}

const fn floor(at_ms: i64, length: i64) -> i64 {
    at_ms.div_euclid(length) * length
}

/// Beginning and end of the day of a moment, where sunmill runs.
fn day_of(at_ms: i64, zone: &TimeZone) -> (i64, i64) {
    let day = || -> Result<(i64, i64), jiff::Error> {
        let start = Timestamp::from_millisecond(at_ms)?.to_zoned(zone.clone()).start_of_day()?;
        let next = start.checked_add(1.day())?.start_of_day()?;
        Ok((start.timestamp().as_millisecond(), next.timestamp().as_millisecond()))
    };
    let utc = floor(at_ms, 24 * 60 * MINUTE_MS);
    day().ok().filter(|(from, until)| until - from <= LONGEST_DAY_MS).unwrap_or((utc, utc + 24 * 60 * MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_calendar() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        for (at, from, until) in [
            ("2026-02-28T23:30:00Z", "2026-02-28T23:00:00Z", "2026-03-01T23:00:00Z"),
            ("2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-25T22:59:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ] {
            assert_eq!(day_of(ms(at), &zone), (ms(from), ms(until)), "{at}");
        }
    }

    #[test]
    fn a_backlog_does_not_grow_for_ever() {
        let mut batch = Batch::new(TimeZone::UTC);
        for at_ms in 0..5000 {
            batch.tick("a".into(), Sample { at_ms, ..Sample::default() });
        }
        assert_eq!((batch.ticks.len(), batch.ticks[0].1.at_ms, batch.ticks[MOST - 1].1.at_ms), (MOST, 1400, 4999));
    }
}
