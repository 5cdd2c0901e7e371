//! `sunmill inverter show`: what an inverter measures now, in words.

use std::fmt::Write as _;

use color_eyre::eyre::eyre;
use serde_json::json;

use super::args::{ShowArgs, Which};
use super::held;
use super::visit::{Wanted, visit};
use crate::cli::exit::Failure;
use crate::cli::remote::with_hub;
use crate::cli::settings::Settings;
use crate::cli::{listing, out};
use crate::inverter::Identity;
use crate::inverter::summary::{self, FaultBook};
use crate::model::Time;
use crate::model::power::{Direction, Grid, Inverter, Reading, Role};

/// What is known of an inverter, by whoever asked it.
struct Seen {
    known: Inverter,
    unit: u8,
    simulated: bool,
    /// As it came from the device itself; `None`: the hub knows it.
    identity: Option<Identity>,
    /// What a person should know of it before it is trusted.
    doubt: Option<String>,
    unfinished: Option<String>,
    now: Time,
}

pub(super) fn show(settings: &Settings, args: &ShowArgs) -> Result<String, Failure> {
    let seen = match &args.which.name {
        Some(name) if held::runs(settings) => of_hub(settings, name)?,
        _ => visited(settings, &args.which)?,
    };
    if let Some(why) = &seen.unfinished {
        out::words(&format!("not all of it: {why}"));
    }
    if args.json {
        return listing::json(&told(&seen));
    }
    Ok(text(&seen))
}

/// As the hub knows it.
fn of_hub(settings: &Settings, name: &str) -> Result<Seen, Failure> {
    let mut seen = None;
    with_hub(settings, async |attached| {
        let unit = held::heard(&attached.hub, name)?;
        seen = Some(Seen {
            known: unit.known,
            unit: unit.address,
            simulated: unit.simulated,
            identity: None,
            doubt: unit.to_confirm.or(unit.read_only),
            unfinished: None,
            now: attached.hub.snapshot().at,
        });
        Ok(())
    })?;
    seen.ok_or_else(|| eyre!("the sunmill that runs tells nothing").into())
}

fn visited(settings: &Settings, which: &Which) -> Result<Seen, Failure> {
    let visit = visit(settings, which, Wanted::Measurements)?;
    let values = &visit.values;
    // Whether the grid is lost cannot be told from one reading.
    let grid = Grid {
        voltage_v: values.role(Role::GridVoltage),
        frequency_hz: values.role(Role::GridFrequency),
        ..Grid::default()
    };
    let name = which.name.as_deref().unwrap_or_default();
    let known = summary::inverter(name, values, &grid, &mut FaultBook::default(), visit.now);
    let doubt = match &visit.identity {
        Identity::Different { expected, found } => {
            Some(format!("another device answers: {found} instead of {expected}"))
        }
        Identity::Strange { found } => {
            Some(format!("{found:?} cannot be its serial number: the profile does not seem to fit"))
        }
        Identity::Unverifiable { why } => Some(format!("its serial number cannot be read: {why}")),
        Identity::Known { .. } | Identity::Unknown => None,
    };
    let (unit, now, simulated) = (visit.unit, visit.now, visit.simulated);
    Ok(Seen { known, unit, simulated, identity: Some(visit.identity), doubt, unfinished: visit.unfinished, now })
}

fn told(seen: &Seen) -> serde_json::Value {
    let (known, now) = (&seen.known, seen.now);
    let value = |reading: Reading<f64>| reading.shown(now);
    let energy = |row: &crate::model::power::EnergyRow| {
        json!({
            "pv_kwh": value(row.pv), "load_kwh": value(row.load), "import_kwh": value(row.import),
            "export_kwh": value(row.export), "charge_kwh": value(row.charge), "discharge_kwh": value(row.discharge),
        })
    };
    json!({
        "name": (!known.name.is_empty()).then_some(&known.name),
        "simulated": seen.simulated,
        "profile": known.profile,
        "brand": known.brand,
        "unit": seen.unit,
        "serial": known.serial,
        "identity": seen.identity,
        "doubt": seen.doubt,
        "status": known.status,
        "rated_w": value(known.rated_w),
        "pv_w": value(known.flow.pv_w),
        "battery_w": value(known.flow.battery_w),
        "grid_w": value(known.flow.grid_w),
        "load_w": value(known.flow.load_w),
        "load_percent": value(known.flow.load_percent),
        "soc_percent": value(known.battery.soc_percent),
        "soc_min_percent": value(known.battery.soc_min_percent),
        "battery_v": value(known.battery.voltage_v),
        "battery_c": value(known.battery.temperature_c),
        "grid_v": value(known.grid.voltage_v),
        "grid_hz": value(known.grid.frequency_hz),
        "inverter_c": value(known.temperature_c),
        "day": energy(&known.energy.day),
        "total": energy(&known.energy.total),
        "faults": known.faults.iter().map(|fault| json!({"text": fault.text, "warning": fault.warning})).collect::<Vec<_>>(),
        "unfinished": seen.unfinished,
    })
}

