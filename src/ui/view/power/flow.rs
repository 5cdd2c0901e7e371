//! What comes from where and goes where, then battery, grid, energies and what is wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::text::{Cx, Rows, fit, put};
use super::battery;
use super::facts::{LABEL, moment, row, spans, value_role};
use crate::model::power::{BusState, Direction, EnergyRow, Flow, GridState, Quality, Reading, Unit, UnitState};
use crate::ui::action::Action;
use crate::ui::power::words::{Told, amperes, degrees, direction, grid, kwh, minutes, percent, told, volts, watts};
use crate::ui::power::{PowerKey, words};
use crate::ui::theme::Role;

/// Rows of the picture.
const PICTURE: u16 = 5;
/// Rows below which there is no picture.
const MIN_ROWS: u16 = 9;
/// Rows below which the battery goes before what is wrong, which could fill the page, and a fault has one line.
const ROOMY: u16 = 14;
/// Columns of the picture.
const COLUMNS: u16 = 60;

/// Draws it; `None`: all inverters together.
pub(super) fn draw(cx: &Cx<'_>, unit: Option<&Unit>, area: Rect, buf: &mut Buffer) {
    let total = cx.snapshot.power.total();
    let flow = unit.map_or(&total, |unit| &unit.known.flow);
    let mut rows = Rows { rest: area };
    if area.height >= MIN_ROWS {
        let at = rows.top(PICTURE);
        let left = (at.width.saturating_sub(COLUMNS) / 3).min(12);
        picture(cx, unit, flow, Rect { x: at.x + left, width: COLUMNS.min(at.width), ..at }, buf);
    }
    if area.height < MIN_ROWS {
        row(cx, &mut rows, "flow", &in_words(cx, flow), Role::Text, buf);
    }
    match unit {
        Some(unit) => one(cx, unit, area.height >= ROOMY, &mut rows, buf),
        None => all(cx, &mut rows, buf),
    }
}

/// What flows in one sentence, where there is no room for the picture.
fn in_words(cx: &Cx<'_>, flow: &Flow) -> String {
    let part = |what: &str, reading: &Reading<f64>, word: Option<&str>| {
        let value = told(reading, cx.now, watts).whole();
        format!("{what} {value} {}", word.unwrap_or_default()).trim_end().to_owned()
    };
    let battery = direction(&flow.battery_w, Direction::of_battery, cx.now);
    let grid = direction(&flow.grid_w, Direction::of_grid, cx.now);
    let parts = [
        part("sun", &flow.pv_w, None),
        part("battery", &flow.battery_w, battery),
        part("grid", &flow.grid_w, grid),
        part("load", &flow.load_w, None),
    ];
    parts.join(", ")
}

/// A value at an end of the picture: what it is, what flows, and which way seen from the inverter.
struct End<'a> {
    name: &'static str,
    reading: &'a Reading<f64>,
    /// Into the inverter, out of it, or neither.
    way: Option<bool>,
    /// The word for it, or another fact.
    word: String,
}

fn picture(cx: &Cx<'_>, unit: Option<&Unit>, flow: &Flow, area: Rect, buf: &mut Buffer) {
    let now = cx.now;
    let shown = |reading: &Reading<f64>| reading.shown(now);
    let way = |reading: &Reading<f64>, into: fn(f64) -> bool| {
        shown(reading).filter(|watts| Direction::of_grid(*watts) != Direction::Idle).map(into)
    };
    let word = |reading, of| direction(reading, of, now).unwrap_or_default().to_owned();
    let load = told(&flow.load_percent, now, percent);
    let strings = flow.strings.len();
    let left = [
        End {
            name: "sun",
            reading: &flow.pv_w,
            way: way(&flow.pv_w, |_| true),
            word: if strings > 1 { format!("{strings} strings") } else { String::new() },
        },
        End {
            name: "battery",
            reading: &flow.battery_w,
            way: way(&flow.battery_w, |watts| watts > 0.0),
            word: word(&flow.battery_w, Direction::of_battery),
        },
    ];
    let right = [
        End {
            name: "load",
            reading: &flow.load_w,
            way: way(&flow.load_w, |_| false),
            word: if load.is_value() { format!("{} used", load.text) } else { String::new() },
        },
        End {
            name: "grid",
            reading: &flow.grid_w,
            way: way(&flow.grid_w, |watts| watts > 0.0),
            word: match unit.map(|unit| unit.known.grid.state) {
                Some(GridState::Lost) => "LOST".to_owned(),
                _ => word(&flow.grid_w, Direction::of_grid),
            },
        },
    ];
    inverter(cx, unit, Rect { x: area.x + 27, width: 14, ..area }, buf);
    for (i, end) in left.iter().enumerate() {
        let at = Rect { y: area.y + 1 + 2 * i as u16, height: 2, width: 20, x: area.x + 2 };
        draw_end(cx, end, at, true, buf);
    }
    for (i, end) in right.iter().enumerate() {
        let at = Rect { y: area.y + 1 + 2 * i as u16, height: 2, width: area.width - 46, x: area.x + 46 };
        draw_end(cx, end, at, false, buf);
    }
}

