//! Inverters made by hand.

use std::sync::Arc;
use std::time::Duration;

use super::{NOW, Scene, idle, ms};
use crate::model::Time;
use crate::model::desk::{Answer, Query};
use crate::model::power::{
    Access, Battery, Bus, BusCounters, BusState, ChangeRow, Danger, Drift, Energy, EnergyBar, EnergyRow, Fault,
    FaultSource, Flow, Grid, GridState, Inverter, Power, PowerAnswer, PowerQuery, PvString, Quality, Reading,
    RegisterRow, Sample, Saved, SettingRow, Table, Takes, Unit, UnitState, WriteReport, WriteRow,
};
use crate::model::program::{Drawn, Phase, RunEnergy};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{DayProfile, Knowledge, Learned};
use crate::ui::state::{Effect, Event, Tab};

/// Unix time of hub time 0: NOW is 2026-06-21 12:01 UTC.
pub(in crate::ui) const STARTED_MS: i64 = 1_782_043_200_000;

fn flow(value: f64) -> Reading<f64> {
    Reading::new(value, NOW, Duration::from_secs(5))
}

fn fast(value: f64) -> Reading<f64> {
    Reading::new(value, NOW, Duration::from_secs(1))
}

fn slow(value: f64) -> Reading<f64> {
    Reading::new(value, NOW, Duration::from_secs(60))
}

fn string(n: u8, watts: f64) -> PvString {
    PvString { n, power_w: flow(watts), voltage_v: flow(312.0), current_a: flow(watts / 312.0) }
}

fn row(values: [f64; 6]) -> EnergyRow {
    let [pv, load, import, export, charge, discharge] = values.map(slow);
    EnergyRow { pv, load, import, export, charge, discharge }
}

/// A simulated inverter at noon: it charges the battery and feeds the grid.
pub(in crate::ui) fn unit(name: &str) -> Unit {
    Unit {
        known: Inverter {
            name: name.into(),
            profile: "senergy_hybrid".into(),
            brand: "Senergy".into(),
            serial: Some("SE5K2404".into()),
            rated_w: Reading { period: None, ..slow(5000.0) },
            status: Some("on grid".into()),
            flow: Flow {
                pv_w: flow(2310.0),
                strings: vec![string(1, 1200.0), string(2, 1110.0)],
                battery_w: flow(-1200.0),
                grid_w: flow(-350.0),
                load_w: flow(760.0),
                load_percent: flow(15.0),
            },
            battery: Battery {
                soc_percent: fast(64.0),
                soh_percent: slow(98.0),
                voltage_v: flow(52.3),
                current_a: flow(-22.9),
                temperature_c: slow(24.0),
                soc_min_percent: Reading { period: Some(Duration::from_secs(300)), ..slow(20.0) },
                soc_max_percent: Reading { period: Some(Duration::from_secs(300)), ..slow(100.0) },
                charge_limit_a: slow(100.0),
                discharge_limit_a: slow(120.0),
            },
            grid: Grid {
                state: GridState::Good,
                since: Time::from_millis(30_000),
                voltage_v: fast(231.0),
                frequency_hz: fast(50.0),
                samples: 40,
                confidence: 95,
                evidence: vec!["231 V at 50.0 Hz".into(), "the inverter says on grid".into()],
            },
            energy: Energy {
                day: row([12.4, 8.1, 0.3, 2.2, 3.1, 1.9]),
                total: row([5210.0, 3300.0, 410.0, 1200.0, 900.0, 840.0]),
            },
            faults: Vec::new(),
            fault_sources: vec![FaultSource {
                register: "error_code".into(),
                warning: false,
                overload: false,
                says: fast(0.0).map(|_| false),
            }],
            lacks: Vec::new(),
            temperature_c: slow(41.0),
        },
        bus: "rs485".into(),
        address: 1,
        simulated: true,
        enabled: true,
        state: UnitState::Answers,
        // 4 h 50 min at 900 W from 64 down to 20 %.
        capacity_kwh: Some(9.9),
        ..Unit::default()
    }
}

