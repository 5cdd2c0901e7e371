//! Inverters and their buses.

use super::book::{Book, Labels, in_unit, plain};
use crate::model::Time;
use crate::model::power::{BusCounters, BusState, EnergyRow, GridState, Inverter, Power, Reading, Unit, UnitState};

const JOULES_IN_A_KWH: f64 = 3_600_000.0;

/// A value of an inverter: its name, and where it stands.
type Value = (&'static str, &'static str, &'static str, fn(&Inverter) -> Reading<f64>);

const VALUES: [Value; 11] = [
    ("inverter_rated_power", "watts", "What it can give", |of| of.rated_w),
    ("inverter_pv_power", "watts", "From the sun, all strings together", |of| of.flow.pv_w),
    ("inverter_load_power", "watts", "Into the loads", |of| of.flow.load_w),
    ("inverter_temperature", "celsius", "Of the inverter", |of| of.temperature_c),
    ("battery_power", "watts", "Out of the battery; below 0: into it", |of| of.flow.battery_w),
    ("battery_charge", "ratio", "State of charge, 0 to 1", |of| of.battery.soc_percent.map(|soc| soc / 100.0)),
    ("battery_voltage", "volts", "Of the battery", |of| of.battery.voltage_v),
    ("battery_temperature", "celsius", "Of the battery", |of| of.battery.temperature_c),
    ("grid_power", "watts", "From the grid; below 0: into it", |of| of.flow.grid_w),
    ("grid_voltage", "volts", "Of the grid, first phase", |of| of.grid.voltage_v),
    ("grid_frequency", "hertz", "Of the grid", |of| of.grid.frequency_hz),
];

/// A counter of energy: its kind, and where it stands.
type Kind = (&'static str, fn(&EnergyRow) -> Reading<f64>);
/// What came of requests, and how often.
type Result = (&'static str, fn(&BusCounters) -> u64);

const ENERGIES: [Kind; 6] = [
    ("pv", |row| row.pv),
    ("load", |row| row.load),
    ("import", |row| row.import),
    ("export", |row| row.export),
    ("charge", |row| row.charge),
    ("discharge", |row| row.discharge),
];

fn of(unit: &Unit, more: &[(&'static str, &str)]) -> Labels {
    let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
    std::iter::once(("inverter", unit.known.name.clone())).chain(more).collect()
}

/// Puts it on the page.
pub(super) fn put(book: &mut Book, power: &Power, now: Time) {
    let units = || power.inverters.iter().map(|unit| &**unit).filter(|unit| unit.enabled);
    book.gauge(
        &plain("inverter_up", "1: the inverter answers"),
        units().map(|unit| (of(unit, &[]), Some(f64::from(u8::from(unit.state == UnitState::Answers))))),
    );
    for (name, unit, about, value) in VALUES {
        let values = units().map(|unit| (of(unit, &[]), value(&unit.known).fresh(now)));
        book.gauge(&in_unit(name, unit, about), values);
    }
    book.gauge(
        &in_unit("inverter_pv_input_power", "watts", "From the sun, string by string"),
        units().flat_map(|unit| {
            let strings = unit.known.flow.strings.iter();
            strings.map(|string| (of(unit, &[("input", &string.n.to_string())]), string.power_w.fresh(now)))
        }),
    );
    book.counter(
        &in_unit("inverter_energy", "joules", "Energies as the inverter counts them"),
        units().flat_map(|unit| {
            let total = &unit.known.energy.total;
            ENERGIES.map(|(kind, row)| {
                (of(unit, &[("kind", kind)]), row(total).fresh(now).map(|kwh| kwh * JOULES_IN_A_KWH))
            })
        }),
    );
    book.gauge(
        &plain("grid_state", "1: the grid is in this state, as far as two sources agree"),
        units().filter(|unit| unit.state == UnitState::Answers).flat_map(|unit| {
            [(GridState::Good, "good"), (GridState::Lost, "lost"), (GridState::Unknown, "unknown")].map(
                |(state, name)| {
                    (of(unit, &[("state", name)]), Some(f64::from(u8::from(unit.known.grid.state == state))))
                },
            )
        }),
    );
    book.gauge(
        &plain("inverter_faults", "Faults and warnings that it tells of"),
        units()
            .filter(|unit| unit.state == UnitState::Answers)
            .map(|unit| (of(unit, &[]), Some(unit.known.faults.len() as f64))),
    );
    buses(book, power);
}

fn buses(book: &mut Book, power: &Power) {
    let label = |name: &str| vec![("bus", name.to_owned())];
    book.gauge(
        &plain("modbus_up", "1: the bus is open"),
        power.buses.iter().map(|bus| (label(&bus.name), Some(f64::from(u8::from(bus.state == BusState::Open))))),
    );
    let results: [Result; 6] = [
        ("reply", |count| count.replies),
        ("exception", |count| count.exceptions),
        ("timeout", |count| count.timeouts),
        ("desync", |count| count.desyncs),
        ("crc", |count| count.crc_errors),
        ("short", |count| count.cut_short),
    ];
    book.counter(
        &plain("modbus_requests", "Requests, by what came of them"),
        power.buses.iter().flat_map(|bus| {
            results.map(|(result, count)| {
                (vec![("bus", bus.name.clone()), ("result", result.to_owned())], Some(count(&bus.counters) as f64))
            })
        }),
    );
    book.gauge(
        &in_unit("modbus_request_mean", "seconds", "Mean time of a good answer since start"),
        power.buses.iter().map(|bus| {
            let mean = (bus.counters.replies > 0).then(|| bus.counters.mean_us as f64 / 1e6);
            (label(&bus.name), mean)
        }),
    );
}
