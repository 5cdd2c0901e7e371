//! The history as it is asked for: of one inverter, or of all of them together.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::columns::{self, COLUMNS, COUNT, GRID_THERE, POWERS, Values};
use super::fold::{ENERGIES, GAP_MS};
use super::table::{self, Kept};
use crate::model::power::{Grain, Sample};

/// An inverter that was not heard for so long does not count among all of them any more. Before, what it does is not known.
const GRACE_MS: i64 = 24 * 3600 * 1000;
/// Rows that are read at one go.
const PAGE: usize = 4096;

/// A row of the history with all that is kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The inverter.
    pub inverter: String,
    /// Its means.
    pub sample: Sample,
    /// For so many ms of its time the powers are known. `None`: a tick.
    pub known_ms: Option<i64>,
    /// In kWh: sun, load, import, export, charge, discharge. `None`: a tick, or not known.
    pub energies: [Option<f64>; ENERGIES],
}

/// Rows of one inverter (`None`: of each), oldest first. It holds nothing open while the rows are taken; `false` ends it.
pub(in crate::store) fn told(
    connection: &Connection,
    inverter: Option<&str>,
    span: (i64, i64),
    grain: Grain,
    take: &mut dyn FnMut(Told) -> bool,
) -> rusqlite::Result<()> {
    let names: BTreeMap<i64, String> = connection
        .prepare("SELECT id, name FROM inverters")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let number = match inverter {
        Some(name) => match table::number(connection, name)? {
            Some(number) => Some(number),
            None => return Ok(()),
        },
        None => None,
    };
    let mut from = span.0;
    loop {
        let mut page: Vec<Kept> = Vec::new();
        table::each(connection, grain, number, (from, span.1), &mut |kept| {
            // Rows of one time stay together.
            let full = page.len() >= PAGE && page.last().is_some_and(|last| last.period.at_ms != kept.period.at_ms);
            if !full {
                page.push(kept);
            }
            !full
        })?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.period.at_ms + 1;
        for kept in page {
            let sample = kept.sample();
            let Some(inverter) = names.get(&kept.inverter).cloned() else { continue };
            let known_ms = (grain != Grain::Raw).then_some(kept.period.known_ms);
            if !take(Told { inverter, sample, known_ms, energies: kept.period.energies }) {
                return Ok(());
            }
        }
    }
}

/// An inverter among all of them.
pub(super) struct Member {
    pub(super) number: i64,
    /// A bit for each column that it ever told.
    pub(super) has: i64,
    /// From its first row until its last one, and a while longer.
    pub(super) counts: (i64, i64),
}

impl Member {
    fn has(&self, column: usize) -> bool {
        self.has & (1 << column) != 0
    }
}

/// All inverters with rows of these grains.
pub(super) fn members(connection: &Connection, first: Grain, last: Grain) -> rusqlite::Result<Vec<Member>> {
    let all: Vec<(i64, i64)> = connection
        .prepare("SELECT id, has FROM inverters ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut members = Vec::new();
    for (number, has) in all {
        let (from, until) =
            (table::end(connection, first, number, false)?, table::end(connection, last, number, true)?);
        let Some((from, until)) = from.zip(until) else { continue };
        let grace = if is_off(connection, number)? { 0 } else { GRACE_MS };
        members.push(Member { number, has, counts: (from, until + grace) });
    }
    Ok(members)
}

/// A person switched it off: nothing of it is missing.
fn is_off(connection: &Connection, number: i64) -> rusqlite::Result<bool> {
    let text: Option<String> = connection
        .prepare("SELECT text FROM inverter_memory WHERE inverter = ?1 AND key = ?2")?
        .query_row((number, crate::store::ENABLED), |row| row.get(0))
        .optional()?;
    Ok(text.is_some_and(|text| text == crate::store::OFF))
}

/// All inverters together. Where one of them is not known there is no sum; nothing that is missing counts as 0.
pub(in crate::store) fn together(
    connection: &Connection,
    span: (i64, i64),
    grain: Grain,
) -> rusqlite::Result<Vec<Sample>> {
    let members = members(connection, grain, grain)?;
    // Ticks of two inverters need not be at the same time.
    let valid = if grain == Grain::Raw { GAP_MS } else { 1 };
    let mut latest: BTreeMap<i64, Kept> = BTreeMap::new();
    let mut samples = Vec::new();
    let mut now: Option<i64> = None;
    let mut close = |latest: &mut BTreeMap<i64, Kept>, at: i64| {
        latest.retain(|_, kept| at - kept.period.at_ms < valid);
        samples.push(columns::sample(at, &sum(&members, latest, at)));
    };
    table::each(connection, grain, None, span, &mut |kept| {
        if let Some(at) = now.filter(|at| *at != kept.period.at_ms) {
            close(&mut latest, at);
        }
        now = Some(kept.period.at_ms);
        latest.insert(kept.inverter, kept);
        true
    })?;
    if let Some(at) = now {
        close(&mut latest, at);
    }
    Ok(samples)
}

fn sum(members: &[Member], latest: &BTreeMap<i64, Kept>, at: i64) -> Values {
    let mut sum: Values = [None; COUNT];
    for (column, whole) in sum.iter_mut().enumerate() {
        let there = members.iter().filter(|member| member.counts.0 <= at && at <= member.counts.1);
        let parts: Option<Vec<f64>> = there
            .filter(|member| member.has(column))
            .map(|member| latest.get(&member.number).and_then(|kept| kept.period.means[column]))
            .collect();
        let Some(parts) = parts.filter(|parts| !parts.is_empty()) else { continue };
        let all: f64 = parts.iter().sum();
        *whole = Some(match column {
            ..POWERS => all,
            // The grid is there for all of them, or it is not.
            GRID_THERE => parts.iter().copied().fold(1.0, f64::min),
            _ => all / parts.len() as f64,
        });
    }
    sum
}

/// Names of the values of a [`Sample`], in the order of [`values_of`].
pub fn value_names() -> [&'static str; COUNT] {
    COLUMNS.each_ref().map(|column| column.name)
}

/// The values of a sample in the order of [`value_names`].
pub fn values_of(sample: &Sample) -> [Option<f32>; COUNT] {
    columns::values(sample).map(|value| value.map(|value| value as f32))
}