/// The bus that it is on.
pub(in crate::ui) fn bus() -> Bus {
    let counters = BusCounters {
        requests: 1203,
        replies: 1199,
        exceptions: 1,
        timeouts: 3,
        opens: 1,
        mean_us: 42_300,
        slowest_us: 187_000,
        ..BusCounters::default()
    };
    Bus {
        name: "rs485".into(),
        endpoint: "/dev/serial/by-id/usb-FTDI_RS485-if00-port0".into(),
        state: BusState::Open,
        counters,
        round: Some(ms(210)),
        ..Bus::default()
    }
}

/// One inverter.
pub(in crate::ui) fn one() -> Power {
    Power { inverters: vec![Arc::new(unit("roof"))], buses: vec![Arc::new(bus())], armed_until: None }
}

/// Three: one simulated, one real, one that does not answer.
pub(in crate::ui) fn three() -> Power {
    let mut power = one();
    let mut shed = unit("shed");
    shed.simulated = false;
    shed.known.battery.soc_percent = fast(71.0);
    shed.known.flow.battery_w = flow(400.0);
    let mut barn = unit("barn");
    barn.state = UnitState::Silent {
        since: NOW - ms(45_000),
        why: "nothing answers at address 3: is it switched on, and is its address right?".into(),
    };
    for reading in [&mut barn.known.flow.pv_w, &mut barn.known.flow.load_w, &mut barn.known.battery.soc_percent] {
        reading.lost = true;
    }
    power.inverters.extend([Arc::new(shed), Arc::new(barn)]);
    power
}

/// One with a fault and a warning.
pub(in crate::ui) fn faulty() -> Power {
    let mut power = one();
    let fault = |text: &str, warning, since| Fault {
        text: text.into(),
        register: "error_code".into(),
        warning,
        overload: false,
        grid: false,
        since,
    };
    change(&mut power, |unit| {
        unit.known.faults = vec![
            fault("fan of the heat sink does not turn", false, NOW - ms(20_000)),
            fault("battery is colder than it may be charged", true, NOW - ms(55_000)),
        ];
    });
    power
}

/// Changes every inverter.
pub(in crate::ui) fn change(power: &mut Power, with: impl Fn(&mut Unit)) {
    for unit in &mut power.inverters {
        with(Arc::make_mut(unit));
    }
}

fn setting(id: &str, value: &str, takes: Takes, unit: &str) -> SettingRow {
    SettingRow {
        id: id.into(),
        aliases: Vec::new(),
        addresses: Vec::new(),
        title: id.replace('_', " "),
        value: Some(value.into()),
        quality: Quality::Fresh,
        at: Some(NOW),
        takes,
        unit: unit.into(),
        danger: Danger::Normal,
        note: String::new(),
        window: None,
        saved: None,
        writes_today: 0,
    }
}

/// Settings of each kind. The first night window goes over midnight, the second overlaps it.
pub(in crate::ui) fn settings() -> Vec<SettingRow> {
    let number = |min, max, step| Takes::Number { min: Some(min), max: Some(max), step: Some(step), words: Vec::new() };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let window = |n, field: &str, value: &str, takes, unit| {
        let window = Some(("tou".to_owned(), n, field.to_owned()));
        SettingRow { window, ..setting(&format!("tou{n}_{field}"), value, takes, unit) }
    };
    let saved = Saved { id: "soc_min".into(), text: "25".into(), who: "screen 1".into(), at_ms: STARTED_MS };
    vec![
        SettingRow {
            aliases: vec!["capacity_of_discharger_end_eod_".into()],
            addresses: vec![8475],
            note: "Discharging ends here.".into(),
            danger: Danger::Caution,
            saved: Some(saved),
            writes_today: 2,
            ..setting("soc_min", "20 %", number(5.0, 100.0, 1.0), "%")
        },
        setting("work_mode", "self use", Takes::OneOf(words(&["self use", "battery first", "feed in first"])), ""),
        setting("days", "Mon, Tue", Takes::AnyOf(words(&["Mon", "Tue", "Wed"])), ""),
        SettingRow {
            danger: Danger::Dangerous,
            ..setting("grid_export_limit", "5000 W", number(0.0, 5000.0, 100.0), "W")
        },
        setting("rated_power", "5000 W", Takes::Nothing("it can only be read".into()), "W"),
        SettingRow {
            value: None,
            quality: Quality::Quarantined,
            ..setting("charge_limit", "", number(0.0, 120.0, 1.0), "A")
        },
        window(1, "charge_start", "23:00", Takes::TimeOfDay, ""),
        window(1, "charge_end", "05:00", Takes::TimeOfDay, ""),
        window(1, "charge_soc", "80 %", number(0.0, 100.0, 1.0), "%"),
        window(1, "discharge_start", "17:00", Takes::TimeOfDay, ""),
        window(1, "discharge_end", "22:00", Takes::TimeOfDay, ""),
        window(2, "charge_start", "04:00", Takes::TimeOfDay, ""),
        window(2, "charge_end", "07:30", Takes::TimeOfDay, ""),
    ]
}

