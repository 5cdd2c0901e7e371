//! `sunmill inverter show`: what an inverter measures now, in words.

use std::fmt::Write as _;

use serde_json::json;

use super::args::ShowArgs;
use super::visit::{Visit, Wanted, visit};
use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::{listing, out};
use crate::inverter::summary::{self, FaultBook};
use crate::model::Time;
use crate::model::power::{Direction, Grid, Inverter, Reading, Role};

pub(super) fn show(settings: &Settings, args: &ShowArgs) -> Result<String, Failure> {
    let visit = visit(settings, &args.which, Wanted::Measurements)?;
    if let Some(why) = &visit.unfinished {
        out::words(&format!("not all of it: {why}"));
    }
    let values = &visit.values;
    // Whether the grid is lost cannot be told from one reading.
    let grid = Grid {
        voltage_v: values.role(Role::GridVoltage),
        frequency_hz: values.role(Role::GridFrequency),
        ..Grid::default()
    };
    let known = summary::inverter("", values, &grid, &mut FaultBook::default(), visit.now);
    if args.json {
        return listing::json(&told(&visit, &known));
    }
    Ok(text(&visit, &known))
}

fn told(visit: &Visit, known: &Inverter) -> serde_json::Value {
    let now = visit.now;
    let value = |reading: Reading<f64>| reading.shown(now);
    let energy = |row: &crate::model::power::EnergyRow| {
        json!({
            "pv_kwh": value(row.pv), "load_kwh": value(row.load), "import_kwh": value(row.import),
            "export_kwh": value(row.export), "charge_kwh": value(row.charge), "discharge_kwh": value(row.discharge),
        })
    };
    json!({
        "profile": known.profile,
        "brand": known.brand,
        "unit": visit.unit,
        "serial": known.serial,
        "identity": visit.identity,
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
        "unfinished": visit.unfinished,
    })
}

fn text(visit: &Visit, known: &Inverter) -> String {
    let now = visit.now;
    let serial = known.serial.as_ref().map_or_else(String::new, |serial| format!(", serial number {serial}"));
    let mut text = format!("{} ({}), unit {}{serial}\n", known.brand, known.profile, visit.unit);
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