/// Value and word, and the arrow between them and the inverter.
fn draw_end(cx: &Cx<'_>, end: &End<'_>, area: Rect, is_left: bool, buf: &mut Buffer) {
    let told = told(end.reading, cx.now, watts);
    let gap = if is_left { 8 } else { 5 };
    let value = Line::from(vec![
        cx.span(format!("{:<gap$}", end.name), Role::Title),
        cx.span(fit(&told.text, usize::from(area.width).saturating_sub(gap), ""), value_role(&told)),
    ]);
    put(buf, area, 0, &value);
    let below = told.age.clone().unwrap_or_else(|| end.word.clone());
    let role = if told.age.is_some() { Role::Warning } else { Role::Text };
    put(buf, area, 1, &Line::from(cx.span(format!("{:gap$}{below}", ""), role)));
    let ascii = cx.theme.symbols.line.is_ascii();
    let [to_right, to_left, flat] = if ascii { ["-->", "<--", "---"] } else { ["──▶", "◀──", "───"] };
    let (sign, role) = match end.way {
        // Into the inverter from the left, or out of it to the right.
        Some(into) if into == is_left => (to_right, Role::Good),
        Some(_) => (to_left, Role::Good),
        None if told.is_value() => (flat, Role::Quiet),
        None => (" ? ", Role::Quiet),
    };
    let x = if is_left { area.x + 21 } else { area.x - 4 };
    put(buf, Rect { x, width: 3, ..area }, 0, &Line::from(cx.span(sign, role)));
}

/// The box in the middle.
fn inverter(cx: &Cx<'_>, unit: Option<&Unit>, area: Rect, buf: &mut Buffer) {
    let symbols = cx.theme.symbols;
    let inner = usize::from(area.width) - 2;
    for (row, [left, right]) in [(0, symbols.top), (PICTURE - 1, symbols.bottom)] {
        let line = format!("{left}{}{right}", symbols.line.repeat(inner));
        put(buf, area, row, &Line::from(cx.span(line, Role::Quiet)));
    }
    let texts = match unit {
        Some(unit) => {
            let warm = told(&unit.known.temperature_c, cx.now, degrees);
            [words::unit_state(unit), if warm.is_value() { warm.text } else { String::new() }, String::new()]
        }
        None => {
            let count = cx.snapshot.power.inverters.iter().filter(|unit| unit.enabled).count();
            [format!("{count} inverters"), String::new(), String::new()]
        }
    };
    for (i, text) in texts.into_iter().enumerate() {
        let text = format!("{:^inner$}", fit(&text, inner, symbols.more));
        let bar = || cx.span(symbols.bar, Role::Quiet);
        put(buf, area, i as u16 + 1, &Line::from(vec![bar(), cx.span(text, Role::Text), bar()]));
    }
}

