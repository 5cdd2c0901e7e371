//! Power in one line for the machine's screens, and what of it needs attention there.

use super::words::{about, minutes, percent, told};
use crate::model::Time;
use crate::model::power::{Direction, Fault, GridState, Power, Reading, Unit, UnitState};
use crate::ui::theme::Role;

/// What needs attention, for the rows under the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// In capitals.
    pub label: &'static str,
    /// What it is.
    pub text: String,
}

fn polled(power: &Power) -> impl Iterator<Item = &Unit> {
    power.inverters.iter().map(AsRef::as_ref).filter(|unit| unit.enabled)
}

/// Sun, battery, grid, load and what is left, most important first where there is little room. Nothing where no
/// inverter is polled.
pub fn line(power: &Power, now: Time) -> Vec<(String, Role)> {
    if polled(power).next().is_none() {
        return Vec::new();
    }
    let mut parts = Vec::new();
    if polled(power).any(|unit| unit.simulated) {
        parts.push((" SIM ".to_owned(), Role::Sim));
    }
    if polled(power).all(|unit| matches!(unit.state, UnitState::Silent { .. })) {
        let names: Vec<&str> = polled(power).map(|unit| unit.known.name.as_str()).collect();
        parts.push((format!("{} does not answer", names.join(", ")), Role::Warning));
        return parts;
    }
    let total = power.total();
    parts.push(part("sun", &total.pv_w, now));
    parts.push(battery(power, &total.battery_w, now));
    parts.push(match grid_state(power) {
        GridState::Lost => ("grid LOST".to_owned(), Role::Alarm),
        GridState::Unknown => ("grid unknown".to_owned(), Role::Warning),
        GridState::Good => ("grid there".to_owned(), Role::Text),
    });
    parts.push(part("load", &total.load_w, now));
    if let Some(left) = minutes_left(power, now) {
        parts.push((format!("{} left", minutes(left)), Role::Text));
    }
    parts
}

fn part(what: &str, reading: &Reading<f64>, now: Time) -> (String, Role) {
    let told = told(reading, now, about);
    let role = if told.is_value() && told.age.is_none() { Role::Text } else { Role::Quiet };
    (format!("{what} {}", told.whole()), role)
}

fn battery(power: &Power, watts: &Reading<f64>, now: Time) -> (String, Role) {
    let socs: Vec<_> = polled(power).map(|unit| unit.known.battery.soc_percent).collect();
    let lowest = socs.iter().filter_map(|soc| soc.shown(now)).reduce(f64::min);
    let highest = socs.iter().filter_map(|soc| soc.shown(now)).reduce(f64::max);
    let level = match (lowest, highest, socs.first()) {
        (Some(low), Some(high), _) if high - low >= 1.0 => format!("{low:.0} to {high:.0} %"),
        (Some(_), _, Some(first)) if socs.len() == 1 => told(first, now, percent).whole(),
        (Some(low), ..) => percent(low),
        (None, _, Some(first)) => told(first, now, percent).text,
        (None, _, None) => String::new(),
    };
    let way = super::words::direction(watts, Direction::of_battery, now).unwrap_or_default();
    (format!("battery {level} {way}").trim_end().to_owned(), Role::Text)
}

/// The worst that is known of the grid.
pub(super) fn grid_state(power: &Power) -> GridState {
    let mut states = polled(power).map(|unit| unit.known.grid.state);
    let worst = |a, b| match (a, b) {
        (GridState::Lost, _) | (_, GridState::Lost) => GridState::Lost,
        (GridState::Unknown, _) | (_, GridState::Unknown) => GridState::Unknown,
        _ => GridState::Good,
    };
    states.next().map_or(GridState::Unknown, |first| states.fold(first, worst))
}

/// The least of the minutes that are left anywhere.
pub(super) fn minutes_left(power: &Power, now: Time) -> Option<f64> {
    polled(power).filter_map(|unit| unit.minutes_left(now)).reduce(f64::min)
}

