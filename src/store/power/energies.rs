//! Energies between any moments, from what is kept of that time: quarters, minutes where a quarter is not over or is cut in
//! two, days where quarters are too old.

use rusqlite::Connection;

use super::columns::POWERS;
use super::fold::{ENERGIES, Period};
use super::read::{Member, members};
use super::table;
use crate::model::power::{EnergyBar, Grain};

const MINUTE_MS: i64 = 60_000;
const QUARTER_MS: i64 = 15 * MINUTE_MS;
const DAY_MS: i64 = 96 * QUARTER_MS;
/// The power that each energy is the sum of.
const OF: [usize; ENERGIES] = [0, 3, 2, 2, 1, 1];

/// What is known of one interval.
#[derive(Clone, Copy, Default)]
struct Bar {
    kwh: [f64; ENERGIES],
    known_ms: [f64; ENERGIES],
}

/// For each pair of neighbours among the moments, which rise, what flowed in one inverter, or in all together (`None`).
pub(in crate::store) fn energies(
    connection: &Connection,
    inverter: Option<&str>,
    edges: &[i64],
) -> rusqlite::Result<Vec<EnergyBar>> {
    let mut bars: Vec<EnergyBar> =
        edges.windows(2).map(|edge| EnergyBar { at_ms: edge[0], known: 1.0, ..EnergyBar::default() }).collect();
    let mut counted = vec![false; bars.len()];
    let only = match inverter {
        Some(name) => Some(table::number(connection, name)?.unwrap_or(-1)),
        None => None,
    };
    for mut member in members(connection, Grain::Minute, Grain::Minute)? {
        if only.is_some_and(|only| only != member.number) {
            continue;
        }
        let first = first(connection, &member)?;
        member.counts.0 = first;
        let parts = bars_of(connection, member.number, edges)?;
        for (n, (bar, part)) in bars.iter_mut().zip(parts).enumerate() {
            let (from, until) = (edges[n], edges[n + 1]);
            let missing = only.is_none() && (member.counts.0 >= until || member.counts.1 < from);
            if !missing {
                counted[n] = true;
                add(bar, &part, &member, (until - from).max(1) as f64);
            }
        }
    }
    for (bar, _) in bars.iter_mut().zip(counted).filter(|(_, counted)| !counted) {
        bar.known = 0.0;
    }
    Ok(bars)
}

/// When the history of an inverter begins: that of its first day only by the hour.
fn first(connection: &Connection, member: &Member) -> rusqlite::Result<i64> {
    let quarter = table::end(connection, Grain::Quarter, member.number, false)?.unwrap_or(member.counts.0);
    let day = table::end(connection, Grain::Day, member.number, false)?;
    Ok(day.filter(|day| quarter - day > DAY_MS).unwrap_or_else(|| quarter.min(member.counts.0)))
}

fn add(bar: &mut EnergyBar, part: &Bar, member: &Member, length: f64) {
    let whole = [&mut bar.pv, &mut bar.load, &mut bar.import, &mut bar.export, &mut bar.charge, &mut bar.discharge];
    let has = |n: &usize| OF[*n] < POWERS && member.has & (1 << OF[*n]) != 0;
    for (n, whole) in whole.into_iter().enumerate() {
        if has(&n) && part.known_ms[n] > 0.0 {
            *whole = Some(whole.unwrap_or(0.0) + part.kwh[n]);
        }
    }
    let known = (0..ENERGIES).filter(has).map(|n| part.known_ms[n] / length).reduce(f64::min);
    bar.known = bar.known.min(known.unwrap_or(0.0).clamp(0.0, 1.0));
}

fn bars_of(connection: &Connection, inverter: i64, edges: &[i64]) -> rusqlite::Result<Vec<Bar>> {
    let mut bars = vec![Bar::default(); edges.len().saturating_sub(1)];
    let (Some(from), Some(until)) = (edges.first().copied(), edges.last().copied()) else { return Ok(bars) };
    let quarters = (
        table::end(connection, Grain::Quarter, inverter, false)?,
        table::end(connection, Grain::Quarter, inverter, true)?,
    );
    // Days of which no quarter is left.
    let days_until = quarters.0.unwrap_or(i64::MAX).min(until);
    for day in table::read(connection, Grain::Day, inverter, (from.saturating_sub(DAY_MS), days_until))? {
        if day.period.at_ms + DAY_MS <= quarters.0.unwrap_or(i64::MAX) && quarters.0.is_some() {
            share(&mut bars, edges, &day.period, DAY_MS);
        }
    }
    let last = quarters.1.unwrap_or(i64::MIN);
    for quarter in table::read(connection, Grain::Quarter, inverter, (from.saturating_sub(QUARTER_MS), until))? {
        let span = (quarter.period.at_ms, quarter.period.at_ms + QUARTER_MS);
        // The last one may have minutes that it does not know yet.
        let cut = span.0 == last || edges.iter().any(|edge| span.0 < *edge && *edge < span.1);
        let minutes = if cut { table::read(connection, Grain::Minute, inverter, span)? } else { Vec::new() };
        if minutes.is_empty() {
            share(&mut bars, edges, &quarter.period, QUARTER_MS);
        }
        for minute in minutes {
            share(&mut bars, edges, &minute.period, MINUTE_MS);
        }
    }
    let open_from = last.saturating_add(QUARTER_MS).max(from.saturating_sub(MINUTE_MS));
    for minute in table::read(connection, Grain::Minute, inverter, (open_from, until))? {
        share(&mut bars, edges, &minute.period, MINUTE_MS);
    }
    Ok(bars)
}

/// Gives each interval its share of a time by how far they overlap.
fn share(bars: &mut [Bar], edges: &[i64], period: &Period, length: i64) {
    let (from, until) = (period.at_ms, period.at_ms + length);
    let first = edges.partition_point(|edge| *edge <= from).saturating_sub(1);
    for (n, bar) in bars.iter_mut().enumerate().skip(first) {
        if edges[n] >= until {
            break;
        }
        let overlap = until.min(edges[n + 1]) - from.max(edges[n]);
        let part = overlap.max(0) as f64 / length as f64;
        for (energy, kwh) in period.energies.iter().enumerate() {
            let Some(kwh) = kwh else { continue };
            bar.kwh[energy] += kwh * part;
            bar.known_ms[energy] += period.known_ms as f64 * part;
        }
    }
}