fn one(cx: &Cx<'_>, unit: &Unit, roomy: bool, rows: &mut Rows, buf: &mut Buffer) {
    if roomy {
        trouble(cx, unit, roomy, rows, buf);
        battery_rows(cx, unit, rows, buf);
    } else {
        battery_rows(cx, unit, rows, buf);
        trouble(cx, unit, roomy, rows, buf);
    }
    grid_row(cx, unit, rows, buf);
    energy(cx, "today", &unit.known.energy.day, rows, buf);
    faults_row(cx, unit, rows, buf);
    strings(cx, unit, rows, buf);
    let evidence = unit.known.grid.evidence.join("; ");
    if !evidence.is_empty() {
        row(cx, rows, "grid says", &evidence, Role::Text, buf);
    }
    energy(cx, "ever", &unit.known.energy.total, rows, buf);
    if !unit.quarantined.is_empty() {
        let text =
            format!("{} registers (asked again every 5 min): {}", unit.quarantined.len(), unit.quarantined.join(", "));
        row(cx, rows, "refused", &text, Role::Quiet, buf);
    }
}

/// That nothing is wrong, where that is known.
fn faults_row(cx: &Cx<'_>, unit: &Unit, rows: &mut Rows, buf: &mut Buffer) {
    if unit.state != UnitState::Answers {
        return;
    }
    let known = &unit.known;
    if let Some(why) = words::unread_faults(known, cx.now) {
        row(cx, rows, "faults", &why, Role::Warning, buf);
    } else if known.fault_sources.is_empty() {
        row(cx, rows, "faults", "it never tells any", Role::Quiet, buf);
    } else if known.faults.is_empty() {
        row(cx, rows, "faults", "none", Role::Quiet, buf);
    }
}

/// What is wrong, worst first.
fn trouble(cx: &Cx<'_>, unit: &Unit, roomy: bool, rows: &mut Rows, buf: &mut Buffer) {
    if !unit.enabled {
        let key = cx.key(Action::Power(PowerKey::Switch));
        row(cx, rows, "off", &format!("it is left alone; {key} polls it again"), Role::Warning, buf);
        return;
    }
    if let UnitState::Silent { since, why } = &unit.state {
        row(cx, rows, "silent", &format!("since {}: {why}", moment(cx, *since)), Role::Bad, buf);
    }
    let bus = cx.snapshot.power.buses.iter().find(|bus| bus.name == unit.bus);
    if let Some(BusState::Down { why, .. }) = bus.map(|bus| &bus.state) {
        row(cx, rows, "bus", &format!("{}: {why}", unit.bus), Role::Bad, buf);
    }
    for fault in &unit.known.faults {
        let (label, role) = if fault.warning { ("warning", Role::Warning) } else { ("FAULT", Role::Bad) };
        let since = moment(cx, fault.since);
        if roomy {
            row(cx, rows, label, &format!("{} (since {since})", fault.text), role, buf);
        } else {
            // The page of faults has all of it.
            let width = usize::from(rows.rest.width).saturating_sub(LABEL + 4);
            let text = fit(&format!("since {since}: {}", fault.text), width, cx.theme.symbols.more);
            spans(cx, rows, label, vec![cx.span(text, role)], buf);
        }
    }
    if let Some(why) = &unit.to_confirm {
        let key = cx.key(Action::Power(PowerKey::Confirm));
        row(cx, rows, "device", &format!("{why}; {key} says that it is the right one"), Role::Warning, buf);
    } else if let Some(why) = &unit.read_only {
        row(cx, rows, "read-only", why, Role::Warning, buf);
    }
    if !unit.drift.is_empty() {
        let names: Vec<&str> = unit.drift.keys().map(String::as_str).collect();
        row(cx, rows, "settings", &format!("not what was saved: {}", names.join(", ")), Role::Warning, buf);
    }
}

