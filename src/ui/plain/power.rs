//! Power as sentences.

use crate::model::Time;
use crate::model::power::{Direction, Power, Unit, UnitState};
use crate::model::snapshot::Snapshot;
use crate::ui::power::outlook_of_run;
use crate::ui::power::words::{direction, grid, kwh, minutes, percent, told, unit_state, unread_faults, watts};
use crate::ui::programs::facts::open_run;
use crate::ui::settings::Settings;

/// What flows, in all inverters together where there are several.
pub fn summary(power: &Power, now: Time) -> Vec<String> {
    if power.inverters.is_empty() {
        return vec!["No inverter is configured: [[inverter]] in config.toml names one.".to_owned()];
    }
    let mut lines = Vec::new();
    if power.inverters.len() > 1 {
        lines.push(format!("All together: {}.", flow(&power.total(), now)));
    }
    for unit in &power.inverters {
        lines.push(brief(unit, now));
        lines.extend(trouble(unit));
    }
    lines
}

/// What the program that runs will need from here on, what carries it, and what it has drawn. Nothing where none runs, or nothing
/// of that is known.
pub fn program(snapshot: &Snapshot, now: Time) -> Vec<String> {
    let Some(run) = open_run(snapshot) else { return Vec::new() };
    // Without a time of day, moments are told as how long it takes until then.
    let told = outlook_of_run(snapshot, &Settings::default(), run, now);
    let told = told.map(|told| format!("{}, from here on: {}.", run.name, told.words));
    let drawn = snapshot.sun.drawn.map(|drawn| format!("It has drawn so far: {}.", drawn.words()));
    told.into_iter().chain(drawn).collect()
}

/// All about one inverter.
///
/// # Errors
/// There is none of this name; those that there are.
pub fn inverter(power: &Power, name: Option<&str>, now: Time) -> Result<Vec<String>, String> {
    let names: Vec<&str> = power.inverters.iter().map(|unit| unit.known.name.as_str()).collect();
    let Some(name) = name else {
        return Ok(if names.is_empty() {
            summary(power, now)
        } else {
            vec![format!("Inverters: {}.", names.join(", "))]
        });
    };
    let unit = power.named(name)?;
    let known = &unit.known;
    let mut lines = vec![brief(unit, now), format!("The grid is {}.", grid(&known.grid, now))];
    if let Some(left) = unit.minutes_left(now) {
        lines.push(format!("The battery lasts {} at this load.", minutes(left)));
    }
    let day = [
        ("from the sun", &known.energy.day.pv),
        ("used", &known.energy.day.load),
        ("imported", &known.energy.day.import),
        ("exported", &known.energy.day.export),
    ];
    let day: Vec<String> =
        day.iter().map(|(what, reading)| format!("{} {what}", told(reading, now, kwh).whole())).collect();
    lines.push(format!("Today: {}.", day.join(", ")));
    lines.extend(trouble(unit));
    if let Some(why) = unread_faults(known, now) {
        lines.push(format!("Faults: {why}."));
    } else if known.fault_sources.is_empty() {
        lines.push("It never tells of faults.".to_owned());
    } else if known.faults.is_empty() {
        lines.push("It tells of no fault.".to_owned());
    }
    if let Some(why) = unit.to_confirm.as_ref().or(unit.read_only.as_ref()) {
        lines.push(format!("Nothing is written to it: {why}."));
    }
    for (id, drift) in &unit.drift {
        lines.push(format!("{id} was saved as {} and is {} now.", drift.saved, drift.actual));
    }
    Ok(lines)
}

fn flow(flow: &crate::model::power::Flow, now: Time) -> String {
    let word = |reading, of| direction(reading, of, now).map_or(String::new(), |word| format!(", {word}"));
    format!(
        "sun {}, load {}, battery {}{}, grid {}{}",
        told(&flow.pv_w, now, watts).whole(),
        told(&flow.load_w, now, watts).whole(),
        told(&flow.battery_w, now, watts).whole(),
        word(&flow.battery_w, Direction::of_battery),
        told(&flow.grid_w, now, watts).whole(),
        word(&flow.grid_w, Direction::of_grid),
    )
}

fn brief(unit: &Unit, now: Time) -> String {
    let simulated = if unit.simulated { " (SIMULATED)" } else { "" };
    let level = told(&unit.known.battery.soc_percent, now, percent).whole();
    format!(
        "{}{simulated}: {}; {}; battery level {level}; grid {}.",
        unit.known.name,
        unit_state(unit),
        flow(&unit.known.flow, now),
        unit.known.grid.state.word()
    )
}

/// What is wrong, worst first.
fn trouble(unit: &Unit) -> Vec<String> {
    let name = &unit.known.name;
    let silent = match &unit.state {
        UnitState::Silent { why, .. } => Some(format!("{name} does not answer: {why}.")),
        _ => None,
    };
    let faults = unit.known.faults.iter().map(|fault| {
        let word = if fault.warning { "warning" } else { "FAULT" };
        format!("{name}, {word}: {}.", fault.text)
    });
    silent.into_iter().chain(faults).collect()
}