/// What a change of two settings would do.
pub(in crate::ui) fn changes() -> Vec<ChangeRow> {
    let row = |id: &str, before: &str, after: &str, danger| ChangeRow {
        id: id.into(),
        before: before.into(),
        after: after.into(),
        unchanged: false,
        danger,
        warnings: Vec::new(),
    };
    vec![
        ChangeRow {
            warnings: vec!["written 2 times today; the memory of the inverter wears out".into()],
            ..row("soc_min", "20 %", "30 %", Danger::Caution)
        },
        row("work_mode", "self use", "battery first", Danger::Normal),
    ]
}

/// The first of them was taken, the second refused.
pub(in crate::ui) fn half_written() -> WriteReport {
    let row = |id: &str, before: &str, after: &str, good, words: &str| WriteRow {
        id: id.into(),
        before: Some(before.into()),
        after: after.into(),
        good,
        sent: true,
        words: words.into(),
    };
    WriteReport {
        who: "screen 1".into(),
        at: NOW + ms(2000),
        rows: vec![
            row("soc_min", "20 %", "30 %", true, "written and read back"),
            row("work_mode", "self use", "battery first", false, "the inverter refuses the value (exception 3)"),
        ],
    }
}

/// A few registers, one stale, one refused.
pub(in crate::ui) fn registers() -> Vec<RegisterRow> {
    let row = |id: &str, addresses: &[u16], raw: &[u16], shown: &str, reading| RegisterRow {
        id: id.into(),
        addresses: addresses.into(),
        table: Table::Holding,
        raw: raw.into(),
        shown: Some(shown.into()),
        reading,
        access: Access::ReadOnly,
        danger: Danger::Normal,
        note: String::new(),
    };
    let stale = Reading { at: Some(NOW - ms(20_000)), ..flow(2310.0) };
    let refused = Reading { quarantined: true, at: None, value: None, ..flow(0.0) };
    vec![
        row("grid_voltage", &[4113], &[2310], "231.0 V", fast(231.0)),
        row("pv_power", &[4150, 4151], &[0, 2310], "2310 W", stale),
        RegisterRow {
            access: Access::ReadWrite,
            danger: Danger::Caution,
            note: "Discharging ends here.".into(),
            ..row("soc_min", &[8475], &[20], "20 %", slow(20.0))
        },
        RegisterRow { raw: Vec::new(), shown: None, ..row("bms_cycles", &[4500], &[], "", refused) },
    ]
}

/// A day of samples, one a minute, with a gap from 9 to 10 o'clock.
pub(in crate::ui) fn samples(from_ms: i64) -> Vec<Sample> {
    (0..1440)
        .filter(|i| !(540..600).contains(i))
        .map(|i| {
            let hour = f64::from(i) / 60.0;
            let sun = (((hour - 6.0) / 12.0 * std::f64::consts::PI).sin() * 3000.0).max(0.0) as f32;
            let load = 600.0 + if (12..15).contains(&(i / 60)) { 900.0 } else { 0.0 };
            let battery = (load - sun).clamp(-1500.0, 1200.0);
            Sample {
                at_ms: from_ms + i64::from(i) * 60_000,
                pv_w: Some(sun),
                load_w: Some(load),
                battery_w: Some(battery),
                grid_w: Some(load - sun - battery),
                soc_percent: Some(40.0 + 30.0 * ((hour - 8.0) / 4.0).tanh() as f32),
                ..Sample::default()
            }
        })
        .collect()
}

