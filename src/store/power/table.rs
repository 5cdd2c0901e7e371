//! The four tables: one of ticks, and three of longer times.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};

use super::columns::{self, COUNT};
use super::fold::{ENERGIES, ENERGY_NAMES, Period};
use crate::model::power::{Grain, Sample};

/// A key is its time × this + the number of its inverter.
const INVERTERS: i64 = 256;
/// Energies are whole numbers of so many kWh.
const KWH: f64 = 1e-6;

/// Most inverters that there ever can be in a file.
pub(super) const MOST_INVERTERS: i64 = INVERTERS - 1;

/// The key of an inverter's row at a time.
pub(super) const fn key(at_ms: i64, inverter: i64) -> i64 {
    at_ms.saturating_mul(INVERTERS).saturating_add(inverter)
}

/// The table of a grain.
pub(super) const fn name(grain: Grain) -> &'static str {
    match grain {
        Grain::Raw => "power_ticks",
        Grain::Minute => "power_minutes",
        Grain::Quarter => "power_quarters",
        Grain::Day => "power_days",
    }
}

/// A row as it was read.
pub(super) struct Kept {
    pub(super) inverter: i64,
    pub(super) period: Period,
}

impl Kept {
    pub(super) fn sample(&self) -> Sample {
        columns::sample(self.period.at_ms, &self.period.means)
    }
}

/// Columns of a grain's rows, in the order in which [`kept`] reads them.
pub(super) fn selected(grain: Grain) -> String {
    match grain {
        Grain::Raw => format!("id, {}", columns::names()),
        _ => format!("id, {}, known_ms, {}", columns::names(), ENERGY_NAMES.join(", ")),
    }
}

/// A row of any grain; ticks have no energies.
pub(super) fn kept(row: &Row<'_>, grain: Grain) -> rusqlite::Result<Kept> {
    let id: i64 = row.get(0)?;
    let mut numbers = [None; COUNT];
    for (n, number) in numbers.iter_mut().enumerate() {
        *number = row.get(1 + n)?;
    }
    let mut period = Period { at_ms: id.div_euclid(INVERTERS), means: columns::unscaled(numbers), ..Period::default() };
    if grain != Grain::Raw {
        period.known_ms = row.get(1 + COUNT)?;
        for (n, energy) in period.energies.iter_mut().enumerate() {
            *energy = row.get::<_, Option<i64>>(2 + COUNT + n)?.map(|number| number as f64 * KWH);
        }
    }
    Ok(Kept { inverter: id.rem_euclid(INVERTERS), period })
}

/// Rows of one inverter or of all from then until before then, oldest first, one after the other.
pub(super) fn each(
    connection: &Connection,
    grain: Grain,
    inverter: Option<i64>,
    span: (i64, i64),
    take: &mut dyn FnMut(Kept) -> bool,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {} FROM {} WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR id & {MOST_INVERTERS} = ?3) ORDER BY id",
        selected(grain),
        name(grain)
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query((key(span.0, 0), key(span.1, 0), inverter))?;
    while let Some(row) = rows.next()? {
        if !take(kept(row, grain)?) {
            break;
        }
    }
    Ok(())
}

/// The same of one inverter, all of them.
pub(super) fn read(
    connection: &Connection,
    grain: Grain,
    inverter: i64,
    span: (i64, i64),
) -> rusqlite::Result<Vec<Kept>> {
    let mut all = Vec::new();
    each(connection, grain, Some(inverter), span, &mut |kept| {
        all.push(kept);
        true
    })?;
    Ok(all)
}

/// Time of the first or the last row of an inverter.
pub(super) fn end(connection: &Connection, grain: Grain, inverter: i64, last: bool) -> rusqlite::Result<Option<i64>> {
    let order = if last { "DESC" } else { "ASC" };
    let sql = format!("SELECT id FROM {} WHERE id & {MOST_INVERTERS} = ?1 ORDER BY id {order} LIMIT 1", name(grain));
    let id: Option<i64> = connection.prepare(&sql)?.query_row([inverter], |row| row.get(0)).optional()?;
    Ok(id.map(|id| id.div_euclid(INVERTERS)))
}

/// Writes a tick; one of the same time makes way.
pub(super) fn put_tick(connection: &Connection, inverter: i64, sample: &Sample) -> rusqlite::Result<()> {
    let numbers = columns::scaled(&columns::values(sample));
    put(connection, Grain::Raw, key(sample.at_ms, inverter), &numbers)
}

/// Writes a longer time; what was kept of it makes way.
pub(super) fn put_period(
    connection: &Connection,
    grain: Grain,
    inverter: i64,
    period: &Period,
) -> rusqlite::Result<()> {
    let mut numbers = columns::scaled(&period.means).to_vec();
    numbers.push(Some(period.known_ms));
    numbers.extend(period.energies.iter().map(|energy| energy.map(|kwh| (kwh / KWH).round() as i64)));
    put(connection, grain, key(period.at_ms, inverter), &numbers)
}

fn put(connection: &Connection, grain: Grain, id: i64, numbers: &[Option<i64>]) -> rusqlite::Result<()> {
    debug_assert!(numbers.len() == COUNT || numbers.len() == COUNT + 1 + ENERGIES);
    let marks = vec!["?"; numbers.len() + 1].join(", ");
    let sql = format!("INSERT OR REPLACE INTO {} ({}) VALUES ({marks})", name(grain), selected(grain));
    let id = Some(id);
    let all = std::iter::once(&id).chain(numbers).map(|number| number as &dyn ToSql);
    connection.prepare(&sql)?.execute(params_from_iter(all)).map(|_| ())
}

/// The number of an inverter. `None`: nothing was ever kept of one of that name.
pub(super) fn number(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare("SELECT id FROM inverters WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// The number of an inverter, which it gets where it has none.
pub(super) fn number_or_new(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    if let Some(number) = number(connection, name)? {
        return Ok(number);
    }
    // The table refuses the number after the last that a key has room for.
    connection.prepare("INSERT INTO inverters (name) VALUES (?1) RETURNING id")?.query_row([name], |row| row.get(0))
}