fn battery_rows(cx: &Cx<'_>, unit: &Unit, rows: &mut Rows, buf: &mut Buffer) {
    let (battery, now) = (&unit.known.battery, cx.now);
    if battery.soc_percent.quality(now) == Quality::Absent {
        return row(cx, rows, "battery", "none is connected", Role::Quiet, buf);
    }
    let level = told(&battery.soc_percent, now, percent);
    let mut line = vec![cx.span(format!("{:<5} ", level.text), value_role(&level))];
    if let Some(bar) = battery::bar(cx, battery, 20, now) {
        line.push(cx.span(format!("{bar}  "), Role::Text));
    }
    let limit = |reading: &Reading<f64>| told(reading, now, |value| format!("{value:.0}"));
    let (min, max) = (limit(&battery.soc_min_percent), limit(&battery.soc_max_percent));
    match (min.is_value(), max.is_value()) {
        (true, true) => line.push(cx.span(format!("{} to {} %  ", min.text, max.text), Role::Text)),
        (true, false) => line.push(cx.span(format!("down to {} %  ", min.text), Role::Text)),
        _ => {}
    }
    let others = [
        told(&battery.voltage_v, now, volts),
        told(&battery.current_a, now, amperes),
        told(&battery.temperature_c, now, degrees),
    ];
    if let Some(age) = level.age {
        line.push(cx.span(format!("{age}  "), Role::Warning));
    }
    let others: Vec<String> = others.into_iter().filter(Told::is_value).map(|told| told.whole()).collect();
    line.push(cx.span(others.join("  "), Role::Text));
    spans(cx, rows, "battery", line, buf);
    let discharges = unit.known.flow.battery_w.shown(now).map(Direction::of_battery) == Some(Direction::Discharging);
    match (unit.minutes_left(now), discharges) {
        (Some(left), _) => row(cx, rows, "lasts", &format!("{} at this load", minutes(left)), Role::Value, buf),
        (None, true) => {
            let why = if unit.capacity_kwh.is_none() {
                "capacity_kwh is not set in config.toml"
            } else {
                "something for it is not known"
            };
            row(cx, rows, "lasts", &format!("not known: {why}"), Role::Quiet, buf);
        }
        (None, false) => {}
    }
}

fn grid_row(cx: &Cx<'_>, unit: &Unit, rows: &mut Rows, buf: &mut Buffer) {
    let known = &unit.known.grid;
    let role = match known.state {
        GridState::Good => Role::Text,
        GridState::Lost => Role::Alarm,
        GridState::Unknown => Role::Warning,
    };
    let since =
        if known.state == GridState::Lost { format!(", since {}", moment(cx, known.since)) } else { String::new() };
    row(cx, rows, "grid", &(grid(known, cx.now) + &since), role, buf);
}

fn energy(cx: &Cx<'_>, label: &str, energy: &EnergyRow, rows: &mut Rows, buf: &mut Buffer) {
    let parts = [
        ("sun", &energy.pv),
        ("load", &energy.load),
        ("imported", &energy.import),
        ("exported", &energy.export),
        ("charged", &energy.charge),
        ("discharged", &energy.discharge),
    ];
    // What an inverter does not count at all is no news; the others are told even when they are not known.
    let told = parts.into_iter().map(|(what, reading)| (what, told(reading, cx.now, kwh)));
    let text: Vec<String> = told
        .filter(|(_, told)| !matches!(told.quality, Quality::Unknown | Quality::Absent))
        .map(|(what, told)| format!("{what} {}", told.whole()))
        .collect();
    if !text.is_empty() {
        row(cx, rows, label, &text.join(", "), Role::Text, buf);
    }
}

fn strings(cx: &Cx<'_>, unit: &Unit, rows: &mut Rows, buf: &mut Buffer) {
    for string in &unit.known.flow.strings {
        let parts = [
            told(&string.power_w, cx.now, watts),
            told(&string.voltage_v, cx.now, volts),
            told(&string.current_a, cx.now, amperes),
        ];
        let text: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        let age = parts.iter().find_map(|part| part.age.clone()).map_or(String::new(), |age| format!(" ({age})"));
        let role = if age.is_empty() { Role::Text } else { Role::Warning };
        row(cx, rows, &format!("string {}", string.n), &(text.join(", ") + &age), role, buf);
    }
}

/// All together: each in a line.
fn all(cx: &Cx<'_>, rows: &mut Rows, buf: &mut Buffer) {
    for unit in &cx.snapshot.power.inverters {
        let known = &unit.known;
        let level = told(&known.battery.soc_percent, cx.now, percent);
        let state = words::unit_state(unit);
        let text = format!("{state}, battery {}, grid {}", level.whole(), known.grid.state.word());
        let role = if matches!(unit.state, UnitState::Silent { .. }) { Role::Warning } else { Role::Text };
        row(cx, rows, &super::facts::name(unit), &text, role, buf);
        for fault in &known.faults {
            let role = if fault.warning { Role::Warning } else { Role::Bad };
            row(cx, rows, "", &format!("{} (since {})", fault.text, moment(cx, fault.since)), role, buf);
        }
    }
}