/// Energies of 24 hours.
pub(in crate::ui) fn energies(from_ms: i64) -> Vec<EnergyBar> {
    (0..24)
        .map(|hour| {
            let pv = (3.0 - (f64::from(hour) - 12.0).abs() * 0.5).max(0.0);
            EnergyBar {
                at_ms: from_ms + i64::from(hour) * 3_600_000,
                pv: Some(pv),
                load: Some(0.8),
                import: Some(if pv < 0.8 { 0.2 } else { 0.0 }),
                // Read from four hours on.
                export: (hour > 3).then_some((pv - 2.0).max(0.0)),
                charge: Some((pv - 0.8).clamp(0.0, 1.2)),
                discharge: Some(if pv < 0.8 { 0.6 } else { 0.0 }),
                known: if hour == 9 { 0.25 } else { 1.0 },
            }
        })
        .collect()
}

/// What a run drew: 850 W in the cut for half an hour.
pub(in crate::ui) fn run_energy() -> RunEnergy {
    let mut energy = RunEnergy { base_w: Some(310.0), sun_wh: 290.0, battery_wh: 160.0, ..RunEnergy::default() };
    energy.phases[Phase::Cutting.index()] = Drawn { seconds: 1800.0, wh: 425.0 };
    energy.phases[Phase::Crossing.index()] = Drawn { seconds: 150.0, wh: 25.0 };
    energy
}

/// Three such runs, and bright days.
pub(in crate::ui) fn knowledge() -> Knowledge {
    let samples = samples(STARTED_MS - 43_200_000);
    Knowledge {
        learned: Learned::of(&[run_energy(); 3]),
        sun: DayProfile::of(&samples, |sample| sample.pv_w),
        ..Knowledge::default()
    }
}

/// The machine with this power.
pub(in crate::ui) fn with(power: Power) -> Snapshot {
    Snapshot { power: Arc::new(power), ..idle() }
}

/// The tab, open.
pub(in crate::ui) fn scene(power: Power) -> Scene {
    let mut scene = Scene::new(with(power));
    scene.ui.settings.started_unix_ms = Some(STARTED_MS);
    scene.ui.tab = Tab::Power;
    scene
}

/// Answers what was asked, as a hub would.
pub(in crate::ui) fn serve(scene: &mut Scene, effects: &[Effect]) {
    for effect in effects {
        let Effect::Ask(Query::Power(query)) = effect else { continue };
        let answer = match query.clone() {
            PowerQuery::Registers { inverter } => PowerAnswer::Registers { inverter, rows: Ok(Arc::new(registers())) },
            PowerQuery::Settings { inverter } => PowerAnswer::Settings { inverter, rows: Ok(Arc::new(settings())) },
            PowerQuery::CheckChanges { inverter, settings } => {
                let rows = changes().into_iter().filter(|row| settings.iter().any(|wanted| wanted.id == row.id));
                PowerAnswer::Changes { inverter, rows: Ok(rows.collect()), settings }
            }
            PowerQuery::History { inverter, from_ms, grain, .. } => {
                PowerAnswer::History { inverter, grain, samples: Ok(Arc::new(samples(from_ms))) }
            }
            PowerQuery::Energies { inverter, from_ms, by_day, .. } => {
                PowerAnswer::Energies { inverter, by_day, bars: Ok(Arc::new(energies(from_ms))) }
            }
        };
        let more = scene.event(&Event::Answer(Answer::Power(answer)));
        serve(scene, &more);
    }
}

/// Presses keys, and answers what each asks.
pub(in crate::ui) fn press(scene: &mut Scene, keys: &[&str]) -> Vec<Effect> {
    let mut last = Vec::new();
    for key in keys {
        last = scene.press(&[key]);
        serve(scene, &last);
    }
    last
}

/// A setting that is not what was saved.
pub(in crate::ui) fn drifted() -> Power {
    let mut power = one();
    change(&mut power, |unit| {
        unit.drift.insert("soc_min".into(), Drift { saved: "25 %".into(), actual: "20 %".into() });
    });
    power
}