/// What of the power needs attention on every screen, worst first.
pub fn alerts(power: &Power, now: Time) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for unit in polled(power) {
        let name = &unit.known.name;
        let lost = unit.known.grid.state == GridState::Lost;
        // That the grid is gone is told once.
        let told = |fault: &&Fault| (!fault.warning || fault.overload) && !(fault.grid && lost);
        let faults: Vec<_> = unit.known.faults.iter().filter(told).collect();
        if lost {
            let left = unit
                .minutes_left(now)
                .map_or(String::new(), |left| format!("; the battery lasts {} at this load", minutes(left)));
            alerts.push(Alert { label: "GRID LOST", text: format!("{name} runs without the grid{left}") });
        }
        if let Some(worst) = faults.first() {
            let label = match worst {
                fault if fault.overload => "OVERLOAD",
                fault if fault.grid => "GRID",
                _ => "FAULT",
            };
            let more = if faults.len() > 1 { format!(", and {} more", faults.len() - 1) } else { String::new() };
            alerts.push(Alert { label, text: format!("{name}: {}{more}", worst.text) });
        }
    }
    alerts
}

/// Whether two states of power look the same on the machine's screens.
pub fn same_face(old: &Power, new: &Power, now: Time) -> bool {
    old == new || (line(old, now) == line(new, now) && alerts(old, now) == alerts(new, now))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::ui::testing::{NOW, power as scene};

    fn text(power: &Power, now: Time) -> String {
        line(power, now).into_iter().map(|(text, _)| text).collect::<Vec<_>>().join("  ")
    }

    #[test]
    fn one_line_in_words() {
        let mut power = scene::one();
        assert_eq!(text(&power, NOW), " SIM   sun 2.3 kW  battery 64 % charging  grid there  load 0.8 kW");
        scene::change(&mut power, |unit| unit.known.flow.battery_w.value = Some(900.0));
        assert!(
            text(&power, NOW).ends_with("battery 64 % discharging  grid there  load 0.8 kW  4 h 50 min left"),
            "{}",
            text(&power, NOW)
        );
        assert_eq!(line(&Power::default(), NOW), Vec::new());
        scene::change(&mut power, |unit| unit.enabled = false);
        assert_eq!(line(&power, NOW), Vec::new());
    }

    #[test]
    fn what_is_not_known_is_said_and_never_0() {
        let power = scene::one();
        let late = text(&power, NOW + Duration::from_secs(8));
        assert!(late.contains("battery 64 %, 8 s old") && late.contains("sun 2.3 kW"), "{late}");
        let gone = text(&power, NOW + Duration::from_secs(80));
        assert!(gone.contains("sun lost") && !gone.contains(" 0"), "{gone}");
    }

    #[test]
    fn jitter_is_no_news_but_a_fault_is() {
        let old = scene::one();
        let mut new = scene::one();
        scene::change(&mut new, |unit| unit.known.flow.pv_w = Reading::new(2318.0, NOW, Duration::from_secs(5)));
        assert!(same_face(&old, &new, NOW));
        let fault = Fault {
            text: "fan".into(),
            register: "f".into(),
            warning: false,
            overload: false,
            grid: false,
            since: NOW,
        };
        scene::change(&mut new, |unit| unit.known.faults.push(fault.clone()));
        assert!(!same_face(&old, &new, NOW));
        assert_eq!(alerts(&new, NOW), [Alert { label: "FAULT", text: "roof: fan".into() }]);
        let of_grid = Fault { text: "No grid".into(), grid: true, ..fault.clone() };
        scene::change(&mut new, |unit| unit.known.faults = vec![of_grid.clone()]);
        assert_eq!(alerts(&new, NOW), [Alert { label: "GRID", text: "roof: No grid".into() }]);
        scene::change(&mut new, |unit| unit.known.grid.state = GridState::Lost);
        let told: Vec<&str> = alerts(&new, NOW).iter().map(|alert| alert.label).collect();
        assert_eq!(told, ["GRID LOST"], "once");
        scene::change(&mut new, |unit| unit.known.grid.state = GridState::Good);
        let warning = Fault { warning: true, ..fault };
        scene::change(&mut new, |unit| unit.known.faults = vec![warning.clone()]);
        assert_eq!(alerts(&new, NOW), []);
        let two =
            Power { inverters: vec![Arc::clone(&old.inverters[0]), Arc::clone(&new.inverters[0])], ..Power::default() };
        assert!(text(&two, NOW).contains("sun 4.6 kW"));
    }
}