fn text(seen: &Seen) -> String {
    let (known, now) = (&seen.known, seen.now);
    let serial = known.serial.as_ref().map_or_else(String::new, |serial| format!(", serial number {serial}"));
    let name = if known.name.is_empty() { String::new() } else { format!("{}: ", known.name) };
    let sim = if seen.simulated { "SIM " } else { "" };
    let mut text = format!("{sim}{name}{} ({}), unit {}{serial}\n", known.brand, known.profile, seen.unit);
    if let Some(doubt) = &seen.doubt {
        let _ = writeln!(text, "    device     {doubt}");
    }
    if let Some(status) = &known.status {
        let _ = writeln!(text, "    state      {status}");
    }
    let flow = &known.flow;
    let _ = writeln!(text, "    sun        {}", number(flow.pv_w, "W", now));
    let battery = directed(flow.battery_w, now, Direction::of_battery);
    let soc = number(known.battery.soc_percent, "%", now);
    let _ = writeln!(text, "    battery    {battery}, {soc}, {}", number(known.battery.voltage_v, "V", now));
    let grid = directed(flow.grid_w, now, Direction::of_grid);
    let (volts, hertz) = (number(known.grid.voltage_v, "V", now), number(known.grid.frequency_hz, "Hz", now));
    let _ = writeln!(text, "    grid       {grid}, {volts}, {hertz}");
    let percent =
        flow.load_percent.shown(now).map_or_else(String::new, |percent| format!(" ({percent:.0} % of its power)"));
    let _ = writeln!(text, "    load       {}{percent}", number(flow.load_w, "W", now));
    let day = &known.energy.day;
    let kwh = |reading| number(reading, "kWh", now);
    let (pv, load, import, export) = (kwh(day.pv), kwh(day.load), kwh(day.import), kwh(day.export));
    let _ = writeln!(text, "    today      {pv} from the sun, {load} used, {import} imported, {export} exported");
    for fault in &known.faults {
        let _ = writeln!(text, "    {:10} {}", if fault.warning { "warning" } else { "fault" }, fault.text);
    }
    text
}

/// A number with its unit, or that it is not known, and why.
fn number(reading: Reading<f64>, unit: &str, now: Time) -> String {
    let decimals = match unit {
        "W" | "%" => 0,
        "Hz" => 2,
        _ => 1,
    };
    reading
        .shown(now)
        .map_or_else(|| format!("{unit} {}", reading.quality(now).word()), |value| format!("{value:.decimals$} {unit}"))
}

/// How much flows, and where to.
fn directed(reading: Reading<f64>, now: Time, direction: fn(f64) -> Direction) -> String {
    reading.shown(now).map_or_else(
        || format!("W {}", reading.quality(now).word()),
        |watts| format!("{} {:.0} W", direction(watts).word(), watts.abs()),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_have_units_and_what_is_not_known_is_said() {
        let reading = |value| Reading::new(value, Time::ZERO, Duration::from_secs(1));
        assert_eq!(number(reading(51.96), "V", Time::ZERO), "52.0 V");
        assert_eq!(number(Reading::default(), "W", Time::ZERO), "W unknown");
        assert_eq!(directed(reading(-500.4), Time::ZERO, Direction::of_battery), "charging 500 W");
        assert_eq!(directed(Reading::default(), Time::ZERO, Direction::of_grid), "W unknown");
    }
}
